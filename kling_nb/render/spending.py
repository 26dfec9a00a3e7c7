"""What was spent, by day, notebook or whatever else, as a table with bars; and the limits that hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from kling_nb.render.page import fill
from kling_nb.render.words import money, shortened


@dataclass(frozen=True)
class SpendingRow:
    """One group; all in dollars. `spent` are clips that came, by their price at the time; `open` is set aside for jobs
    under way; `uncertain` may have been billed; `planned` is asked for by jobs not sent yet; `unpriced` counts jobs
    that nobody gave a price for."""

    name: str
    jobs: int = 0
    spent: Decimal = Decimal(0)
    open: Decimal = Decimal(0)
    uncertain: Decimal = Decimal(0)
    planned: Decimal = Decimal(0)
    unpriced: int = 0

    @property
    def whole(self) -> Decimal:
        """All that was or may have been spent, or is set aside."""
        return self.spent + self.open + self.uncertain


@dataclass(frozen=True)
class LimitRow:
    """A limit in words, its dollars, and what is counted against it (None for one that adds nothing up)."""

    words: str
    limit: Decimal
    counted: Decimal | None


def spending_html(by: str, rows: Sequence[SpendingRow], whole: SpendingRow) -> str:
    """Return the table as HTML that needs no kernel; each bar is a group's share of the largest."""
    most = max((row.whole for row in rows), default=Decimal(0)) or Decimal(1)
    drawn = [(row, _cells(row), [_share(part, most) for part in (row.spent, row.open, row.uncertain)]) for row in rows]
    return fill("spending", by=by, lead=_lead(whole), rows=drawn, headings=_HEADINGS)


def spending_text(by: str, rows: Sequence[SpendingRow], whole: SpendingRow) -> str:
    """Return the table in lines of plain text."""
    lines = [f"  {shortened(row.name, 40):<40} {'  '.join(f'{cell:>9}' for cell in _cells(row))}" for row in rows]
    return "\n".join([_lead(whole), f"  {by:<40} {'  '.join(f'{name:>9}' for name in _HEADINGS)}", *lines])


def limits_html(rows: Sequence[LimitRow], *, unknown_ok: bool) -> str:
    """Return the limits as HTML."""
    return fill("limits", rows=[(row.words, *_limit_words(row)) for row in rows], unknown_ok=unknown_ok)


def limits_text(rows: Sequence[LimitRow], *, unknown_ok: bool) -> str:
    """Return the limits in lines of plain text."""
    if not rows:
        return "No limit is set: kn.budget(day=5) sets one."
    lines = [f"{row.words}: {' · '.join(filter(None, _limit_words(row)))}" for row in rows]
    return "\n".join([*lines, *(["What has no known price passes."] if unknown_ok else [])])


_HEADINGS = ("jobs", "spent", "under way", "uncertain", "not sent")


def _cells(row: SpendingRow) -> list[str]:
    jobs = f"{row.jobs}" + (f" ({row.unpriced} unpriced)" if row.unpriced else "")
    return [jobs, *(money(part) if part else "–" for part in (row.spent, row.open, row.uncertain, row.planned))]


def _lead(whole: SpendingRow) -> str:
    if not whole.jobs:
        return "Nothing was spent"
    parts = [f"{money(whole.spent)} spent"]
    parts += [f"{money(whole.open)} under way"] if whole.open else []
    parts += [f"{money(whole.uncertain)} uncertain"] if whole.uncertain else []
    parts += [f"{whole.unpriced} of {whole.jobs} jobs have no known price"] if whole.unpriced else []
    return " · ".join(parts)


def _share(part: Decimal, most: Decimal) -> int:
    return round(100 * part / most)


def _limit_words(row: LimitRow) -> tuple[str, str]:
    if row.counted is None:
        return money(row.limit), ""
    return money(row.limit), f"{money(max(row.limit - row.counted, Decimal(0)))} left, {money(row.counted)} counted"
