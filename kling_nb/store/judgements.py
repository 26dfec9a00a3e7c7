"""The votes and the scores of a log."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kling_nb.models.judgements import Score, Vote
from kling_nb.models.record import Record
from kling_nb.store.disk import written_in
from kling_nb.store.jsonlines import DamagedLine, JsonLines
from kling_nb.store.records import RecordStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Votes:
    """The votes of one log; of two lines of one vote the later counts."""

    store: RecordStore

    @property
    def folder(self) -> Path:
        """The folder of the files."""
        return self.store.folder / "votes"

    def add(self, votes: Iterable[Vote]) -> None:
        """Append votes, safe from other processes. Raises `LogError`."""
        with self.store.lock("votes"), written_in(self.store.folder):
            JsonLines(self.folder, Vote).append(votes)

    def all(self) -> list[Vote]:
        """Return every vote that was not undone, oldest first; damaged lines are logged and left out."""
        votes, damaged = votes_in(self.folder)
        for line in damaged:
            _log.warning("%s", line)
        return [vote for vote in votes if not vote.undone]

    def merge(self, other: Path) -> tuple[int, list[DamagedLine]]:
        """Add the votes of another log's folder that are missing here; return how many, and its damaged lines."""
        theirs, damaged = votes_in(other)
        mine = {(vote.id, vote.undone) for vote in votes_in(self.folder)[0]}
        undone = {vote_id for vote_id, undone in mine if undone}
        new = [vote for vote in theirs if (vote.id, vote.undone) not in mine and vote.id not in undone]
        self.add(new)
        return len(new), damaged


def votes_in(folder: Path) -> tuple[list[Vote], list[DamagedLine]]:
    """Return the votes of a folder, each as its last line has it, oldest first, and the damaged lines."""
    votes, damaged = JsonLines(folder, Vote).read()
    return sorted({vote.id: vote for vote in votes}.values(), key=lambda vote: (vote.at, vote.id)), damaged


@dataclass(frozen=True)
class Scores:
    """The scores of one log; the index has the newest line of each clip, request, scorer and version."""

    store: RecordStore

    def add(self, given: Iterable[Score]) -> int:
        """Add the scores that are new or newer than the known ones, and return how many. Raises `LogError`."""
        newest = {score.key: score for score in sorted(given, key=_age)}
        if not newest:
            return 0
        self.store.ready(writing=True)
        with self.store.lock("scores"):
            self.store.catch_up_scores()  # lines of a process that was killed before it reached the index
            clips = list({score.clip for score in newest.values()})
            found = self.store.ask(lambda index: index.scores(clips), {})
            known = {score.key: score for each in found.values() for score in each}
            new = [score for key, score in newest.items() if key not in known or _age(known[key]) < _age(score)]
            if new:
                with written_in(self.store.folder):
                    files = self.store.score_lines.append(new)
                self.store.ask(lambda index: index.put_scores(new, files), None)
        return len(new)

    def of(self, records: Sequence[Record]) -> dict[str, list[Score]]:
        """Return the newest score of each scorer, in the order of their names, by record id."""
        newest = {
            record_id: {score.name: score for score in sorted(found, key=lambda score: score.at)}
            for record_id, found in self.every(records).items()
        }
        return {record_id: [found[name] for name in sorted(found)] for record_id, found in newest.items()}

    def every(self, records: Sequence[Record]) -> dict[str, list[Score]]:
        """Return the scores of every version, by record id."""
        clips = {record.id: record.clip.digest for record in records if record.clip}
        known = self.store.ask(lambda index: index.scores(list(dict.fromkeys(clips.values()))), {})
        found = {
            record.id: [score for score in known.get(clips[record.id], ()) if _is_of(score, record)]
            for record in records
            if record.id in clips
        }
        return {record_id: each for record_id, each in found.items() if each}

    def merge(self, other: Path) -> tuple[int, list[DamagedLine]]:
        """Add the scores of another log's folder; return how many were new, and its damaged lines."""
        theirs, damaged = JsonLines(other, Score).read()
        return self.add(theirs), damaged


def _age(score: Score) -> tuple[object, ...]:
    return score.at, score.model_dump_json()


def _is_of(score: Score, record: Record) -> bool:
    return not score.request or score.request == record.request_hash
