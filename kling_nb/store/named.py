"""What is kept by name: presets, elements, options, drafts. One JSON file each, `saved/<kind>/<name>-<hash>.json`.

The files are the truth, and the index has none of it: it can be deleted, left out of git, or made anew. Drafts are of
one machine's notebooks, yet lie here too, so that there is one place and one way; `saved/draft/` need not be shared.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, and_, create_engine, delete, insert, inspect, select, update
from sqlalchemy.exc import DatabaseError

from kling_nb.errors import LogError
from kling_nb.store.database import Database, has, sqlite_at
from kling_nb.store.disk import write_whole, written_in
from kling_nb.store.sidecars import DIGESTS
from kling_nb.store.tables import kept, scores, uploads

#: What is kept by name and not of one notebook alone.
SHARED = ("preset", "element")

_log = logging.getLogger(__name__)
_Stamp = tuple[int, ...]
_PLAIN = re.compile(r"[a-z][a-z0-9_]{0,39}")


class DamagedValue(LogError):
    """A file of a kept value is torn, foreign, or under another's name."""


@dataclass(frozen=True, slots=True)
class NamedValue:
    """One kept value."""

    kind: str
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a file held as it was last read. A file is never written over, so that its stamp tells a new one."""

    stamp: _Stamp
    name: str | None
    """None for what cannot be read."""
    digests: frozenset[str] | None
    """None for what cannot be looked into."""


@dataclass(frozen=True)
class NamedValues:
    """The kept values in the folder of a log. A value is replaced whole; of two kernels the later one's stays."""

    log: Path
    _seen: dict[Path, _Seen] = field(default_factory=dict[Path, "_Seen"])

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self.log / "saved"

    def path(self, kind: str, name: str) -> Path:
        """Return the file of a name. Two names have two files, also where a disk knows no case and no accents."""
        return self.folder / (kind if _PLAIN.fullmatch(kind) else _safe(kind)) / f"{_safe(name)}.json"

    def put(self, kind: str, name: str, value: Any) -> None:
        """Keep a JSON value. Raises `LogError` for what is no JSON, and where nothing can be written."""
        whole = {"kind": kind, "name": name, "value": value}
        try:
            text = json.dumps(whole, ensure_ascii=False, allow_nan=False, indent=2)
        except (TypeError, ValueError, RecursionError) as exc:
            raise LogError(f"{name!r} cannot be kept: {exc}.") from exc
        with written_in(self.log):
            # Half a surrogate pair, as a file's odd name may have, is no UTF-8; as an escape it is JSON.
            write_whole(self.path(kind, name), text.encode("utf-8", "backslashreplace") + b"\n")

    def get(self, kind: str, name: str) -> Any | None:
        """Return the value, None when there is none. Raises `DamagedValue`."""
        found = self._read(self.path(kind, name))
        return found.value if found else None

    def names(self, kind: str) -> list[str]:
        """Return the names of a kind, sorted; a file that cannot be read is left out, and said once."""
        seen = (self._look(path, stamp) for path, stamp in _files_in(self.path(kind, "").parent))
        return sorted(one.name for one in seen if one.name is not None)

    def drop(self, kind: str, name: str) -> None:
        """Forget a value; it may be gone already."""
        with written_in(self.log):
            self.path(kind, name).unlink(missing_ok=True)

    def join(self, kind: str, name: str, value: Any) -> bool:
        """Take in a value from elsewhere and return whether anything was new. Of two with one name both stay.

        Which of them keeps the name does not depend on which was here first. Raises `DamagedValue`, and takes in
        nothing, when that of the same name cannot be read.
        """
        mine = self.get(kind, name)
        if mine is None:
            self.put(kind, name, value)
            return True
        if mine == value:
            return False
        first, second = sorted((mine, value), key=_text)
        other = f"{name} ({hashlib.sha256(_text(second).encode('utf-8', 'surrogatepass')).hexdigest()[:6]})"
        if mine == first and self.get(kind, other) == second:
            return False
        self.put(kind, other, second)
        self.put(kind, name, first)
        return True

    def all(self, kinds: Collection[str], unreadable: list[DamagedValue]) -> Iterator[NamedValue]:
        """Every value of these kinds; what is wrong with those that cannot be read goes into `unreadable`."""
        for kind in kinds:
            for path, _ in _files_in(self.path(kind, "").parent):
                try:
                    if found := self._read(path):
                        yield found
                except DamagedValue as exc:
                    unreadable.append(exc)

    def faults(self) -> Iterator[tuple[Path, DamagedValue]]:
        """Every file that cannot be read, with what is wrong."""
        try:
            folders = self._kinds()
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
                    self._read(path)
                except DamagedValue as exc:
                    yield path, exc

    def digests(self) -> dict[str, str]:
        """Return each digest that a kept value names, with which one it is; also of a file that is torn.

        Raises `DamagedValue` for what cannot be looked into: nobody knows what it names.
        """
        found: dict[str, str] = {}
        for path, stamp in (file for kind in self._kinds() for file in _files_in(kind)):
            one = self._look(path, stamp)
            if one.digests is None:
                self._read(path)  # which says why
                continue
            named = f"{path.parent.name} {one.name!r}".removesuffix(" ''")
            about = path.relative_to(self.log).as_posix() if one.name is None else named
            found |= dict.fromkeys(one.digests, about)
        return found

    def _kinds(self) -> list[Path]:
        return [Path(entry.path) for entry in _entries(self.folder) if entry.is_dir()]

    def _look(self, path: Path, stamp: _Stamp) -> _Seen:
        if path not in self._seen or self._seen[path].stamp != stamp:
            name, digests = None, None
            try:
                digests = frozenset(DIGESTS.findall(path.read_bytes().decode("utf-8", "replace")))
                name = found.name if (found := self._read(path)) else None
            except FileNotFoundError:  # dropped meanwhile
                digests = frozenset[str]()
            except (OSError, DamagedValue) as exc:
                _log.warning("%s", exc if isinstance(exc, DamagedValue) else _unreadable(path, exc))
            self._seen[path] = _Seen(stamp, name, digests)
        return self._seen[path]

    def _read(self, path: Path) -> NamedValue | None:
        try:
            whole = json.loads(path.read_bytes())
            found = NamedValue(str(whole["kind"]), str(whole["name"]), whole["value"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, LookupError, RecursionError) as exc:
            raise _unreadable(path, exc) from exc
        place = self.path(found.kind, found.name)
        if place != path:
            where = place.relative_to(self.folder).as_posix()
            raise DamagedValue(f"{path} holds the {found.kind} {found.name!r}: move it to {where}, or remove it.")
        return found


def _unreadable(path: Path, exc: Exception) -> DamagedValue:
    why = f"it has no {exc}" if isinstance(exc, LookupError) else getattr(exc, "strerror", None) or str(exc)
    return DamagedValue(f"{path} holds no readable {path.parent.name} ({why}): restore it from a copy, or remove it.")


def _files_in(folder: Path) -> list[tuple[Path, _Stamp]]:
    """The files of a folder, with what tells two writings of one apart."""
    found: list[tuple[Path, _Stamp]] = []
    for entry in _entries(folder):
        if entry.name.endswith(".json") and not entry.name.startswith("."):
            with contextlib.suppress(OSError):  # dropped meanwhile; or reading it says why
                facts = entry.stat()
                found.append((Path(entry.path), (facts.st_mtime_ns, facts.st_size, facts.st_ino)))
                continue
            found.append((Path(entry.path), ()))
    return found


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise DamagedValue(f"{folder} cannot be read ({exc.strerror or exc}): it is to be a folder of yours.") from exc


def _safe(word: str) -> str:
    """A short readable part, and a hash of the exact word, which alone tells two of them apart."""
    letters = unicodedata.normalize("NFKD", word.casefold()).encode("ascii", "ignore").decode()
    readable = "-".join(re.findall(r"[a-z0-9]+", letters))[:40].strip("-")
    exact = hashlib.sha256(word.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{readable}-{exact}" if readable else exact


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


_log_shelf = logging.getLogger(__name__)


@dataclass(frozen=True)
class UploadCache:
    """One table of JSON values, each under two words."""

    database: Database
    table: Table

    def put(self, first: str, second: str, value: Any) -> None:
        """Keep a JSON value. Raises `LogError` for what is no JSON."""
        try:
            body = json.dumps(value, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError) as exc:
            raise LogError(f"{second!r} cannot be kept: {exc}.") from exc
        with self.database.writing() as connection:
            connection.execute(delete(self.table).where(self._is(first, second)))
            connection.execute(insert(self.table).values({**self._names(first, second), "json": body}))

    def get(self, first: str, second: str) -> Any | None:
        """Return the value, None when there is none."""
        with self.database.reading() as connection:
            body = connection.scalar(select(self.table.c.json).where(self._is(first, second)))
        return None if body is None else json.loads(body)

    def drop(self, first: str, second: str) -> None:
        """Forget a value; it may be gone already."""
        with self.database.writing() as connection:
            connection.execute(delete(self.table).where(self._is(first, second)))

    def _names(self, first: str, second: str) -> Mapping[str, str]:
        one, two = self.table.primary_key.columns
        return {one.name: first, two.name: second}

    def _is(self, first: str, second: str) -> Any:
        one, two = self.table.primary_key.columns
        return and_(one == first, two == second)


def carry(connection: Connection, files: NamedValues) -> None:
    """Write what an earlier version kept by name in the index into files; each row once.

    The rows stay as they are: a kernel of an earlier version that still runs reads them, and does not take pictures
    of theirs for orphans. What it writes is a new row, and comes along at the next opening.
    """
    for kind, name, body in left_in(connection):
        if _taken_in(files, kind, name, body):
            mine = and_(kept.c.kind == kind, kept.c.name == name)
            connection.execute(update(kept).where(mine).values(carried=True))


def left_in(connection: Connection) -> list[tuple[str, str, str]]:
    """Return the kept values (kind, name, JSON) of an index that no file has yet."""
    if not has(connection, kept):
        return []
    query = select(kept.c.kind, kept.c.name, kept.c.json).order_by(kept.c.kind, kept.c.name)
    if any(column["name"] == kept.c.carried.name for column in inspect(connection).get_columns(kept.name)):
        query = query.where(kept.c.carried.is_(None))
    return [(kind, name, body) for kind, name, body in connection.execute(query)]


def read_row(kind: str, name: str, body: str) -> NamedValue:
    """Return a row's value. Raises `DamagedValue`."""
    try:
        return NamedValue(kind, name, json.loads(body))
    except ValueError as exc:
        raise DamagedValue(f"The {kind} {name!r} in the log's index cannot be read ({exc}): it is left out.") from exc


def _taken_in(files: NamedValues, kind: str, name: str, body: str) -> bool:
    """Whether a row has nothing that is not in files now. A file that differs is of later, or else both stay."""
    try:
        value = read_row(kind, name, body).value
        if kind in SHARED:
            files.join(kind, name, value)
        elif (mine := files.get(kind, name)) is None or _at(value) > _at(mine):
            files.put(kind, name, value)
        elif mine != value:
            _log_shelf.info("the %s %r of an earlier version is left in the index: the log has a later one", kind, name)
    except DamagedValue as exc:  # the row stays until the file is mended
        _log_shelf.warning("%s", exc)
        return False
    return True


def _at(value: Any) -> str:
    return str(value.get("at", "")) if isinstance(value, dict) else ""


def salvage(aside: Path, database: Database, files: NamedValues) -> None:
    """Copy what can still be read of the small values out of a damaged file: no sidecar has them."""
    old = create_engine(sqlite_at(aside))
    try:
        for table in (uploads, scores):
            with contextlib.suppress(DatabaseError), old.connect() as connection:
                rows = [dict(row) for row in connection.execute(select(table)).mappings()]
                with database.writing() as target:
                    for row in rows:
                        target.execute(insert(table).values(row))
        with contextlib.suppress(DatabaseError), old.connect() as connection:
            for row in left_in(connection):
                _taken_in(files, *row)
    finally:
        old.dispose()
