"""`kn.import_log`: records of somebody else taken into the log. Nothing of the file is trusted, or written outside.

What comes in is laid out as a small log in a temporary folder, checked, and joined as one log is to another.
"""

from __future__ import annotations

import contextlib
import errno
import lzma
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from kling_nb.errors import LogError
from kling_nb.exchange.bundle import METADATA, SCORES, VOTES
from kling_nb.exchange.intake import MOST, StagedImport
from kling_nb.models.judgements import Score
from kling_nb.session import Session
from kling_nb.store.log import Log
from kling_nb.store.media import Media, digest_of
from kling_nb.store.merge import MergeReport

#: Bytes: of one file, of all of them, and how often a packed one may be its own size.
LARGEST, WHOLE, SWELLING = 2_000_000_000, 20_000_000_000, 200
_CHUNK, _PREFIX = 1 << 20, "kling-nb-import-"
#: What a damaged archive raises, by how it is packed; of bzip2 it is an `OSError` too.
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


def import_records(source: Path, log: Log) -> MergeReport:
    """Take a crate (folder or zip) or a file of JSON lines into the log.

    Records, plans, votes and scores that are no sound ones are left out and listed. Raises `LogError` for what is
    neither, and for an archive that would write outside, is a bomb, or is too large.
    """
    with _trouble(source), tempfile.TemporaryDirectory(prefix=_PREFIX) as temporary:
        intake = StagedImport(Path(temporary) / "log")
        _take_in(intake, source, Path(temporary) / "unpacked")
        problems = intake.close()
        if not intake.records and (source / "index.sqlite").is_file():
            raise LogError(
                f"{source} is a log, no export of one: kn.log().merge({str(source)!r}) joins it to this one."
            )
        if not intake.records:
            raise LogError(f"{source.name} holds no record that can be taken in. {' '.join(problems[:5])}".rstrip())
        merged = log.merge(intake.folder)
        merged.problems[:0] = problems
        merged.scores = log.scores.add(_new(intake, log))
        return merged


def _take_in(intake: StagedImport, source: Path, unpacked: Path) -> None:
    if not source.exists():
        raise LogError(f"{source} is not there.")
    if source.is_dir():
        _lay_out(intake, source)
    elif zipfile.is_zipfile(source):
        _unpack(source, unpacked)
        _lay_out(intake, unpacked)
    elif source.suffix.lower() == ".jsonl":
        _lines(intake, source)
    else:
        raise LogError(f"{source.name} is neither a crate (a folder or a zip) nor a file of JSON lines (.jsonl).")


@contextlib.contextmanager
def _trouble(source: Path) -> Generator[None]:
    """Say what cannot be read, or that there is no room to unpack; the temporary folder is gone when that is read."""
    try:
        yield
    except OSError as exc:
        raise LogError(_said(source, exc)) from exc
    except LogError as exc:
        # A log's own words on its folder, which for what is laid out is the temporary one.
        if isinstance(exc.__cause__, OSError) and _PREFIX in str(exc):
            raise LogError(_said(source, exc.__cause__)) from exc
        raise


def _said(source: Path, exc: OSError) -> str:
    why = exc.strerror or str(exc)
    if exc.errno in _FULL:
        folder = tempfile.gettempdir()
        return (
            f"{source.name} cannot be taken in ({why}): free some space in {folder}, or set TMPDIR to another folder."
        )
    return f"{source} cannot be taken in: {why}."


def _new(intake: StagedImport, log: Log) -> list[Score]:
    """Return the scores that are not here: nobody else replaces one of this log."""
    known = {score.key for each in log.scores.every(list(intake.records.values())).values() for score in each}
    return [score for score in intake.scores if score.key not in known]


def _lay_out(intake: StagedImport, folder: Path) -> None:
    crate = _root(folder)
    for take, name in ((intake.record, "records"), (intake.plan, "plans")):
        for file in _files(crate / name, "*.json"):
            with file.open("rb") as stream:
                take(stream.read(intake.LARGEST + 1), file.name)
    for take, name in ((intake.vote, VOTES), (intake.score, SCORES)):
        for file in _files(crate, name):
            with file.open("rb") as stream:
                for number, line in enumerate(_each(stream), 1):
                    take(line, f"line {number} of {name}")
    media = Media(intake.folder)
    for file in (file for name in ("clips", "references", "posters") for file in _files(crate / name, "*")):
        if file.stat().st_size <= LARGEST:
            copy = intake.folder / "incoming"
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
            media.move_in(copy, digest_of(copy), file.suffix or ".bin")


def _root(folder: Path) -> Path:
    """Return where the crate lies: here, or in the one folder inside, as archivers pack it."""
    inside = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.is_symlink()]
    alone = not (folder / METADATA).exists() and len(inside) == 1 and (inside[0] / METADATA).is_file()
    return inside[0] if alone else folder


def _files(folder: Path, pattern: str) -> list[Path]:
    """Return the files that match; links are not followed."""
    return [file for file in sorted(folder.glob(pattern)) if not file.is_symlink() and file.is_file()]


def _lines(intake: StagedImport, source: Path) -> None:
    with source.open("rb") as stream:
        for number, line in enumerate(_each(stream), 1):
            intake.line(line, f"line {number}")


def _each(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines that hold something; of one that is too long, so much that it is seen to be."""
    while line := stream.readline(StagedImport.LARGEST + 2):
        whole = line.endswith(b"\n")
        if line.strip():
            yield line
        while not whole and (rest := stream.readline(_CHUNK)):
            whole = rest.endswith(b"\n")


def _unpack(source: Path, target: Path) -> None:
    """Unpack an archive, counting what really comes out of it."""
    try:
        with zipfile.ZipFile(source) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            names = [_safe(entry) for entry in entries]
            if len(entries) > 4 * MOST:
                raise LogError(f"{source.name} holds {len(entries):,} files: that is no crate of clips.")
            left = min(WHOLE, max(50_000_000, SWELLING * source.stat().st_size))
            for entry, name in zip(entries, names, strict=True):
                try:
                    left -= _unpacked(archive, entry, target / name, min(left, LARGEST), source.name)
                except OSError as exc:
                    if exc.errno in _FULL:
                        raise
                    said = f"{entry.filename[:80]!r} in it cannot be read ({exc.strerror or exc})"
                    raise LogError(f"{source.name} cannot be unpacked: {said}.") from exc
    except _DAMAGED as exc:
        raise LogError(f"{source.name} cannot be unpacked: {exc}.") from exc


def _safe(entry: zipfile.ZipInfo) -> PurePosixPath:
    name = PurePosixPath(entry.filename)
    link = (entry.external_attr >> 16) & 0o170000 == 0o120000
    odd = "\\" in entry.filename or ":" in entry.filename or "\0" in entry.filename
    if name.is_absolute() or ".." in name.parts or link or odd or not name.parts:
        raise LogError(
            f"The archive holds {entry.filename[:80]!r}, which would lie outside of it: nothing was taken in."
        )
    return name


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, allowed: int, name: str) -> int:
    count = 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as packed, target.open("wb") as file:
        while chunk := packed.read(_CHUNK):
            count += len(chunk)
            if count > allowed:
                raise LogError(
                    f"{name} unpacks to far more than it holds ({entry.filename[:80]!r}): nothing was taken in."
                )
            file.write(chunk)
    return count


def import_log(session: Session, source: str | Path) -> MergeReport:
    """Import a crate or a JSONL file into the session's log; see `Studio.import_log`."""
    return import_records(Path(source).expanduser().absolute(), session.store)
