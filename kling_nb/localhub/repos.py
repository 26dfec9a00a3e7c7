"""The repositories of the hub: folders with files, as far as uploads need them (HUB_API section 7)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from .jobs import write_atomically

__all__ = ["BadPath", "Repos", "safe_path"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_META = "repo.json"


class BadPath(ValueError):
    """A name or a path that could lead out of its repository."""


class Repos:
    """Every repository, as `namespace/name/{repo.json, files/...}`; branches are one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def create(self, namespace: str, name: str, **more: Any) -> bool:
        """Make a repository; False when it exists."""
        home = self._home(namespace, name)
        if (home / _META).exists():
            return False
        (home / "files").mkdir(parents=True, exist_ok=True)
        write_atomically(home / _META, {"namespace": namespace, "name": name, **more})
        return True

    def get(self, namespace: str, name: str) -> dict[str, Any] | None:
        """What is known of a repository, or None."""
        try:
            return json.loads((self._home(namespace, name) / _META).read_text(encoding="utf-8"))
        except (OSError, BadPath):
            return None

    def is_private(self, namespace: str, name: str) -> bool:
        """Whether its files need a key or a signature."""
        return (self.get(namespace, name) or {}).get("visibility") == "private"

    def write(self, namespace: str, name: str, path: str, data: bytes) -> Path:
        """Keep a file."""
        target = self._home(namespace, name) / "files" / safe_path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        return target

    def find(self, namespace: str, name: str, path: str) -> Path | None:
        """The file, or None when there is none."""
        try:
            target = self._home(namespace, name) / "files" / safe_path(path)
        except BadPath:
            return None
        return target if target.is_file() else None

    def find_by_url(self, path: str) -> Path | None:
        """The file behind `/api/repos/{ns}/{repo}/file/{branch}/{path}`."""
        pieces = path.split("/", 7)
        if len(pieces) < 8 or pieces[1:3] != ["api", "repos"] or pieces[5] != "file":
            return None
        return self.find(pieces[3], pieces[4], pieces[7])

    def _home(self, namespace: str, name: str) -> Path:
        if not _NAME.fullmatch(namespace) or not _NAME.fullmatch(name):
            raise BadPath(f"not a repository name: {namespace}/{name}")
        return self._folder / namespace / name


def safe_path(path: str) -> Path:
    """The path as a relative one without surprises, or `BadPath`: no `..`, no drive, no control character."""
    pieces = [piece for piece in path.replace("\\", "/").split("/") if piece not in ("", ".")]
    if not pieces or len(path) > 1000 or any(_suspicious(piece) for piece in pieces):
        raise BadPath(f"not a file path: {path[:200]!r}")
    return Path(*pieces)


def _suspicious(piece: str) -> bool:
    return piece == ".." or ":" in piece or any(ord(letter) < 32 for letter in piece) or len(piece) > 200
