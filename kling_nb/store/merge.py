"""Merges another log into this one: nothing is lost or duplicated, and a second merge changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from kling_nb.errors import ArgumentError
from kling_nb.models.record import RECORD_VERSION, Record, Reference
from kling_nb.store.judgements import Scores, Votes
from kling_nb.store.media import Media, digest_of
from kling_nb.store.named import SHARED, DamagedValue, NamedValues
from kling_nb.store.plans import Plans
from kling_nb.store.probe import fault_of
from kling_nb.store.records import RecordStore
from kling_nb.store.revisions import rank
from kling_nb.store.sidecars import (
    LATER,
    UPDATE,
    MissingSidecar,
    Sidecars,
    UnreadableRecord,
    digests_of,
    is_still,
    named_digests,
    read_sidecar,
)
from kling_nb.store.trash import Trash


@dataclass
class MergeReport:
    """The result of a merge: IDs of the records that were added or changed, how many were the same, and `problems`."""

    added: list[str] = field(default_factory=list[str])
    changed: list[str] = field(default_factory=list[str])
    restored: list[str] = field(default_factory=list[str])
    """Those of `changed` that were in the trash."""
    same: int = 0
    media: int = 0
    saved: int = 0
    """The number of presets and elements that were added."""
    plans: int = 0
    votes: int = 0
    scores: int = 0
    problems: list[str] = field(default_factory=list[str])

    def __repr__(self) -> str:
        lines = [
            f"{len(self.added)} records added, {len(self.changed)} changed, {self.same} already here; added "
            f"{self.media} files, {self.saved} presets or elements, {self.plans} plans, {self.votes} votes and "
            f"{self.scores} scores."
        ]
        if self.restored:
            lines[0] += f" {len(self.restored)} of the changed records were restored from the trash."
        return "\n".join([*lines, *self.problems])


#: A file that an exported folder has and a log does not.
_CRATE = "ro-crate-metadata.json"


@dataclass(frozen=True)
class Merge:
    """The merge of logs into one; `report` lists the changes."""

    store: RecordStore
    media: Media
    trash: Trash
    plans: Plans
    votes: Votes
    scores: Scores
    values: NamedValues
    report: MergeReport = field(default_factory=MergeReport)

    def run(self, other: Path) -> MergeReport:
        """Add everything that the log in the folder `other` has; it is only read.

        Raises `ArgumentError` if there is no log there, or it is this one.
        """
        self._check(other)
        for record in self._readable(Sidecars(other / "records")):
            if record.ended:
                self._record(record, Media(other))
            else:  # two kernels could resume one job, and pay for it twice
                said = f"{record.id} is still {record.status} there: resume it there, then merge again."
                self.report.problems.append(said)
        for record in self._readable(Sidecars(other / "trash" / "records")):
            if not (self.store.has(record.id) or self.trash.has(record.id)):
                self.trash.put(record)
                files = dict(digests_of(record))
                self._files(files, [Media(other / "trash"), Media(other)], self.trash.trashed_media, record.id)
        self._values(other)
        for plan in Plans(other).all():
            self._files(named_digests(plan.references), [Media(other)], self.media, f"plan {plan.id}")
            self.report.plans += self.plans.merge(plan)
        self.report.votes, damaged_votes = self.votes.merge(other / "votes")
        self.report.scores, damaged_scores = self.scores.merge(other / "scores")
        self.report.problems += map(str, [*damaged_votes, *damaged_scores])
        return self.report

    def _check(self, other: Path) -> None:
        if other.is_file() or (other / _CRATE).is_file():
            raise ArgumentError(f"{other} is not a log but an export of one: use kn.import_log.")
        if not (other / "records").is_dir() and not NamedValues(other).folder.is_dir():
            raise ArgumentError(f"{other} is not a log: give the folder that contains records/.")
        if other.resolve() == self.store.folder.resolve():
            raise ArgumentError(f"{other} is this log itself.")

    def _record(self, record: Record, source: Media) -> None:
        report = self.report
        try:
            if self.trash.has(record.id) and not self.store.has(record.id):
                self.trash.restore(record.id)  # it is in use in the other log; what was paid and noted here is merged
                report.restored.append(record.id)
            self._files(dict(digests_of(record)), [source], self.media, record.id)
            change = self.store.merge(record, merged)
        except UnreadableRecord as exc:  # this log's own, which is not changed
            report.problems.append(str(exc))
            return
        if change == "added":
            report.added.append(record.id)
        elif change == "changed" or record.id in report.restored:
            report.changed.append(record.id)
        else:
            report.same += 1

    def _readable(self, sidecars: Sidecars) -> Iterator[Record]:
        for path, _ in sorted(sidecars.all(), key=lambda file: file[0]):
            try:
                record = read_sidecar(path)
            except MissingSidecar:
                continue
            except UnreadableRecord as exc:
                self.report.problems.append(str(exc))
                continue
            if record.version > RECORD_VERSION:  # written here, it would lose the fields that this version lacks
                self.report.problems.append(f"{record.id} {LATER}: {UPDATE} to merge it.")
            else:
                yield record

    def _values(self, other: Path) -> None:
        for _, one in NamedValues(other).scan(SHARED):
            if isinstance(one, DamagedValue):
                self.report.problems.append(str(one))
                continue
            try:
                references = [Reference.model_validate(raw) for raw in one.value.get("references", ())]
                self._files(named_digests(references), [Media(other)], self.media, f"{one.kind} {one.name!r}")
                self.report.saved += self.values.merge(one.kind, one.name, one.value)
            except DamagedValue as exc:
                self.report.problems.append(str(exc))
            except (ValidationError, AttributeError, TypeError):
                said = f"The {one.kind} {one.name!r} of that log is not valid: it is left out."
                self.report.problems.append(said)

    def _files(self, files: Mapping[str, str], sources: list[Media], target: Media, about: str) -> None:
        """Copy the files of some digests, each with its role, unless their bytes are something else."""
        for digest, what in sorted(files.items()):
            if target.file(digest) is not None:
                continue
            file = next((file for source in sources if (file := source.file(digest))), None)
            if file is None or digest_of(file) != digest:
                why = "missing" if file is None else "damaged"
                self.report.problems.append(f"{about}: {digest[:19]}… is {why} in that log.")
            elif fault := fault_of(file, image=is_still(what)):
                self.report.problems.append(f"{about}: {what} {fault}, so it is left out ({file.name[:12]}…).")
            else:
                target.copy_in(file, digest)
                self.report.media += 1


def merged(one: Record, other: Record) -> Record:
    """Return two copies of a record as one: the one that got further, with the tags, stars and notes of both.

    The order does not matter, and merging again changes nothing.
    """
    both = (one, other)
    stars = [(not each.imported, each.revision, each.stars) for each in both if each.stars is not None]
    return max(both, key=_progress).model_copy(
        update={
            "tags": _tags(one.tags, other.tags),
            "stars": max(stars)[-1] if stars else None,
            "note": _notes(one.note, other.note),
            "revision": max(one.revision, other.revision),
        }
    )


def _progress(record: Record) -> tuple[bool, int, bool, int, str]:
    core = record.model_dump_json(exclude={"tags", "stars", "note", "revision", "holder"})
    return not record.imported, rank(record), record.generation_id is not None, record.revision, core


def _tags(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """Return all tags, in the order of the copy that has them all."""
    complete = [tags for tags in (one, other) if set(tags) >= {*one, *other}]
    return max(complete, default=tuple(sorted({*one, *other})))


def _notes(one: str, other: str) -> str:
    mine, theirs = one.splitlines(), other.splitlines()
    if set(mine) >= set(theirs):
        return one if set(mine) > set(theirs) else max(one, other)
    if set(theirs) > set(mine):
        return other
    first, second = sorted((mine, theirs))
    return "\n".join([*first, *(line for line in second if line not in first)])
