"""The sidecars: one JSON file a record, `records/<YYYY-MM>/<id>.json`. They are the truth."""

from __future__ import annotations

import datetime
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from kling_nb.errors import LogError
from kling_nb.models.record import RECORD_VERSION, Record, Times
from kling_nb.store.disk import write_whole

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class FileVersion:
    """What tells two writings of a file apart without reading them."""

    modified: int
    size: int


@dataclass(frozen=True)
class Sidecars:
    """The folder of sidecars."""

    folder: Path

    def path(self, record: Record) -> Path:
        """Where the record's sidecar lies. Raises `LogError` for an id that is no file name."""
        created = record.times.created.astimezone(datetime.UTC)
        return self.folder / f"{created.year:04}-{created.month:02}" / f"{checked_id(record.id)}.json"

    def write(self, record: Record) -> FileVersion:
        """Write it whole. Raises OSError, and `LogError` for one that could not be read again: nothing is written."""
        if odd := list(invalid_values(record)):
            raise LogError(f"{record.id} would hold what no record can ({'; '.join(odd)}): it is not written.")
        path = self.path(record)
        write_whole(path, record.model_dump_json(indent=2).encode() + b"\n")
        return stamp_of(path)

    def read(self, record_id: str) -> Record | None:
        """Return the record of this id, None when there is none. Raises `LogError` when it cannot be read."""
        path = self.find(record_id)
        try:
            return read_sidecar(path) if path else None
        except MissingSidecar:
            return None

    def find(self, record_id: str) -> Path | None:
        """Return the sidecar of an id, in whichever month it lies."""
        name = f"{checked_id(record_id)}.json"
        return next((month / name for month in self._months() if (month / name).is_file()), None)

    def all(self) -> Iterator[tuple[Path, FileVersion]]:
        """Every sidecar with its stamp, month by month; not what has a hidden name, as editors' locks have."""
        for month in self._months():
            with os.scandir(month) as entries:
                for entry in entries:
                    if entry.name.endswith(".json") and not entry.name.startswith("."):
                        try:
                            facts = entry.stat()
                        except FileNotFoundError:  # thrown away meanwhile, or a link to nothing
                            continue
                        yield Path(entry.path), FileVersion(facts.st_mtime_ns, facts.st_size)

    def first(self) -> Iterator[tuple[Path, FileVersion]]:
        """Every record's sidecar, each id once: the one that `find` gives, where a copy lies in another month."""
        seen = set[str]()
        for path, stamp in self.all():
            if path.stem not in seen:
                seen.add(path.stem)
                yield path, stamp

    def strays(self) -> list[Path]:
        """What lies beside the months, such as a backup of one: nothing in there is read."""
        if not self.folder.is_dir():
            return []
        beside = (
            path for path in self.folder.iterdir() if not (path.name.startswith(".") or _MONTH.fullmatch(path.name))
        )
        return sorted(path for path in beside if path.suffix == ".json" or path.is_dir())

    def _months(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        months = (path for path in self.folder.iterdir() if _MONTH.fullmatch(path.name) and path.is_dir())
        return sorted(months, reverse=True)


def read_sidecar(path: Path) -> Record:
    """Return the record in a sidecar. Raises `UnreadableRecord` if it is damaged, invalid or misnamed."""
    text = b""
    try:
        text = path.read_bytes()
        record = Record.model_validate_json(text)
    except FileNotFoundError as exc:
        raise MissingSidecar.of(path, "is no readable record (it is not there)", "restore it from a copy") from exc
    except (OSError, ValidationError) as exc:
        if isinstance(exc, ValidationError) and _is_newer(text):
            raise UnreadableRecord.of(path, LATER, UPDATE) from exc
        why = f"{exc.error_count()} faults" if isinstance(exc, ValidationError) else str(exc)
        raise UnreadableRecord.of(
            path, f"is no readable record ({why})", "restore it from a copy, or move it away"
        ) from exc
    if not is_id(record.id):
        raise UnreadableRecord.of(
            path, f"holds the record {record.id[:80]!r}, which is no id", "mend it, or move it away"
        )
    if record.id != path.stem:
        its_own = path.with_name(f"{record.id}.json")
        if its_own.exists():
            raise UnreadableRecord.of(path, f"holds the record {record.id}, as {its_own.name} does", COMPARE)
        raise UnreadableRecord.of(path, f"holds the record {record.id}", f"rename it to {its_own.name}")
    if odd := list(invalid_values(record)):
        why = f"holds what no record can: {'; '.join(odd)}"
        raise UnreadableRecord.of(path, why, "mend it or restore it from a copy, or move it away")
    return record


class UnreadableRecord(LogError):
    """What cannot be taken as a record of this version: `why`, and the `remedy`."""

    why, remedy = "", ""

    @classmethod
    def of(cls, what: object, why: str, remedy: str) -> Self:
        """The error of a file or a record."""
        error = cls(f"{what} {why}: {remedy}.")
        error.why, error.remedy = why, remedy
        return error


class MissingSidecar(UnreadableRecord):
    """A sidecar that was there a moment ago: another kernel has thrown the record away, or brought it back."""


COMPARE = "compare the two, then delete this one"
LATER, UPDATE = "was written by a later version of kling_nb", "update this one"


def _is_newer(text: bytes) -> bool:
    try:
        return int(json.loads(text)["version"]) > RECORD_VERSION
    except (ValueError, TypeError, LookupError):
        return False


def stamp_of(path: Path) -> FileVersion:
    """Return the file's stamp now."""
    facts = path.stat()
    return FileVersion(facts.st_mtime_ns, facts.st_size)


def is_id(text: str) -> bool:
    """Whether it can be the id of a record, and so the name of a file."""
    return _ID.fullmatch(text) is not None


def checked_id(record_id: str) -> str:
    """Return an id that is safe as a file name. Raises `LogError` for any other."""
    if not is_id(record_id):
        raise LogError(f"{record_id!r} is no record id: letters, digits, - and _ only.")
    return record_id


#: What a column of every database holds. Dollars of one generation, and seconds of it, are far below theirs.
_MOST_REVISIONS, _MOST_DOLLARS, _MOST_SECONDS = 2**31 - 1, Decimal(1_000_000), 1_000_000
#: Two days from the ends of the calendar: in any zone such a time is still one.
_FIRST = datetime.datetime.min.replace(tzinfo=datetime.UTC) + datetime.timedelta(days=2)
_LAST = datetime.datetime.max.replace(tzinfo=datetime.UTC) - datetime.timedelta(days=2)


def invalid_values(record: Record) -> Iterator[str]:
    """Yield in words what is odd about a record's values."""
    yield from _of_times(record)
    if not 0 <= record.revision <= _MOST_REVISIONS:
        yield f"its revision is {_short(record.revision)}"
    if record.stars is not None and not 1 <= record.stars <= 5:
        yield f"its stars are {_short(record.stars)}"
    for amount in (record.estimate.each, record.estimate.total, record.estimate.rate):
        if amount is not None and not 0 <= amount <= _MOST_DOLLARS:
            yield f"its price is ${_short(amount)}"
            break
    if not 0 <= record.estimate.seconds <= _MOST_SECONDS:
        yield f"its seconds are {_short(record.estimate.seconds)}"
    for digest, what in digests_of(record):
        if not DIGEST.fullmatch(digest):
            yield f"{what} is called {digest[:80]!r}"


def invalid_time(when: datetime.datetime) -> str:
    """Return in words what is odd about a time, nothing when it is a sound one."""
    if when.utcoffset() is None:
        return f"{when.isoformat()}, has no zone"
    return "" if _FIRST <= when <= _LAST else f"{when.isoformat()}, is too far from now"


def _of_times(record: Record) -> Iterator[str]:
    for name in Times.model_fields:
        when: datetime.datetime | None = getattr(record.times, name)
        if when is not None and (odd := invalid_time(when)):
            yield f"its time {name}, {odd}"
    for message in record.messages:
        if odd := invalid_time(message.at):
            yield f"the time of a message, {odd}"
            break


def _short(value: object) -> str:
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
#: The same somewhere in a text.
DIGESTS = re.compile(r"(?<![\w-])sha256:[0-9a-f]{64}(?![0-9a-f])")


def digests_of(record: Record) -> Iterator[tuple[str, str]]:
    """Every digest that a record points to in the media, with what it is."""
    if record.clip:
        yield record.clip.digest, "its clip"
        if record.clip.poster:
            yield record.clip.poster, "its poster"
    for reference in record.references:
        if reference.digest:
            yield reference.digest, f"its reference {reference.path}"
        if reference.original:
            yield reference.original, f"what was given for {reference.path}"
        if reference.thumbnail:
            yield reference.thumbnail, f"the thumbnail of {reference.path}"
