"""`python -m tests.textfiles FILE...`: check that text files are clean; see `.pre-commit-config.yaml`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

_CONFLICT = re.compile(rb"^(<<<<<<<|>>>>>>>) ", re.MULTILINE)
_TRAILING = re.compile(rb"[ \t]+$", re.MULTILINE)


def problems(data: bytes) -> Iterator[str]:
    """Return the faults in the bytes of a text file."""
    if b"\r\n" in data:
        yield "has Windows line ends"
    if _TRAILING.search(data):
        yield "has spaces at the end of a line"
    if (data and not data.endswith(b"\n")) or data.endswith(b"\n\n"):
        yield "must end with exactly one newline"
    if _CONFLICT.search(data):
        yield "has conflict markers"


def main(names: list[str]) -> int:
    """Print the problems of each file and return the exit status."""
    found = [f"{name} {problem}" for name in names for problem in problems(Path(name).read_bytes())]
    print("\n".join(found))
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
