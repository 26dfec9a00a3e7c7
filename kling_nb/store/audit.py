"""What disagrees in a log: every hash and every row worked out anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from kling_nb.errors import LogError
from kling_nb.models.canonical import canonical_json
from kling_nb.models.record import Record
from kling_nb.models.urls import sha256
from kling_nb.store.judgements import MEND, votes_in
from kling_nb.store.media import Media, digest_of
from kling_nb.store.named import DamagedValue, NamedValues
from kling_nb.store.plans import Plans, read_plan_file
from kling_nb.store.sidecars import COMPARE, MissingSidecar, Sidecars, UnreadableRecord, digests_of, read_sidecar

FindingKind = Literal[
    "sidecar unreadable",
    "sidecar newer",
    "sidecar older",
    "sidecar not in index",
    "sidecar missing",
    "sidecar misplaced",
    "request changed",
    "media missing",
    "media changed",
    "media orphaned",
    "partial left",
    "plan unreadable",
    "kept unreadable",
    "vote unreadable",
    "not read",
]
_REBUILD = "rebuild() makes the index anew from the sidecars"


@dataclass(frozen=True)
class Finding:
    """One disagreement: `about` is a record's id or a path within the log's folder."""

    kind: FindingKind
    about: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.about}: {self.message}; {self.remedy}"


class AuditedRecords(Protocol):
    """The two places of a record, as the audit reads them."""

    sidecars: Sidecars

    def known(self) -> set[str]:
        """Every id in the index."""
        ...

    def revisions(self, record_id: str) -> tuple[int | None, int | None]:
        """The revisions in the sidecar and in the index, read while nobody writes; None where there is none."""
        ...

    def kept(self) -> Mapping[str, str]:
        """Every digest that a kept value or a plan names, with which one it is."""
        ...


def audit(folder: Path, books: AuditedRecords, media: Media) -> list[Finding]:
    """Return what disagrees between the sidecars, the index's rows and the media. Reads every file."""
    records, found = _read(folder, books.sidecars)
    unreadable = {Path(finding.about).stem for finding in found if finding.kind == "sidecar unreadable"}
    for record_id in sorted((records.keys() | books.known()) - unreadable):
        found += _placed(record_id, *books.revisions(record_id))
    found += [finding for record in records.values() for finding in _request(record)]
    found += _kept(folder)
    found += _plans(folder)
    found += _media(folder, media, records, _named(books), doubt=any(one.kind.endswith("unreadable") for one in found))
    found += _partials(folder, media, records)
    found += _votes(folder)
    trash = Sidecars(folder / "trash" / "records")
    found += _read(folder, trash)[1]
    found += [finding for each in (books.sidecars, trash) for finding in _strays(folder, each)]
    return found


def _read(folder: Path, sidecars: Sidecars) -> tuple[dict[str, Record], list[Finding]]:
    """Return what can be read of some sidecars, and what is to be said of the others."""
    records: dict[str, Record] = {}
    found: list[Finding] = []
    for path, _ in sidecars.all():
        try:
            record = records[path.stem] = read_sidecar(path)
        except MissingSidecar:
            continue
        except UnreadableRecord as exc:
            found.append(Finding("sidecar unreadable", _within(folder, path), exc.why, exc.remedy))
            continue
        if path != (place := sidecars.path(record)):
            remedy = COMPARE if place.exists() else "move it there"
            message = f"its place is {_within(folder, place)}"
            found.append(Finding("sidecar misplaced", _within(folder, path), message, remedy))
    return records, found


def _strays(folder: Path, sidecars: Sidecars) -> Iterator[Finding]:
    for path in sidecars.strays():
        message = f"it is not read: only folders such as {_within(folder, sidecars.folder)}/2026-11 are"
        yield Finding("not read", _within(folder, path), message, "move it out of the log")


def _placed(record_id: str, sidecar: int | None, row: int | None) -> Iterator[Finding]:
    if sidecar is None and row is not None:
        yield Finding(
            "sidecar missing", record_id, "the index knows it, its sidecar is gone", "restore it, or " + _REBUILD
        )
    elif sidecar is not None and row is None:
        yield Finding("sidecar not in index", record_id, "the index does not know it", _REBUILD)
    elif sidecar is not None and row is not None and sidecar > row:
        yield Finding("sidecar newer", record_id, f"the index has revision {row} of {sidecar}", _REBUILD)
    elif sidecar is not None and row is not None and sidecar < row:
        message = f"the index knows revision {row}, the sidecar is {sidecar}: an old copy"
        yield Finding("sidecar older", record_id, message, "restore it, or " + _REBUILD)


def _request(record: Record) -> Iterator[Finding]:
    try:
        derived = sha256(canonical_json(record.canonical))
    except ValueError as exc:
        derived = f"nothing ({exc})"
    if derived != record.request_hash:
        message = f"its request gives {derived[:19]}…, the record says {record.request_hash[:19]}…"
        yield Finding("request changed", record.id, message, "it was edited: it would not make the same clip")


def _named(books: AuditedRecords) -> Mapping[str, str]:
    try:
        return books.kept()
    except DamagedValue:  # `_kept` has said so
        return {}


def _media(
    folder: Path, media: Media, records: Mapping[str, Record], by_name: Mapping[str, str], *, doubt: bool
) -> Iterator[Finding]:
    kept = dict(media.all())
    wanted = set(by_name)
    for digest in sorted(wanted - kept.keys()):
        message = f"a picture of it is gone ({digest[:19]}…)"
        yield Finding("media missing", by_name[digest], message, "restore it from a copy")
    for record in records.values():
        for digest, what in digests_of(record):
            wanted.add(digest)
            if digest not in kept:
                yield Finding("media missing", record.id, f"{what} is gone ({digest[:19]}…)", "restore it from a copy")
    for digest, path in kept.items():
        about = _within(folder, path)
        if digest_of(path) != digest:
            yield Finding("media changed", about, "its bytes are not those of its name", "restore it from a copy")
        elif digest not in wanted:
            remedy = "mend what is unreadable first, which may" if doubt else "delete it, unless a job is under way"
            yield Finding("media orphaned", about, "no record points to it", remedy)


def _partials(folder: Path, media: Media, records: Mapping[str, Record]) -> Iterator[Finding]:
    if not media.partials.is_dir():
        return
    for path in sorted(media.partials.iterdir()):
        record = records.get(path.name.split(".")[0])
        if record is None or record.ended:
            message = "a download that nothing will end"
            yield Finding("partial left", _within(folder, path), message, "delete it")


def _kept(folder: Path) -> Iterator[Finding]:
    for path, exc in NamedValues(folder).faults():
        yield Finding("kept unreadable", _within(folder, path), str(exc), "restore it from a copy, or remove it")


def _plans(folder: Path) -> Iterator[Finding]:
    for path in sorted(Plans(folder).folder.glob("*.json")):
        try:
            read_plan_file(path)
        except LogError as exc:
            remedy = "restore it, or run the sweep again: it is written anew once this one is gone"
            yield Finding("plan unreadable", _within(folder, path), str(exc), remedy)


def _votes(folder: Path) -> Iterator[Finding]:
    for line in votes_in(folder / "votes")[1]:
        yield Finding("vote unreadable", _within(folder, line.file), f"line {line.number} is no vote", MEND)


def _within(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()
