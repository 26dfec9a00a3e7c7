"""Imports: records from another log, added to this one. Nothing in the file is trusted, or written outside the log.

The parts that are valid are laid out as a small log in a temporary folder, which is then merged.
"""

from __future__ import annotations

import contextlib
import errno
import json
import lzma
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Generator
from pathlib import Path, PurePosixPath
from typing import Any

from kling_nb.errors import ArgumentError, ExchangeError, LogError
from kling_nb.exchange.bundle import METADATA, SCORES, VOTES
from kling_nb.exchange.untrusted import LARGEST_PLAN, PARSERS, PLAN, RECORD, SCORE, VOTE
from kling_nb.models.judgements import Score, Vote
from kling_nb.models.record import Record
from kling_nb.session import Session
from kling_nb.store.disk import lines_of, path_of, unreadable
from kling_nb.store.judgements import JsonLines
from kling_nb.store.log import Log
from kling_nb.store.media import Media, digest_of
from kling_nb.store.merge import MergeReport
from kling_nb.store.plans import Plans
from kling_nb.store.sidecars import Sidecars

#: Limits in bytes: of one file, of all files, and how many times its own size an archive may unpack to.
LARGEST, LARGEST_ARCHIVE, LARGEST_RATIO = 2_000_000_000, 20_000_000_000, 200
#: Limits of one import: records, and records, plans, votes and scores together.
MOST_RECORDS, MOST_PARTS = 100_000, 1_000_000
_CHUNK, _PREFIX = 1 << 20, "kling-nb-import-"
#: The errors of a damaged archive, by its compression; bzip2 raises OSError too.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def import_log(session: Session, source: str | Path) -> MergeReport:
    """Import a crate or a JSONL file into the session's log; see `Studio.import_log`."""
    return import_records(path_of("source", source).absolute(), session.store)


def import_records(source: Path, log: Log) -> MergeReport:
    """Add a crate (a folder or a zip) or a JSONL file to a log.

    Invalid records, plans, votes and scores are left out and listed. Raises `ArgumentError` for any other file, and
    `ExchangeError` for one that has no valid record, cannot be read, is too large or would be unpacked elsewhere.
    """
    with _errors(source), tempfile.TemporaryDirectory(prefix=_PREFIX) as temporary:
        staging = Staging(Path(temporary) / "log")
        _stage(staging, source, Path(temporary) / "unpacked")
        problems = staging.finish()
        if not staging.records and (source / "index.sqlite").is_file():
            raise ArgumentError(f"{source} is a log, not an export of one. Use kn.log.merge({str(source)!r}).")
        if not staging.records:
            raise ExchangeError(f"{source.name} has no valid record. {' '.join(problems[:5])}".rstrip())
        report = log.merge(staging.folder)
        report.problems[:0] = problems
        # No score of this log is replaced by an imported one.
        records = list(staging.records.values())
        known = {score.key for each in log.scores.every(records).values() for score in each}
        report.scores = log.scores.add(score for score in staging.scores if score.key not in known)
        return report


class Staging:
    """The parts of an import, each checked, laid out as a log. Invalid parts are left out and listed at the end."""

    #: Limit in bytes of any part.
    LARGEST = LARGEST_PLAN

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records: dict[str, Record] = {}
        self.scores: list[Score] = []
        self._sidecars, self._plans = Sidecars(folder / "records"), Plans(folder)
        self._votes: list[Vote] = []
        self._problems: list[str] = []
        self._count = 0

    def add(self, kind: str, text: bytes, where: str) -> None:
        """Add a record, a plan, a vote or a score. Records are marked as imported: they do not count as spending."""
        self._count += 1
        if len(self.records) > MOST_RECORDS or self._count > MOST_PARTS:
            limits = f"{MOST_RECORDS:,} records or {MOST_PARTS:,} lines"
            raise ExchangeError(f"The import has more than {limits}. Import it in parts.")
        try:
            part = PARSERS[kind](text, where)
        except ExchangeError as exc:
            self._problems.append(str(exc))
            return
        match part:
            case Record():
                self._sidecars.write(part.model_copy(update={"imported": True}))
                self.records[part.id] = part
            case Vote():
                self._votes.append(part)
            case Score():
                self.scores.append(part)
            case _:
                self._plans.save(part)

    def line(self, text: bytes, where: str) -> None:
        """Add the record, `{"plan": …}`, `{"vote": …}` or `{"score": …}` of a line."""
        start = text.lstrip()[:16].replace(b" ", b"")
        for key in (PLAN, VOTE, SCORE):
            if start.startswith(f'{{"{key}":{{'.encode()):
                try:
                    value: dict[str, Any] = json.loads(text) if len(text) <= self.LARGEST else {}
                    inner = json.dumps(value[key]).encode()
                except (ValueError, KeyError, RecursionError):
                    self._problems.append(f"{where} is not a readable {key}.")
                else:
                    self.add(key, inner, where)
                return
        self.add(RECORD, text, where)

    def finish(self) -> list[str]:
        """Write the votes between the added records, and return the problems of everything that was left out."""
        clips = {record.clip.digest for record in self.records.values() if record.clip}
        votes = [vote for vote in self._votes if {vote.left, vote.right} <= self.records.keys()]
        scores = [score for score in self.scores if score.clip in clips]
        if left_out := len(self._votes) - len(votes) + len(self.scores) - len(scores):
            self._problems.append(f"{left_out} votes or scores belong to clips that are not in the import.")
        self.scores = scores
        JsonLines(self.folder / "votes", Vote).append(votes)
        return self._problems


def _stage(staging: Staging, source: Path, unpacked: Path) -> None:
    if source.is_dir():
        _stage_crate(staging, source)
    elif why := unreadable(source):
        raise ArgumentError(f"{str(source)!r} {why}.")
    elif zipfile.is_zipfile(source):
        _unpack(source, unpacked)
        _stage_crate(staging, unpacked)
    elif source.suffix.lower() == ".jsonl":
        with source.open("rb") as stream:
            for number, line in enumerate(lines_of(stream, staging.LARGEST), 1):
                if line.strip():
                    staging.line(line, f"line {number}")
    else:
        raise ArgumentError(f"{source.name} is not a crate (a folder or a zip) or a file of JSON lines (.jsonl).")


def _stage_crate(staging: Staging, folder: Path) -> None:
    crate = _root(folder)
    for kind, name in ((RECORD, "records"), (PLAN, "plans")):
        for file in _files(crate / name, "*.json"):
            with file.open("rb") as stream:
                staging.add(kind, stream.read(staging.LARGEST + 1), file.name)
    for kind, name in ((VOTE, VOTES), (SCORE, SCORES)):
        for file in _files(crate, name):
            with file.open("rb") as stream:
                for number, line in enumerate(lines_of(stream, staging.LARGEST), 1):
                    if line.strip():
                        staging.add(kind, line, f"line {number} of {name}")
    media = Media(staging.folder)
    for file in (file for name in ("clips", "references", "posters") for file in _files(crate / name, "*")):
        if file.stat().st_size <= LARGEST:
            copy = staging.folder / "incoming"
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
            media.move_in(copy, digest_of(copy), file.suffix or ".bin")


def _root(folder: Path) -> Path:
    """Return the folder of the crate: this one, or its only folder, since archivers pack a crate with its folder."""
    inside = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.is_symlink()]
    alone = not (folder / METADATA).exists() and len(inside) == 1 and (inside[0] / METADATA).is_file()
    return inside[0] if alone else folder


def _files(folder: Path, pattern: str) -> list[Path]:
    """Return the files that match, without links."""
    return [file for file in sorted(folder.glob(pattern)) if not file.is_symlink() and file.is_file()]


def _unpack(source: Path, target: Path) -> None:
    """Unpack an archive, counting the bytes that come out of it."""
    try:
        with zipfile.ZipFile(source) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            names = [_safe_name(entry) for entry in entries]
            if len(entries) > 4 * MOST_RECORDS:
                raise ExchangeError(f"{source.name} has {len(entries):,} files, too many for a crate.")
            left = min(LARGEST_ARCHIVE, max(50_000_000, LARGEST_RATIO * source.stat().st_size))
            for entry, name in zip(entries, names, strict=True):
                try:
                    left -= _unpack_entry(archive, entry, target / name, min(left, LARGEST), source.name)
                except OSError as exc:
                    if exc.errno in _FULL:
                        raise
                    why = f"{entry.filename[:80]!r} in it cannot be read ({exc.strerror or exc})"
                    raise ExchangeError(f"{source.name} cannot be unpacked: {why}.") from exc
    except _DAMAGED as exc:
        raise ExchangeError(f"{source.name} cannot be unpacked: {exc}.") from exc


def _safe_name(entry: zipfile.ZipInfo) -> PurePosixPath:
    name = PurePosixPath(entry.filename)
    is_link = (entry.external_attr >> 16) & 0o170000 == 0o120000
    has_unsafe_character = any(character in entry.filename for character in "\\:\0")
    if name.is_absolute() or ".." in name.parts or is_link or has_unsafe_character or not name.parts:
        raise ExchangeError(f"The archive would unpack {entry.filename[:80]!r} outside its folder. Nothing was added.")
    return name


def _unpack_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, allowed: int, name: str) -> int:
    count = 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as packed, target.open("wb") as file:
        while chunk := packed.read(_CHUNK):
            count += len(chunk)
            if count > allowed:
                raise ExchangeError(f"{name} unpacks to far more than its size ({entry.filename[:80]!r}).")
            file.write(chunk)
    return count


@contextlib.contextmanager
def _errors(source: Path) -> Generator[None]:
    """Turn OSError into an `ExchangeError` about the source, not about the temporary folder, which is deleted."""
    try:
        yield
    except OSError as exc:
        raise _unreadable(source, exc) from exc
    except LogError as exc:
        if isinstance(exc.__cause__, OSError) and _PREFIX in str(exc):
            raise _unreadable(source, exc.__cause__) from exc
        raise


def _unreadable(source: Path, exc: OSError) -> ExchangeError:
    why = exc.strerror or str(exc)
    if exc.errno in _FULL:
        remedy = f"Free some space in {tempfile.gettempdir()}, or set TMPDIR to another folder."
        return ExchangeError(f"{source.name} cannot be imported: {why}. {remedy}")
    return ExchangeError(f"{source} cannot be imported: {why}.")
