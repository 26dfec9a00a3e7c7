"""Tables of numbers: scores and scorers, rankings, spending, budget limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from kling_nb.models.judgements import Score, format_number
from kling_nb.models.price import format_money
from kling_nb.render.facts import Fact
from kling_nb.render.formatting import counted, shorten
from kling_nb.render.page import render_template

#: The most clips in a table.
SHOWN = 50


class ScorerRow(NamedTuple):
    """A scorer: its name, version and unit, and the first line of its docstring."""

    name: str
    version: str
    unit: str
    meaning: str
    built_in: bool


@dataclass(frozen=True)
class ScoredRow:
    """A clip: its record, label and poster, and its score by scorer; None if that failed."""

    record: str
    label: str
    poster: str | None
    scores: dict[str, Score | None]


class _Column(NamedTuple):
    name: str
    unit: str
    largest: float
    """The value of a full bar; 0 for a column with negative numbers, which has no bars."""


def scores_html(rows: Sequence[ScoredRow], notes: Sequence[str]) -> str:
    """Return the scores as HTML that needs no kernel; a bar shows a number's share of its column's largest."""
    columns = [_column(name, rows) for name in _names(rows)]
    drawn = [(row, [_cell(row.scores.get(column.name), column) for column in columns]) for row in rows[:SHOWN]]
    widths = " ".join(["40px", "minmax(130px,1fr)", *["minmax(56px,max-content)"] * len(columns)])
    more = len(rows) - len(drawn)
    summary = _scores_summary(rows)
    return render_template(
        "scores", summary=summary, columns=columns, rows=drawn, widths=widths, notes=notes, more=more
    )


def scores_text(rows: Sequence[ScoredRow], notes: Sequence[str]) -> str:
    """Return the scores in lines of plain text."""
    lines = [_scores_summary(rows)]
    for row in rows[:SHOWN]:
        values = [f"{name} {score.text}" for name, score in row.scores.items() if score and score.value is not None]
        lines.append(f"  {row.record}  {shorten(row.label, 40)}: {' · '.join(values) or '–'}")
    return "\n".join([*lines, *([f"  and {len(rows) - SHOWN} more"] if len(rows) > SHOWN else []), *notes])


def score_facts(scores: Iterable[Score]) -> list[Fact]:
    """Return a clip's scores as one line of its card; empty if there are none."""
    values = [f"{score.name} {score.text}" for score in scores if score.value is not None]
    return [Fact("Scores", " · ".join(values))] if values else []


def scorers_html(rows: Sequence[ScorerRow], errors: Sequence[str]) -> str:
    """Return the scorers with their meanings, and the errors of those that could not be loaded."""
    return render_template("scorers", rows=rows, errors=errors)


def scorers_text(rows: Sequence[ScorerRow], errors: Sequence[str]) -> str:
    """Return the scorers in lines of plain text."""
    lines = [f"{row.name:<12} {f'version {row.version}':<10}  {row.unit:<16} {row.meaning}".rstrip() for row in rows]
    return "\n".join([*lines, *errors]) or "No scorers"


def _scores_summary(rows: Sequence[ScoredRow]) -> str:
    return f"{counted(len(rows), 'clip')}, {counted(len(_names(rows)), 'score')} each" if rows else "No clips"


def _names(rows: Sequence[ScoredRow]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.scores))


def _column(name: str, rows: Sequence[ScoredRow]) -> _Column:
    scores = [score for row in rows if (score := row.scores.get(name))]
    values = [score.value for score in scores if score.value is not None]
    largest = max(values) if values and min(values) >= 0 else 0.0
    return _Column(name, scores[0].unit if scores else "", largest)


def _cell(score: Score | None, column: _Column) -> tuple[str, str, int | None]:
    """Return a number, its explanation, and the length of its bar in percent; None for no bar."""
    if score is None or score.value is None:
        return "–", score.note if score else "failed", None
    return format_number(score.value), score.note, round(100 * score.value / column.largest) if column.largest else None


class RankRow(NamedTuple):
    """One item: its estimated win rate against an average item (0 to 1), the 95 % interval, its votes and wins.

    Without votes there is no rate and no interval.
    """

    item: str
    share: float | None
    low: float | None
    high: float | None
    votes: int
    wins: float


def ranking_html(rows: Sequence[RankRow], summary: str) -> str:
    """Return the ranking as bars."""
    return render_template("ranking", rows=rows, summary=summary, voted=any(row.votes for row in rows))


def ranking_text(rows: Sequence[RankRow], summary: str) -> str:
    """Return the ranking in lines of plain text."""
    return "\n".join([summary, *(f"{_strength(row)}  {row.item}" for row in rows)])


def _strength(row: RankRow) -> str:
    if row.share is None or row.low is None or row.high is None:
        return "no votes"
    return f"{row.share:4.0%} ({row.low:.0%} to {row.high:.0%})  {row.wins:g} of {row.votes}"


@dataclass(frozen=True)
class SpendingRow:
    """The spending of one group, in dollars.

    Attributes:
        spent: The price of finished clips, as of the time of generation.
        open: The price of running jobs.
        uncertain: The price of unconfirmed jobs, which may have been billed.
        planned: The price of jobs that were not sent yet.
        unpriced: The number of jobs without a known price.
    """

    name: str
    jobs: int = 0
    spent: Decimal = Decimal(0)
    open: Decimal = Decimal(0)
    uncertain: Decimal = Decimal(0)
    planned: Decimal = Decimal(0)
    unpriced: int = 0

    @property
    def total(self) -> Decimal:
        """The sum of what was spent, may have been spent, or is reserved."""
        return self.spent + self.open + self.uncertain


@dataclass(frozen=True)
class LimitRow:
    """A limit by its label and in dollars, and the amount that counts towards it (None for a limit on one request)."""

    label: str
    limit: Decimal
    counted: Decimal | None


def spending_html(by: str, rows: Sequence[SpendingRow], total: SpendingRow) -> str:
    """Return the spending as HTML that needs no kernel; a bar shows a group's share of the largest."""
    largest = max((row.total for row in rows), default=Decimal(0)) or Decimal(1)
    drawn = [
        (row, _cells(row), [round(100 * part / largest) for part in (row.spent, row.open, row.uncertain)])
        for row in rows
    ]
    return render_template("spending", by=by, summary=_spending_summary(total), rows=drawn, headings=_HEADINGS)


def spending_text(by: str, rows: Sequence[SpendingRow], total: SpendingRow) -> str:
    """Return the spending in lines of plain text."""
    table = [(by, _HEADINGS), *((shorten(row.name, 40), _cells(row)) for row in rows)] if rows else []
    lines = [f"  {name:<40} {'  '.join(f'{cell:>11}' for cell in cells)}" for name, cells in table]
    return "\n".join([_spending_summary(total), *lines])


def limits_html(rows: Sequence[LimitRow], *, unknown_ok: bool) -> str:
    """Return the limits as HTML."""
    texts = [(row.label, *_limit(row)) for row in rows]
    return render_template("limits", rows=texts, unknown_ok=unknown_ok, none=_NO_LIMITS, unknown=_UNKNOWN_OK)


def limits_text(rows: Sequence[LimitRow], *, unknown_ok: bool) -> str:
    """Return the limits in lines of plain text."""
    if not rows:
        return _NO_LIMITS
    lines = [f"{row.label}: {' · '.join(filter(None, _limit(row)))}" for row in rows]
    return "\n".join([*lines, *([_UNKNOWN_OK] if unknown_ok else [])])


_NO_LIMITS = "No limits are set. Set one with kn.budget(day=5)."
_UNKNOWN_OK = "Jobs without a known price are allowed."
_HEADINGS = ("jobs", "spent", "running", "unconfirmed", "not sent")


def _cells(row: SpendingRow) -> list[str]:
    jobs = f"{row.jobs}" + (f" ({row.unpriced} unpriced)" if row.unpriced else "")
    return [jobs, *(format_money(part) if part else "–" for part in (row.spent, row.open, row.uncertain, row.planned))]


def _spending_summary(total: SpendingRow) -> str:
    if not total.jobs:
        return "Nothing spent"
    parts = [f"{format_money(total.spent)} spent"]
    parts += [f"{format_money(total.open)} running"] if total.open else []
    parts += [f"{format_money(total.uncertain)} unconfirmed"] if total.uncertain else []
    parts += [f"{total.unpriced} of {counted(total.jobs, 'job')} without a known price"] if total.unpriced else []
    return " · ".join(parts)


def _limit(row: LimitRow) -> tuple[str, str]:
    limit = format_money(row.limit)
    if row.counted is None:
        return limit, ""
    left = max(row.limit - row.counted, Decimal(0))
    return limit, f"{format_money(left)} left, {format_money(row.counted)} used"
