"""A prompt in pieces: plain text, and the references that it mentions."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, NamedTuple

from kling_nb.models.record import Record

_MENTION = re.compile(r"(?<![\w@.])(@\w+)")


class Piece(NamedTuple):
    """A stretch of a prompt; `mention` when it names a reference that the request has."""

    text: str
    mention: bool


class Shot(NamedTuple):
    """One shot of a storyboard, with its length in seconds."""

    number: int
    seconds: int
    pieces: list[Piece]


def pieces(prompt: str, known: Collection[str]) -> list[Piece]:
    """Cut a prompt at the mentions that are among `known` (`@Image1`, …)."""
    parts = [part for part in _MENTION.split(prompt) if part]
    return [Piece(part, part in known) for part in parts]


def mentions_of(record: Record) -> set[str]:
    """Return what the record's prompts can mention."""
    request = record.canonical
    kinds = {"Image": request.get("input_image"), "Element": request.get("elements")}
    counts = {name: len(items) for name, items in kinds.items() if isinstance(items, list | tuple)}
    known = {f"@{name}{index + 1}" for name, count in counts.items() for index in range(count)}
    return known | ({"@Video1"} if request.get("input_video") else set())


def shots_of(record: Record) -> list[Shot]:
    """Return the storyboard; empty for a request with one prompt."""
    known = mentions_of(record)
    return [
        Shot(index + 1, _seconds(shot), pieces(str(shot.get("prompt", "")), known))
        for index, shot in enumerate(_mappings(record.canonical.get("multi_prompt")))
    ]


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list | tuple) else []


def _seconds(shot: dict[str, Any]) -> int:
    seconds = shot.get("duration", 5)
    return seconds if isinstance(seconds, int) and seconds > 0 else 5
