"""A vote between two clips, as the log keeps it."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

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


class Score(BaseModel):
    """What one scorer, in one version, said of one clip; `value` is in `unit`, None where it does not apply.

    `clip` is the digest of the scored file. `request` is the hash of the request for a scorer that looks at what was
    asked, and empty for one that looks at the file alone. `note` is the number in words, or why there is none;
    `parts` are the numbers behind it.
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
        """What it is a score of, and by whom: of two with one key, the newer counts."""
        return self.clip, self.request, self.name, self.version

    @property
    def words(self) -> str:
        """The number and its unit: `1.25 s`; a dash where there is none."""
        return "–" if self.value is None else f"{format_number(self.value)} {self.unit}".strip()

    def plain(self) -> dict[str, Any]:
        """Return it as plain values, for a file: name, version, unit, value, words, parts, and when."""
        return self.model_dump(mode="json", exclude={"clip", "request"})


def score_columns(found: Sequence[Sequence[Score]]) -> list[dict[str, float | None]]:
    """Return for each clip's scores the columns of a table, `score_motion`; all have the same ones."""
    names = sorted({score.name for scores in found for score in scores})
    values = [{score.name: score.value for score in scores} for scores in found]
    return [{f"score_{name}": known.get(name) for name in names} for known in values]


def format_number(value: float) -> str:
    """Return a number with the digits that a reader needs: three that count, and no exponent below a million."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(places, 6)}f}".rstrip("0").rstrip(".") if places else f"{value:,.0f}"
