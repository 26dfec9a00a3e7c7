"""A ranking as bars with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kling_nb.render.page import fill


class RankRow(NamedTuple):
    """One item: how often it would win against a middling one (0 to 1), its 95 % interval, and the votes it was in.

    Without votes there is neither a share nor an interval.
    """

    item: str
    share: float | None
    low: float | None
    high: float | None
    votes: int
    wins: float


def ranking_html(rows: Sequence[RankRow], said: str) -> str:
    """Return the rows as bars."""
    return fill("ranking", rows=rows, said=said, voted=any(row.votes for row in rows))


def ranking_text(rows: Sequence[RankRow], said: str) -> str:
    """Return the rows one a line under what can be said."""
    return "\n".join([said, *(f"{_strength(row)}  {row.item}" for row in rows)])


def _strength(row: RankRow) -> str:
    if row.share is None or row.low is None or row.high is None:
        return "no votes"
    return f"{row.share:4.0%} ({row.low:.0%} to {row.high:.0%})  {row.wins:g} of {row.votes}"
