"""`python -m kling_nb.localhub`: the local hub from a shell."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from filelock import Timeout
from platformdirs import user_state_dir

from .faults import FAULTS, parse
from .options import OPEN, Options, open_answers
from .server import run


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, and serve."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        for fault in given.fault:
            parse(fault)
        answers = open_answers(given.open)
    except ValueError as exc:
        parser.error(str(exc))
    options = Options(
        speed=given.speed,
        size=given.size,
        idle=given.idle,
        keys=frozenset(given.key),
        keep_alive=given.keep_alive,
        workers=given.workers,
        faults=tuple(given.fault),
        answers=answers,
    )
    folder = Path(given.state).expanduser().absolute()
    try:
        run(folder, options, given.port, lambda url: print(f"kling_nb local hub at {url}", flush=True))
    except Timeout:
        print(f"another local hub serves {folder}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kling_nb.localhub", description="The local hub of kling_nb.")
    state = str(Path(user_state_dir("kling_nb")) / "localhub")
    parser.add_argument("--port", type=int, default=0, help="0: the last one, or any free one")
    parser.add_argument("--state", default=state, metavar="DIR", help="jobs, files and results (default: %(default)s)")
    parser.add_argument("--speed", type=_positive, default=1.0, help="1: a clip takes about 6 s; 100: a hundredth")
    parser.add_argument("--size", choices=("180p", "720p", "1080p"), default="720p", help="size class of the films")
    parser.add_argument("--idle", type=_positive, metavar="SECONDS", help="end after so long without requests and jobs")
    parser.add_argument("--key", action="append", default=[], help="take only this key (may be repeated)")
    parser.add_argument(
        "--keep-alive", type=_positive, default=15.0, metavar="SECONDS", help="beat of the event stream"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes that render")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NAME[:TIMES]", help=f"one of {', '.join(sorted(FAULTS))}"
    )
    questions = "; ".join(f"{name}={'|'.join(choices)}" for name, choices in OPEN.items())
    parser.add_argument("--open", action="append", default=[], metavar="NAME=VALUE", help=questions)
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


if __name__ == "__main__":
    # This process is ours alone, and nothing in it asks for the formats that this is for: beside JupyterLab, jsonschema
    # would take over a second to load it.
    sys.modules.setdefault("rfc3987_syntax", None)  # pyright: ignore[reportArgumentType]
    sys.exit(main())
