"""Another log joined to this one: nothing is lost, and nothing is there twice. Done again, it changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import DatabaseError

from kling_nb.errors import LogError
from kling_nb.models.record import RECORD_VERSION, Record, Reference
from kling_nb.store.database import read_only
from kling_nb.store.judgements import Scores, Votes
from kling_nb.store.media import Media, digest_of
from kling_nb.store.named import SHARED, DamagedValue, NamedValue, NamedValues, left_in, read_row
from kling_nb.store.plans import Plans, digests_of_plan
from kling_nb.store.records import RecordStore, rank
from kling_nb.store.sidecars import LATER, UPDATE, MissingSidecar, Sidecars, UnreadableRecord, digests_of, read_sidecar
from kling_nb.store.trash import Trash


@dataclass
class MergeReport:
    """What a merge did: records that are new here, that both had, and that were the same; `problems` in words."""

    added: list[str] = field(default_factory=list[str])
    changed: list[str] = field(default_factory=list[str])
    restored: list[str] = field(default_factory=list[str])
    """Those of `changed` that lay in the trash here."""
    same: int = 0
    media: int = 0
    kept: int = 0
    plans: int = 0
    votes: int = 0
    scores: int = 0
    problems: list[str] = field(default_factory=list[str])

    def __repr__(self) -> str:
        said = f"{len(self.added)} records added, {len(self.changed)} joined, {self.same} already here"
        said += f"; {self.media} files, {self.kept} presets or elements, {self.plans} plans, {self.votes} votes and "
        said += f"{self.scores} scores came along."
        if self.restored:
            said += f" {len(self.restored)} of the joined came back out of the trash."
        return "\n".join([said, *self.problems])


#: What a folder that was exported has, and a log has not.
_CRATE = "ro-crate-metadata.json"


def merge(
    record_store: RecordStore, media: Media, trash: Trash, kept: NamedValues, votes: Votes, scores: Scores, other: Path
) -> MergeReport:
    """Take in all that the log in the folder `other` has; it is only read.

    Raises `LogError` when there is no log there, or it is this one.
    """
    if other.is_file() or (other / _CRATE).is_file():
        raise LogError(f"{other} is no log, but looks like an export of one: kn.import_log takes it in.")
    theirs = Sidecars(other / "records")
    if not theirs.folder.is_dir() and not NamedValues(other).folder.is_dir():
        raise LogError(f"{other} holds no log: give the folder that has records/ in it.")
    if other.resolve() == record_store.folder.resolve():
        raise LogError(f"{other} is this log itself.")
    done, pool = MergeReport(), Media(other)
    thrown = {path.stem for path, _ in trash.sidecars.all()}
    for record in _readable(theirs, done):
        if not record.ended:  # two kernels could carry one job out, and pay for it twice
            done.problems.append(f"{record.id} is still {record.status} there: resume it there, then merge again.")
            continue
        try:
            if record.id in thrown and record_store.sidecars.find(record.id) is None:
                trash.restore(record.id)  # it lives in the other log; what was paid and said here is joined with that
                done.restored.append(record.id)
            done.media += _bring({digest for digest, _ in digests_of(record)}, pool, media, record.id, done)
            came = record_store.join(record, joined)
        except UnreadableRecord as exc:  # the one of here, which stays as it is
            done.problems.append(str(exc))
            continue
        match came:
            case "added":
                done.added.append(record.id)
            case None if record.id not in done.restored:
                done.same += 1
            case _:
                done.changed.append(record.id)
    for record in _readable(Sidecars(other / "trash" / "records"), done):
        if not (record_store.sidecars.find(record.id) or trash.sidecars.find(record.id)):
            trash.sidecars.write(record)
            wanted = {digest for digest, _ in digests_of(record)}
            done.media += _bring(wanted, Media(other / "trash"), trash.pool, record.id, done, beside=pool)
    _shared(other, pool, media, kept, done)
    mine = Plans(record_store.folder)
    for plan in Plans(other).all():
        done.media += _bring(digests_of_plan(plan), pool, media, f"plan {plan.id}", done)
        done.plans += mine.join(plan)
    done.votes, torn = votes.merge(other / "votes")
    done.problems += map(str, torn)
    done.scores = _scores(other / "index.sqlite", scores, done)
    return done


def joined(one: Record, other: Record) -> Record:
    """Return two copies of a record as one: the one that got further, with the words that the user gave to either.

    The order does not matter, and joining again changes nothing.
    """
    further = max(one, other, key=_further)
    both = (one, other)
    stars = [(not each.imported, each.revision, each.stars) for each in both if each.stars is not None]
    return further.model_copy(
        update={
            "tags": _tags(one.tags, other.tags),
            "stars": max(stars)[-1] if stars else None,
            "note": _notes(one.note, other.note),
            "revision": max(one.revision, other.revision),
        }
    )


def _further(record: Record) -> tuple[bool, int, bool, int, str]:
    core = record.model_dump_json(exclude={"tags", "stars", "note", "revision", "holder"})
    return not record.imported, rank(record), record.generation_id is not None, record.revision, core


def _tags(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """All of both, in the order of the one that has them all."""
    whole = [tags for tags in (one, other) if set(tags) >= {*one, *other}]
    return max(whole, default=tuple(sorted({*one, *other})))


def _notes(one: str, other: str) -> str:
    mine, theirs = one.splitlines(), other.splitlines()
    if set(mine) >= set(theirs):
        return one if set(mine) > set(theirs) else max(one, other)
    if set(theirs) > set(mine):
        return other
    first, second = sorted((mine, theirs))
    return "\n".join([*first, *(line for line in second if line not in first)])


def _readable(sidecars: Sidecars, done: MergeReport) -> Iterator[Record]:
    for path, _ in sorted(sidecars.all()) if sidecars.folder.is_dir() else ():
        try:
            record = read_sidecar(path)
        except MissingSidecar:
            continue
        except UnreadableRecord as exc:
            done.problems.append(str(exc))
            continue
        if record.version > RECORD_VERSION:  # written here, it would lose what this version does not know
            done.problems.append(f"{record.id} {LATER}: {UPDATE} to take it in.")
        else:
            yield record


def _bring(
    digests: set[str], source: Media, target: Media, about: str, done: MergeReport, *, beside: Media | None = None
) -> int:
    brought = 0
    for digest in sorted(digests):
        if target.file(digest) is not None:
            continue
        file = source.file(digest) or (beside.file(digest) if beside else None)
        if file is None or digest_of(file) != digest:
            done.problems.append(f"{about}: {digest[:19]}… is {'missing' if file is None else 'damaged'} in that log.")
            continue
        target.put(file.read_bytes(), file.suffix)
        brought += 1
    return brought


def _shared(other: Path, pool: Media, media: Media, kept: NamedValues, done: MergeReport) -> None:
    """Take in presets and elements: those in files, and those that an earlier version left in the index."""
    unreadable: list[DamagedValue] = []
    for one in (*NamedValues(other).all(SHARED, unreadable), *_left_in(other / "index.sqlite", unreadable, done)):
        try:
            wanted = {digest for digest in _digests(one.value) if digest}
            done.media += _bring(wanted, pool, media, f"{one.kind} {one.name!r}", done)
            done.kept += kept.join(one.kind, one.name, one.value)
        except DamagedValue as exc:
            unreadable.append(exc)
        except (ValidationError, AttributeError, TypeError):
            done.problems.append(f"{one.kind} {one.name!r} of that log is not what it should be: it is left there.")
    done.problems += map(str, unreadable)


def _left_in(index: Path, unreadable: list[DamagedValue], done: MergeReport) -> Iterator[NamedValue]:
    if not index.is_file():
        return
    try:
        with read_only(index) as connection:
            rows = left_in(connection)
    except DatabaseError as exc:
        done.problems.append(f"What is kept by name in the index of that log cannot be read: {exc.orig}.")
        return
    for kind, name, body in rows:
        try:
            if kind in SHARED:
                yield read_row(kind, name, body)
        except DamagedValue as exc:
            unreadable.append(exc)


def _scores(index: Path, scores: Scores, done: MergeReport) -> int:
    try:
        return scores.merge(index) if index.is_file() else 0
    except (DatabaseError, ValidationError) as exc:
        done.problems.append(f"The scores of that log cannot be read: {str(exc).splitlines()[0]}.")
        return 0


def _digests(value: Any) -> Iterator[str | None]:
    for raw in value.get("references", ()):
        reference = Reference.model_validate(raw)
        yield from (reference.digest, reference.original, reference.thumbnail)
