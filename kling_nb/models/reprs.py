"""Values on one short line: `repr` and `str` of requests, records and their parts."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

#: Characters of a text, and items of a list, that a line shows.
_LETTERS, _ITEMS = 60, 2


def shorten(text: str, limit: int) -> str:
    """Return the text on one line, cut at `limit` characters with an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def brief(value: Any) -> str:
    """Return a value's `repr`, with long texts and collections cut."""
    match value:
        case str():
            return repr(shorten(value, _LETTERS))
        case datetime.datetime():
            return value.isoformat(" ", "seconds")
        case Mapping():
            return "{}" if not value else f"{{{len(value)} items}}"
        case list() | tuple():
            shown = [brief(each) for each in value[:_ITEMS]]
            more = [f"… {len(value)} in all"] if len(value) > _ITEMS else []
            return f"[{', '.join([*shown, *more])}]"
        case _:
            return repr(value)


class _Text:
    """A text that is its own `repr`."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


class BriefModel(BaseModel):
    """A model with a short `repr` and `str`: only the fields that were given, long values cut."""

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            if value is not None and (name in self.model_fields_set or name in (self.model_extra or {})):
                yield name, _Text(brief(value))

    def __str__(self) -> str:
        return repr(self)


def parts(*texts: str | None) -> str:
    """Return the parts of a line that are there: `3 s · 1280×720 · a paper boat`."""
    return " · ".join(text for text in texts if text)


def format_size(count: int) -> str:
    """Return a number of bytes with its unit: `812 kB`, `1.7 MB`."""
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1e6:.1f} MB" if count >= 999_500 else f"{count / 1e3:.0f} kB"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 clip`, `3 clips`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
