"""A vote between two clips, as the log keeps it."""

from __future__ import annotations

import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

Outcome = Literal["left", "right", "tie", "skip"]


class Vote(BaseModel):
    """Who preferred which of two records, when, and in which order they were shown; `seed` made that order.

    A vote that was taken back stays, with `undone` set: nothing that was said is lost.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    at: datetime.datetime
    who: str
    left: str
    right: str
    outcome: Outcome
    seed: int
    undone: bool = False

    @property
    def winner(self) -> str | None:
        """The record that was preferred, None for a tie or a pair that was skipped."""
        return {"left": self.left, "right": self.right}.get(self.outcome)
