"""The process of a local hub: it serves one state folder until it is stopped or idle."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from . import __version__
from .app import build
from .hub import Hub
from .jobs import write_atomically
from .options import Options
from .serve import STATE_FILE, last_state
from .transport import make_server

__all__ = ["run"]


def run(folder: Path, options: Options, port: int = 0, announce: Callable[[str], None] = print) -> None:
    """Serve until the hub is stopped or idle; call `announce` with the base URL once it listens."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Two processes on one folder would overwrite each other's jobs.
    with FileLock(folder / "serve.lock", blocking=False):
        asyncio.run(_serve(folder, options, port, announce))


async def _serve(folder: Path, options: Options, port: int, announce: Callable[[str], None]) -> None:
    listener = _listen(port, folder)
    hub = Hub(folder, options)
    hub.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = make_server(build(hub))
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(name, hub.closing.set)
    await hub.start()
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():  # noqa: ASYNC110  # uvicorn has a flag, not an event
        await asyncio.sleep(0.005)
    write_atomically(folder / STATE_FILE, {"url": hub.base_url, "pid": os.getpid(), "version": __version__})
    announce(hub.base_url)
    idling = asyncio.create_task(_close_when_idle(hub))
    await asyncio.wait([serving, asyncio.create_task(hub.closing.wait())], return_when=asyncio.FIRST_COMPLETED)
    await hub.stop()
    idling.cancel()
    server.should_exit = True
    await serving


async def _close_when_idle(hub: Hub) -> None:
    idle = hub.options.idle
    if idle is None:
        return
    while hub.is_busy() or time.time() - hub.last_used < idle:  # noqa: ASYNC110  # no event marks idleness
        await asyncio.sleep(min(1.0, idle / 4))
    hub.closing.set()


def _listen(port: int, folder: Path) -> socket.socket:
    if not port:
        # The last port again, if it is free, so that the URLs in a notebook stay valid.
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            return socket.create_server(("127.0.0.1", int(last_state(folder)["url"].rpartition(":")[2])))
    return socket.create_server(("127.0.0.1", port))
