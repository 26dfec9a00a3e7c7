"""Votes and scores as lines of JSON, one file a month. The files are the truth: a rebuild leaves them as they are."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

from pydantic import ValidationError

from kling_nb.models.judgements import Score, Vote
from kling_nb.store.sidecars import FileVersion, invalid_time, version_of

T = TypeVar("T", Vote, Score)
FIX = "fix the line, or delete it"


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
            for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
                if value := self._value(line):
                    found.append(value)
                elif line.strip():
                    damaged.append(DamagedLine(path, number, self.model.__name__.lower()))
        return found, damaged

    def versions(self) -> dict[str, FileVersion]:
        """Return the version of each file, by its name."""
        return {path.name: version_of(path) for path in self._files()}

    def _files(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("*.jsonl") if not path.name.startswith("."))

    def _value(self, line: bytes) -> T | None:
        try:
            value = self.model.model_validate_json(line)
        except ValidationError:
            return None
        return None if invalid_time(value.at) else value


def _line_break(file: BinaryIO) -> bytes:
    """Return the line break that is missing before a new line: the last one has none if the disk was full."""
    if file.seek(0, os.SEEK_END) == 0:
        return b""
    file.seek(-1, os.SEEK_END)
    return b"" if file.read(1) == b"\n" else b"\n"
