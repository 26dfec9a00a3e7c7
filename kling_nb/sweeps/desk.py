"""Where plans meet the log and the engine: what is there, what it costs, and the one place that begins a job."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kling_nb.engine.job import Job
from kling_nb.engine.loop import BackgroundLoop
from kling_nb.engine.pace import expected_seconds
from kling_nb.errors import LogError
from kling_nb.models.price import Estimate
from kling_nb.models.record import Record
from kling_nb.models.request import Request
from kling_nb.notebook.display import Display
from kling_nb.store.log import Log
from kling_nb.store.queries import RecordSummary
from kling_nb.sweeps.design import Cell, Design

#: Seconds between two looks at a job that another kernel carries out.
WATCH = 1.0

if TYPE_CHECKING:
    from kling_nb.actions import StudioActions


class Begin(Protocol):
    """Begins the job of one cell at the price that was `agreed`; raises `BudgetError` when a limit refuses it."""

    def __call__(self, request: Request, *, plan: str, cell: str, agreed: Estimate | None) -> Job: ...


@dataclass(frozen=True)
class Desk:
    """A studio as plans see it; `hub` is the name of the hub that answers, as records have it."""

    store: Log
    display: Display
    loop: BackgroundLoop
    hub: str
    begin: Begin
    adopt: Callable[[Record], Job | None]
    """Go on with a job that no living kernel carries out; None when one does."""
    price: Callable[[Request], Estimate]
    bind: Callable[[Record], Record]
    actions: StudioActions

    def made(self, design: Design) -> dict[str, RecordSummary]:
        """Return which record each cell has, by its id."""
        return _typed(design, self._made(list(design.cells_by_hash)))

    def secure(self, design: Design, cell: Cell, agreed: Estimate | None) -> tuple[Record, Job | None, bool]:
        """Return the record of a cell, its job when it is carried out here, and whether it was begun just now.

        Of all kernels that miss a clip, one begins it. Raises `BudgetError`, or what else kept it from beginning.
        """
        return self.store.cells.alone(lambda: self._secured(design, cell, agreed))

    def _secured(self, design: Design, cell: Cell, agreed: Estimate | None) -> tuple[Record, Job | None, bool]:
        found = _typed(design, self._made([cell.request_hash])).get(cell.id)
        if found is None:
            if cell.request is None:
                raise LogError("; ".join(map(str, cell.problems)))
            job = self.begin(cell.request, plan=design.id, cell=cell.id, agreed=agreed)
            return job.record, job, True
        record = self.store.get(found.id)
        return record, None if record.ended else self.adopt(record), False

    def _made(self, hashes: Sequence[str]) -> list[RecordSummary]:
        """Return the results for these requests; not of another's records that came without their clips."""
        made = self.store.cells.made(hashes, self.hub)
        imported = self.store.cells.imported(hashes, self.hub) if any(one.done for one in made) else []
        without = {record.id for record in imported if not (record.clip and self.store.file(record.clip.digest))}
        return [one for one in made if one.id not in without]

    async def ended(self, record: Record, job: Job | None) -> Record:
        """Wait until nobody works on it any more, here or in another kernel, and return the record as it is then."""
        while job is None and not record.ended:
            await asyncio.sleep(WATCH)
            record = await asyncio.to_thread(self.store.get, record.id)
            job = None if record.ended else await asyncio.to_thread(self.adopt, record)
        if job is None:
            return record
        await _done(job)
        return job.record

    def took(self, cells: Sequence[Cell], estimates: Sequence[Estimate]) -> list[float]:
        """Return how many seconds each cell should take, by the log's history; nothing while that is too short."""
        models = {cell.request.model for cell in cells if cell.request}
        histories = {model: self.store.durations(model, self.hub) for model in models}
        if not all(histories.values()):
            return []
        each = [
            expected_seconds(histories[cell.request.model], estimate.seconds)
            for cell, estimate in zip(cells, estimates, strict=True)
            if cell.request
        ]
        known = [seconds for seconds in each if seconds is not None]
        return known if len(known) == len(each) else []


def _typed(design: Design, made: Sequence[RecordSummary]) -> dict[str, RecordSummary]:
    by_id = {one.id: one for one in made}
    return {cell: by_id[one.id] for cell, one in design.assign(made).items()}


async def _done(job: Job) -> None:
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    job.add_done_callback(lambda _: loop.call_soon_threadsafe(done.set))
    await done.wait()
