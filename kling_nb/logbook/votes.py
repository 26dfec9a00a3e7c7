"""The votes of a log: lines of JSON, one file a month; they are the truth, and a rebuild leaves them as they are."""

from __future__ import annotations

import datetime
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from kling_nb.logbook.disk import written_in
from kling_nb.logbook.ledger import Ledger
from kling_nb.logbook.oddities import odd_time
from kling_nb.models.vote import Vote

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Votes:
    """The votes of one folder; a later line of the same vote counts."""

    ledger: Ledger

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self.ledger.folder / "votes"

    def add(self, votes: Iterable[Vote]) -> None:
        """Write votes down, safe from other kernels. Raises `LogError`."""
        with self.ledger.alone("votes"), written_in(self.ledger.folder):
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

    def merge(self, other: Path) -> tuple[int, list[TornLine]]:
        """Take in the votes of another log's folder that are not here; return how many, and what is no vote there."""
        theirs, torn = votes_in(other)
        mine = {(vote.id, vote.undone) for vote in votes_in(self.folder)[0]}
        gone = {vote_id for vote_id, undone in mine if undone}
        new = [vote for vote in theirs if (vote.id, vote.undone) not in mine and vote.id not in gone]
        self.add(new)
        return len(new), torn


@dataclass(frozen=True)
class TornLine:
    """A line that is no vote: a disk was full, a program wrote into it."""

    file: Path
    number: int

    def __str__(self) -> str:
        return f"Line {self.number} of {self.file} is no vote: {MEND}."


MEND = "mend it, or take it out"


def votes_in(folder: Path) -> tuple[list[Vote], list[TornLine]]:
    """Return the votes of a folder, each as its last line has it, oldest first, and the lines that are none."""
    found: dict[str, Vote] = {}
    torn: list[TornLine] = []
    for file in sorted(path for path in folder.glob("*.jsonl") if not path.name.startswith(".")):
        for number, line in enumerate(file.read_bytes().split(b"\n"), 1):
            if not line.strip():
                continue
            if vote := _vote(line):
                found[vote.id] = vote
            else:
                torn.append(TornLine(file, number))
    return sorted(found.values(), key=lambda vote: (vote.at, vote.id)), torn


def _vote(line: bytes) -> Vote | None:
    try:
        vote = Vote.model_validate_json(line)
    except ValidationError:
        return None
    return None if odd_time(vote.at) else vote


def _fresh_line(file: BinaryIO) -> bytes:
    """Return what has to stand before a new line: the last one may have no end, where the disk was full."""
    if file.seek(0, os.SEEK_END) == 0:
        return b""
    file.seek(-1, os.SEEK_END)
    return b"" if file.read(1) == b"\n" else b"\n"
