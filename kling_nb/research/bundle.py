"""What is handed on: records with their plans, votes, scores and media. One layout for a crate and a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from kling_nb.logbook.store import Log
from kling_nb.models.embed import Film
from kling_nb.models.plan import KeptPlan
from kling_nb.models.record import Record, Reference
from kling_nb.models.score import Score
from kling_nb.models.vote import Vote
from kling_nb.render import small_poster, small_thumbnail


@dataclass(frozen=True)
class Bundle:
    """Some records, oldest first, in the form that may leave this machine; `file` finds the content of a digest.

    With them go the plans that they were made for, whole, the votes between two of them, and by record id the newest
    score of each scorer.
    """

    records: Sequence[Record]
    file: Callable[[str], Path | None]
    plans: Sequence[KeptPlan] = ()
    votes: Sequence[Vote] = ()
    scores: Mapping[str, Sequence[Score]] = field(default_factory=dict[str, Sequence[Score]])

    @classmethod
    def of(cls, records: Sequence[Record], log: Log, *, plan: KeptPlan | None = None) -> Bundle:
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

    def clips(self) -> Iterator[tuple[Record, str, Path]]:
        """Yield each clip that is there: its record, where it goes, and where it is."""
        for record in self.records:
            if record.clip and (source := self.file(record.clip.digest)):
                yield record, clip_name(record), source

    def references(self) -> dict[str, tuple[str, Path]]:
        """Return each picture that was referred to: where it goes and where it is, by its digest."""
        found: dict[str, tuple[str, Path]] = {}
        for reference in (item for part in (*self.records, *self.plans) for item in part.references):
            for digest in (reference.digest, reference.original, reference.thumbnail):
                if digest and digest not in found and (source := self.file(digest)):
                    found[digest] = f"references/{digest.removeprefix('sha256:')[:16]}{source.suffix}", source
        return found

    def posters(self) -> dict[str, tuple[str, Path]]:
        """Return each clip's still: where it goes and where it is, by its digest."""
        found: dict[str, tuple[str, Path]] = {}
        for record in self.records:
            digest = record.clip.poster if record.clip else None
            if digest and (source := self.file(digest)):
                found[digest] = f"posters/{digest.removeprefix('sha256:')[:16]}{source.suffix}", source
        return found


def clip_name(record: Record) -> str:
    """Where a record's clip goes."""
    return f"clips/{record.id}{Path(record.clip.file).suffix if record.clip else ''}"


def record_name(record: Record) -> str:
    """Where a record goes."""
    return f"records/{record.id}.json"


def plan_name(plan: KeptPlan) -> str:
    """Where a plan goes."""
    return f"plans/{plan.id}.json"


#: Where the votes and the scores go, one a line, and where a crate is described.
VOTES, SCORES, METADATA = "votes.jsonl", "scores.jsonl", "ro-crate-metadata.json"


class ReportLinks:
    """The media of a report: stills and thumbnails in the page; clips in it too, or beside it where `clip` says."""

    def __init__(self, bundle: Bundle, clip: Callable[[Record, Path], str | None]) -> None:
        self._bundle, self._clip = bundle, clip

    def films(self, records: Sequence[Record]) -> list[Film]:
        """Return how the page shows these clips."""
        return [self._film(record) for record in records]

    def poster(self, record: Record) -> str | None:
        """Return a small still as a data URI."""
        source = self._bundle.file(record.clip.poster) if record.clip and record.clip.poster else None
        return small_poster(source.read_bytes()) if source else None

    def thumbnail(self, reference: Reference) -> str | None:
        """Return a small picture of a reference as a data URI."""
        source = self._bundle.file(reference.thumbnail) if reference.thumbnail else None
        return small_thumbnail(source.read_bytes()) if source else None

    def _film(self, record: Record) -> Film:
        if record.clip is None:
            return Film()
        source = self._bundle.file(record.clip.digest)
        address = self._clip(record, source) if source else None
        if address is None:
            return Film(hint=f"The file is not there any more: {record.clip.file}")
        return Film(address, None if address.startswith("data:") else address)


def beside(record: Record, _source: Path) -> str:
    """Link a clip that lies in `clips/` beside the page."""
    return quote(clip_name(record))
