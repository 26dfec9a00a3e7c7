"""Scores of clips as a table, and the scorers that there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kling_nb.models.score import Score, figure
from kling_nb.render.facts import Fact
from kling_nb.render.page import fill
from kling_nb.render.words import shortened

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
        lines.append(f"  {row.record}  {shortened(row.label, 40)}: {' · '.join(said) or '–'}")
    return "\n".join([*lines, *([f"  and {len(rows) - SHOWN} more"] if len(rows) > SHOWN else []), *notes])


def scores_said(scores: Iterable[Score]) -> list[Fact]:
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
        return "–", score.said if score else "it failed", None
    return figure(score.value), score.said, round(100 * score.value / column.most) if column.most else None
