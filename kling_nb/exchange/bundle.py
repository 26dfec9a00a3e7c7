"""What is handed on: records with their plans, votes, scores and media. One layout for a crate and a report."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from kling_nb.models.frontend import Video
from kling_nb.models.judgements import Score, Vote
from kling_nb.models.plan import StoredPlan
from kling_nb.models.record import Record, Reference
from kling_nb.models.urls import sha256
from kling_nb.render.images import small_poster, small_thumbnail
from kling_nb.store.log import Log

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Bundle:
    """Some records, oldest first, in the form that may leave this machine; `file` finds the content of a digest.

    With them go the plans that they were made for, whole, the votes between two of them, and by record id the newest
    score of each scorer. `changed` fills while media are read: the digests of files that hold other bytes by now, which
    are handed on to nobody.
    """

    records: Sequence[Record]
    file: Callable[[str], Path | None]
    plans: Sequence[StoredPlan] = ()
    votes: Sequence[Vote] = ()
    scores: Mapping[str, Sequence[Score]] = field(default_factory=dict[str, Sequence[Score]])
    changed: set[str] = field(default_factory=set[str])

    @classmethod
    def of(cls, records: Sequence[Record], log: Log, *, plan: StoredPlan | None = None) -> Bundle:
        """Bundle records of a log that have ended, each once; `plan` is one that goes along in any case."""
        unique = {record.id: record.public() for record in records if record.ended}
        ordered = sorted(unique.values(), key=lambda record: (record.times.created, record.id))
        names = dict.fromkeys(record.plan for record in ordered if record.plan and log.plans.has(record.plan))
        plans = {name: log.plans.get(name) for name in names} | ({plan.id: plan} if plan else {})
        votes = [vote for vote in log.votes.all() if {vote.left, vote.right} <= unique.keys()]
        return cls(ordered, log.file, list(plans.values()), votes, log.scores.of(ordered))

    def each_score(self) -> list[Score]:
        """Return every score once, those of one clip together."""
        return list({score.key: score for scores in self.scores.values() for score in scores}.values())

    def source(self, digest: str) -> Path | None:
        """Return where the content of a digest lies, None when it is not here, or is known to have been changed."""
        return None if digest in self.changed else self.file(digest)

    def read(self, digest: str) -> bytes | None:
        """Return the content of a digest, None when it is not here or has been changed."""
        if (source := self.source(digest)) is None:
            return None
        data = source.read_bytes()
        if sha256(data) != digest:
            self.changed.add(digest)
            return None
        return data

    def copy(self, digest: str, target: Path) -> bool:
        """Copy the content of a digest, read once, and return whether it is there; it is not when it was changed."""
        if (source := self.source(digest)) is None:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        if copied(source, target) != digest:
            target.unlink()
            self.changed.add(digest)
        return digest not in self.changed

    def left_out(self) -> Iterator[str]:
        """Say of what was left out since its bytes were changed, a sentence each."""
        for record in self.records:
            what = [f"the clip of {record.id}"] if record.clip and record.clip.digest in self.changed else []
            if record.clip and record.clip.poster in self.changed:
                what.append(f"the still of {record.id}")
            what += [f"the picture {one.name or one.given} of {record.id}" for one in self._changed(record.references)]
            yield from (_left_out(one) for one in what)
        for plan in self.plans:
            yield from (
                _left_out(f"the picture {one.name or one.given} of the plan {plan.id}")
                for one in self._changed(plan.references)
            )

    def _changed(self, references: Sequence[Reference]) -> list[Reference]:
        return [one for one in references if {one.digest, one.original, one.thumbnail} & self.changed]

    def media(self) -> Iterator[tuple[str, str]]:
        """Yield every file that is there: its digest, and where it goes."""
        yield from ((digest, name) for digest, (name, _) in (self.references() | self.posters()).items())
        yield from ((record.clip.digest, name) for record, name, _ in self.clips() if record.clip)

    def clips(self) -> Iterator[tuple[Record, str, Path]]:
        """Yield each clip that is there: its record, where it goes, and where it is."""
        for record in self.records:
            if record.clip and (source := self.source(record.clip.digest)):
                yield record, clip_name(record), source

    def references(self) -> dict[str, tuple[str, Path]]:
        """Return each picture that was referred to: where it goes and where it is, by its digest."""
        found: dict[str, tuple[str, Path]] = {}
        for reference in (item for part in (*self.records, *self.plans) for item in part.references):
            for digest in (reference.digest, reference.original, reference.thumbnail):
                if digest and digest not in found and (source := self.source(digest)):
                    found[digest] = f"references/{digest.removeprefix('sha256:')[:16]}{source.suffix}", source
        return found

    def posters(self) -> dict[str, tuple[str, Path]]:
        """Return each clip's still: where it goes and where it is, by its digest."""
        found: dict[str, tuple[str, Path]] = {}
        for record in self.records:
            digest = record.clip.poster if record.clip else None
            if digest and (source := self.source(digest)):
                found[digest] = f"posters/{digest.removeprefix('sha256:')[:16]}{source.suffix}", source
        return found


def _left_out(what: str) -> str:
    return f"Left out: {what}. Its bytes in the log were changed since; kn.log().verify() lists all that is."


def copied(source: Path, target: Path) -> str:
    """Copy a file and return the tagged sha256 of what was copied, both in one pass. Raises OSError."""
    digest = hashlib.sha256()
    with source.open("rb") as given, target.open("wb") as made:
        while chunk := given.read(_CHUNK):
            digest.update(chunk)
            made.write(chunk)
    return f"sha256:{digest.hexdigest()}"


def clip_name(record: Record) -> str:
    """Where a record's clip goes."""
    return f"clips/{record.id}{Path(record.clip.file).suffix if record.clip else ''}"


def record_name(record: Record) -> str:
    """Where a record goes."""
    return f"records/{record.id}.json"


def plan_name(plan: StoredPlan) -> str:
    """Where a plan goes."""
    return f"plans/{plan.id}.json"


#: Where the votes and the scores go, one a line, and where a crate is described.
VOTES, SCORES, METADATA = "votes.jsonl", "scores.jsonl", "ro-crate-metadata.json"


class ReportLinks:
    """The media of a report: stills and thumbnails in the page; clips in it too, or beside it where `clip` says."""

    def __init__(self, bundle: Bundle, clip: Callable[[Record, Path], str | None]) -> None:
        self._bundle, self._clip = bundle, clip

    def videos(self, records: Sequence[Record]) -> list[Video]:
        """Return how the page shows these clips."""
        return [self._video(record) for record in records]

    def poster(self, record: Record) -> str | None:
        """Return a small still as a data URI."""
        data = self._bundle.read(record.clip.poster) if record.clip and record.clip.poster else None
        return small_poster(data) if data else None

    def thumbnail(self, reference: Reference) -> str | None:
        """Return a small picture of a reference as a data URI."""
        data = self._bundle.read(reference.thumbnail) if reference.thumbnail else None
        return small_thumbnail(data) if data else None

    def _video(self, record: Record) -> Video:
        if record.clip is None:
            return Video()
        source = self._bundle.source(record.clip.digest)
        address = self._clip(record, source) if source else None
        if address is None:
            gone = "holds other bytes by now" if record.clip.digest in self._bundle.changed else "is not there any more"
            return Video(hint=f"The file {gone}: {record.clip.file}")
        return Video(address, None if address.startswith("data:") else address)


def beside(record: Record, _source: Path) -> str:
    """Link a clip that lies in `clips/` beside the page."""
    return quote(clip_name(record))
