"""What is kept by name (presets, elements) as a small table."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from kling_nb.render.page import fill
from kling_nb.render.words import day


@dataclass(frozen=True)
class KeptRow:
    """One kept value: its name, what it is in a line and a quiet second one, pictures as data URIs, since when."""

    name: str
    text: str
    note: str
    pictures: tuple[str, ...]
    at: datetime.datetime


def kept_html(rows: Sequence[KeptRow], noun: str) -> str:
    """Return the rows as a table; `noun` says what they are."""
    return fill("kept", rows=[(row, day(row.at)) for row in rows], summary=_summary(rows, noun))


def kept_text(rows: Sequence[KeptRow], noun: str) -> str:
    """Return the rows one a line under a line that counts them."""
    lines = [" · ".join(filter(None, (f"{row.name:<16}", row.text, row.note))) for row in rows]
    return "\n".join([_summary(rows, noun), *lines])


def _summary(rows: Sequence[KeptRow], noun: str) -> str:
    if not rows:
        return f"No {noun}s yet: kn.{noun}s['a name'] = … keeps one"
    return f"{len(rows)} {noun}{'' if len(rows) == 1 else 's'}"
