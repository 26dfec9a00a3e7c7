"""Values saved under a name: presets, elements, options, drafts. One JSON file each, `saved/<kind>/<name>-<hash>.json`.

The files are the truth, and the index has none of it. Drafts belong to one machine's notebooks but are here too, so
that there is one place for all; `saved/draft/` need not be shared.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kling_nb.errors import ArgumentError, LogError
from kling_nb.store.disk import read_whole, write_whole, written_in
from kling_nb.store.sidecars import DIGESTS

#: The kinds that belong to no one notebook or machine.
SHARED = ("preset", "element")

_log = logging.getLogger(__name__)
_Version = tuple[int, ...]
_PLAIN = re.compile(r"[a-z][a-z0-9_]{0,39}")


class DamagedValue(LogError):
    """A saved value whose file cannot be read, or has another value's name."""


@dataclass(frozen=True, slots=True)
class NamedValue:
    """One saved value."""

    kind: str
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class _Seen:
    """The content of a file when it was last read; a file is never written over, so a version tells a new one."""

    version: _Version
    name: str | None
    """None for a file that cannot be understood."""
    digests: frozenset[str] | None
    """None for a file that cannot be opened."""


@dataclass(frozen=True)
class NamedValues:
    """The saved values of a log. A value is replaced whole; if two processes save one, the later value stays."""

    log: Path
    written: Callable[[], object] = lambda: None
    """Called after a value was saved: from then on there is a log."""
    _seen: dict[Path, _Seen] = field(default_factory=dict[Path, "_Seen"])

    @property
    def folder(self) -> Path:
        """The folder of the files."""
        return self.log / "saved"

    def path(self, kind: str, name: str) -> Path:
        """Return the file of a name; two names have two files, even on a disk that ignores case and accents."""
        return self.folder / (kind if _PLAIN.fullmatch(kind) else _safe(kind)) / f"{_safe(name)}.json"

    def save(self, kind: str, name: str, value: Any) -> None:
        """Save a JSON value. Raises `ArgumentError` for any other value, and `LogError`."""
        text = json_of(kind, name, value)
        with written_in(self.log):
            # Half a surrogate pair, as in the name of a file, is not UTF-8; as an escape it is JSON.
            write_whole(self.path(kind, name), text.encode("utf-8", "backslashreplace") + b"\n")
        self.written()

    def load(self, kind: str, name: str) -> Any | None:
        """Return a value, None if there is none. Raises `DamagedValue`."""
        found = self._read(self.path(kind, name))
        return found.value if found else None

    def names(self, kind: str) -> list[str]:
        """Return the names of a kind, sorted; a damaged file is left out, with one warning."""
        seen = (self._look(path, version) for path, version in _files_in(self.path(kind, "").parent))
        return sorted(one.name for one in seen if one.name is not None)

    def delete(self, kind: str, name: str) -> None:
        """Delete a value, if there is one."""
        with written_in(self.log):
            self.path(kind, name).unlink(missing_ok=True)

    def merge(self, kind: str, name: str, value: Any) -> bool:
        """Add a value of another log and return whether it was new. Two values of one name both stay.

        Which of them gets the name does not depend on which was here first. Raises `DamagedValue`, and adds nothing,
        if the one of that name here cannot be read.
        """
        mine = self.load(kind, name)
        if mine is None:
            self.save(kind, name, value)
            return True
        if mine == value:
            return False
        first, second = sorted((mine, value), key=_text)
        other = f"{name} ({hashlib.sha256(_text(second).encode('utf-8', 'surrogatepass')).hexdigest()[:6]})"
        if mine == first and self.load(kind, other) == second:
            return False
        self.save(kind, other, second)
        self.save(kind, name, first)
        return True

    def digests(self) -> dict[str, str]:
        """Return each digest that a saved value names, with the value's name, even if its file is damaged.

        Raises `DamagedValue` for a file that cannot be opened, since its digests are unknown.
        """
        found: dict[str, str] = {}
        for path, version in (file for kind in self._kinds() for file in _files_in(kind)):
            one = self._look(path, version)
            if one.digests is None:
                self._read(path)  # raises
                continue
            named = f"{path.parent.name} {one.name!r}".removesuffix(" ''")
            found |= dict.fromkeys(one.digests, path.relative_to(self.log).as_posix() if one.name is None else named)
        return found

    def scan(self, kinds: Collection[str] | None = None) -> Iterator[tuple[Path, NamedValue | DamagedValue]]:
        """Yield every value of these kinds, by default of all, or the error of a file or folder that cannot be read."""
        try:
            folders = self._kinds() if kinds is None else [self.path(kind, "").parent for kind in kinds]
        except DamagedValue as exc:
            yield self.folder, exc
            return
        for folder in folders:
            try:
                paths = _files_in(folder)
            except DamagedValue as exc:
                yield folder, exc
                continue
            for path, _ in paths:
                try:
                    found = self._read(path)
                except DamagedValue as exc:
                    yield path, exc
                else:
                    if found:
                        yield path, found

    def _kinds(self) -> list[Path]:
        return [Path(entry.path) for entry in _entries(self.folder) if entry.is_dir()]

    def _look(self, path: Path, version: _Version) -> _Seen:
        if path not in self._seen or self._seen[path].version != version:
            name, digests = None, None
            try:
                digests = frozenset(DIGESTS.findall(read_whole(path).decode("utf-8", "replace")))
                name = found.name if (found := self._read(path)) else None
            except FileNotFoundError:  # deleted meanwhile
                digests = frozenset[str]()
            except (OSError, DamagedValue) as exc:
                _log.warning("%s", exc if isinstance(exc, DamagedValue) else _damaged(path, exc))
            self._seen[path] = _Seen(version, name, digests)
        return self._seen[path]

    def _read(self, path: Path) -> NamedValue | None:
        try:
            whole = json.loads(read_whole(path))
            found = NamedValue(str(whole["kind"]), str(whole["name"]), whole["value"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, LookupError, RecursionError) as exc:
            if self.log.is_file():  # a file in place of the log's folder is named when something is saved
                return None
            raise _damaged(path, exc) from exc
        place = self.path(found.kind, found.name)
        if place != path:
            where = place.relative_to(self.folder).as_posix()
            raise DamagedValue(f"{path} holds the {found.kind} {found.name!r}: move it to {where}, or remove it.")
        return found


def json_of(kind: str, name: str, value: Any) -> str:
    """Return the content of a value's file. Raises `ArgumentError` for a value that JSON cannot hold."""
    try:
        return json.dumps({"kind": kind, "name": name, "value": value}, ensure_ascii=False, allow_nan=False, indent=2)
    except (TypeError, ValueError, RecursionError) as exc:
        raise ArgumentError(f"{name!r} cannot be saved as JSON: {exc}.") from exc


def _damaged(path: Path, exc: Exception) -> DamagedValue:
    why = f"it has no {exc}" if isinstance(exc, LookupError) else getattr(exc, "strerror", None) or str(exc)
    return DamagedValue(f"{path} is not a readable {path.parent.name} ({why}): restore it from a copy, or remove it.")


def _files_in(folder: Path) -> list[tuple[Path, _Version]]:
    """Return the files of a folder, each with a value that changes when it is written."""
    found: list[tuple[Path, _Version]] = []
    for entry in _entries(folder):
        if entry.name.endswith(".json") and not entry.name.startswith("."):
            version: _Version = ()
            with contextlib.suppress(OSError):  # deleted meanwhile; or reading it says why
                facts = entry.stat()
                version = (facts.st_mtime_ns, facts.st_size, facts.st_ino)
            found.append((Path(entry.path), version))
    return found


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise DamagedValue(f"{folder} cannot be read ({exc.strerror or exc}): it must be a folder of yours.") from exc


def _safe(word: str) -> str:
    """Return a short readable part, and a hash of the exact word, which tells it from any other."""
    letters = unicodedata.normalize("NFKD", word.casefold()).encode("ascii", "ignore").decode()
    readable = "-".join(re.findall(r"[a-z0-9]+", letters))[:40].strip("-")
    exact = hashlib.sha256(word.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{readable}-{exact}" if readable else exact


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
