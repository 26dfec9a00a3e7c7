"""The process of a local hub, which serves one folder until it is stopped or idle."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from pathlib import Path

import uvicorn
from filelock import FileLock, Timeout
from platformdirs import user_state_dir

from . import __version__
from .faults import parse
from .jobs import write_atomically
from .options import Options
from .providers import PROVIDERS, Provider
from .runner import Runner
from .serve import SERVE_LOCK, STATE_FILE, last_state

#: Seconds that a hub which no longer answers may take to end: so long the next one waits.
_ENDING = 3.0


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and serve."""
    parser = _parser()
    args = parser.parse_args(arguments)
    provider = PROVIDERS[args.provider]
    try:
        for fault in args.fault:
            parse(fault, provider.faults)
        choices = provider.parsed(args.choice)
    except ValueError as exc:
        parser.error(str(exc))
    options = Options(
        speed=args.speed,
        size=args.size,
        idle=args.idle,
        keys=frozenset(args.key),
        keep_alive=args.keep_alive,
        workers=args.workers,
        faults=tuple(args.fault),
        choices=choices,
    )
    folder = Path(args.state).expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.chdir(folder)  # the folder of the notebook that started it may be deleted: then no renderer would start
    try:
        # Two processes on one folder would overwrite each other's jobs.
        with FileLock(folder / SERVE_LOCK, timeout=_ENDING):
            asyncio.run(_serve(provider, folder, options, args.port))
    except Timeout:
        print(f"Another local hub is already running on {folder}.", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kling_nb.localhub", description="Run the local hub of kling_nb.")
    add = parser.add_argument
    add("--provider", choices=tuple(PROVIDERS), default="oxen", help="whose contract to speak (default: oxen)")
    state = str(Path(user_state_dir("kling_nb")) / "localhub")
    add("--port", type=int, default=0, help="port to listen on; 0 (default) reuses the last one or picks a free one")
    add("--state", default=state, metavar="DIR", help="folder for jobs, uploads and results (default: %(default)s)")
    add("--speed", type=_positive, default=1.0, help="1 (default): a clip takes about 6 s; 100: a hundredth of that")
    add(
        "--size",
        choices=("90p", "180p", "360p", "720p", "1080p"),
        default="720p",
        help="resolution of the clips (default: 720p)",
    )
    add("--idle", type=_positive, metavar="SECONDS", help="exit after this time without requests or active jobs")
    add("--key", action="append", default=[], help="accept only this API key (may be repeated); default: any key")
    add("--keep-alive", type=_positive, default=15.0, metavar="SECONDS", help="keep-alive interval of the event stream")
    add("--workers", type=int, default=2, help="number of rendering processes (default: 2)")
    known = "; ".join(f"{name}: {', '.join(sorted(each.faults))}" for name, each in PROVIDERS.items())
    faults = f"switch on a fault, for the first TIMES requests or for all. {known}"
    add("--fault", action="append", default=[], metavar="NAME[:TIMES]", help=faults)
    choices = "how to behave where the wire contract leaves it open; the default comes first."
    for name, each in PROVIDERS.items():
        values = "; ".join(f"{key}={'|'.join(values)}" for key, values in each.choices.items())
        choices += f" {name}: {values}."
    add("--choice", action="append", default=[], metavar="NAME=VALUE", help=choices)
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"must be greater than 0, got {text}")
    return value


async def _serve(provider: Provider, folder: Path, options: Options, port: int) -> None:
    hub = provider.hub(folder, options)
    listeners = [_listen(port, folder, "url"), _listen(0, folder, "other_url")]
    hub.base_url, hub.other_origin = (f"http://127.0.0.1:{each.getsockname()[1]}" for each in listeners)
    config = uvicorn.Config(
        provider.build(hub),
        http="h11",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    # Signals must close the hub first, which ends the open event streams.
    server.capture_signals = contextlib.nullcontext  # pyright: ignore[reportAttributeAccessIssue]
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(name, hub.closing.set)
    await hub.start()
    serving = asyncio.create_task(server.serve(sockets=listeners))
    while not server.started and not serving.done():  # noqa: ASYNC110  # uvicorn has a flag, not an event
        await asyncio.sleep(0.005)
    state = {"url": hub.base_url, "other_url": hub.other_origin, "pid": os.getpid(), "version": __version__}
    write_atomically(folder / STATE_FILE, state)
    print(f"kling_nb local hub at {hub.base_url}", flush=True)
    idling = asyncio.create_task(_close_when_idle(hub))
    await asyncio.wait([serving, asyncio.create_task(hub.closing.wait())], return_when=asyncio.FIRST_COMPLETED)
    await hub.stop()
    idling.cancel()
    server.should_exit = True
    await serving


async def _close_when_idle(hub: Runner) -> None:
    idle = hub.options.idle
    if idle is None:
        return
    while hub.is_busy() or time.time() - hub.last_used < idle:  # noqa: ASYNC110  # no event marks idleness
        await asyncio.sleep(min(1.0, idle / 4))
    hub.closing.set()


def _listen(port: int, folder: Path, which: str) -> socket.socket:
    """Listen on a port; instead of 0 on the last one, if it is free, so that the URLs in a notebook stay valid."""
    listener = None
    if not port:
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            listener = socket.create_server(("127.0.0.1", int(last_state(folder)[which].rpartition(":")[2])))
    listener = listener or socket.create_server(("127.0.0.1", port))
    # Connections inherit it. Without it, the second write of each response waits 40 ms for the client's delayed
    # acknowledgement; asyncio sets it only for sockets that it opens itself.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
