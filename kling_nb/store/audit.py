"""The audit of a log: differences between its files and its index, with every hash computed again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kling_nb.errors import LogError
from kling_nb.models.canonical import canonical_json
from kling_nb.models.judgements import Score
from kling_nb.models.record import Record
from kling_nb.models.urls import sha256
from kling_nb.store.judgements import FIX, JsonLines, votes_in
from kling_nb.store.media import Media, digest_of
from kling_nb.store.named import DamagedValue
from kling_nb.store.plans import Plans, read_plan
from kling_nb.store.probe import fault_of
from kling_nb.store.records import RecordStore
from kling_nb.store.sidecars import (
    COMPARE,
    MissingSidecar,
    Sidecars,
    UnreadableRecord,
    digests_of,
    is_still,
    read_sidecar,
)

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
    "media invalid",
    "path outside",
    "media orphaned",
    "partial left",
    "plan unreadable",
    "value unreadable",
    "vote unreadable",
    "score unreadable",
    "not read",
    "not in bucket",
]
_REBUILD = "rebuild the index"
_RESTORE = "restore it from a copy"


@dataclass(frozen=True)
class Finding:
    """One disagreement; `about` is a record's id or a path within the log's folder."""

    kind: FindingKind
    about: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.about}: {self.message}; {self.remedy}"


@dataclass(frozen=True)
class Audit:
    """The comparison of the sidecars, the index's rows, the media and the other files of a log."""

    store: RecordStore
    media: Media

    def findings(self) -> Iterator[Finding]:
        """Yield every disagreement."""
        records, found = self._read(self.store.sidecars)
        unreadable = {Path(finding.about).stem for finding in found if finding.kind == "sidecar unreadable"}
        for record_id in sorted((records.keys() | self.store.index.versions().keys()) - unreadable):
            found += _compared(record_id, *self.store.revisions(record_id))
        found += [finding for record in records.values() for finding in request_findings(record)]
        found += self._unreadable_files()
        # An unreadable file may name media that nothing else does.
        complete = not any(finding.kind.endswith("unreadable") for finding in found)
        yield from found
        yield from self._media(records, complete=complete)
        yield from self._partials(records)
        trash = Sidecars(self.store.folder / "trash" / "records")
        yield from self._read(trash)[1]
        for sidecars in (self.store.sidecars, trash):
            for path in sidecars.strays():
                message = f"it is not read: only folders such as {self._name(sidecars.folder)}/2026-11 are"
                yield Finding("not read", self._name(path), message, "move it out of the log")

    def _read(self, sidecars: Sidecars) -> tuple[dict[str, Record], list[Finding]]:
        """Return the readable records by id, and the findings about the other sidecars."""
        records: dict[str, Record] = {}
        found: list[Finding] = []
        for path, _ in sidecars.all():
            try:
                record = records[path.stem] = read_sidecar(path)
            except MissingSidecar:
                continue
            except UnreadableRecord as exc:
                found.append(Finding("sidecar unreadable", self._name(path), exc.why, exc.remedy))
                continue
            if path != (place := sidecars.path(record)):
                remedy = COMPARE if place.exists() else "move it there"
                message = f"its place is {self._name(place)}"
                found.append(Finding("sidecar misplaced", self._name(path), message, remedy))
        return records, found

    def _unreadable_files(self) -> Iterator[Finding]:
        """Yield the saved values, plans, votes and scores that cannot be read."""
        for path, found in self.store.named.scan():
            if isinstance(found, DamagedValue):
                yield Finding("value unreadable", self._name(path), str(found), f"{_RESTORE}, or remove it")
        for path in sorted(Plans(self.store.folder).folder.glob("*.json")):
            try:
                read_plan(path)
            except LogError as exc:
                remedy = f"{_RESTORE}, or remove it and run the sweep again, which writes it again"
                yield Finding("plan unreadable", self._name(path), str(exc), remedy)
        for line in votes_in(self.store.folder / "votes")[1]:
            yield Finding("vote unreadable", self._name(line.file), f"line {line.number} is not a vote", FIX)
        for line in JsonLines(self.store.folder / "scores", Score).read()[1]:
            yield Finding("score unreadable", self._name(line.file), f"line {line.number} is not a score", FIX)

    def _media(self, records: Mapping[str, Record], *, complete: bool) -> Iterator[Finding]:
        files = list(self.media.all())  # one digest may have files of several suffixes
        present = {digest for digest, _ in files}
        try:
            others = self.store.other_digests()
        except LogError:  # one of the findings above
            others = {}
        for digest in sorted(others.keys() - present):
            yield Finding("media missing", others[digest], f"an image of it is missing ({digest[:19]}…)", _RESTORE)
        wanted = dict.fromkeys(others, "")
        for record in records.values():
            if record.clip and record.clip.place != record.clip.file:
                message = f"its clip has the path {record.clip.file[:80]!r}, which is not in this log"
                yield Finding("path outside", record.id, message, f"change it to {record.clip.place!r}")
            for digest, file in digests_of(record):
                wanted[digest] = file
                if digest not in present:
                    yield Finding("media missing", record.id, f"{file} is missing ({digest[:19]}…)", _RESTORE)
        for digest, path in files:
            try:
                changed = digest_of(path) != digest
            except OSError as exc:
                yield Finding("media invalid", self._name(path), f"it cannot be read ({exc.strerror})", _RESTORE)
                continue
            if changed:
                message = "its bytes do not have the digest in its name"
                yield Finding("media changed", self._name(path), message, _RESTORE)
            elif digest not in wanted:
                remedy = "delete it, unless a job is running" if complete else "fix the unreadable files first"
                yield Finding("media orphaned", self._name(path), "nothing in the log names it", remedy)
            elif fault := fault_of(path, image=is_still(wanted.get(digest, ""))):
                yield Finding("media invalid", self._name(path), f"it {fault}, not an image or a video", _RESTORE)

    def _partials(self, records: Mapping[str, Record]) -> Iterator[Finding]:
        for path in sorted(self.media.partials.iterdir()) if self.media.partials.is_dir() else ():
            record = records.get(path.name.split(".")[0])
            if record is None or record.ended:
                yield Finding("partial left", self._name(path), "a download that no job will finish", "delete it")

    def _name(self, path: Path) -> str:
        return path.relative_to(self.store.folder).as_posix()


def _compared(record_id: str, sidecar: int | None, row: int | None) -> Iterator[Finding]:
    if sidecar is None and row is not None:
        message = "the index has it, but its sidecar is missing"
        yield Finding("sidecar missing", record_id, message, f"{_RESTORE}, or {_REBUILD}")
    elif sidecar is not None and row is None:
        yield Finding("sidecar not in index", record_id, "the index does not have it", _REBUILD)
    elif sidecar is not None and row is not None and sidecar > row:
        yield Finding("sidecar newer", record_id, f"the index has revision {row} of {sidecar}", _REBUILD)
    elif sidecar is not None and row is not None and sidecar < row:
        message = f"the index has revision {row}, the sidecar {sidecar}, which is an old copy"
        yield Finding("sidecar older", record_id, message, f"{_RESTORE}, or {_REBUILD}")


def request_findings(record: Record) -> Iterator[Finding]:
    """Yield a finding if a record's request does not have the hash that the record says."""
    try:
        digest = sha256(canonical_json(record.canonical))
    except ValueError as exc:
        digest = f"no digest ({exc})"
    if digest != record.request_hash:
        message = f"its request has {digest[:19]}…, the record says {record.request_hash[:19]}…"
        yield Finding("request changed", record.id, message, "it was edited and would not make the same clip")
