"""The votes and the scores of a log: lines of JSON, one file a month. A rebuild does not change them."""

from __future__ import annotations

import datetime
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

from pydantic import ValidationError

from kling_nb.models.judgements import Score, Vote
from kling_nb.models.record import Record
from kling_nb.store.disk import lines_of, written_in
from kling_nb.store.records import RecordStore
from kling_nb.store.sidecars import FileVersion, invalid_time, version_of

T = TypeVar("T", Vote, Score)
_LONGEST = 1_000_000
FIX = "fix the line, or delete it"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DamagedLine:
    """A line that cannot be read: a disk was full, or another program wrote into the file."""

    file: Path
    number: int
    kind: str

    def __str__(self) -> str:
        return f"Line {self.number} of {self.file} is not a {self.kind}: {FIX}."


@dataclass(frozen=True)
class JsonLines(Generic[T]):
    """The values of one model in a folder."""

    folder: Path
    model: type[T]

    def append(self, values: Iterable[T]) -> dict[str, FileVersion]:
        """Append values, each to the file of its month, and return the versions of the files. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        files: set[Path] = set()
        for value in values:
            path = self.folder / f"{value.at.astimezone(datetime.UTC):%Y-%m}.jsonl"
            with path.open("a+b") as file:
                file.write(_line_break(file) + value.model_dump_json().encode() + b"\n")
            files.add(path)
        return {path.name: version_of(path) for path in files}

    def read(self) -> tuple[list[T], list[DamagedLine]]:
        """Return the values in the order of their lines, and the lines that cannot be read."""
        found: list[T] = []
        damaged: list[DamagedLine] = []
        for path in self._files():
            number, kind = 0, self.model.__name__.lower()
            try:
                if not path.is_file():  # reading a pipe would wait for ever
                    raise OSError
                with path.open("rb") as file:
                    for number, line in enumerate(lines_of(file, _LONGEST), 1):
                        if value := self._value(line):
                            found.append(value)
                        elif line.strip():
                            damaged.append(DamagedLine(path, number, kind))
            except OSError:  # not a file, or a failing disk
                damaged.append(DamagedLine(path, number + 1, kind))
        return found, damaged

    def versions(self) -> dict[str, FileVersion]:
        """Return the version of each file, by its name."""
        return {path.name: version_of(path) for path in self._files() if path.is_file()}

    def _files(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("*.jsonl") if not path.name.startswith("."))

    def _value(self, line: bytes) -> T | None:
        try:
            value = self.model.model_validate_json(line)
        except ValidationError:
            return None
        return None if invalid_time(value.at) else value


def _line_break(file: BinaryIO) -> bytes:
    """Return the line break that is missing before a new line: the last line has none if the disk was full."""
    if file.seek(0, os.SEEK_END) == 0:
        return b""
    file.seek(-1, os.SEEK_END)
    return b"" if file.read(1) == b"\n" else b"\n"


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


@dataclass
class Scores:
    """The scores of one log; of the lines of one clip, request, scorer and version the newest counts."""

    store: RecordStore
    _read: tuple[dict[str, FileVersion], dict[str, list[Score]]] = field(
        default_factory=lambda: (dict[str, FileVersion](), dict[str, list[Score]]())
    )
    """The newest scores by clip, and the versions of the files when these were read."""

    @property
    def lines(self) -> JsonLines[Score]:
        """The lines of the files."""
        return JsonLines(self.store.folder / "scores", Score)

    def add(self, given: Iterable[Score]) -> int:
        """Add the scores that are new or newer than the known ones, and return how many. Raises `LogError`."""
        newest = newest_of(given)
        if not newest:
            return 0
        with self.store.lock("scores"):
            by_clip = self._by_clip()
            known = {
                score.key: score for clip in {one.clip for one in newest.values()} for score in by_clip.get(clip, ())
            }
            new = [score for key, score in newest.items() if key not in known or age_of(known[key]) < age_of(score)]
            with written_in(self.store.folder):
                files = self.lines.append(new)
            for score in new:
                others = [one for one in by_clip.get(score.clip, ()) if one.key != score.key]
                by_clip[score.clip] = [*others, score]
            self._read = {**self._read[0], **files}, by_clip
        return len(new)

    def of(self, records: Sequence[Record]) -> dict[str, list[Score]]:
        """Return the newest score of each scorer, in the order of their names, by record id."""
        return newest_by_name(self.every(records))

    def every(self, records: Sequence[Record]) -> dict[str, list[Score]]:
        """Return the scores of every version, by record id."""
        self.store.exists()
        return scores_of(records, self._by_clip())

    def merge(self, other: Path) -> tuple[int, list[DamagedLine]]:
        """Add the scores of another log's folder; return how many were new, and its damaged lines."""
        theirs, damaged = JsonLines(other, Score).read()
        return self.add(theirs), damaged

    def _by_clip(self) -> dict[str, list[Score]]:
        """Return the newest scores by clip; the files are read again if another process changed them."""
        versions = self.lines.versions()  # read first, so that a line written meanwhile is noticed
        if self._read[0] != versions:
            found, damaged = self.lines.read()
            for line in damaged:
                _log.warning("%s", line)
            by_clip: dict[str, list[Score]] = {}
            for score in newest_of(found).values():
                by_clip.setdefault(score.clip, []).append(score)
            self._read = versions, by_clip
        return self._read[1]


def newest_by_name(every: Mapping[str, Sequence[Score]]) -> dict[str, list[Score]]:
    """Return the newest score of each scorer for each record, in the order of the scorers' names."""
    newest = {
        record_id: {score.name: score for score in sorted(found, key=lambda score: score.at)}
        for record_id, found in every.items()
    }
    return {record_id: [found[name] for name in sorted(found)] for record_id, found in newest.items()}


def scores_of(records: Sequence[Record], by_clip: Mapping[str, Sequence[Score]]) -> dict[str, list[Score]]:
    """Return the scores of records, which are those of their clips; a score of another request is left out."""
    found = {
        record.id: [
            score
            for score in by_clip.get(record.clip.digest, ())
            if not score.request or score.request == record.request_hash
        ]
        for record in records
        if record.clip
    }
    return {record_id: each for record_id, each in found.items() if each}


def newest_of(scores: Iterable[Score]) -> dict[tuple[str, str, str, str], Score]:
    """Return the newest score of each clip, request, scorer and version."""
    return {score.key: score for score in sorted(scores, key=age_of)}


def age_of(score: Score) -> tuple[object, ...]:
    """Return a key that sorts scores by their age, the newest last."""
    return score.at, score.model_dump_json()
