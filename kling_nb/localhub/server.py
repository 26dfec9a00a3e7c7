"""The hub's own process: serves one state folder until it is told to stop, or is idle."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import uvicorn
from filelock import FileLock

from . import __version__
from .app import build
from .hub import Hub
from .jobs import write_atomically
from .options import Options
from .serve import CARD, card
from .transport import LocalProtocol, Server

__all__ = ["run"]


def run(folder: Path, options: Options, port: int = 0, say: Callable[[str], None] = print) -> None:
    """Serve until told to stop, or until idle."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(folder / "serve.lock", blocking=False)
    with lock:  # two processes on one state folder would each write the other's jobs
        asyncio.run(_serve(folder, options, port, say))


async def _serve(folder: Path, options: Options, port: int, say: Callable[[str], None]) -> None:
    listener = _listen(port, folder)
    hub = Hub(folder, options)
    hub.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = Server(
        uvicorn.Config(
            build(hub),
            http=LocalProtocol,
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(name, hub.closing.set)
    await hub.start()
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():  # noqa: ASYNC110  # uvicorn has a flag, not an event
        await asyncio.sleep(0.005)
    write_atomically(folder / CARD, {"url": hub.base, "pid": os.getpid(), "version": __version__})
    say(hub.base)
    watch = asyncio.create_task(_watch(hub))
    await asyncio.wait([serving, asyncio.create_task(hub.closing.wait())], return_when=asyncio.FIRST_COMPLETED)
    await hub.stop()
    watch.cancel()
    server.should_exit = True
    await serving


async def _watch(hub: Hub) -> None:
    idle = hub.options.idle
    if idle is None:
        return
    while hub.active() or time.time() - hub.touched < idle:  # noqa: ASYNC110  # idleness is no event
        await asyncio.sleep(min(1.0, idle / 4))
    hub.closing.set()


def _listen(port: int, folder: Path) -> socket.socket:
    if port:
        return socket.create_server(("127.0.0.1", port))
    # The port of last time, when it is free: addresses that a notebook kept stay good.
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        return socket.create_server(("127.0.0.1", int(card(folder)["url"].rpartition(":")[2])))
    return socket.create_server(("127.0.0.1", 0))
