"""`Run`: a plan being carried out: so many jobs at once, each clip paid for once, stopped by failures or a budget."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from kling_nb import errors
from kling_nb.engine.job import Job
from kling_nb.engine.loop import interpreter_exits
from kling_nb.models.budget import COUNTED, charge_of
from kling_nb.models.record import Record
from kling_nb.render import PlanSheet, Tile, TileState, plan_html, plan_text
from kling_nb.render.plan import TILES
from kling_nb.sweeps.design import Cell, Design, tile_of
from kling_nb.sweeps.desk import Desk

logger = logging.getLogger(__name__)

_HEARTBEAT = 0.1


class Run:
    """A plan under way. It goes on in the background; `wait`, `result` or `await` wait for it.

    `pause` begins nothing more until `resume`; `cancel` gives up the rest and asks the jobs begun here to stop.
    """

    def __init__(self, design: Design, desk: Desk, *, limit: int, stop_after_failures: int | None) -> None:
        self._design, self._desk = design, desk
        self._limit, self._patience = limit, stop_after_failures
        self._standings = {cell.id: Standing(cell) for cell in design.unique_cells}
        self._waiting = deque(design.unique_cells)
        # What whoever runs it agrees to: not what the hub may ask for when a cell's turn comes.
        self._agreed = {cell.id: desk.price(cell.request) for cell in design.unique_cells if cell.request}
        self._free = any(self._agreed[cell.id].source == "free" for cell in design.unique_cells[:1] if cell.request)
        self._guard = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._open = asyncio.Event()
        self._open.set()
        self._stopped: errors.KlingError | None = None
        self._shown: Any = None
        self._end: Future[None] = desk.loop.submit(self._go())
        # Not in `_go`, which is not over while it says so: a view that looks at once would stay live for good.
        self._end.add_done_callback(lambda _: self._tell())

    # --- how it stands ---

    @property
    def standings(self) -> list[Standing]:
        """How each clip stands, in the plan's order."""
        with self._guard:
            return list(self._standings.values())

    @property
    def over(self) -> bool:
        """Whether nothing more will happen here."""
        return self._end.done()

    @property
    def paused(self) -> bool:
        """Whether it begins nothing more for now."""
        return not self._open.is_set() and not self.over

    @property
    def jobs(self) -> list[Job]:
        """The jobs that are carried out here."""
        return [standing.job for standing in self.standings if standing.job]

    @property
    def spent(self) -> Decimal:
        """What this run has spent, set aside for jobs under way, or may have spent; dollars."""
        return sum(
            (each.record.price or Decimal(0) for each in self.standings if each.counts and each.record), Decimal(0)
        )

    @property
    def left(self) -> Decimal | None:
        """What the clips that are not begun would cost; None when nobody gives a price for one of them."""
        waiting = [each.cell.request for each in self.standings if each.state in ("waiting", "skipped")]
        prices = [self._desk.price(request).each for request in waiting if request]
        known = [price for price in prices if price is not None]
        return sum(known, Decimal(0)) if len(known) == len(prices) else None

    # --- waiting ---

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, whichever it is; return whether it came within `timeout` seconds."""
        with suppress(TimeoutError, CancelledError):
            self._end.result(timeout)
        self._publish()
        return self._end.done()

    def result(self, timeout: float | None = None) -> list[Record]:
        """Wait for the end and return the records, one for each clip, in order.

        Raises `WaitTimeout` (the run goes on), `BudgetError`, or what kept the first failed clip from coming.
        """
        if not self.wait(timeout):
            raise errors.WaitTimeout(f"{self!r} is still under way; it goes on")
        return self._records()

    def __await__(self) -> Generator[Any, None, list[Record]]:
        return self._awaited().__await__()

    async def _awaited(self) -> list[Record]:
        # A beat: an interrupt of a cell that awaits is felt only when its loop wakes (JUPYTER.md section 4).
        while not self._end.done():  # noqa: ASYNC110 - the end comes on another loop
            await asyncio.sleep(_HEARTBEAT)
        self._publish()
        return self._records()

    def pause(self) -> None:
        """Begin nothing more; what is under way goes on."""
        self._desk.loop.submit(self._set(is_open=False))

    def resume(self) -> None:
        """Go on after `pause`."""
        self._desk.loop.submit(self._set(is_open=True))

    def cancel(self) -> None:
        """Begin nothing more, and ask the jobs that this run began to stop. Those may still be billed."""
        self._desk.loop.submit(self._give_up())

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call `listener` at each change, on the engine's thread."""
        self._listeners.append(listener)

    # --- the work, on the engine's loop ---

    async def _go(self) -> None:
        try:
            await asyncio.gather(*(self._work() for _ in range(min(self._limit, len(self._waiting)))))
        finally:
            for standing in self.standings:
                if standing.state == "waiting":
                    self._become(replace(standing, state="skipped"))

    async def _work(self) -> None:
        while self._waiting and self._stopped is None:
            await self._open.wait()
            if self._waiting and self._stopped is None:
                cell = self._waiting.popleft()
                try:
                    await self._carry_out(cell)
                except Exception as exc:
                    if interpreter_exits(exc):
                        return
                    logger.exception("a cell of a plan ended with an error")
                    self._failed(cell, errors.KlingError(f"{type(exc).__name__}: {exc}"))

    async def _carry_out(self, cell: Cell) -> None:
        standing = await self._followed(cell)
        lost = (
            standing and not standing.bought and standing.record and standing.record.status in ("failed", "cancelled")
        )
        if lost and self._stopped is None:  # the job of somebody else that was waited for gave no clip
            standing = await self._followed(cell)
        if standing:
            self._settle(standing)

    async def _followed(self, cell: Cell) -> Standing | None:
        """Begin or find a cell's job and wait for its end; None when it cannot be begun."""
        try:
            record, job, bought = await asyncio.to_thread(
                self._desk.secure, self._design, cell, self._agreed.get(cell.id)
            )
        except errors.BudgetError as exc:
            self._stop(exc)
            self._become(Standing(cell, "skipped", error=exc))
            return None
        except errors.KlingError as exc:
            self._failed(cell, exc)
            return None
        standing = Standing(cell, "existing" if record.status == "succeeded" else "running", record, job, bought)
        self._become(standing)
        return replace(standing, record=await self._desk.ended(record, job))

    def _settle(self, standing: Standing) -> None:
        record = standing.record
        assert record is not None  # noqa: S101 - it was begun or found
        match record.status:
            case "succeeded":
                self._become(replace(standing, state="done" if standing.state == "running" else "existing"))
            case "failed" if record.failure and record.failure.kind == "BudgetError":
                refusal = errors.BudgetError(record.failure.message)
                self._stop(refusal)
                self._become(replace(standing, state="skipped", error=refusal))
            case "cancelled":
                self._become(replace(standing, state="cancelled"))
            case "failed":
                why = record.failure.message if record.failure else "It failed."
                self._failed(standing.cell, errors.JobFailed(why, job_id=record.id), standing)
            case "uncertain":
                unsure = "Nobody knows whether the hub has it; run the plan again to look. Nothing is sent twice."
                self._failed(standing.cell, errors.JobUncertain(unsure, job_id=record.id), standing, "uncertain")
            case _:
                said = f"It is {record.status} at the hub, but nobody follows it; run the plan again to fetch it."
                self._failed(standing.cell, errors.TransferError(said), standing)

    def _failed(
        self, cell: Cell, exc: errors.KlingError, standing: Standing | None = None, state: TileState = "failed"
    ) -> None:
        self._become(replace(standing or Standing(cell), state=state, error=exc))
        failures = sum(each.failed for each in self.standings)
        if self._patience is not None and failures >= self._patience:
            self._stop(exc)

    def _stop(self, why: errors.KlingError) -> None:
        self._stopped = self._stopped or why
        self._open.set()

    async def _set(self, *, is_open: bool) -> None:
        if is_open:
            self._open.set()
        elif self._stopped is None:
            self._open.clear()
        self._tell()

    async def _give_up(self) -> None:
        self._stop(errors.JobCancelled("The run was cancelled.", job_id=self._design.id))
        for standing in self.standings:
            if standing.bought and standing.job and standing.state == "running":
                standing.job.cancel()

    def _become(self, standing: Standing) -> None:
        with self._guard:
            self._standings[standing.cell.id] = standing
        self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            try:
                listener()
            except Exception:  # a broken view must not end the work on paid jobs
                logger.exception("a listener of a run failed")

    # --- how it looks ---

    def sheet(self) -> PlanSheet:
        """Return how it stands as a value to be drawn."""
        standings = self.standings
        tiles = [self._tile(standing, drawn=number < TILES) for number, standing in enumerate(standings)]
        why = str(self._stopped) if self._stopped else ""
        return PlanSheet(
            name=self._design.id,
            tiles=tiles,
            free=self._free,
            spent=self.spent,
            remaining=self.left,
            running=not self.over,
            paused=self.paused,
            stopped=why,
        )

    def _tile(self, standing: Standing, *, drawn: bool) -> Tile:
        error, record = str(standing.error) if standing.error else "", standing.record if drawn else None
        return tile_of(standing.cell, standing.state, record, self._desk.display.links, note=error)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        sheet = self.sheet()
        return {"text/html": plan_html(sheet), "text/plain": plan_text(sheet)}

    def _ipython_display_(self) -> None:
        self._shown = self._desk.actions.run_view(self)
        self._shown.display()

    def _publish(self) -> None:
        if self._shown is not None:
            self._shown.publish()

    def _records(self) -> list[Record]:
        standings = self.standings
        if failure := failure_of(standings, self._stopped):
            raise failure
        return [self._desk.bind(standing.record) for standing in standings if standing.record]

    def __repr__(self) -> str:
        sheet = self.sheet()
        return f"<Run of plan {sheet.name}: {sheet.summary}>"


__all__: Sequence[str] = ("Run", "Standing")


@dataclass(frozen=True, slots=True)
class Standing:
    """How one clip of a run stands; `record` is None until it has one."""

    cell: Cell
    state: TileState = "waiting"
    record: Record | None = None
    job: Job | None = None
    bought: bool = False
    error: errors.KlingError | None = None

    @property
    def failed(self) -> bool:
        """Whether it was begun, or was to be, and gave no clip."""
        return self.state in ("failed", "uncertain")

    @property
    def counts(self) -> bool:
        """Whether this run has spent on it, or may have."""
        record = self.job.record if self.job else self.record
        return self.bought and record is not None and charge_of(record) in COUNTED


def failure_of(standings: Sequence[Standing], stopped: errors.KlingError | None) -> errors.KlingError | None:
    """Return the one error to raise: what stopped the run, or what kept the first failed clip from coming."""
    failed = [standing for standing in standings if standing.failed]
    first = next((standing for standing in standings if standing.error), None)
    if stopped is None and first is None:
        return None
    if failed and (stopped is None or any(stopped is standing.error for standing in failed)):
        return _named(failed[0], len(failed) - 1)
    return stopped or (first.error if first else None)


def _named(standing: Standing, others: int) -> errors.KlingError | None:
    """Return its error with the job's name and its values, which a reader of a long run looks for."""
    error, record = standing.error, standing.record
    if record is None or not isinstance(error, errors.JobFailed | errors.JobUncertain | errors.TransferError):
        return error
    more = f" ({others} more failed)" if others else ""
    said = f"Job {record.id} ({standing.cell.label}): {error}{more}"
    return (
        type(error)(said)
        if isinstance(error, errors.TransferError)
        else type(error)(said, job_id=record.id, **error.data)
    )
