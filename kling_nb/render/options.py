"""`kn.options` as a small table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kling_nb.render.page import fill


class OptionRow(NamedTuple):
    """One option: its name, its value in words, what it means."""

    name: str
    value: str
    meaning: str


def options_html(rows: Sequence[OptionRow]) -> str:
    """Return the options as a table."""
    return fill("options", rows=rows)


def options_text(rows: Sequence[OptionRow]) -> str:
    """Return the options one a line."""
    return "\n".join(f"kn.options.{row.name} = {row.value}  ({row.meaning})" for row in rows)
