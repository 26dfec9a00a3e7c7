"""`Bundle`: records with their plans, votes, scores and media, in the layout that crates and reports share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from pydantic import BaseModel

from kling_nb.exchange.untrusted import PLAN, SCORE, VOTE
from kling_nb.models.frontend import Video
from kling_nb.models.judgements import Score, Vote
from kling_nb.models.plan import StoredPlan
from kling_nb.models.record import Record, Reference
from kling_nb.models.urls import sha256
from kling_nb.render.images import POSTER_BYTES, SHEET_BYTES, Links, small_poster, small_thumbnail
from kling_nb.render.plan import MatrixSheet, Tile, TileState
from kling_nb.store.index import RecordSummary
from kling_nb.store.log import Log
from kling_nb.sweeps.design import Cell, Design, from_stored

_CHUNK = 1 << 20
#: The files of votes and scores, one a line, and the file that describes a crate.
VOTES, SCORES, METADATA = "votes.jsonl", "scores.jsonl", "ro-crate-metadata.json"


@dataclass(frozen=True)
class Bundle:
    """Some records, oldest first, in their public form, and everything that belongs to them.

    `file` returns the file of a digest. `plans` are the whole plans that the records were made for, `votes` those
    between two of the records, and `scores` the newest score of each scorer by record id. `changed` collects the
    digests of files whose bytes are no longer those of the digest, or are neither an image nor a video; these files are
    left out.
    """

    records: Sequence[Record]
    file: Callable[[str], Path | None]
    plans: Sequence[StoredPlan] = ()
    votes: Sequence[Vote] = ()
    scores: Mapping[str, Sequence[Score]] = field(default_factory=dict[str, Sequence[Score]])
    changed: set[str] = field(default_factory=set[str])

    @classmethod
    def of(cls, records: Sequence[Record], log: Log, plans: Sequence[StoredPlan] = ()) -> Bundle:
        """Bundle the records that have ended, each once, with plans that are added in any case."""
        unique = {record.id: record.public() for record in records if record.ended}
        ordered = sorted(unique.values(), key=lambda record: (record.times.created, record.id))
        names = dict.fromkeys(record.plan for record in ordered if record.plan and log.plans.has(record.plan))
        every = {name: log.plans.get(name) for name in names} | {plan.id: plan for plan in plans}
        votes = [vote for vote in log.votes.all() if {vote.left, vote.right} <= unique.keys()]
        bundle = cls(ordered, log.media_file, list(every.values()), votes, log.scores.of(ordered))
        bundle.changed.update(log.foreign(bundle.digests()))
        return bundle

    def digests(self) -> set[str]:
        """Return the digests of all files that belong to the records and the plans."""
        references = (one for part in (*self.records, *self.plans) for one in part.references)
        clips = (digest for one in self.records if one.clip for digest in (one.clip.digest, one.clip.poster) if digest)
        return {*clips, *(digest for one in references for digest in one.digests)}

    @cached_property
    def filled_plans(self) -> Sequence[FilledPlan]:
        """Each plan with those of the records that have a clip of it."""
        records = {record.id: record for record in self.records}
        made = [RecordSummary(one.id, one.request_hash, one.cell, one.status) for one in self.records if one.clip]
        found: list[FilledPlan] = []
        for plan in self.plans:
            design = from_stored(plan, lambda _: None)  # nothing is generated, so the images are not read
            filled = {cell: records[one.id] for cell, one in design.assign(made).items()}
            found.append(FilledPlan(plan.id, design, filled))
        return found

    def planned(self, plan: FilledPlan) -> int:
        """Return how many of the records belong to a plan: its clips, and its jobs that have none."""
        clips = {record.id for record in plan.records.values()}
        return sum(record.id in clips or record.plan == plan.id for record in self.records)

    def parts(self) -> dict[str, Sequence[BaseModel]]:
        """Return the plans, the votes and the scores, each kind under its name."""
        return {PLAN: self.plans, VOTE: self.votes, SCORE: self.unique_scores()}

    def unique_scores(self) -> list[Score]:
        """Return every score once, those of one clip together."""
        return list({score.key: score for scores in self.scores.values() for score in scores}.values())

    def read(self, digest: str) -> bytes | None:
        """Return the content of a digest, None if the file is missing or was changed."""
        if (source := self.source(digest)) is None:
            return None
        data = source.read_bytes()
        if sha256(data) != digest:
            self.changed.add(digest)
            return None
        return data

    def copy(self, digest: str, target: Path) -> bool:
        """Copy the file of a digest and return whether it was there unchanged. Raises OSError."""
        if (source := self.source(digest)) is None:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        copied = hashlib.sha256()
        with source.open("rb") as given, target.open("wb") as made:
            while chunk := given.read(_CHUNK):
                copied.update(chunk)
                made.write(chunk)
        if f"sha256:{copied.hexdigest()}" != digest:
            target.unlink()
            self.changed.add(digest)
        return digest not in self.changed

    def omissions(self) -> Iterator[str]:
        """Yield a sentence for each file that is left out because it was changed."""
        for record in self.records:
            if record.clip and record.clip.digest in self.changed:
                yield _omitted(f"the clip of {record.id}")
            if record.clip and record.clip.poster in self.changed:
                yield _omitted(f"the poster of {record.id}")
        for part, name in (*((one, one.id) for one in self.records), *((one, f"plan {one.id}") for one in self.plans)):
            for reference in part.references:
                if reference.digests & self.changed:
                    yield _omitted(f"the image {reference.name or reference.given} of {name}")

    def media(self) -> Iterator[tuple[str, str]]:
        """Yield the digest and the new name of every file that is present."""
        yield from self.references().items()
        yield from self.posters().items()  # not joined by digest: a poster may be a reference, too
        yield from ((record.clip.digest, name) for record, name in self.clips() if record.clip)

    def clips(self) -> Iterator[tuple[Record, str]]:
        """Yield each record whose clip is present, with the clip's new name."""
        for record in self.records:
            if record.clip and self.source(record.clip.digest):
                yield record, clip_name(record)

    def references(self) -> dict[str, str]:
        """Return the new name of each reference image that is present, by its digest."""
        each = (reference for part in (*self.records, *self.plans) for reference in part.references)
        return self._names("references", (digest for one in each for digest in sorted(one.digests)))

    def posters(self) -> dict[str, str]:
        """Return the new name of each poster that is present, by its digest."""
        return self._names("posters", (record.clip.poster for record in self.records if record.clip))

    def _names(self, folder: str, digests: Iterator[str | None]) -> dict[str, str]:
        sources = {digest: source for digest in digests if digest and (source := self.source(digest))}
        names = {digest: digest.removeprefix("sha256:")[:16] for digest in sources}
        return {digest: f"{folder}/{names[digest]}{source.suffix}" for digest, source in sources.items()}

    def source(self, digest: str) -> Path | None:
        """Return the file of a digest, None if it is missing or known to be changed."""
        return None if digest in self.changed else self.file(digest)


def _omitted(file: str) -> str:
    return f"Left out: {file}. Its file was changed, or is not an image or a video; see kn.log.verify()."


def clip_name(record: Record) -> str:
    """Return the new name of a record's clip."""
    return f"clips/{record.id}{Path(record.clip.place).suffix if record.clip else ''}"


def clip_link(record: Record, _source: Path) -> str:
    """Return the link from a report to a clip beside it."""
    return quote(clip_name(record))


@dataclass(frozen=True)
class FilledPlan:
    """A plan and its records by the id of their cells."""

    id: str
    design: Design
    records: Mapping[str, Record]

    @cached_property
    def cells(self) -> Mapping[str, Cell]:
        """The cell of each record, by the record's id."""
        return {self.records[cell.id].id: cell for cell in self.design.unique_cells if cell.id in self.records}

    def sheet(self, links: Links) -> MatrixSheet:
        """Return the clips over the first two axes that vary."""
        down, across = self.design.matrix_axes(None, None)
        return self.design.matrix(down, across, lambda cell: self._tile(cell, links))

    def _tile(self, cell: Cell, links: Links) -> Tile:
        record = self.records.get(cell.id)
        state: TileState = "existing" if record else "missing" if cell.request_hash else "invalid"
        poster = links.poster(record, SHEET_BYTES) if record else None
        return Tile(cell.label, state, record.id if record else "", poster)


@dataclass(frozen=True)
class ReportLinks:
    """The media of a report: posters and thumbnails in the page; clips in it or beside it, as `address` decides."""

    bundle: Bundle
    address: Callable[[Record, Path], str | None] = clip_link

    def videos(self, records: Sequence[Record]) -> list[Video]:
        """Return the records' clips as the page shows them."""
        return list(map(self._video, records))

    def _video(self, record: Record) -> Video:
        if record.clip is None:
            return Video()
        source = self.bundle.source(record.clip.digest)
        url = self.address(record, source) if source else None
        if url is None:
            state = "was changed" if record.clip.digest in self.bundle.changed else "is missing"
            return Video(hint=f"The file {state}: {record.clip.place}")
        return Video(url, None if url.startswith("data:") else url)

    def poster(self, record: Record, limit: int = POSTER_BYTES) -> str | None:
        """Return a poster as a data URI of at most `limit` bytes."""
        data = self.bundle.read(record.clip.poster) if record.clip and record.clip.poster else None
        return small_poster(data, limit=limit) if data else None

    def thumbnail(self, reference: Reference) -> str | None:
        """Return a small image of a reference as a data URI."""
        data = self.bundle.read(reference.thumbnail) if reference.thumbnail else None
        return small_thumbnail(data) if data else None
