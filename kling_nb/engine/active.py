"""`ActiveJobs`: the jobs of an engine, and every change to one: saved to the log first, then shown."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from kling_nb import errors
from kling_nb.engine.loop import interpreter_exits
from kling_nb.engine.pace import expected_seconds
from kling_nb.engine.ports import Log
from kling_nb.engine.states import AT_THE_HUB, progress_of, with_failure, with_message, with_status
from kling_nb.models.generation import Generation
from kling_nb.models.progress import Progress
from kling_nb.models.record import Record, Status

logger = logging.getLogger(__name__)

Listener = Callable[[Progress], None]


class ActiveJob:
    """The engine's side of a job; the user holds a `Job`. Changed on the engine's loop, read on any thread."""

    def __init__(self, record: Record) -> None:
        self.record, self.progress = record, progress_of(record)
        self.end: Future[Path | None] = Future()
        """The file once the job has ended, None if it gave none; or the error that ends every wait."""
        self.path: Path | None = None
        """The file, even if it arrived after the wait had ended with an error."""
        self.expected: float | None = None
        """Seconds that it should take at the hub."""
        self.added = time.monotonic()
        self.unknown_since: float | None = None
        """When the hub began to answer that it does not know the job, on the monotonic clock."""
        self.sent: datetime.datetime | None = None
        """When its request was sent from here, on the hub's clock."""
        self.waiting = False
        """Whether the hub's last report was that the job waits in its queue."""
        self.began: datetime.datetime | None = None
        """When the hub began to work on it, as far as that was seen here."""
        self.late_since: float | None = None
        """Since when it is watched slowly, on the monotonic clock: it is overdue, or the hub does not know it."""
        self.asked_to_stop = self.heard_to_stop = False
        """Whether the hub was asked to stop it, and whether it has answered."""
        self.delivering = False
        self.unsaved = 0
        """The number of reports of the hub in a row that could not be saved."""
        self.lock = asyncio.Lock()
        """Held while a report of the hub is taken in: a cancel and a poll may bring the same one."""
        self._guard = threading.Lock()
        self._listeners: list[Listener] = []

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def state(self) -> Status:
        return self.record.status

    @property
    def done(self) -> bool:
        return self.end.done()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """See `Job.subscribe`."""
        with self._guard:
            self._listeners.append(listener)
        listener(self.progress)

        def unsubscribe() -> None:
            with self._guard, contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return unsubscribe

    def update(self, record: Record, progress: Progress) -> None:
        """Take a new state and tell the listeners."""
        with self._guard:
            self.record, self.progress = record, progress
            listeners = tuple(self._listeners)
        for listener in listeners:
            try:
                listener(progress)
            except Exception:  # a broken view must not end the work on a paid job
                logger.exception("a listener of job %s failed", record.id)

    def finish(self, path: Path | None = None, error: errors.KlingError | None = None) -> None:
        """End every wait, with the file or with the error to raise. The work on the job may continue."""
        self.path = path or self.path
        if not self.end.done():
            if error is None:
                self.end.set_result(path)
            else:
                self.end.set_exception(error)


class ActiveJobs:
    """The jobs by their ids. `add` may be called on any thread, everything else on the engine's loop."""

    def __init__(self, log: Log, now: Callable[[], datetime.datetime]) -> None:
        self._log = log
        self.now = now
        self.jobs: dict[str, ActiveJob] = {}
        self.running: dict[str, ActiveJob] = {}
        """The jobs that the hub is working on, by its own ids."""
        self.told: dict[str, Generation] = {}
        """Reports that came as events, by the hub's own ids: its queue may forget the jobs."""
        self.abandoned: set[str] = set()
        """Batches that were shown as failed before anything was sent, although the log could not be written."""
        self._history: dict[str, list[tuple[float, float]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, record: Record) -> ActiveJob:
        """Begin to carry out a record's job."""
        job = self.jobs[record.id] = ActiveJob(record)
        self._index(job)
        return job

    def adopt(self, job: ActiveJob) -> None:
        """Carry out a job that was only followed before."""
        self.jobs[job.id] = job
        self._index(job)

    def under_way(self, record_id: str) -> ActiveJob | None:
        """Return a job that is being worked on here, ready to be waited for again; None if there is none."""
        job = self.jobs.get(record_id)
        if job is None:
            return None
        watched = job.delivering or self.running.get(job.record.generation_id or "") is job
        if job.done and watched:
            job.end = Future()
            job.late_since = time.monotonic() if job.late_since else None
        return None if job.done else job

    def event_report(self, job: ActiveJob) -> Generation | None:
        """Return the report of a job that came with an event."""
        return self.told.get(job.record.generation_id or "")

    def age(self, job: ActiveJob) -> float:
        """Return the seconds since the hub accepted a job, on this machine's clock."""
        return self.seconds_since(job.record.times.accepted or job.record.times.created)

    def seconds_since(self, when: datetime.datetime) -> float:
        """Return the seconds since a time, on this machine's clock."""
        return (self.now() - when).total_seconds()

    # --- progress and messages ---

    def report(self, jobs: Sequence[ActiveJob], *, uploading: str = "", trouble: str = "") -> None:
        """Show what is being uploaded, or why nothing happens; without either, clear the note."""
        if message := trouble or (f"Sending {uploading}." if uploading else ""):
            self.note(jobs, message)
        for job in jobs:
            progress = progress_of(job.record, expected_seconds=job.expected, uploading=uploading, trouble=trouble)
            if progress != job.progress:
                job.update(job.record, progress)

    def show_trouble(self, jobs: Sequence[ActiveJob], trouble: str) -> None:
        """Show why nothing happens, without a message in the record."""
        for job in jobs:
            job.update(job.record, replace(job.progress, trouble=trouble))

    def note(self, jobs: Sequence[ActiveJob], message: str) -> None:
        """Add a message to records; it is saved with the next change of each."""
        for job in jobs:
            job.record = with_message(job.record, message, self.now())

    async def expect(self, job: ActiveJob) -> None:
        """Estimate how long a job takes, from the log's history."""
        record = job.record
        if record.model not in self._history:
            with contextlib.suppress(errors.LogError):  # no estimate is worth a paid job
                self._history[record.model] = await asyncio.to_thread(self._log.durations, record.model, record.hub)
        job.expected = expected_seconds(self._history.get(record.model, ()), record.estimate.seconds)

    # --- changes of state ---

    async def move(self, job: ActiveJob, status: Status, **changes: Any) -> None:
        """Take a job to another state."""
        await self.save(job, with_status(job.record, status, self.now(), **changes))
        if status == "queued":  # only now: the hub's id is saved the moment it arrives
            await self.expect(job)
            self.report([job])

    async def save(self, job: ActiveJob, record: Record) -> None:
        """Save a job's new record, then show the log's version of it, in which another kernel may be ahead."""
        saved = await asyncio.to_thread(self._log.save, record)
        if (saved.status, saved.clip) == (record.status, record.clip):
            self.show(job, saved)
        else:
            await self.follow_other(job, saved)

    async def follow_other(self, job: ActiveJob, stored: Record) -> None:
        """Show the state that another kernel has recorded for a job, and end its wait unless it is at the hub."""
        job.path = await self._file_of(stored)
        self.show(job, stored)
        if stored.ended:
            job.finish(job.path)
        elif stored.status not in AT_THE_HUB:
            job.finish(error=errors.KlingError(f"Job {job.id} is run by another kernel; kn.resume() follows it."))

    def show(self, job: ActiveJob, record: Record) -> None:
        """Show a record that is saved, or that cannot be saved now and is saved with its next change."""
        job.update(record, progress_of(record, expected_seconds=job.expected))
        self._index(job)

    async def claim(self, job: ActiveJob, generation_id: str) -> bool:
        """Claim an entry of the hub's queue for an uncertain job; False if it is another record's."""
        await self.expect(job)
        wanted = with_status(job.record, "queued", self.now(), generation_id=generation_id)
        saved = await asyncio.to_thread(self._log.claim, wanted)
        if saved is None:
            return False
        self.show(job, saved)
        return True

    # --- ends ---

    async def end(self, job: ActiveJob, record: Record) -> None:
        """Save how a job ended, and end every wait for it."""
        # Before the state: a job that reads as done must have its clip, also after its wait ended.
        job.path = await self._file_of(record)
        await self.save(job, record)
        self._remember(record)
        job.finish(job.path)

    def _remember(self, record: Record) -> None:
        """Add a success to the history, as the log would return it."""
        if record.status == "succeeded" and record.seconds is not None and record.model in self._history:
            self._history[record.model] = [(record.estimate.seconds, record.seconds), *self._history[record.model]][:50]

    async def _file_of(self, record: Record) -> Path | None:
        return await asyncio.to_thread(self._log.file, record.clip.digest) if record.clip else None

    async def fail(self, job: ActiveJob, kind: str, message: str, remedy: str) -> None:
        """End a job that gave no clip."""
        await self.end(job, with_failure(job.record, kind, message, remedy, self.now()))

    async def fail_all(self, jobs: Sequence[ActiveJob], exc: errors.KlingError, remedy: str) -> None:
        """End the jobs of a request that was refused."""
        for job in jobs:
            if not job.record.ended:
                await self.fail(job, type(exc).__name__, str(exc), remedy)

    async def fail_unsent(self, job: ActiveJob, kind: str, message: str) -> None:
        """Fail a job so that no later `resume` sends it, even if the log cannot be written."""
        failed = with_failure(job.record, kind, message, "Nothing was sent.", self.now())
        try:
            await self.save(job, failed)
        except errors.LogError:
            self.abandoned.add(job.record.batch)
            self.show(job, failed)

    # --- tasks ---

    def spawn(self, job: ActiveJob, work: Coroutine[Any, Any, None]) -> None:
        """Run the work of one job as a task."""
        task = asyncio.ensure_future(self.guard(work, [job]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def guard(self, work: Coroutine[Any, Any, None], jobs: Sequence[ActiveJob]) -> None:
        """Run work so that a bug of ours, or a full disk, ends the waits for its jobs instead of vanishing."""
        try:
            await work
        except Exception as exc:
            if interpreter_exits(exc):
                return
            logger.exception("the work on a job failed")
            error = exc if isinstance(exc, errors.KlingError) else errors.KlingError(f"{type(exc).__name__}: {exc}")
            for job in jobs:
                if job.state == "prepared":
                    await self.fail_unsent(job, type(exc).__name__, str(error))
                elif not job.record.ended:
                    self.report([job], trouble=str(error))
                job.finish(error=error)

    def _index(self, job: ActiveJob) -> None:
        if generation_id := job.record.generation_id:
            if job.state in AT_THE_HUB:
                self.running[generation_id] = job
            else:
                self.running.pop(generation_id, None)
