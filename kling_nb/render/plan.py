"""A plan or its run as a sheet: its progress, its price, and a tile for each clip; and a matrix over two axes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil
from typing import Literal

from kling_nb.models.price import format_money
from kling_nb.render.formatting import counted, format_duration, shorten
from kling_nb.render.page import TONES, render_template

#: The state of a clip in a plan: `existing` was in the log before the run, `missing` is still to be generated,
#: `skipped` was not started by the run, `refused` was refused for its content before, `invalid` has no valid request.
TileState = Literal[
    "invalid",
    "existing",
    "missing",
    "waiting",
    "running",
    "done",
    "failed",
    "uncertain",
    "cancelled",
    "skipped",
    "refused",
]

#: The most tiles and the most invalid requests on a sheet.
TILES, INVALID = 60, 12

_WORDS: Mapping[TileState, str] = {
    "invalid": "invalid",
    "existing": "in the log",
    "missing": "to generate",
    "waiting": "waiting",
    "running": "running",
    "done": "done",
    "failed": "failed",
    "uncertain": "unconfirmed",
    "cancelled": "cancelled",
    "skipped": "not started",
    "refused": "refused before",
}
_TONES: Mapping[TileState, str] = {
    "existing": "good",
    "done": "good",
    "failed": "bad",
    "invalid": "bad",
    "uncertain": "warning",
    "refused": "warning",
    "running": "busy",
}


@dataclass(frozen=True)
class Tile:
    """One clip; `poster` is a data URI, `clip` the URL of the video."""

    label: str
    state: TileState
    record: str = ""
    poster: str | None = None
    clip: str | None = None
    note: str = ""

    @property
    def status(self) -> str:
        """The state as text."""
        return _WORDS[self.state]

    @property
    def tone(self) -> str:
        """The state's colour."""
        return TONES[_TONES.get(self.state, "off")]


@dataclass(frozen=True)
class PlanSheet:
    """A plan at one moment.

    Attributes:
        invalid: The label and the errors of each cell without a valid request.
        cells: The number of cells of the sweep, which may be more than its clips.
        price: The price of the missing clips in dollars, without the unpriced ones; None if it is unknown.
        real_price: The price on a real hub, for a plan on the local hub.
        expected: The expected duration in seconds.
        spent: The price of the clips that a run has started; None for a plan that is not running.
        remaining: The price of the clips that a run has not started, without the unpriced ones.
        unpriced: The number of missing or remaining clips whose price is not known.
        stopped: Why a run has stopped.
        rest: The clips of the plan that a sample leaves, and their price, as text.
        models: For each model of the plan, its clips, price, time and losses as text.
        left_out: For each model that is left out, the reason.
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
    unpriced: int = 0
    running: bool = False
    paused: bool = False
    stopped: str = ""
    rest: str = ""
    models: Mapping[str, str] = field(default_factory=dict[str, str])
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def summary(self) -> str:
        """The plan or the run on one line."""
        return self._plan_summary() if self.spent is None else self._run_summary(self.spent)

    def _plan_summary(self) -> str:
        counts, total = Counter(tile.state for tile in self.tiles), len(self.tiles)
        existing, missing = counts["existing"], counts["missing"]
        if not total:
            return "No valid requests in this plan"
        parts: list[str] = [f"{existing} of {total} done"] if existing else []
        if counts["running"]:
            parts.append(f"{counts['running']} running")
        if missing:
            parts.append(f"{missing} left" if existing else f"{counted(missing, 'clip')} to generate")
            parts += ["free"] if self.free else self._money(self.price, "", missing)
        if counts["refused"]:
            parts.append(f"{counts['refused']} refused before")
        if self.invalid:
            parts.append(counted(len(self.invalid), "invalid request"))
        return " · ".join(parts)

    def _run_summary(self, spent: Decimal) -> str:
        counts = Counter(tile.state for tile in self.tiles)
        order: tuple[TileState, ...] = (
            *("existing", "done", "running", "waiting", "failed", "uncertain", "cancelled", "skipped", "refused"),
        )
        parts = ["paused"] if self.paused else []
        parts += [f"{counts[state]} {_WORDS[state]}" for state in order if counts[state]]
        if self.free:
            return " · ".join([*parts, "free"])
        parts.append(f"{format_money(spent)} spent")
        if counts["waiting"] or counts["skipped"]:
            parts += self._money(self.remaining, " left to pay", counts["waiting"] + counts["skipped"])
        return " · ".join(parts)

    def _money(self, known: Decimal | None, words: str, clips: int) -> list[str]:
        """Return the price of some clips, and the number of those without one."""
        unpriced = clips if known is None else self.unpriced
        amount = [f"{format_money(known)}{words}"] if known is not None and unpriced < clips else []
        return amount + ([f"price unknown for {counted(unpriced, 'clip')}"] if unpriced else [])


def plan_bundle(sheet: PlanSheet) -> dict[str, str]:
    """Return a plan or run as a MIME bundle."""
    return {"text/html": plan_html(sheet), "text/plain": plan_text(sheet)}


def plan_html(sheet: PlanSheet) -> str:
    """Return the sheet as HTML that needs no kernel."""
    shown = sheet.tiles[:TILES]
    return render_template(
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
    lines += [f"  ✗ {label}: {errors}" for label, errors in sheet.invalid[:INVALID]]
    lines += [f"  {tile.status:<11}  {shorten(tile.label, 80)}  {tile.record}".rstrip() for tile in sheet.tiles[:TILES]]
    return "\n".join(lines)


def _facts(sheet: PlanSheet) -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = []
    for name, values in sheet.axes.items():
        count = f" ({len(values)})" if len(values) > 4 else ""
        facts.append((name, f"{shorten(' · '.join(values), 160)}{count}"))
    if sheet.cells > len(sheet.tiles) + len(sheet.invalid):
        facts.append(("Cells", f"{sheet.cells}, some with the same request"))
    if sheet.real_price:
        facts.append(("Real hub", f"would cost {format_money(sheet.real_price)}"))
    if sheet.expected:
        facts.append(("Time", f"about {format_duration(ceil(sheet.expected))}, estimated from earlier jobs"))
    facts += sheet.models.items()
    facts += [("Left out", f"{model}: {reason}") for model, reason in sheet.left_out.items()]
    if any(tile.state == "refused" for tile in sheet.tiles):
        facts.append(("Refused", "not sent again: change them, or plan.run(retry_refused=True)"))
    if sheet.rest:
        facts.append(("The rest", sheet.rest))
    if sheet.stopped:
        facts.append(("Stopped", sheet.stopped))
    if sheet.spent is None and (missing := sum(tile.state == "missing" for tile in sheet.tiles)):
        sample = " · plan.sample(3) makes three first" if missing > 3 else ""
        facts.append(("Next", f"plan.run() makes them{sample}"))
    return [*facts, ("Plan", sheet.name)]


@dataclass(frozen=True)
class MatrixSheet:
    """Tiles by the texts of their row and column; `down` and `across` are the names of the axes."""

    down: str
    across: str
    rows: Sequence[str]
    columns: Sequence[str]
    tiles: Mapping[tuple[str, str], Sequence[Tile]]


def matrix_html(sheet: MatrixSheet) -> str:
    """Return the matrix as HTML that needs no kernel; videos are as wide as the number of columns allows."""
    width = max(96, min(220, 860 // max(1, len(sheet.columns))))
    plays = any(tile.clip for tiles in sheet.tiles.values() for tile in tiles)
    return render_template("matrix", sheet=sheet, width=width, plays=plays, play=_PLAY, pause=_PAUSE)


#: The handlers of the buttons for all clips of a matrix. An untrusted notebook drops them, and the buttons.
_ALL = "this.closest('.kling-matrix').querySelectorAll('video').forEach(v=>"
_PLAY = f"{_ALL}{{v.currentTime=0;v.play().catch(()=>0)}})"
_PAUSE = f"{_ALL}v.pause())"


def matrix_text(sheet: MatrixSheet) -> str:
    """Return the matrix in lines of plain text."""
    lines = [f"{sheet.down} down, {sheet.across} across" if sheet.across else f"by {sheet.down}"]
    for row in sheet.rows:
        for column in sheet.columns:
            states = ", ".join(f"{tile.status} {tile.record}".strip() for tile in sheet.tiles.get((row, column), ()))
            lines.append(f"  {shorten(row, 40)} · {shorten(column, 40)}: {states or '–'}")
    return "\n".join(lines)
