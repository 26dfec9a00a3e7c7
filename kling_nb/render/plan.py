"""A plan, or a run of one, as a sheet: what is there, what is to be paid, and a tile for each clip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from kling_nb.render.formatting import format_duration, format_money, shorten
from kling_nb.render.page import TONES, fill

#: How a clip of a plan stands: `there` was in the log before, `missing` is to be paid, `left` was not begun, `faulty`
#: would fail.
TileState = Literal[
    "invalid", "existing", "missing", "waiting", "running", "done", "failed", "uncertain", "cancelled", "skipped"
]

#: So many tiles, and so many invalid, are shown; a sheet stays small.
TILES, INVALID = 60, 12

_WORDS: Mapping[TileState, str] = {
    "invalid": "would fail",
    "existing": "in the log",
    "missing": "to make",
    "waiting": "waiting",
    "running": "running",
    "done": "done",
    "failed": "failed",
    "uncertain": "uncertain",
    "cancelled": "cancelled",
    "skipped": "not begun",
}
_TONES: Mapping[TileState, str] = {
    "existing": "good",
    "done": "good",
    "failed": "bad",
    "invalid": "bad",
    "uncertain": "doubt",
    "running": "busy",
}


@dataclass(frozen=True)
class Tile:
    """One clip; `poster` is a data URI, `clip` what plays it."""

    label: str
    state: TileState
    record: str = ""
    poster: str | None = None
    clip: str | None = None
    note: str = ""

    @property
    def words(self) -> str:
        """Its state in words."""
        return _WORDS[self.state]

    @property
    def tone(self) -> str:
        """Its state's colour."""
        return TONES[_TONES.get(self.state, "off")]


@dataclass(frozen=True)
class PlanSheet:
    """A plan at one moment. `price` is what is to be paid, `real_price` what a real hub would ask, both in dollars.

    `cells` counts the places of the sweep, which may be more than its clips. `expected` is in seconds.
    """

    name: str
    tiles: Sequence[Tile]
    axes: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    invalid: Sequence[tuple[str, str]] = ()
    cells: int = 0
    price: Decimal | None = None
    free: bool = False
    real_price: Decimal | None = None
    expected: float | None = None
    spent: Decimal | None = None
    remaining: Decimal | None = None
    running: bool = False
    paused: bool = False
    stopped: str = ""

    @property
    def summary(self) -> str:
        """The plan, or the run, in one line."""
        return self._of_run() if self.spent is not None else self._of_plan()

    def _of_plan(self) -> str:
        counts, whole = Counter(tile.state for tile in self.tiles), len(self.tiles)
        there, missing = counts["existing"], counts["missing"]
        if not whole:
            return "Nothing can be made of this"
        parts: list[str] = []
        if there:
            parts.append(f"{there} of {whole} {'is' if there == 1 else 'are'} there")
        if counts["running"]:
            parts.append(f"{counts['running']} under way")
        if missing:
            parts.append(f"{missing}{'' if there else ' clips' if missing > 1 else ' clip'} to make")
            parts.append("free" if self.free else self._price())
        if self.invalid:
            parts.append(f"{len(self.invalid)} would fail")
        return " · ".join(parts)

    def _price(self) -> str:
        return "price unknown" if self.price is None else format_money(self.price)

    def _of_run(self) -> str:
        counts = Counter(tile.state for tile in self.tiles)
        order: tuple[TileState, ...] = (
            "existing",
            "done",
            "running",
            "waiting",
            "failed",
            "uncertain",
            "cancelled",
            "skipped",
        )
        parts = [f"{counts[state]} {_WORDS[state]}" for state in order if counts[state]]
        if self.free:
            return " · ".join((["paused"] if self.paused else []) + [*parts, "free"])
        parts.append(f"{format_money(self.spent or Decimal(0))} spent")
        if counts["waiting"] or counts["skipped"]:
            parts.append(
                "the rest has no known price"
                if self.remaining is None
                else f"{format_money(self.remaining)} left to pay"
            )
        return " · ".join((["paused"] if self.paused else []) + parts)


def plan_html(sheet: PlanSheet) -> str:
    """Return the sheet as HTML that needs no kernel."""
    shown = sheet.tiles[:TILES]
    return fill(
        "plan",
        sheet=sheet,
        shown=shown,
        more=len(sheet.tiles) - len(shown),
        facts=_facts(sheet),
        invalid=sheet.invalid[:INVALID],
        more_invalid=len(sheet.invalid) - INVALID,
    )


def plan_text(sheet: PlanSheet) -> str:
    """Return the sheet in lines of plain text."""
    lines = [sheet.summary, *(f"{name}: {value}" for name, value in _facts(sheet))]
    lines += [f"  ✗ {label}: {why}" for label, why in sheet.invalid[:INVALID]]
    lines += [f"  {tile.words:<10}  {shorten(tile.label, 80)}  {tile.record}".rstrip() for tile in sheet.tiles[:TILES]]
    return "\n".join(lines)


def _facts(sheet: PlanSheet) -> list[tuple[str, str]]:
    facts = [(name, _values(values)) for name, values in sheet.axes.items()]
    if sheet.cells > len(sheet.tiles) + len(sheet.invalid):
        facts.append(("Cells", f"{sheet.cells}; some of them ask for the same clip"))
    if sheet.real_price:
        facts.append(("Real hub", f"would ask {format_money(sheet.real_price)}"))
    if sheet.expected:
        facts.append(("Time", f"about {format_duration(sheet.expected)}, by the log's history"))
    if sheet.stopped:
        facts.append(("Stopped", sheet.stopped))
    return [*facts, ("Plan", sheet.name)]


def _values(values: Sequence[str]) -> str:
    count = f" ({len(values)})" if len(values) > 4 else ""
    return f"{shorten(' · '.join(values), 160)}{count}"


@dataclass(frozen=True)
class MatrixSheet:
    """Tiles by (row, column), by their words; `down` and `across` name the axes."""

    down: str
    across: str
    rows: Sequence[str]
    columns: Sequence[str]
    tiles: Mapping[tuple[str, str], Sequence[Tile]]


def matrix_html(sheet: MatrixSheet) -> str:
    """Return the matrix as HTML that needs no kernel; a player is as wide as its column allows."""
    width = max(96, min(220, 860 // max(1, len(sheet.columns))))
    return fill("matrix", sheet=sheet, width=width)


def matrix_text(sheet: MatrixSheet) -> str:
    """Return the matrix in lines of plain text."""
    lines = [f"{sheet.down} down, {sheet.across} across" if sheet.across else f"by {sheet.down}"]
    for row in sheet.rows:
        for column in sheet.columns:
            states = ", ".join(f"{tile.words} {tile.record}".strip() for tile in sheet.tiles.get((row, column), ()))
            lines.append(f"  {shorten(row, 40)} · {shorten(column, 40)}: {states or 'nothing'}")
    return "\n".join(lines)
