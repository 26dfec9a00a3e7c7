"""The cells of a plan in the log: which records they have, who starts a missing one, and how to wait for it."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from kling_nb import errors, generation
from kling_nb.engine.job import Job
from kling_nb.engine.pace import HUB_PACE, expected_seconds
from kling_nb.models.budget import COUNTED, charge_of
from kling_nb.models.frontend import Video
from kling_nb.models.price import Estimate
from kling_nb.models.record import Record
from kling_nb.render.images import SHEET_BYTES
from kling_nb.render.plan import Tile, TileState
from kling_nb.session import Session
from kling_nb.store.index import RecordSummary
from kling_nb.sweeps.design import Cell, Design

#: Seconds between two reads of a record whose job runs in another kernel.
_WATCH_INTERVAL = 1.0


@dataclass(frozen=True, slots=True)
class CellStatus:
    """The state of one clip in a run.

    Attributes:
        cell: The cell of the plan.
        state: `"waiting"`, `"running"`, `"existing"` (it was in the log), `"done"`, `"failed"`, `"uncertain"`,
            `"cancelled"`, `"skipped"`, or `"refused"` (the hub refused its content before, and it was not sent again).
        record: The record, once there is one.
        job: The job, if it runs in this kernel.
        started: Whether this run has started the job, and pays for it.
        error: Why the clip is missing.
    """

    cell: Cell
    state: TileState = "waiting"
    record: Record | None = None
    job: Job | None = None
    started: bool = False
    error: errors.KlingError | None = None

    @property
    def failed(self) -> bool:
        """Whether the job has ended, or could not be started, and there is no clip."""
        return self.state in ("failed", "uncertain")

    @property
    def failed_here(self) -> bool:
        """Whether it failed in this run: a job that another kernel lost says nothing about later clips."""
        return self.failed and (self.started or self.record is None)

    @property
    def may_be_tried_again(self) -> bool:
        """Whether the clip is missing because of another kernel: its job gave none, or this one left it to another."""
        if self.record is None or self.record.status not in ("failed", "cancelled"):
            return False
        left = self.record.failure and self.record.failure.kind == errors.RunByAnother.__name__
        return bool(left) or not self.started

    @property
    def price(self) -> Decimal:
        """The dollars that this run has spent on the clip, has set aside for it, or may have spent."""
        record = self.job.record if self.job else self.record
        counts = self.started and record is not None and charge_of(record) in COUNTED
        return self.record.price or Decimal(0) if counts and self.record else Decimal(0)


def existing_records(session: Session, design: Design) -> dict[str, RecordSummary]:
    """Return, by cell ID, the finished or running records that the log has for the cells of a design."""
    return design.assign(_summaries(session, [cells[0] for cells in design.cells_by_hash.values()]))


def refused_cells(session: Session, design: Design, existing: Collection[str]) -> set[str]:
    """Return the IDs of cells without a clip whose request the hub has refused for its content.

    The same request would most likely be refused again (hub-api.md has no such promise, providers advise against it).
    """
    open_cells = [cell for cell in design.unique_cells if cell.id not in existing]
    hashes = _hashes_by_hub(session, open_cells)
    refused = {hash_ for hub, some in hashes.items() for hash_ in session.store.refused(some, hub)}
    return {cell.id for cell in open_cells if cell.request_hash in refused}


def claim(session: Session, design: Design, cell: Cell, agreed: Estimate | None) -> tuple[Record, Job | None, bool]:
    """Return the record of a cell, its job if it runs in this kernel, and whether it was started just now.

    Only one of several kernels starts a missing clip.

    Args:
        agreed: The price that the user was shown; the job is refused if the hub asks for more.

    Raises:
        BudgetError: A budget does not allow it.
        LogError: The cell cannot be started: an image of its request is missing.
    """

    def find_or_start() -> tuple[Record, Job | None, bool]:
        found = design.assign(_summaries(session, [cell])).get(cell.id)
        if found is not None:
            record = session.store.get(found.id)
            return record, None if record.ended else generation.adopt(session, record), False
        if cell.request is None:
            raise errors.LogError("; ".join(map(str, cell.problems)))
        (job,) = generation.start(session, cell.request, plan=design.id, cell=cell.id, agreed=agreed)
        return job.record, job, True

    return session.store.alone(find_or_start, cell.request_hash)


def _summaries(session: Session, cells: Iterable[Cell]) -> list[RecordSummary]:
    """Return the records of these cells' requests, without those that were imported without their clips."""
    store, hashes = session.store, _hashes_by_hub(session, cells)
    made = [summary for hub, some in hashes.items() for summary in store.made(some, hub)]
    without_clip = set[str]()
    if any(summary.done for summary in made):
        imported = [record for hub, some in hashes.items() for record in store.imported(some, hub)]
        without_clip = {record.id for record in imported if not (record.clip and store.file(record.clip.digest))}
    return [summary for summary in made if summary.id not in without_clip]


def _hashes_by_hub(session: Session, cells: Iterable[Cell]) -> dict[str, list[str]]:
    hashes = defaultdict[str, list[str]](list)
    for cell in cells:
        hashes[_hub_of(session, cell)].append(cell.request_hash)
    return hashes


def _hub_of(session: Session, cell: Cell) -> str:
    """Return the name, in records, of the hub that a cell's request goes to."""
    connection = session.connection
    return connection.of(cell.request).name if cell.request else connection.main.name


async def wait_for(session: Session, record: Record, job: Job | None) -> Record:
    """Wait for the end of a record's job, in this kernel or another, and return the record as it is then.

    An uncertain one that does not change was given up by its kernel, which may be waiting for a cell of this one.
    """
    hub = session.connection.of_record(record)
    patience, changed = (hub.pace if hub else HUB_PACE).settled, time.monotonic()
    while job or not record.ended:
        if job:
            record = await _end_here(job)
            if record.ended or record.holder == await asyncio.to_thread(session.store.holder):
                break
        await asyncio.sleep(_WATCH_INTERVAL)
        before, record = record, await asyncio.to_thread(session.store.get, record.id)
        if record.status != "uncertain" or record.revision != before.revision:
            changed = time.monotonic()
        elif time.monotonic() - changed > patience:
            break
        job = None if record.ended else await asyncio.to_thread(generation.adopt, session, record)
    return record


async def _end_here(job: Job) -> Record:
    """Wait until a job is not waited for any more in this kernel, and return its record as it is then."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    job.add_done_callback(lambda _: loop.call_soon_threadsafe(done.set))
    await done.wait()
    return job.record


def expected_durations(session: Session, cells: Sequence[Cell], estimates: Sequence[Estimate]) -> list[float]:
    """Return the seconds that each cell should take by the log's history; nothing if that is too short."""
    keys = {(cell.request.model, _hub_of(session, cell)) for cell in cells if cell.request}
    histories = {key: session.store.durations(*key) for key in keys}
    expected = [
        expected_seconds(histories[cell.request.model, _hub_of(session, cell)], estimate.seconds)
        for cell, estimate in zip(cells, estimates, strict=True)
        if cell.request
    ]
    known = [seconds for seconds in expected if seconds is not None]
    return known if len(known) == len(expected) else []


def problems_text(cell: Cell) -> str:
    """Return what is wrong with a cell's request, on one line."""
    return "; ".join(map(str, cell.problems))


def tile_of(
    session: Session, cell: Cell, state: TileState, record: Record | None, *, note: str = "", video: Video | None = None
) -> Tile:
    """Return the tile of a cell; with `video`, its clip can be played."""
    return Tile(
        label=cell.label,
        state=state,
        record=record.id if record else "",
        poster=session.display.links.poster(record, SHEET_BYTES) if record and record.clip else None,
        clip=video.src if video else None,
        note=note,
    )
