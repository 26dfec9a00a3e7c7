"""`Run`: the run of a plan. Some jobs at a time, each clip paid for once; failures or a budget can stop it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Collection, Coroutine, Generator, Iterable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from kling_nb import errors
from kling_nb.engine.job import Job
from kling_nb.engine.loop import interpreter_exits
from kling_nb.models.record import Record
from kling_nb.render.plan import TILES, PlanSheet, TileState, plan_bundle
from kling_nb.session import Session
from kling_nb.sweeps import cells
from kling_nb.sweeps.cells import CellStatus
from kling_nb.sweeps.design import Cell, Design

logger = logging.getLogger(__name__)

_POLL_INTERVAL = 0.1
#: How many cells are started at a time.
_STARTERS = 8
#: How often a cell is looked at again whose job in another kernel gave no clip.
_MORE_TRIES = 3


class Run:
    """The run of a plan, in the background. `wait()`, `result()` or `await` wait for its end.

    Example:
        >>> run = plan.run(limit=4, budget="5.00")
        >>> run.pause()
        >>> run.resume()
        >>> records = run.result()
    """

    def __init__(
        self,
        session: Session,
        design: Design,
        chosen: Sequence[Cell],
        *,
        limit: int,
        stop_after_failures: int | None,
        refused: Collection[str] = (),
        rest: str = "",
    ) -> None:
        self._session, self._design, self._rest = session, design, rest
        self._limit, self._max_failures = limit, stop_after_failures
        self._statuses = {cell.id: CellStatus(cell, "refused" if cell.id in refused else "waiting") for cell in chosen}
        self._waiting = deque(cell for cell in chosen if cell.id not in refused)
        # The prices that the user has seen: the hub may ask for more when a cell is started.
        estimate = session.connection.estimate
        self._agreed = {cell.id: estimate(cell.request) for cell in chosen if cell.request}
        self._free = any(self._agreed[cell.id].source == "free" for cell in chosen[:1] if cell.request)
        self._tasks: list[asyncio.Task[None]] = []
        self._working = 0
        self._tries = Counter[str]()
        self._statuses_guard = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._open = asyncio.Event()
        self._open.set()
        self._stopped: errors.KlingError | None = None
        self._view: Any = None
        # Threads of its own: a start may wait for a kernel that has died, and running jobs must not wait with it.
        self._starters = ThreadPoolExecutor(min(limit, _STARTERS), "kling_nb plan")
        self._end: Future[None] = session.loop.submit(self._work())
        # Not in `_work`: while that notifies it has not ended, and a view would see a run that continues.
        self._end.add_done_callback(lambda _: self._notify())

    # State

    @property
    def statuses(self) -> list[CellStatus]:
        """The state of each clip, in the plan's order."""
        with self._statuses_guard:
            return list(self._statuses.values())

    @property
    def over(self) -> bool:
        """Whether the run has ended."""
        return self._end.done()

    @property
    def paused(self) -> bool:
        """Whether the run is paused."""
        return not self._open.is_set() and not self.over

    @property
    def jobs(self) -> list[Job]:
        """The jobs that run in this kernel."""
        return [status.job for status in self.statuses if status.job]

    @property
    def spent(self) -> Decimal:
        """The dollars that this run has spent, has set aside for running jobs, or may have spent."""
        return sum((status.price for status in self.statuses), Decimal(0))

    @property
    def remaining(self) -> Decimal | None:
        """The price of the clips that are not started; None if one of them has no known price."""
        return sum_known(self._left())

    def _left(self) -> list[Decimal | None]:
        """Return the price of each clip that is not started."""
        requests = [status.cell.request for status in self.statuses if status.state in ("waiting", "skipped")]
        return [self._session.connection.estimate(request).each for request in requests if request]

    # Wait and control

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end of the run, with clips or without.

        Args:
            timeout: Seconds; by default without a limit.

        Returns:
            Whether the run has ended.
        """
        with suppress(TimeoutError, CancelledError):
            self._end.result(timeout)
        self._publish()
        return self._end.done()

    def result(self, timeout: float | None = None) -> list[Record]:
        """Wait for the end of the run and return its records, one for each clip, in order.

        Args:
            timeout: Seconds; by default without a limit.

        Raises:
            WaitTimeout: The run has not ended; it continues.
            BudgetError: A budget has stopped the run.
            KlingError: The error of the first clip that failed.
        """
        if not self.wait(timeout):
            raise errors.WaitTimeout(f"{self!r} has not ended yet; it goes on.")
        return self._records()

    def __await__(self) -> Generator[Any, None, list[Record]]:
        return self._awaited().__await__()

    async def _awaited(self) -> list[Record]:
        # A cell that awaits is interrupted only when its loop wakes up: see docs/contracts/jupyter.md, section 4.
        while not self._end.done():  # noqa: ASYNC110 - the end comes on another loop
            await asyncio.sleep(_POLL_INTERVAL)
        self._publish()
        return self._records()

    def pause(self) -> None:
        """Start no more jobs until `resume`; running jobs continue."""
        self._session.loop.submit(self._set_open(False))

    def resume(self) -> None:
        """Continue after `pause`."""
        self._session.loop.submit(self._set_open(True))

    def cancel(self) -> None:
        """Start no more jobs, and ask the hub to cancel those that this run has started. They may still be billed."""
        self._session.loop.submit(self._cancel())

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call `listener` at each change, on the engine's thread."""
        self._listeners.append(listener)

    # The work, on the engine's loop

    async def _work(self) -> None:
        try:
            for _ in range(min(self._limit, len(self._waiting))):
                self._spawn(self._worker())
            while self._tasks:
                tasks, self._tasks = self._tasks, []
                await asyncio.gather(*tasks)
        finally:
            self._starters.shutdown(wait=False)
            for status in self.statuses:
                if status.state == "waiting":
                    self._update(replace(status, state="skipped"))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def _worker(self) -> None:
        self._working += 1
        while self._waiting and self._stopped is None:
            await self._open.wait()
            if self._waiting and self._stopped is None:
                cell = self._waiting.popleft()
                await self._guard(cell, self._make(cell))
        self._working -= 1

    async def _guard(self, cell: Cell, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as exc:
            if interpreter_exits(exc):
                return
            logger.exception("A cell of a plan ended with an error.")
            self._fail(CellStatus(cell), errors.KlingError(f"{type(exc).__name__}: {exc}"))

    async def _make(self, cell: Cell) -> None:
        """Make a cell's clip. One that is, or may be, another kernel's is waited for beside the next cells."""
        status = await self._begin(cell)
        if status is None or status.record is None:
            return
        if status.record.ended or (status.job and status.record.status not in ("submitting", "uncertain")):
            await self._finish(status, status.record)
        else:
            self._spawn(self._guard(cell, self._finish(status, status.record)))

    async def _finish(self, status: CellStatus, record: Record) -> None:
        """Wait for the end of a cell's job; try again if another kernel's gave no clip."""
        status = replace(status, record=await cells.wait_for(self._session, record, status.job))
        self._tries[status.cell.id] += 1
        if status.may_be_tried_again and self._stopped is None and self._tries[status.cell.id] <= _MORE_TRIES:
            self._update(CellStatus(status.cell))
            self._waiting.append(status.cell)
            if self._working < self._limit:
                self._spawn(self._worker())
        else:
            self._settle(status)

    async def _begin(self, cell: Cell) -> CellStatus | None:
        """Start or find a cell's job; None if it cannot be started."""
        try:
            begin = partial(cells.claim, self._session, self._design, cell, self._agreed.get(cell.id))
            record, job, started = await asyncio.get_running_loop().run_in_executor(self._starters, begin)
        except errors.BudgetError as exc:
            self._stop(exc)
            self._update(CellStatus(cell, "skipped", error=exc))
            return None
        except errors.KlingError as exc:
            self._fail(CellStatus(cell), exc)
            return None
        state: TileState = "existing" if record.status == "succeeded" else "running"
        status = CellStatus(cell, state, record, job, started)
        self._update(status)
        return status

    def _settle(self, status: CellStatus) -> None:
        record = status.record
        assert record is not None  # noqa: S101 - it was started or found
        match record.status:
            case "succeeded":
                self._update(replace(status, state="done" if status.state == "running" else "existing"))
            case "failed" if record.failure and record.failure.kind == "BudgetError":
                refusal = errors.BudgetError(record.failure.message)
                self._stop(refusal)
                self._update(replace(status, state="skipped", error=refusal))
            case "cancelled":
                self._update(replace(status, state="cancelled"))
            case "failed":
                message = record.failure.message if record.failure else "The job failed."
                self._fail(status, errors.JobFailed(message, job_id=record.id))
            case "uncertain":
                message = "It is unclear whether the hub accepted the job. Run the plan again; nothing is sent twice."
                self._fail(status, errors.JobUncertain(message, job_id=record.id), "uncertain")
            case _:
                message = f"The job is still {record.status} at the hub. Run the plan again to wait for it."
                self._fail(status, errors.TransferError(message))

    def _fail(self, status: CellStatus, exc: errors.KlingError, state: TileState = "failed") -> None:
        self._update(replace(status, state=state, error=exc))
        if self._max_failures is not None and sum(each.failed_here for each in self.statuses) >= self._max_failures:
            self._stop(exc)

    def _stop(self, reason: errors.KlingError) -> None:
        self._stopped = self._stopped or reason
        self._open.set()

    async def _set_open(self, is_open: bool) -> None:
        if is_open:
            self._open.set()
        elif self._stopped is None:
            self._open.clear()
        self._notify()

    async def _cancel(self) -> None:
        self._stop(errors.JobCancelled("The run was cancelled.", job_id=self._design.id))
        for status in self.statuses:
            if status.started and status.job and status.state == "running":
                status.job.cancel()

    def _update(self, status: CellStatus) -> None:
        with self._statuses_guard:
            self._statuses[status.cell.id] = status
        self._notify()

    def _notify(self) -> None:
        for listener in self._listeners:
            try:
                listener()
            except Exception:  # a broken view must not end the work on paid jobs
                logger.exception("A listener of a run failed.")

    # Display

    def sheet(self) -> PlanSheet:
        """Return the run's state as a value to render."""
        tiles = [
            cells.tile_of(
                self._session,
                status.cell,
                status.state,
                status.record if number < TILES else None,
                note=str(status.error or ""),
            )
            for number, status in enumerate(self.statuses)
        ]
        left = self._left()
        priced = [price for price in left if price is not None]
        return PlanSheet(
            name=self._design.id,
            tiles=tiles,
            free=self._free,
            spent=self.spent,
            remaining=sum_known(priced),
            unpriced=len(left) - len(priced),
            running=not self.over,
            paused=self.paused,
            stopped=str(self._stopped or ""),
            rest=self._rest,
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return plan_bundle(self.sheet())

    def _display_(self) -> Any:
        self._view = self._session.actions.run_view(self)
        return self._view  # for marimo

    def _ipython_display_(self) -> None:
        self._view = self._session.actions.run_view(self)
        self._view.display()

    def _publish(self) -> None:
        if self._view is not None:
            self._view.publish()

    def _records(self) -> list[Record]:
        statuses = self.statuses
        if error := _error_of(statuses, self._stopped):
            raise error
        return [self._session.bind(status.record) for status in statuses if status.record]

    def __repr__(self) -> str:
        sheet = self.sheet()
        return f"<Run of plan {sheet.name}: {sheet.summary}>"


def sum_known(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """Return the sum; None if one of the amounts is not known."""
    given = list(amounts)
    known = [amount for amount in given if amount is not None]
    return sum(known, Decimal(0)) if len(known) == len(given) else None


def _error_of(statuses: Sequence[CellStatus], stopped: errors.KlingError | None) -> errors.KlingError | None:
    """Return the error of a run: that of the first failed clip, or the reason why it stopped."""
    failed = [status for status in statuses if status.failed]
    first = next((status.error for status in statuses if status.error), None)
    if failed and (stopped is None or any(stopped is status.error for status in failed)):
        return _with_job(failed[0], len(failed) - 1)
    return stopped or first


def _with_job(status: CellStatus, others: int) -> errors.KlingError | None:
    """Return a clip's error with the job's ID and the cell's label in its message."""
    error, record = status.error, status.record
    if record is None or not isinstance(error, errors.JobFailed | errors.JobUncertain | errors.TransferError):
        return error
    more = f" ({others} more failed)" if others else ""
    message = f"Job {record.id} ({status.cell.label}): {error}{more}"
    if isinstance(error, errors.TransferError):
        return errors.TransferError(message)
    return type(error)(message, job_id=record.id, **error.data)
