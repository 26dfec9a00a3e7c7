"""Staging of an import: imported records, plans, votes and scores are checked and laid out as a log to merge."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from kling_nb.errors import LogError
from kling_nb.exchange.columns import PLAN, SCORE, VOTE
from kling_nb.exchange.untrusted import LARGEST_PLAN, parse_plan, parse_record, parse_score, parse_vote
from kling_nb.models.judgements import Score, Vote
from kling_nb.models.record import Record
from kling_nb.store.plans import Plans
from kling_nb.store.sidecars import Sidecars

T = TypeVar("T")

#: Records, and so many plans, votes and scores in all, that are taken in at once.
MOST, MOST_IN_ALL = 100_000, 1_000_000


class StagedImport:
    """What comes in. What is not sound is left out, and said at the end."""

    #: Bytes of the largest text that can be anything.
    LARGEST = LARGEST_PLAN

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records: dict[str, Record] = {}
        self.scores: list[Score] = []
        self._sidecars, self._plans = Sidecars(folder / "records"), Plans(folder)
        self._votes: list[Vote] = []
        self._problems: list[str] = []
        self._count = 0

    def record(self, text: bytes, where: str) -> None:
        """Take a record in, marked as paid for elsewhere."""
        if record := self._checked(parse_record, text, where):
            self._sidecars.write(record.model_copy(update={"imported": True}))
            self.records[record.id] = record

    def plan(self, text: bytes, where: str) -> None:
        """Take a plan in."""
        if plan := self._checked(parse_plan, text, where):
            self._plans.save(plan)

    def vote(self, text: bytes, where: str) -> None:
        """Take a vote in."""
        if vote := self._checked(_vote, text, where):
            self._votes.append(vote)

    def score(self, text: bytes, where: str) -> None:
        """Take a score in."""
        if score := self._checked(parse_score, text, where):
            self.scores.append(score)

    def line(self, text: bytes, where: str) -> None:
        """Take in a line that says which of them it is: what is no record stands in an object of one name."""
        start = text.lstrip()[:16].replace(b" ", b"")
        for name, take in ((PLAN, self.plan), (VOTE, self.vote), (SCORE, self.score)):
            if start.startswith(f'{{"{name}":{{'.encode()):
                if (inner := self._inside(name, text, where)) is not None:
                    take(inner, where)
                return
        self.record(text, where)

    def close(self) -> list[str]:
        """Write the votes on what came in, and return what was left out of everything."""
        clips = {record.clip.digest for record in self.records.values() if record.clip}
        votes = [vote for vote in self._votes if {vote.left, vote.right} <= self.records.keys()]
        scores = [score for score in self.scores if score.clip in clips]
        if lost := len(self._votes) - len(votes) + len(self.scores) - len(scores):
            self._problems.append(f"{lost} votes or scores are of clips that did not come along.")
        self.scores = scores
        if votes:
            (self.folder / "votes").mkdir(parents=True)
            lines = "".join(f"{vote.model_dump_json()}\n" for vote in votes)
            (self.folder / "votes" / "handed-on.jsonl").write_text(lines, encoding="utf-8")
        return self._problems

    def _inside(self, name: str, text: bytes, where: str) -> bytes | None:
        try:
            value: dict[str, Any] = json.loads(text) if len(text) <= self.LARGEST else {}
            return json.dumps(value[name]).encode()
        except (ValueError, KeyError, RecursionError):
            self._problems.append(f"{where} is no readable {name}.")
            return None

    def _checked(self, admit: Callable[[bytes, str], T], text: bytes, where: str) -> T | None:
        self._count += 1
        if len(self.records) > MOST or self._count > MOST_IN_ALL:
            raise LogError(f"There are more than {MOST:,} records, or {MOST_IN_ALL:,} lines: import them in parts.")
        try:
            return admit(text, where)
        except LogError as exc:
            self._problems.append(str(exc))
            return None


def _vote(text: bytes, where: str) -> Vote:
    """Return the vote in a line; it is to stand on one line of a log's file, too."""
    vote = parse_vote(text, where)
    if len(vote.model_dump_json().splitlines()) > 1:
        raise LogError(f"{where} is no sound vote: the name of who voted has a line break in it.")
    return vote
