"""The logs that a Jupyter server may show: those of its own notebooks, and the one that its environment names."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from kling_nb.errors import LogError
from kling_nb.lab.team import is_team, team_log
from kling_nb.settings import LOG
from kling_nb.store.log import Log
from kling_nb.store.other_logs import remembered

#: The name of the log of the server's own environment, if it is outside the root folder.
SERVERS_OWN = "@server"
_FOLDER = "kling_log"
_PARTS = ("index.sqlite", "index.sqlite-wal", "budget.json")


class UnknownLog(LogError):
    """No log has that name, or it may not be shown."""


class Logs:
    """The logs below a server's root folder, by their path from there; each is only read. Used on any thread."""

    def __init__(self, root: Path | None) -> None:
        self._root = root.resolve() if root else None
        self._open: dict[Path, Log] = {}
        self._lock = threading.Lock()

    def known(self, notebooks: Iterable[str]) -> dict[str, Path]:
        """Return the logs next to these notebooks, those that kernels have noted, and the server's own, by name."""
        beside = [self._root / path for path in map(_folder_of, notebooks)] if self._root else []
        folders = [*([own] if (own := _servers_own()) else []), *(path / _FOLDER for path in beside), *remembered()]
        found: dict[str, Path] = {}
        for folder in dict.fromkeys(folders):
            name = self._name_of(folder)
            if name and _is_log(folder):
                found.setdefault(name, folder)
        return found

    def folder(self, name: str) -> Path:
        """Return the folder of the log of a name. Raises `UnknownLog` if there is none that may be shown."""
        own = _servers_own()
        if own and name == self._name_of(own):
            folder = own
        elif self._root is None or name.startswith(("/", "@")) or "\\" in name or ".." in PurePosixPath(name).parts:
            raise UnknownLog(f"{name!r} is not the name of a log of this server.")
        else:
            folder = self._root / name
        if self._name_of(folder) is None or not _is_log(folder):
            raise UnknownLog(f"This server has no log {name!r}.")
        return folder

    def log(self, folder: Path) -> Log:
        """Return the log in a folder, to be read as it is. Raises `KlingError` for a team's that is not known here."""
        with self._lock:
            if folder not in self._open:
                self._open[folder] = team_log(folder) if is_team(folder) else Log(folder, as_it_is=True)
            return self._open[folder]

    def is_own(self, folder: Path) -> bool:
        """Return whether the server's environment, which its kernels inherit, names this log for every notebook."""
        own = _servers_own()
        return bool(own and own.resolve() == folder.resolve())

    def close(self) -> None:
        """Close all logs."""
        with self._lock:
            for log in self._open.values():
                log.close()
            self._open.clear()

    def _name_of(self, folder: Path) -> str | None:
        """Return the name of a log, None if it may not be shown: outside the root, by a link too, or hidden."""
        try:
            real = folder.resolve()
        except (OSError, RuntimeError, ValueError):
            return None
        if self._root and real.is_relative_to(self._root):
            name = real.relative_to(self._root)
            return None if any(part.startswith(".") for part in name.parts) else name.as_posix()
        own = _servers_own()
        return SERVERS_OWN if own and real == own.resolve() else None


def file_of(folder: Path, digest: str, log: Log) -> Path | None:
    """Return the image or video of a digest, None if there is none or it is outside the log by a link."""
    file = log.media_file(f"sha256:{digest}")
    return file if file and file.resolve().is_relative_to(folder.resolve()) else None


def signature(folder: Path) -> tuple[int, ...]:
    """Return a value that is another one when the log in a folder has changed."""
    return tuple(number for part in _PARTS for number in _changed(folder / part))


def _changed(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _folder_of(notebook: str) -> PurePosixPath:
    # Real-time collaboration puts a drive before the path: `RTC:folder/a.ipynb`.
    return PurePosixPath(notebook.rpartition(":")[2].lstrip("/")).parent


def _servers_own() -> Path | None:
    value = os.environ.get(LOG, "").strip()
    folder = Path(value).expanduser() if value else None
    return folder if folder and folder.is_absolute() else None


def _is_log(folder: Path) -> bool:
    return is_team(folder) or ((folder / "index.sqlite").is_file() and (folder / "records").is_dir())
