"""The votes of a log: lines of JSON, one file a month; they are the truth, and a rebuild leaves them as they are."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from kling_nb.errors import LogError
from kling_nb.logbook.disk import written_in
from kling_nb.logbook.ledger import Ledger
from kling_nb.models.vote import Vote


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
                with (self.folder / f"{month}.jsonl").open("a", encoding="utf-8") as file:
                    file.write(f"{vote.model_dump_json()}\n")

    def all(self) -> list[Vote]:
        """Return every vote that was not taken back, oldest first. Raises `LogError` for a file that is torn."""
        return [vote for vote in votes_in(self.folder) if not vote.undone]

    def merge(self, other: Path) -> int:
        """Take in the votes of another log's folder that are not here; return how many."""
        mine = {(vote.id, vote.undone) for vote in votes_in(self.folder)}
        gone = {vote_id for vote_id, undone in mine if undone}
        new = [vote for vote in votes_in(other) if (vote.id, vote.undone) not in mine and vote.id not in gone]
        self.add(new)
        return len(new)


def votes_in(folder: Path) -> list[Vote]:
    """Return the votes of a folder, each as its last line has it, oldest first."""
    found: dict[str, Vote] = {}
    for file in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            try:
                vote = Vote.model_validate_json(line)
            except ValidationError as exc:
                raise LogError(f"Line {number} of {file} is no vote: mend it, or take it out.") from exc
            found[vote.id] = vote
    return sorted(found.values(), key=lambda vote: (vote.at, vote.id))
