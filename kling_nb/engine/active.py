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
from pathlib import Path
from typing import Any

from kling_nb import errors
from kling_nb.engine.loop import at_the_end
from kling_nb.engine.ports import Log
from kling_nb.engine.states import AT_THE_HUB, fail, move, progress_of, said
from kling_nb.engine.tracking import expected_seconds
from kling_nb.models.progress import Progress
from kling_nb.models.record import Record, Status

logger = logging.getLogger(__name__)


Listener = Callable[[Progress], None]


class ActiveJob:
    """The engine's side of a job: its record, its progress, and the future that its `Job` waits for.

    `record` is as the log has it, without a way to act on it. Changed on the engine's loop, read on any thread.
    """

    def __init__(self, record: Record) -> None:
        self.record, self.progress = record, progress_of(record)
        self.end: Future[Path | None] = Future()
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
        """See `ActiveJob.subscribe`."""
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
        """End every wait: with the file, or with the reason why there is none here."""
        if not self.end.done():
            if error is None:
                self.end.set_result(path)
            else:
                self.end.set_exception(error)


class ActiveJobs:
    """The jobs by their id. `over` is called with the hub's id of a job that has ended."""

    def __init__(self, log: Log, now: Callable[[], datetime.datetime], over: Callable[[str], None]) -> None:
        self._log, self._over = log, over
        self.now = now
        self.jobs: dict[str, ActiveJob] = {}
        self._by_generation: dict[str, ActiveJob] = {}
        self._since: dict[str, float] = {}
        self._expected: dict[str, float | None] = {}
        self._history: dict[str, list[tuple[float, float]]] = {}
        """How long each model took, as long as nothing new is known."""
        self._tasks: set[asyncio.Task[None]] = set()
        self.given_up: set[str] = set()
        """Batches that were shown as failed before anything was sent, where the log could not be told."""

    def add(self, record: Record) -> ActiveJob:
        """Begin to track a record's job."""
        job = self.jobs[record.id] = ActiveJob(record)
        self._since[job.id] = time.monotonic()
        if job.record.generation_id:
            self._by_generation[job.record.generation_id] = job
        return job

    def of(self, generation_id: str) -> ActiveJob | None:
        """Return the job that the hub calls so."""
        return self._by_generation.get(generation_id)

    def running(self) -> list[ActiveJob]:
        """Return the jobs that the hub works on."""
        return [job for job in list(self.jobs.values()) if job.state in AT_THE_HUB]  # other threads add to them

    def age(self, job: ActiveJob) -> float:
        """Return the seconds since the hub took a job."""
        return (self.now() - (job.record.times.accepted or job.record.times.created)).total_seconds()

    def watched(self, job: ActiveJob) -> float:
        """Return the seconds for which a job was here, on a clock that nobody puts forward."""
        return time.monotonic() - self._since.get(job.id, time.monotonic())

    def ages(self) -> list[tuple[float, float | None]]:
        """Return each running job's age and expected time, in seconds."""
        return [(self.age(job), self._expected.get(job.id)) for job in self.running()]

    def tell(self, jobs: Sequence[ActiveJob], *, uploading: str = "", trouble: str = "") -> None:
        """Show how jobs stand: what is being uploaded, or what is in the way."""
        if words := trouble or (f"Sending {uploading}." if uploading else ""):
            self.note(jobs, words)
        for job in jobs:
            expected = self._expected.get(job.id)
            progress = progress_of(job.record, expected_seconds=expected, uploading=uploading, trouble=trouble)
            if progress != job.progress:
                job.update(job.record, progress)

    def note(self, jobs: Sequence[ActiveJob], words: str) -> None:
        """Keep what was said of jobs on their way; it is written down with the next change of each."""
        for job in jobs:
            job.record = said(job.record, words, self.now())

    async def write_down(self, job: ActiveJob) -> None:
        """Write down what was said of a job that stays as it is."""
        job.record = await asyncio.to_thread(self._log.save, job.record)

    async def expect(self, record: Record) -> None:
        """Work out how long a job will take, from the log's own history, where that can be read."""
        if record.model not in self._history:
            with contextlib.suppress(errors.LogError):  # a guess at the time is worth no paid job
                self._history[record.model] = await asyncio.to_thread(self._log.durations, record.model, record.hub)
        self._expected[record.id] = expected_seconds(self._history.get(record.model, ()), record.estimate.seconds)

    async def move(self, job: ActiveJob, status: Any, **changes: Any) -> None:
        """Take a job to another state."""
        await self.save(job, move(job.record, status, self.now(), **changes))
        if status == "queued":  # only now: the hub's id is written the moment it arrives
            await self.expect(job.record)
            self.tell([job])

    async def save(self, job: ActiveJob, record: Record) -> None:
        """Write a record down, then tell who watches its job."""
        if record.generation_id:
            self._by_generation[record.generation_id] = job
        saved = await asyncio.to_thread(self._log.save, record)
        self._become(job, saved)

    def _become(self, job: ActiveJob, saved: Record) -> None:
        job.update(saved, progress_of(saved, expected_seconds=self._expected.get(saved.id)))

    def hold(self, job: ActiveJob, record: Record) -> None:
        """Go on with a record that cannot be written now; its next change is written with it."""
        if record.generation_id:
            self._by_generation[record.generation_id] = job
        self._become(job, record)

    async def claim(self, job: ActiveJob, generation_id: str) -> bool:
        """Take an uncertain job's entry in the hub's queue for its own; False when it is another record's."""
        await self.expect(job.record)
        wanted = move(job.record, "queued", self.now(), generation_id=generation_id)
        saved = await asyncio.to_thread(self._log.claim, wanted)
        if saved is None:
            return False
        self._by_generation[generation_id] = job
        self._become(job, saved)
        return True

    async def end(self, job: ActiveJob, record: Record) -> None:
        """Write down how a job ended, and let go whoever waits."""
        await self.save(job, record)
        if record.generation_id:
            self._over(record.generation_id)
        path: Path | None = None
        if job.record.clip:
            path = await asyncio.to_thread(self._log.file, job.record.clip.digest)
        self._expected.pop(job.id, None)
        self._history.pop(record.model, None)
        job.finish(path)

    async def fail(self, jobs: Sequence[ActiveJob], exc: errors.KlingError, remedy: str) -> None:
        """End jobs that nothing was made of."""
        for job in jobs:
            if not job.record.ended:
                await self.end(job, fail(job.record, type(exc).__name__, str(exc), remedy, self.now()))

    def spawn(self, job: ActiveJob, work: Coroutine[Any, Any, None]) -> None:
        """Carry out work of one job beside the rest."""
        task = asyncio.ensure_future(self.guarded(work, [job]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def guarded(self, work: Coroutine[Any, Any, None], jobs: Sequence[ActiveJob]) -> None:
        """A fault of ours, or a full disk, must reach whoever waits, and not vanish in a task."""
        try:
            await work
        except Exception as exc:
            if at_the_end(exc):
                return
            logger.exception("a job's work ended with an error")
            error = exc if isinstance(exc, errors.KlingError) else errors.KlingError(f"{type(exc).__name__}: {exc}")
            for job in jobs:
                if job.state == "prepared":
                    await self.never_sent(job, type(exc).__name__, str(error))
                elif not job.record.ended:
                    self.tell([job], trouble=str(error))
                job.finish(error=error)

    async def never_sent(self, job: ActiveJob, kind: str, message: str) -> None:
        """What is shown as failed must not be sent by a later `resume`, also where the log is what fails."""
        failed = fail(job.record, kind, message, "Nothing was sent.", self.now())
        try:
            await self.save(job, failed)
        except errors.LogError:
            self.given_up.add(job.record.batch)
            job.update(failed, progress_of(failed))
