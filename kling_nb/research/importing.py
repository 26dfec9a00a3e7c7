"""`kn.import_log`: records of somebody else taken into the log. Nothing of the file is trusted, or written outside.

What comes in is laid out as a small log in a temporary folder, checked, and joined as one log is to another.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from kling_nb.errors import LogError
from kling_nb.logbook.foreign import LARGEST as LARGEST_RECORD
from kling_nb.logbook.foreign import admitted
from kling_nb.logbook.media import Media, digest_of
from kling_nb.logbook.merge import Merged
from kling_nb.logbook.sidecars import Sidecars

#: Bytes: of one file, of all of them, and how often a packed one may be its own size.
LARGEST, WHOLE, SWELLING = 2_000_000_000, 20_000_000_000, 200
MOST = 100_000
_CHUNK = 1 << 20


def import_records(source: Path, merge: Callable[[Path], Merged]) -> Merged:
    """Take in a crate (folder or zip) or a file of JSON lines; `merge` joins a log's folder to the log.

    Records that are no sound ones are left out and listed. Raises `LogError` for what is neither, and for an archive
    that would write outside, is a bomb, or is too large.
    """
    if not source.exists():
        raise LogError(f"{source} is not there.")
    with tempfile.TemporaryDirectory(prefix="kling-nb-import-") as temporary:
        small, unpacked = Path(temporary) / "log", Path(temporary) / "unpacked"
        problems = list[str]()
        if source.is_dir():
            problems += _lay_out(small, source)
        elif zipfile.is_zipfile(source):
            _unpack(source, unpacked)
            problems += _lay_out(small, unpacked)
        elif source.suffix.lower() == ".jsonl":
            problems += _lines(small, source)
        else:
            raise LogError(f"{source.name} is neither a crate (a folder or a zip) nor a file of JSON lines (.jsonl).")
        if not (small / "records").is_dir():
            raise LogError(f"{source.name} holds no record that can be taken in. {' '.join(problems[:5])}".rstrip())
        merged = merge(small)
        merged.problems[:0] = problems
        return merged


def _lay_out(small: Path, crate: Path) -> list[str]:
    problems = _keep(small, _texts(crate))
    media = Media(small)
    for folder in ("clips", "references", "posters"):
        for file in sorted((crate / folder).glob("*")):
            if not file.is_symlink() and file.is_file() and file.stat().st_size <= LARGEST:
                copy = small / "incoming"
                shutil.copyfile(file, copy)
                media.adopt(copy, digest_of(copy), file.suffix or ".bin")
    return problems


def _texts(crate: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted((crate / "records").glob("*.json")):
        if not file.is_symlink() and file.is_file():
            yield file.name, _read(file)


def _lines(small: Path, source: Path) -> list[str]:
    with source.open("rb") as lines:
        return _keep(small, ((f"line {number}", line) for number, line in enumerate(lines, 1) if line.strip()))


def _keep(small: Path, texts: Iterable[tuple[str, bytes]]) -> list[str]:
    sidecars, problems = Sidecars(small / "records"), list[str]()
    for number, (where, text) in enumerate(texts):
        if number >= MOST:
            raise LogError(f"There are more than {MOST:,} records: import them in parts.")
        try:
            record = admitted(text, where)
        except LogError as exc:
            problems.append(str(exc))
            continue
        sidecars.write(record.model_copy(update={"imported": True}))
    return problems


def _read(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(LARGEST_RECORD + 1)


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
                left -= _unpacked(archive, entry, target / name, min(left, LARGEST), source.name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as exc:
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
