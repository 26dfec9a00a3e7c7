"""`python -m kling_nb.localhub`: run the local hub from a shell."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from filelock import Timeout
from platformdirs import user_state_dir

from .faults import FAULTS, parse
from .options import CHOICES, Options, parse_choices
from .server import run


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and serve."""
    parser = _parser()
    args = parser.parse_args(arguments)
    try:
        for fault in args.fault:
            parse(fault)
        choices = parse_choices(args.choice)
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
    try:
        run(folder, options, args.port, lambda url: print(f"kling_nb local hub at {url}", flush=True))
    except Timeout:
        print(f"Another local hub is already running on {folder}.", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kling_nb.localhub", description="Run the local hub of kling_nb.")
    add = parser.add_argument
    state = str(Path(user_state_dir("kling_nb")) / "localhub")
    add("--port", type=int, default=0, help="port to listen on; 0 (default) reuses the last one or picks a free one")
    add("--state", default=state, metavar="DIR", help="folder for jobs, uploads and results (default: %(default)s)")
    add("--speed", type=_positive, default=1.0, help="1 (default): a clip takes about 6 s; 100: a hundredth of that")
    add("--size", choices=("180p", "720p", "1080p"), default="720p", help="resolution of the clips (default: 720p)")
    add("--idle", type=_positive, metavar="SECONDS", help="exit after this time without requests or active jobs")
    add("--key", action="append", default=[], help="accept only this API key (may be repeated); default: any key")
    add("--keep-alive", type=_positive, default=15.0, metavar="SECONDS", help="keep-alive interval of the event stream")
    add("--workers", type=int, default=2, help="number of rendering processes (default: 2)")
    faults = f"switch on a fault, for the first TIMES requests or for all: {', '.join(sorted(FAULTS))}"
    add("--fault", action="append", default=[], metavar="NAME[:TIMES]", help=faults)
    choices = "; ".join(f"{name}={'|'.join(values)}" for name, values in CHOICES.items())
    choices = f"how to behave where the wire contract leaves it open; the default comes first: {choices}"
    add("--choice", action="append", default=[], metavar="NAME=VALUE", help=choices)
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"must be greater than 0, got {text}")
    return value


if __name__ == "__main__":
    # jsonschema loads this package for formats that the hub does not check, and loading it takes over a second.
    sys.modules.setdefault("rfc3987_syntax", None)  # pyright: ignore[reportArgumentType]
    sys.exit(main())
