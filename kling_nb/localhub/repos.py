"""Repositories: folders that hold uploaded files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from .jobs import write_atomically

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_META = "repo.json"


class PathError(ValueError):
    """A name or path that is illegal or could lead out of its repository."""


class Repos:
    """All repositories, stored as `namespace/name/{repo.json, files/...}`; there is one branch."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def create(self, namespace: str, name: str, **properties: Any) -> bool:
        """Create a repository; return False if it exists."""
        folder = self._folder_of(namespace, name)
        if (folder / _META).exists():
            return False
        (folder / "files").mkdir(parents=True, exist_ok=True)
        write_atomically(folder / _META, {"namespace": namespace, "name": name, **properties})
        return True

    def get(self, namespace: str, name: str) -> dict[str, Any] | None:
        """Return the properties of a repository, or None if it does not exist."""
        try:
            return json.loads((self._folder_of(namespace, name) / _META).read_text(encoding="utf-8"))
        except (OSError, PathError):
            return None

    def is_private(self, namespace: str, name: str) -> bool:
        """Return whether its files need a key or a signature."""
        return (self.get(namespace, name) or {}).get("visibility") == "private"

    def write(self, namespace: str, name: str, path: str, data: bytes) -> None:
        """Save a file."""
        target = self._folder_of(namespace, name) / "files" / safe_path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def find(self, namespace: str, name: str, path: str) -> Path | None:
        """Return the file at a path, or None if it does not exist."""
        try:
            target = self._folder_of(namespace, name) / "files" / safe_path(path)
        except PathError:
            return None
        return target if target.is_file() else None

    def find_by_url(self, path: str) -> Path | None:
        """Return the file at `/api/repos/{namespace}/{repo}/file/{branch}/{path}`, or None if it does not exist."""
        parts = path.split("/", 7)
        if len(parts) < 8 or parts[1:3] != ["api", "repos"] or parts[5] != "file":
            return None
        return self.find(parts[3], parts[4], parts[7])

    def _folder_of(self, namespace: str, name: str) -> Path:
        if not _NAME.fullmatch(namespace) or not _NAME.fullmatch(name):
            raise PathError(f"Invalid repository name {f'{namespace}/{name}'!r}.")
        return self._folder / namespace / name


def safe_path(path: str) -> Path:
    """Return the path as a relative one without `..`, drives and control characters.

    Raises:
        PathError: The path is empty, too long or not safe.
    """
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts or len(path) > 1000 or any(_is_unsafe(part) for part in parts):
        raise PathError(f"Invalid file path {path[:200]!r}.")
    return Path(*parts)


def _is_unsafe(part: str) -> bool:
    return part == ".." or ":" in part or any(ord(letter) < 32 for letter in part) or len(part) > 200
