"""`kn.sweep` and `kn.plan` return a `Plan`: a sweep that is worked out and checked, shows itself, and runs."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Never

from kling_nb import generation
from kling_nb.errors import ArgumentTypeError, HubError, RequestError, WaitTimeout
from kling_nb.models.budget import dollars
from kling_nb.models.frontend import Video
from kling_nb.models.judgements import score_columns
from kling_nb.models.messages import short_repr
from kling_nb.models.plan import StoredPlan
from kling_nb.models.price import Estimate
from kling_nb.models.problem import Problem
from kling_nb.models.record import Record
from kling_nb.models.request import Request
from kling_nb.render.formatting import counted
from kling_nb.render.plan import (
    TILES,
    MatrixSheet,
    PlanSheet,
    Tile,
    TileState,
    matrix_html,
    matrix_text,
    plan_bundle,
    plan_text,
)
from kling_nb.selection import Selected, data_frame
from kling_nb.session import Session
from kling_nb.store.disk import path_of
from kling_nb.store.index import RecordSummary
from kling_nb.store.log import UNSET
from kling_nb.sweeps.axes import How, points, whole_number
from kling_nb.sweeps.cells import existing_records, expected_durations, problems_text, refused_cells, tile_of
from kling_nb.sweeps.design import Cell, Design, build_design, to_stored
from kling_nb.sweeps.models import loss_notes, models_text, with_models
from kling_nb.sweeps.run import Run, sum_known
from kling_nb.sweeps.sample import covering, rest_text
from kling_nb.sweeps.table import joined_slots, read_csv, to_csv

#: Jobs at the same time by default; the expected duration of a plan assumes it.
LIMIT = 8


def sweep(
    session: Session, base: Any, axes: Any, more: Mapping[str, Any], *, how: How, repeat: int, **options: Any
) -> Plan:
    """Return the plan of a base request over axes; see `Studio.sweep`."""
    if not (base is None or isinstance(base, str | Mapping | Request | Record)):
        raise ArgumentTypeError(f"base must be a prompt, fields, a request or a record, got {short_repr(base)}.")
    if not (axes is None or isinstance(axes, Mapping)):
        raise ArgumentTypeError(f"axes must be a mapping or keywords (field=[...]), got {short_repr(axes)}.")
    plan = planned(session, generation.fields_of(session, base, {}), {**(axes or {}), **more}, how, repeat, **options)
    design = plan.design
    generation.warn_of([*design.warnings, *loss_notes(design.lost, design.left_out)])
    if not session.settings.local:
        requests = [cell.request for cell in design.unique_cells if cell.request]
        for hub, model in {(session.connection.of(request), request.model) for request in requests}:
            with contextlib.suppress(HubError, WaitTimeout):
                session.model(model, hub)  # its live price; if the hub does not answer, the documented price is used
    return plan


def planned(
    session: Session, fields: Mapping[str, Any], axes: Mapping[str, Any], how: How, repeat: int, **options: Any
) -> Plan:
    """Return the plan of some fields over axes, without its warnings."""
    if isinstance(options.get("rows"), str | Path):
        options["rows"] = joined_slots(read_csv(path_of("rows", options["rows"])), fields)
    chosen = points(axes, how=how, **options)
    chosen, carry, left_out = with_models(session, fields, chosen)
    parse = partial(generation.parse_cell, session)
    return Plan(session, build_design(fields, chosen, parse, repeat=repeat, carry=carry, left_out=left_out))


class Plan(Selected):
    """A sweep that `kn.sweep` has worked out and checked. Nothing is spent before `run`.

    Everything that it shows is read from the log each time. Its clips can be exported, scored, voted on and ranked.

    Example:
        >>> plan = kn.sweep("a {mood} boat", mood=["calm", "wild"], duration=[3, 5])
        >>> plan.price
        >>> clips = plan.run(budget="5.00").result()
    """

    def __init__(self, session: Session, design: Design) -> None:
        self._session, self._design = session, design

    @property
    def id(self) -> str:
        """The plan's ID: the same definition has the same one in every kernel."""
        return self._design.id

    @property
    def design(self) -> Design:
        """The checked cells, and what was found about them."""
        return self._design

    @property
    def cells(self) -> Sequence[Cell]:
        """All cells of the sweep, in order."""
        return self._design.cells

    @property
    def axes(self) -> Mapping[str, tuple[str, ...]]:
        """The values of each axis, as text."""
        return self._design.axes

    @property
    def errors(self) -> list[tuple[str, tuple[Problem, ...]]]:
        """The label and the errors of each cell that is not valid."""
        return [(cell.label, cell.problems) for cell in self._design.invalid]

    @property
    def missing(self) -> list[Cell]:
        """The cells whose clips are neither in the log nor in progress: `run` pays for these."""
        existing = self._existing()
        return self._missing(existing, refused_cells(self._session, self._design, existing))

    @property
    def price(self) -> Decimal | None:
        """The price of the missing clips in dollars; None if one of them has no known price."""
        return sum_known([self._estimate(cell).each for cell in self.missing])

    def __len__(self) -> int:
        return len(self._design.unique_cells)

    def __iter__(self) -> Never:
        raise ArgumentTypeError(
            "A plan is not a list. Views take it whole: kn.compare(plan). Lists are plan.records() and plan.cells."
        )

    def run(
        self,
        *,
        limit: int = LIMIT,
        budget: Any = UNSET,
        stop_after_failures: int | None = 3,
        skip_invalid: bool = False,
        retry_refused: bool = False,
    ) -> Run:
        """Start the missing clips and return immediately.

        Clips in the log are not paid for again, and jobs in progress, here or in another kernel, are waited for. A
        request that the hub has refused for its content is not sent again, with a warning.

        Args:
            limit: The most jobs at the same time.
            budget: The most that the plan may cost in dollars, earlier runs included; None for no limit. By default
                the budget of the last run.
            stop_after_failures: The number of failed clips after which no more are started; None to go on.
            skip_invalid: Leave out the cells with errors.
            retry_refused: Send requests again that the hub has refused for their content.

        Raises:
            RequestError: Some cells have errors, and `skip_invalid` is False.
            ArgumentError, ArgumentTypeError: An argument is not valid.
        """
        if self._design.invalid and not skip_invalid:
            raise RequestError([problem for cell in self._design.invalid for problem in cell.problems])
        refused = set[str]() if retry_refused else refused_cells(self._session, self._design, self._existing())
        if refused:
            clips = counted(len(refused), "clip")
            note = f"{clips} not sent: the hub refused the content before. Change them, or run(retry_refused=True)."
            generation.warn_of([note])
        return self._start(self._design.unique_cells, limit, budget, stop_after_failures, refused)

    def sample(self, count: int = 3, *, limit: int = LIMIT, budget: Any = UNSET) -> Run:
        """Start a few of the clips, chosen so that each value of each axis is seen early, and return immediately.

        The run shows the price of the others; `run` makes them, and pays for none of the sample again.

        Args:
            count: The number of clips. Those in the log count, and cost nothing.
            limit: The most jobs at the same time.
            budget: The most that the plan may cost in dollars; see `run`.

        Raises:
            ArgumentError, ArgumentTypeError: An argument is not valid.
        """
        count = whole_number("count", count, 1)
        existing = self._existing()
        refused = refused_cells(self._session, self._design, existing)
        usable = [cell for cell in self._design.unique_cells if cell.request and cell.id not in refused]
        chosen = covering(usable, count)
        ids = {cell.id for cell in chosen}
        prices = [self._estimate(cell).each for cell in usable if cell.id not in ids and cell.id not in existing]
        return self._start(chosen, limit, budget, None, set(), rest=rest_text(prices))

    def _start(
        self,
        chosen: Sequence[Cell],
        limit: int,
        budget: Any,
        stop_after_failures: int | None,
        refused: set[str],
        rest: str = "",
    ) -> Run:
        limit = whole_number("limit", limit, 1)
        if stop_after_failures is not None:
            stop_after_failures = whole_number("stop_after_failures", stop_after_failures, 0)
        generation.warn_of_moved(self._session)
        store = self._session.store
        if budget is not UNSET:
            allowed = dollars(budget)
            if store.budget.limits().plans.get(self.id) != allowed:
                store.budget.change(lambda limits: limits.with_plan(self.id, allowed))
        if not store.plans.has(self.id):
            store.plans.save(self.to_stored())
        options: dict[str, Any] = {"limit": limit, "stop_after_failures": stop_after_failures}
        return Run(self._session, self._design, chosen, refused=refused, rest=rest, **options)

    def to_stored(self) -> StoredPlan:
        """Return the plan as the log stores it, and save its images to the log's media."""
        return to_stored(self._design, self._session.store.add_reference)

    def records(self) -> list[Record]:
        """Return the records of the clips that exist, in the plan's order."""
        found = self._finished(existing_records(self._session, self._design))
        return [found[cell.id] for cell in self._design.unique_cells if cell.id in found]

    def labels(self, by: str | None = None) -> dict[str, str]:
        """Return, by record ID, the clip's place in the plan.

        Args:
            by: An axis whose value is returned; by default the label, which has the values of all axes.

        Raises:
            ArgumentError: There is no such axis.
        """
        if by is not None:
            self._design.check_axis(by)
        existing = self._existing()
        return {
            existing[cell.id].id: cell.values.get(by, "–") if by else cell.label
            for cell in self._design.unique_cells
            if cell.id in existing
        }

    def rows(self) -> list[dict[str, Any]]:
        """Return one flat mapping a cell: its values, its state, its record, price, seconds, stars and scores."""
        existing = existing_records(self._session, self._design)
        found = self._finished(existing)
        known = self._session.store.scores.of(list(found.values()))
        scores = score_columns([known.get(found[cell.id].id, []) if cell.id in found else [] for cell in self.cells])
        return [
            self._row(cell, existing.get(cell.id), found.get(cell.id)) | numbers
            for cell, numbers in zip(self.cells, scores, strict=True)
        ]

    def to_csv(self, file: str | Path | None = None) -> str:
        """Return the requests as CSV, a column for each field or slot, and write it to a file.

        `kn.sweep(rows="plan.csv")` reads it again, also after changes in a spreadsheet: clips that exist are found.

        Args:
            file: The file. Images that have no file of their own are written beside it.
        """
        return to_csv([cell for cell in self._design.cells if cell.repeat == 1], Path(file) if file else None)

    def to_frame(self) -> Any:
        """Return `rows()` as a pandas DataFrame.

        Raises:
            KlingError: pandas is not installed.
        """
        return data_frame(self.rows())

    def matrix(self, rows: str | None = None, columns: str | None = None) -> Matrix:
        """Return the clips over two axes.

        Args:
            rows: The axis from top to bottom.
            columns: The axis from left to right. By default the first two axes that vary.

        Raises:
            ArgumentError: There is no such axis.
        """
        return Matrix(self, *self._design.matrix_axes(rows, columns))

    def matrix_sheet(self, down: str, across: str) -> MatrixSheet:
        """Return the clips over two axes as a value to render."""
        existing = existing_records(self._session, self._design)
        found = self._finished(existing)
        videos = dict(zip(found, self._session.display.links.videos(list(found.values())), strict=True))
        return self._design.matrix(
            down,
            across,
            lambda cell: self._tile(cell, existing.get(cell.id), found.get(cell.id), videos.get(cell.id)),
        )

    def sheet(self) -> PlanSheet:
        """Return the plan's state as a value to render."""
        cells, existing = self._design.unique_cells, existing_records(self._session, self._design)
        # Only the images of the first tiles are drawn.
        found = self._finished({cell.id: existing[cell.id] for cell in cells[:TILES] if cell.id in existing})
        refused = refused_cells(self._session, self._design, existing)
        missing = self._missing(existing, refused)
        estimates = [self._estimate(cell) for cell in missing]
        priced = [estimate for estimate in estimates if estimate.each is not None]
        free = bool(estimates) and all(estimate.source == "free" for estimate in estimates)
        seconds = expected_durations(self._session, missing, estimates)
        return PlanSheet(
            name=self.id,
            tiles=[
                self._tile(cell, existing.get(cell.id), found.get(cell.id), refused=cell.id in refused)
                for cell in cells
            ],
            axes=self._design.axes,
            invalid=[(cell.label, problems_text(cell)) for cell in self._design.invalid],
            cells=len(self._design.cells),
            price=sum_known([estimate.each for estimate in priced]),
            unpriced=len(estimates) - len(priced),
            free=free,
            real_price=sum_known([estimate.list_price for estimate in estimates]) if free else None,
            expected=max(max(seconds), sum(seconds) / min(LIMIT, len(seconds))) if seconds else None,
            models=models_text(self._session, self._design, missing, estimates),
            left_out=self._design.left_out,
        )

    def _existing(self) -> dict[str, RecordSummary]:
        return existing_records(self._session, self._design)

    def _missing(self, existing: Mapping[str, RecordSummary], refused: Collection[str]) -> list[Cell]:
        unique = self._design.unique_cells
        return [cell for cell in unique if cell.request and cell.id not in existing and cell.id not in refused]

    def _finished(self, existing: Mapping[str, RecordSummary]) -> dict[str, Record]:
        session = self._session
        return {cell: session.bind(session.store.get(one.id)) for cell, one in existing.items() if one.done}

    def _row(self, cell: Cell, summary: RecordSummary | None, record: Record | None) -> dict[str, Any]:
        price = record.price if record else None
        if record is None and cell.request:
            price = self._estimate(cell).each
        facts = {
            "state": _state(cell, summary),
            "record": summary.id if summary else None,
            "price": None if price is None else float(price),
            "took": record.seconds if record else None,
            "stars": record.stars if record else None,
            "file": record.clip.place if record and record.clip else None,
            "request_hash": cell.request_hash or None,
            "problems": problems_text(cell),
        }
        return {**cell.values, **facts}

    def _tile(
        self,
        cell: Cell,
        summary: RecordSummary | None,
        record: Record | None,
        video: Video | None = None,
        *,
        refused: bool = False,
    ) -> Tile:
        state: TileState = "refused" if refused else _state(cell, summary)
        return tile_of(self._session, cell, state, record, note=problems_text(cell), video=video)

    def _estimate(self, cell: Cell) -> Estimate:
        assert cell.request is not None  # noqa: S101 - only cells with a request have a price
        return self._session.connection.estimate(cell.request)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return plan_bundle(self.sheet())

    def __repr__(self) -> str:
        return f"<Plan {self.id}: {self.sheet().summary}>"

    def __str__(self) -> str:
        return plan_text(self.sheet())


class Matrix:
    """The clips of a plan over two axes, read from the log each time they are shown."""

    def __init__(self, plan: Plan, down: str, across: str) -> None:
        self._plan, self._down, self._across = plan, down, across

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        sheet = self._plan.matrix_sheet(self._down, self._across)
        return {"text/html": matrix_html(sheet), "text/plain": matrix_text(sheet)}

    def __repr__(self) -> str:
        return f"<{self._plan!r} by {self._down} and {self._across}>"


def _state(cell: Cell, summary: RecordSummary | None) -> TileState:
    if summary is None:
        return "missing" if cell.request else "invalid"
    return "existing" if summary.done else "running"
