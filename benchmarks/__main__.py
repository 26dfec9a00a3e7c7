"""`python -m benchmarks [NAME …] [--quick]`: measure, and print one table."""

from __future__ import annotations

import argparse
import compileall
import importlib
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import kling_nb
from benchmarks.table import LeftOut, Row, drawn

NAMES = (
    "loading",
    "film",
    "logbook",
    "planning",
    "handing",
    "scoring",
    "notebook",
    "sweep",
    "jobs",
    "fal",
    "workbench",
    "extension",
    "team",
)


def main() -> int:
    """Run the benchmarks of these names, all of them by default; 1 when an aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="fewer and smaller runs: for a first look only")
    given = parser.parse_args()
    if unknown := set(given.names) - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    _compile()
    began, load = time.monotonic(), _load()
    rows: list[Row] = []
    left_out: list[str] = []
    try:
        with tempfile.TemporaryDirectory(prefix="kling_nb-bench-") as folder:
            for name in given.names or NAMES:
                print(f"{name} …", file=sys.stderr, flush=True)
                try:
                    rows += importlib.import_module(f"benchmarks.{name}").rows(Path(folder) / name, quick=given.quick)
                except LeftOut as why:
                    left_out.append(f"{name} is left out: {why}.")
    finally:  # what was measured before one broke is still worth seeing
        print(drawn(rows, [*left_out, *_footer(time.monotonic() - began, load, quick=given.quick)]))
    return int(any(row.ok is False for row in rows))


def _compile() -> None:
    """Write the compiled files of the package, as an installation has them."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the processes that are measured inherit it
    compileall.compile_dir(str(Path(kling_nb.__file__).parent), quiet=1)


def _footer(seconds: float, before: str, *, quick: bool) -> list[str]:
    return [
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, {seconds:.0f} s; "
        f"others' load at the start {before}, at the end {_load()}.",
        "Each figure is a median, measured in turn or side by side with its baseline; ratio: figure to baseline.",
        "Shares of a core: processor time of the client alone. Wall times suffer from whoever else uses the machine.",
        *(["Quick: too few runs to compare by."] if quick else []),
    ]


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


if __name__ == "__main__":
    sys.exit(main())
