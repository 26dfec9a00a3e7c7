"""`Plan`: what `kn.sweep` gives. It shows itself, is carried out by `run`, and afterwards gives its clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from kling_nb.errors import KlingError, RequestError
from kling_nb.models.budget import dollars
from kling_nb.models.fields import scalar
from kling_nb.models.frontend import Video
from kling_nb.models.judgements import score_columns
from kling_nb.models.plan import StoredPlan
from kling_nb.models.price import Estimate
from kling_nb.models.problem import Problem
from kling_nb.models.record import Record
from kling_nb.render import MatrixSheet, PlanSheet, Tile, TileState, matrix_html, matrix_text, plan_html, plan_text
from kling_nb.render.plan import TILES
from kling_nb.selection import Selected
from kling_nb.store.queries import RecordSummary
from kling_nb.sweeps.design import Cell, Design, tile_of
from kling_nb.sweeps.desk import Desk
from kling_nb.sweeps.run import Run
from kling_nb.sweeps.stored import to_stored

#: At once, unless `run` says otherwise; what the expected time is worked out with.
LIMIT = 8

if TYPE_CHECKING:
    from kling_nb.actions import StudioActions


class Plan(Selected):
    """A sweep, worked out and linted; nothing is spent before `run`. What it shows is read from the log each time."""

    def __init__(self, design: Design, desk: Desk) -> None:
        self._design, self._desk = design, desk

    @property
    def _actions(self) -> StudioActions:
        return self._desk.actions

    @property
    def id(self) -> str:
        """Its name; the same definition has the same one, in every kernel."""
        return self._design.id

    @property
    def cells(self) -> Sequence[Cell]:
        """Every place of the sweep, in order."""
        return self._design.cells

    @property
    def axes(self) -> Mapping[str, tuple[str, ...]]:
        """Each axis with its values in words."""
        return self._design.axes

    @property
    def errors(self) -> list[tuple[str, tuple[Problem, ...]]]:
        """The cells that would fail, with why."""
        return [(cell.label, cell.problems) for cell in self._design.invalid]

    @property
    def missing(self) -> list[Cell]:
        """The clips that are neither in the log nor under way: what `run` would pay for."""
        made = self._desk.made(self._design)
        return [cell for cell in self._design.unique_cells if cell.request and cell.id not in made]

    @property
    def price(self) -> Decimal | None:
        """What is still to be paid, in dollars; None when nobody gives a price for some of it."""
        return _sum([self._estimate(cell).each for cell in self.missing])

    def __len__(self) -> int:
        return len(self._design.unique_cells)

    def run(
        self,
        *,
        limit: int = LIMIT,
        budget: Any = "as before",
        stop_after_failures: int | None = 3,
        skip_invalid: bool = False,
    ) -> Run:
        """Make what is missing, at most `limit` jobs at once, and return at once.

        Clips that are in the log are not paid for again, jobs under way (here or in another kernel) are waited for.
        `budget` is what the whole plan may cost in dollars, earlier runs included; a later run keeps it, and None
        lifts it. Raises `RequestError` when some cells would fail, unless `skip_invalid` leaves them out.
        """
        limit, stop_after_failures = scalar(limit), scalar(stop_after_failures)
        if type(limit) is not int or limit < 1:
            raise KlingError(f"limit={limit!r} would never begin: give a whole number, 1 or more")
        if stop_after_failures is not None and type(stop_after_failures) is not int:
            raise KlingError(f"stop_after_failures={stop_after_failures!r} is no number: give 3, or None to go on")
        if self._design.invalid and not skip_invalid:
            raise RequestError([problem for cell in self._design.invalid for problem in cell.problems])
        store = self._desk.store
        before = store.budget.limits().plans.get(self.id)
        allowed = before if budget == "as before" else dollars(budget)
        if before != allowed:
            store.budget.change(lambda limits: limits.with_plan(self.id, allowed))
        if not store.plans.has(self.id):
            store.plans.save(self.to_stored())
        return Run(self._design, self._desk, limit=limit, stop_after_failures=stop_after_failures)

    def to_stored(self) -> StoredPlan:
        """Return it as the log keeps it, from its first run on; its pictures go into the log's media."""
        return to_stored(self._design, self._desk.store.add_reference)

    def records(self) -> list[Record]:
        """Return the records of the clips that are there, in the plan's order."""
        found = self._found(self._desk.made(self._design))
        return [found[cell.id] for cell in self._design.unique_cells if cell.id in found]

    def labels(self, by: str | None = None) -> dict[str, str]:
        """Return by record id where its clip stands: its value on the axis `by`, or all of its values.

        Raises `KlingError` for no such axis.
        """
        if by is not None:
            self._design.checked(by)
        made = self._desk.made(self._design)
        return {
            made[cell.id].id: cell.at.get(by, "–") if by else cell.label
            for cell in self._design.unique_cells
            if cell.id in made
        }

    def rows(self) -> list[dict[str, Any]]:
        """Return one mapping for each cell: its values, how it stands, what its record says, and its scores."""
        made = self._desk.made(self._design)
        found = self._found(made)
        known = self._desk.store.scores.of(list(found.values()))
        scores = score_columns([known.get(found[cell.id].id, []) if cell.id in found else [] for cell in self.cells])
        return [
            self._row(cell, made.get(cell.id), found.get(cell.id)) | numbers
            for cell, numbers in zip(self.cells, scores, strict=True)
        ]

    def to_frame(self) -> Any:
        """Return `rows` as a pandas DataFrame. Raises `KlingError` without pandas."""
        try:
            import pandas as pd
        except ImportError as exc:
            raise KlingError("to_frame() needs pandas: pip install pandas; rows() gives the same without it") from exc
        return pd.DataFrame(self.rows())

    def matrix(self, rows: str | None = None, columns: str | None = None) -> Matrix:
        """Return the clips over two axes, by default the first two that vary. Raises `KlingError` for no such axis."""
        return Matrix(self, *self._design.matrix_axes(rows, columns))

    def matrix_sheet(self, down: str, across: str) -> MatrixSheet:
        """Return the clips over two axes as a value to be drawn."""
        made = self._desk.made(self._design)
        found = self._found(made)
        films = dict(zip(found, self._desk.display.links.videos(list(found.values())), strict=True))
        return self._design.matrix(
            down,
            across,
            lambda cell: self._tile(cell, made.get(cell.id), found.get(cell.id), films.get(cell.id)),
        )

    def sheet(self) -> PlanSheet:
        """Return how it stands as a value to be drawn."""
        made = self._desk.made(self._design)
        shown = {cell.id: made[cell.id] for cell in self._design.unique_cells[:TILES] if cell.id in made}
        found = self._found(shown)  # the stills of the others are not drawn
        missing = [cell for cell in self._design.unique_cells if cell.request and cell.id not in made]
        estimates = [self._estimate(cell) for cell in missing]
        free = bool(estimates) and all(estimate.source == "free" for estimate in estimates)
        return PlanSheet(
            name=self.id,
            tiles=[self._tile(cell, made.get(cell.id), found.get(cell.id)) for cell in self._design.unique_cells],
            axes=self._design.axes,
            invalid=[(cell.label, "; ".join(map(str, cell.problems))) for cell in self._design.invalid],
            cells=len(self._design.cells),
            price=_sum([estimate.each for estimate in estimates]),
            free=free,
            real_price=_sum([estimate.list_price for estimate in estimates]) if free else None,
            expected=self._expected(missing, estimates),
        )

    def _expected(self, missing: Sequence[Cell], estimates: Sequence[Estimate]) -> float | None:
        took = self._desk.took(missing, estimates)
        return max(max(took), sum(took) / min(LIMIT, len(took))) if took else None

    def _found(self, made: Mapping[str, RecordSummary]) -> dict[str, Record]:
        store, bind = self._desk.store, self._desk.bind
        return {cell: bind(store.get(one.id)) for cell, one in made.items() if one.done}

    def _row(self, cell: Cell, made: RecordSummary | None, record: Record | None) -> dict[str, Any]:
        seen: dict[str, Any] = {"state": self._state(cell, made), "record": made.id if made else None}
        clip = record.clip if record else None
        price = self._estimate(cell).each if cell.request else None
        if record:
            price = record.price
        facts = {
            "price": None if price is None else float(price),
            "took": record.seconds if record else None,
            "stars": record.stars if record else None,
            "file": clip.file if clip else None,
            "request_hash": cell.request_hash or None,
            "problems": "; ".join(map(str, cell.problems)),
        }
        return {**cell.at, **seen, **facts}

    def _tile(self, cell: Cell, made: RecordSummary | None, record: Record | None, film: Video | None = None) -> Tile:
        note = "; ".join(map(str, cell.problems))
        return tile_of(cell, self._state(cell, made), record, self._desk.display.links, note=note, film=film)

    def _state(self, cell: Cell, made: RecordSummary | None) -> TileState:
        if made is None:
            return "missing" if cell.request else "invalid"
        return "existing" if made.done else "running"

    def _estimate(self, cell: Cell) -> Estimate:
        assert cell.request is not None  # noqa: S101 - what is missing can be made
        return self._desk.price(cell.request)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        sheet = self.sheet()
        return {"text/html": plan_html(sheet), "text/plain": plan_text(sheet)}

    def __repr__(self) -> str:
        return f"<Plan {self.id}: {self.sheet().summary}>"


class Matrix:
    """The clips of a plan over two axes; read anew each time it is shown."""

    def __init__(self, plan: Plan, down: str, across: str) -> None:
        self._plan, self._down, self._across = plan, down, across

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        sheet = self._plan.matrix_sheet(self._down, self._across)
        return {"text/html": matrix_html(sheet), "text/plain": matrix_text(sheet)}

    def __repr__(self) -> str:
        return f"<{self._plan!r} by {self._down} and {self._across}>"


def _sum(amounts: Sequence[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if len(known) == len(amounts) else None
