"""The one table that a run prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Unit = Literal["s", "ms", "%", "KB", "MB", "x", ""]
_HEADS = ("what", "figure", "baseline", "ratio", "aim", "ok?")


class LeftOut(Exception):
    """A benchmark cannot run on this machine; the text says why."""


@dataclass(frozen=True)
class Row:
    """One figure beside its baseline. `aim` is the most it should be, or the least where `more_is_better`."""

    what: str
    figure: float
    unit: Unit = ""
    baseline: float | None = None
    against: str = ""
    aim: float | None = None
    more_is_better: bool = False

    @property
    def ok(self) -> bool | None:
        """Whether the aim is met; None where there is none."""
        if self.aim is None:
            return None
        return self.figure >= self.aim if self.more_is_better else self.figure <= self.aim

    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        baseline = "" if self.baseline is None else f"{_said(self.baseline, self.unit)} {self.against}"
        ratio = "" if not self.baseline else f"{self.figure / self.baseline:.2g}"
        bound = "" if self.aim is None else f"{'≥' if self.more_is_better else '≤'} {_said(self.aim, self.unit)}"
        verdict = {True: "yes", False: "NO", None: ""}[self.ok]
        return self.what, _said(self.figure, self.unit), baseline.strip(), ratio, bound, verdict


def drawn(rows: Iterable[Row], footer: Sequence[str]) -> str:
    """Return the rows as a table in plain text, with the footer's lines under it."""
    lines = [_HEADS, *(row.cells() for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(_HEADS))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([text[0], rule, *text[1:], rule, *footer])


def _said(value: float, unit: Unit) -> str:
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    number = f"{value:,.{digits}f}"
    return f"{number}x" if unit == "x" else f"{number} {unit}".strip()
