"""The scores of a log: a cache by clip, scorer and version, beside the records. What is lost can be computed again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, and_, delete, insert, select

from kling_nb.logbook.database import Database, has, read_only
from kling_nb.logbook.ledger import Ledger
from kling_nb.logbook.tables import scores
from kling_nb.models.record import Record
from kling_nb.models.score import Score

#: How many clips one question names; databases take only so many values at once.
_MANY = 500


@dataclass(frozen=True)
class Scores:
    """The scores of one folder, shared by all kernels on it."""

    ledger: Ledger

    def add(self, found: Iterable[Score]) -> int:
        """Keep scores; of two of the same clip, request, scorer and version the newer stays. Return how many were new.

        Raises `LogError`.
        """
        given = list(found)
        if not given:
            return 0
        self.ledger.ready(writing=True)
        with self.ledger.alone("scores"), self.ledger.database.writing() as connection:
            return sum(_put(connection, score) for score in given)

    def of(self, records: Sequence[Record]) -> dict[str, list[Score]]:
        """Return by record id the newest score of each scorer, in the order of their names."""
        newest = {
            record_id: {score.name: score for score in sorted(found, key=lambda score: score.at)}
            for record_id, found in self.every(records).items()
        }
        return {record_id: [found[name] for name in sorted(found)] for record_id, found in newest.items()}

    def every(self, records: Sequence[Record]) -> dict[str, list[Score]]:
        """Return by record id all scores that are kept, of every version."""
        clips = list(dict.fromkeys(record.clip.digest for record in records if record.clip))
        kept = self.ledger.ask(lambda index: _read(index.database, clips), {})
        found = {
            record.id: [score for score in kept.get(record.clip.digest, ()) if _is_of(score, record)]
            for record in records
            if record.clip
        }
        return {record_id: each for record_id, each in found.items() if each}

    def merge(self, index: Path) -> int:
        """Take in the scores of another log's index, which is only read; return how many were new."""
        with read_only(index) as connection:
            bodies = list(connection.scalars(select(scores.c.json))) if has(connection, scores) else []
        return self.add(map(Score.model_validate_json, bodies))


def _read(database: Database, clips: Sequence[str]) -> dict[str, list[Score]]:
    found: dict[str, list[Score]] = {}
    with database.reading() as connection:
        for start in range(0, len(clips), _MANY):
            query = select(scores.c.json).where(scores.c.clip.in_(clips[start : start + _MANY]))
            for body in connection.scalars(query):
                score = Score.model_validate_json(body)
                found.setdefault(score.clip, []).append(score)
    return found


def _put(connection: Connection, score: Score) -> bool:
    key = {"clip": score.clip, "request": score.request, "name": score.name, "version": score.version}
    is_it = and_(*(scores.c[name] == value for name, value in key.items()))
    body = connection.scalar(select(scores.c.json).where(is_it))
    mine = Score.model_validate_json(body) if body else None
    if mine and (mine.at, mine.model_dump_json()) >= (score.at, score.model_dump_json()):
        return False
    connection.execute(delete(scores).where(is_it))
    connection.execute(insert(scores).values({**key, "json": score.model_dump_json()}))
    return True


def _is_of(score: Score, record: Record) -> bool:
    return not score.request or score.request == record.request_hash
