"""What tells two records apart beyond their parameters: schema, price, timings, the file; and what was asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kling_nb.models.record import Record
from kling_nb.models.score import Score
from kling_nb.render.differences import NONE, Difference, Word, differences
from kling_nb.render.facts import Fact, facts_of
from kling_nb.render.words import price_of, size


def diff(records: Sequence[Record], scores: Sequence[Sequence[Score]] = ()) -> list[Difference]:
    """Return only what differs: the parameters first, then what the run was like, then each record's `scores`."""
    found = differences(records)
    tables = [dict(_run(record)) for record in records]
    for table, known in zip(tables, scores, strict=False):
        table.update({f"Score: {score.name}": score.words for score in known})
    for label in dict.fromkeys(label for table in tables for label in table):
        values = [table.get(label, "") for table in tables]
        if len(set(values)) > 1:
            found.append(Difference(label, tuple((Word(value or NONE),) for value in values)))
    return found


def _run(record: Record) -> Iterator[Fact]:
    clip = record.clip
    yield Fact("Schema", (record.schema_digest or "").removeprefix("sha256:")[:12])
    yield Fact("Price", price_of(record))
    yield Fact("Took", next((fact.value for fact in facts_of(record) if fact.label == "Took"), ""))
    if clip:
        yield Fact("File", f"{clip.digest.removeprefix('sha256:')[:12]} · {size(clip.size)}")
    yield Fact("Stars", "★" * (record.stars or 0))
    yield Fact("Tags", " ".join(f"#{tag}" for tag in record.tags))
    yield Fact("Note", record.note)
    yield Fact("Versions", ", ".join(f"{name} {version}" for name, version in record.versions.items()))
