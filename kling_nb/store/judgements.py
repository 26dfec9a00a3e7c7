"""The votes of a log: lines of JSON, one file a month; they are the truth, and a rebuild leaves them as they are."""

from __future__ import annotations

import datetime
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError
from sqlalchemy import Connection, and_, delete, insert, select

from kling_nb.models.judgements import Score, Vote
from kling_nb.models.record import Record
from kling_nb.store.database import Database, has, read_only
from kling_nb.store.disk import written_in
from kling_nb.store.records import RecordStore
from kling_nb.store.sidecars import invalid_time
from kling_nb.store.tables import scores

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Votes:
    """The votes of one folder; a later line of the same vote counts."""

    record_store: RecordStore

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self.record_store.folder / "votes"

    def add(self, votes: Iterable[Vote]) -> None:
        """Write votes down, safe from other kernels. Raises `LogError`."""
        with self.record_store.alone("votes"), written_in(self.record_store.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            for vote in votes:
                month = vote.at.astimezone(datetime.UTC).strftime("%Y-%m")
                with (self.folder / f"{month}.jsonl").open("a+b") as file:
                    file.write(_fresh_line(file) + vote.model_dump_json().encode() + b"\n")

    def all(self) -> list[Vote]:
        """Return every vote that was not taken back, oldest first; lines that are no votes are logged and left out."""
        votes, torn = votes_in(self.folder)
        for line in torn:
            _log.warning("%s", line)
        return [vote for vote in votes if not vote.undone]

    def merge(self, other: Path) -> tuple[int, list[DamagedLine]]:
        """Take in the votes of another log's folder that are not here; return how many, and what is no vote there."""
        theirs, torn = votes_in(other)
        mine = {(vote.id, vote.undone) for vote in votes_in(self.folder)[0]}
        gone = {vote_id for vote_id, undone in mine if undone}
        new = [vote for vote in theirs if (vote.id, vote.undone) not in mine and vote.id not in gone]
        self.add(new)
        return len(new), torn


@dataclass(frozen=True)
class DamagedLine:
    """A line that is no vote: a disk was full, a program wrote into it."""

    file: Path
    number: int

    def __str__(self) -> str:
        return f"Line {self.number} of {self.file} is no vote: {MEND}."


MEND = "mend it, or take it out"


def votes_in(folder: Path) -> tuple[list[Vote], list[DamagedLine]]:
    """Return the votes of a folder, each as its last line has it, oldest first, and the lines that are none."""
    found: dict[str, Vote] = {}
    torn: list[DamagedLine] = []
    for file in sorted(path for path in folder.glob("*.jsonl") if not path.name.startswith(".")):
        for number, line in enumerate(file.read_bytes().split(b"\n"), 1):
            if not line.strip():
                continue
            if vote := _vote(line):
                found[vote.id] = vote
            else:
                torn.append(DamagedLine(file, number))
    return sorted(found.values(), key=lambda vote: (vote.at, vote.id)), torn


def _vote(line: bytes) -> Vote | None:
    try:
        vote = Vote.model_validate_json(line)
    except ValidationError:
        return None
    return None if invalid_time(vote.at) else vote


def _fresh_line(file: BinaryIO) -> bytes:
    """Return what has to stand before a new line: the last one may have no end, where the disk was full."""
    if file.seek(0, os.SEEK_END) == 0:
        return b""
    file.seek(-1, os.SEEK_END)
    return b"" if file.read(1) == b"\n" else b"\n"


#: How many clips one question names; databases take only so many values at once.
_MANY = 500


@dataclass(frozen=True)
class Scores:
    """The scores of one folder, shared by all kernels on it."""

    record_store: RecordStore

    def add(self, found: Iterable[Score]) -> int:
        """Keep scores; of two of the same clip, request, scorer and version the newer stays. Return how many were new.

        Raises `LogError`.
        """
        given = list(found)
        if not given:
            return 0
        self.record_store.ready(writing=True)
        with self.record_store.alone("scores"), self.record_store.database.writing() as connection:
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
        kept = self.record_store.ask(lambda index: _read(index.database, clips), {})
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
