"""Scores of clips as a table, and the scorers that there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from kling_nb.models.judgements import Score, format_number
from kling_nb.render.facts import Fact
from kling_nb.render.formatting import format_money, shorten
from kling_nb.render.page import fill

#: How many clips a table in a cell shows.
SHOWN = 50


class ScorerRow(NamedTuple):
    """A scorer: its name, version and unit, the first line of what it says of itself."""

    name: str
    version: str
    unit: str
    meaning: str
    built_in: bool


@dataclass(frozen=True)
class ScoredRow:
    """A clip: its record, what to call it, its still, and its score by scorer; None where one failed."""

    record: str
    label: str
    poster: str | None
    scores: dict[str, Score | None]


class _Column(NamedTuple):
    name: str
    unit: str
    most: float
    """The largest of its numbers, which bars are drawn against; 0 where some are negative: those have no bar."""


def scores_html(rows: Sequence[ScoredRow], notes: Sequence[str]) -> str:
    """Return the table as HTML that needs no kernel; a bar is a number's share of its column's largest."""
    columns = [_column(name, rows) for name in _names(rows)]
    drawn = [(row, [_cell(row.scores.get(column.name), column) for column in columns]) for row in rows[:SHOWN]]
    widths = " ".join(["40px", "minmax(130px,1fr)", *["minmax(56px,max-content)"] * len(columns)])
    return fill(
        "scores", lead=_lead(rows), columns=columns, rows=drawn, widths=widths, notes=notes, more=len(rows) - len(drawn)
    )


def scores_text(rows: Sequence[ScoredRow], notes: Sequence[str]) -> str:
    """Return the table in lines of plain text."""
    lines = [_lead(rows)]
    for row in rows[:SHOWN]:
        said = [f"{name} {score.words}" for name, score in row.scores.items() if score and score.value is not None]
        lines.append(f"  {row.record}  {shorten(row.label, 40)}: {' · '.join(said) or '–'}")
    return "\n".join([*lines, *([f"  and {len(rows) - SHOWN} more"] if len(rows) > SHOWN else []), *notes])


def score_facts(scores: Iterable[Score]) -> list[Fact]:
    """Return a clip's scores as one line of its card; nothing where there are none."""
    said = [f"{score.name} {score.words}" for score in scores if score.value is not None]
    return [Fact("Scores", " · ".join(said))] if said else []


def scorers_html(rows: Sequence[ScorerRow], trouble: Sequence[str]) -> str:
    """Return the scorers, each with its meaning."""
    return fill("scorers", rows=rows, trouble=trouble)


def scorers_text(rows: Sequence[ScorerRow], trouble: Sequence[str]) -> str:
    """Return the same in lines of plain text."""
    lines = [f"{row.name:<12} {f'version {row.version}':<10}  {row.unit:<16} {row.meaning}".rstrip() for row in rows]
    return "\n".join([*lines, *trouble]) or "No scorers"


def _lead(rows: Sequence[ScoredRow]) -> str:
    if not rows:
        return "No clips"
    names = _names(rows)
    clips = f"{len(rows)} clip{'' if len(rows) == 1 else 's'}"
    return f"{clips}, {len(names)} score{'' if len(names) == 1 else 's'} each"


def _names(rows: Sequence[ScoredRow]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.scores))


def _column(name: str, rows: Sequence[ScoredRow]) -> _Column:
    scores = [score for row in rows if (score := row.scores.get(name))]
    values = [score.value for score in scores if score.value is not None]
    most = max(values) if values and min(values) >= 0 else 0.0
    return _Column(name, scores[0].unit if scores else "", most)


def _cell(score: Score | None, column: _Column) -> tuple[str, str, int | None]:
    """A number, what stands behind it, and the length of its bar in percent; None for no bar."""
    if score is None or score.value is None:
        return "–", score.note if score else "it failed", None
    return format_number(score.value), score.note, round(100 * score.value / column.most) if column.most else None


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
    return fill("spending", by=by, lead=_lead_spending(whole), rows=drawn, headings=_HEADINGS)


def spending_text(by: str, rows: Sequence[SpendingRow], whole: SpendingRow) -> str:
    """Return the table in lines of plain text."""
    lines = [f"  {shorten(row.name, 40):<40} {'  '.join(f'{cell:>9}' for cell in _cells(row))}" for row in rows]
    return "\n".join([_lead_spending(whole), f"  {by:<40} {'  '.join(f'{name:>9}' for name in _HEADINGS)}", *lines])


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
    return [jobs, *(format_money(part) if part else "–" for part in (row.spent, row.open, row.uncertain, row.planned))]


def _lead_spending(whole: SpendingRow) -> str:
    if not whole.jobs:
        return "Nothing was spent"
    parts = [f"{format_money(whole.spent)} spent"]
    parts += [f"{format_money(whole.open)} under way"] if whole.open else []
    parts += [f"{format_money(whole.uncertain)} uncertain"] if whole.uncertain else []
    parts += [f"{whole.unpriced} of {whole.jobs} jobs have no known price"] if whole.unpriced else []
    return " · ".join(parts)


def _share(part: Decimal, most: Decimal) -> int:
    return round(100 * part / most)


def _limit_words(row: LimitRow) -> tuple[str, str]:
    if row.counted is None:
        return format_money(row.limit), ""
    return format_money(
        row.limit
    ), f"{format_money(max(row.limit - row.counted, Decimal(0)))} left, {format_money(row.counted)} counted"
