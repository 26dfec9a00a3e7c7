"""The sidecars: one JSON file for each record, `records/<YYYY-MM>/<id>.json`. They are the truth."""

from __future__ import annotations

import datetime
import json
import logging
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pydantic import ValidationError

from kling_nb.errors import ArgumentError, LogError
from kling_nb.models.record import RECORD_VERSION, Record, Reference, Times
from kling_nb.models.reprs import shorten
from kling_nb.store.disk import MOST_BYTES, read_whole, write_whole

_log = logging.getLogger(__name__)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class FileVersion:
    """The version of a file, which changes with each write: its modification time in nanoseconds, and its size."""

    modified: int
    size: int


def version_of(path: Path) -> FileVersion:
    """Return the present version of a file. Raises OSError."""
    facts = path.stat()
    return FileVersion(facts.st_mtime_ns, facts.st_size)


@dataclass(frozen=True)
class Sidecars:
    """A folder of sidecars."""

    folder: Path

    def path(self, record: Record) -> Path:
        """Return the path of a record's sidecar. Raises `ArgumentError` for an id that cannot be a file name."""
        created = record.times.created.astimezone(datetime.UTC)
        return self.folder / f"{created.year:04}-{created.month:02}" / f"{checked_id(record.id)}.json"

    def write(self, record: Record) -> FileVersion:
        """Write a whole sidecar. Raises OSError, and `LogError` for a record that could not be read again."""
        if invalid := list(invalid_values(record)):
            raise LogError(f"Record {record.id} is not written: {'; '.join(invalid)}.")
        path, data = self.path(record), record.model_dump_json(indent=2).encode() + b"\n"
        if len(data) > MOST_BYTES:
            raise LogError(f"Record {record.id} is not written: it has {len(data):,} bytes, more than {MOST_BYTES:,}.")
        write_whole(path, data)
        return version_of(path)

    def read(self, record_id: str) -> Record | None:
        """Return the record of an id, None if there is none. Raises `UnreadableRecord`."""
        path = self.find(record_id)
        try:
            return read_sidecar(path) if path else None
        except MissingSidecar:
            return None

    def find(self, record_id: str) -> Path | None:
        """Return the sidecar of an id, in whichever month it is."""
        name = f"{checked_id(record_id)}.json"
        return next((month / name for month in self._months() if (month / name).is_file()), None)

    def all(self) -> Iterator[tuple[Path, FileVersion]]:
        """Yield every sidecar with its version, newest month first; files with a hidden name are left out."""
        for month in self._months():
            with os.scandir(month) as entries:
                for entry in entries:
                    if entry.name.endswith(".json") and not entry.name.startswith("."):
                        try:
                            version = version_of(Path(entry.path))
                        except FileNotFoundError:  # deleted meanwhile, or a broken link
                            continue
                        except OSError:  # such as a link to itself; reading it says why
                            version = FileVersion(0, 0)
                        yield Path(entry.path), version

    def first(self) -> Iterator[tuple[Path, FileVersion]]:
        """Yield one sidecar for each id: the one that `find` returns, if another month has a copy."""
        seen = set[str]()
        for path, version in self.all():
            if path.stem not in seen:
                seen.add(path.stem)
                yield path, version

    def strays(self) -> list[Path]:
        """Return what is beside the folders of months, such as a backup; none of it is read."""
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


class UnreadableRecord(LogError):
    """A sidecar that cannot be read, or that a later version wrote: `about`, `why`, and the `remedy`."""

    def __init__(self, about: object, why: str, remedy: str) -> None:
        super().__init__(f"{about} {why}: {remedy}.")
        self.about, self.why, self.remedy = about, why, remedy


class MissingSidecar(UnreadableRecord):
    """A sidecar that was there a moment ago: another process has moved it into the trash, or out of it."""


COMPARE = "compare the two, then delete this one"
LATER, UPDATE = "was written by a later version of kling_nb", "update this one"


def read_sidecar(path: Path) -> Record:
    """Return the record in a sidecar. Raises `UnreadableRecord` if it is damaged, invalid or misnamed."""
    text = b""
    try:
        text = read_whole(path)
        record = Record.model_validate_json(text)
    except FileNotFoundError as exc:
        raise MissingSidecar(path, "is not a readable record (it is missing)", "restore it from a copy") from exc
    except (OSError, ValidationError) as exc:
        if _is_newer(text):
            raise UnreadableRecord(path, LATER, UPDATE) from exc
        why = errors_in(exc)
        remedy = "restore it from a copy, or move it away"
        raise UnreadableRecord(path, f"is not a readable record ({why})", remedy) from exc
    if not is_id(record.id):
        raise UnreadableRecord(path, f"holds the invalid record id {record.id[:80]!r}", "fix it, or move it away")
    if record.id != path.stem:
        own_name = path.with_name(f"{record.id}.json")
        if own_name.exists():
            raise UnreadableRecord(path, f"holds the record {record.id}, as {own_name.name} does", COMPARE)
        raise UnreadableRecord(path, f"holds the record {record.id}", f"rename it to {own_name.name}")
    if invalid := list(invalid_values(record)):
        why = f"holds invalid values: {'; '.join(invalid)}"
        raise UnreadableRecord(path, why, "fix it or restore it from a copy, or move it away")
    return record


def read_or_warn(path: Path) -> Record | None:
    """Return the record in a sidecar, None with a warning if it cannot be read, None if it is missing."""
    try:
        return read_sidecar(path)
    except MissingSidecar:
        return None
    except UnreadableRecord as exc:
        _log.warning("%s", exc)
        return None


def errors_in(exc: Exception) -> str:
    """Return the reason of an error in short; of a `ValidationError`, the number of errors."""
    if not isinstance(exc, ValidationError):
        return getattr(exc, "strerror", None) or str(exc)
    return f"{exc.error_count()} error{'' if exc.error_count() == 1 else 's'}"


def _is_newer(text: bytes) -> bool:
    try:
        return int(json.loads(text)["version"]) > RECORD_VERSION
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError):
        return False


def is_id(text: str) -> bool:
    """Return whether a text can be the id of a record, and so the name of a file."""
    return _ID.fullmatch(text) is not None


def checked_id(record_id: str) -> str:
    """Return an id that is safe as a file name. Raises `ArgumentError` for any other."""
    if not is_id(record_id):
        raise ArgumentError(f"A record id must consist of letters, digits, '-' and '_', got {record_id[:80]!r}.")
    return record_id


#: What a column of every database can hold; the dollars and seconds of one generation are far below.
_MAX_REVISION, _MAX_DOLLARS, _MAX_SECONDS = 2**31 - 1, Decimal(1_000_000), 1_000_000
#: Two days from the ends of the calendar, so that a time is valid in every time zone.
_FIRST = datetime.datetime.min.replace(tzinfo=datetime.UTC) + datetime.timedelta(days=2)
_LAST = datetime.datetime.max.replace(tzinfo=datetime.UTC) - datetime.timedelta(days=2)


def invalid_values(record: Record) -> Iterator[str]:
    """Yield a clause for each value that a record must not have: `its revision is -1`."""
    for name in Times.model_fields:
        when: datetime.datetime | None = getattr(record.times, name)
        if when is not None and (why := invalid_time(when)):
            yield f"its time {name}, {why}"
    yield from [f"the time of a message, {why}" for one in record.messages if (why := invalid_time(one.at))][:1]
    if not 0 <= record.revision <= _MAX_REVISION:
        yield f"its revision is {_short(record.revision)}"
    if record.stars is not None and not 1 <= record.stars <= 5:
        yield f"its stars are {_short(record.stars)}"
    for amount in (record.estimate.each, record.estimate.total, record.estimate.rate):
        if amount is not None and not 0 <= amount <= _MAX_DOLLARS:
            yield f"its price is ${_short(amount)}"
            break
    if not 0 <= record.estimate.seconds <= _MAX_SECONDS:
        yield f"its seconds are {_short(record.estimate.seconds)}"
    for digest, file in digests_of(record):
        if not DIGEST.fullmatch(digest):
            yield f"{file} has the digest {digest[:80]!r}"


def invalid_time(when: datetime.datetime) -> str:
    """Return a clause that says why a time is invalid, an empty one if it is valid."""
    if when.utcoffset() is None:
        return f"{when.isoformat()}, has no time zone"
    return "" if _FIRST <= when <= _LAST else f"{when.isoformat()}, is too far from now"


def _short(value: object) -> str:
    return shorten(str(value) if isinstance(value, Decimal) else repr(value), 40)


DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
#: The same, anywhere in a text.
DIGESTS = re.compile(r"(?<![\w-])sha256:[0-9a-f]{64}(?![0-9a-f])")


def digests_of(record: Record) -> Iterator[tuple[str, str]]:
    """Yield every digest by which a record names a file in the media, with the file's role in the record."""
    if record.clip:
        yield record.clip.digest, "its clip"
        if record.clip.poster:
            yield record.clip.poster, _POSTER
    yield from named_digests(record.references).items()


def named_digests(references: Iterable[Reference]) -> dict[str, str]:
    """Return every digest by which references name a file in the media, with the file's role."""
    found: dict[str, str] = {}
    for reference in references:
        files = {
            reference.digest: f"its reference {reference.path}",
            reference.original: f"the original of {reference.path}",
            reference.thumbnail: f"{_THUMBNAIL} {reference.path}",
        }
        found |= {digest: what for digest, what in files.items() if digest}
    return found


def is_still(what: str) -> bool:
    """Return whether a file that `digests_of` describes must be an image: a clip or a reference may be a video."""
    return what == _POSTER or what.startswith(_THUMBNAIL)


_POSTER, _THUMBNAIL = "its poster", "the thumbnail of"
