"""Votes between two clips, and scores of one."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Outcome = Literal["left", "right", "tie", "skip"]


class Vote(BaseModel):
    """A preference between two records, with the order in which they were shown and the `seed` of that order.

    A vote that was undone stays in the log, with `undone` set.
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
        """The preferred record, None for a tie or a skipped pair."""
        return {"left": self.left, "right": self.right}.get(self.outcome)


class Score(BaseModel):
    """The score of one clip by one version of a scorer.

    Attributes:
        clip: The digest of the scored file.
        request: The hash of the request, if the scorer compares the clip with it, else empty.
        value: The score in `unit`; None if the scorer does not apply to the clip.
        note: An explanation of the value, or of why there is none.
        parts: The numbers behind the value.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    clip: str
    request: str = ""
    name: str
    version: str
    unit: str = ""
    value: float | None
    note: str = ""
    parts: dict[str, float] = Field(default_factory=dict)
    at: datetime.datetime

    @property
    def key(self) -> tuple[str, str, str, str]:
        """The clip, the request and the scorer; the newest score of a key counts."""
        return self.clip, self.request, self.name, self.version

    @property
    def text(self) -> str:
        """The value and its unit: `1.25 s`; a dash if there is no value."""
        return "–" if self.value is None else f"{format_number(self.value)} {self.unit}".strip()

    def plain(self) -> dict[str, Any]:
        """Return the score without the clip and the request, as plain values for a file."""
        return self.model_dump(mode="json", exclude={"clip", "request"})


def score_columns(found: Sequence[Sequence[Score]]) -> list[dict[str, float | None]]:
    """Return the columns of a table, such as `score_motion`, for the scores of each clip; all have the same ones."""
    names = sorted({score.name for scores in found for score in scores})
    values = [{score.name: score.value for score in scores} for scores in found]
    return [{f"score_{name}": known.get(name) for name in names} for known in values]


def format_number(value: float) -> str:
    """Return a number with three significant digits, and without an exponent below a million."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(places, 6)}f}".rstrip("0").rstrip(".") if places else f"{value:,.0f}"
