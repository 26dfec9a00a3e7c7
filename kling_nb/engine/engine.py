"""`Engine`: carries the jobs of one hub from the intent to the file.

The intent is on disk before the POST and the id the moment it arrives. An enqueue is never sent twice on a guess:
after a lost answer the hub's own list decides (HUB_API section 5).
"""

from __future__ import annotations

import asyncio
import datetime
import threading
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from typing import Any

from kling_nb import errors
from kling_nb.engine.active import ActiveJob, ActiveJobs
from kling_nb.engine.delivery import Delivery
from kling_nb.engine.job import Job
from kling_nb.engine.loop import BackgroundLoop
from kling_nb.engine.ports import Hub, Log, Screen
from kling_nb.engine.sending import Sending
from kling_nb.engine.states import AT_THE_HUB, fail, heard, move, said
from kling_nb.engine.tracking import Pace, Tracker
from kling_nb.models.generation import Generation, from_unix
from kling_nb.models.progress import Progress
from kling_nb.models.record import Record
from kling_nb.models.request import Request

#: Seconds after which a job that the hub still calls running is given up (one was seen stuck for weeks).
DEADLINE = 3600.0


def _utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class Engine:
    """The jobs of one hub. `start` and `adopt` may be called on any thread; all the work is on the loop.

    `bind` makes a record able to act; `describe` says what the catalogue knows of a request's model (price, schema).
    """

    def __init__(
        self,
        hub: Hub,
        log: Log,
        loop: BackgroundLoop,
        pace: Pace,
        *,
        bind: Callable[[Record], Record],
        screen: Screen,
        describe: Callable[[Record, Request], Awaitable[dict[str, Any]]],
        deadline: float = DEADLINE,
        now: Callable[[], datetime.datetime] = _utc_now,
    ) -> None:
        self.jobs: dict[str, Job] = {}
        """The jobs by their id."""
        self._hub, self._log, self._loop, self._pace = hub, log, loop, pace
        self._bind, self._screen = bind, screen
        self._deadline = deadline
        self._news_of: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._overdue: set[str] = set()
        self._unknown: dict[str, float] = {}
        """Since when the hub has said that it does not know a job, on the monotonic clock."""
        # What is written down by one thread is not adopted by another before its job is here.
        self._joining = threading.Lock()
        self._tracker: Tracker | None = None
        self._active = ActiveJobs(log, now, over=lambda generation_id: self._tracking().told(generation_id))
        self._sending = Sending(hub, log, self._active, self._tracking, describe, pace)
        self._delivery = Delivery(hub, log, self._active, pace)

    # --- what the studio calls ---

    def start(self, records: Sequence[Record], request: Request) -> list[Job]:
        """Write the intent down and begin the jobs of one request: one record for each generation.

        Returns at once. Raises `LogError` when it cannot be written; nothing is sent then.
        """
        keep, holder = self._log.add_reference, self._log.holder()
        known = {"holder": holder, "references": tuple(keep(asset, path=path) for path, asset in request.assets())}
        with self._joining:
            jobs = [self._join(record) for record in self._written([one.model_copy(update=known) for one in records])]
        self._loop.submit(self._active.guarded(self._sending.launch(jobs, request), jobs))
        return [self.jobs[job.id] for job in jobs]

    def adopt(self, records: Sequence[Record], request: Request | None) -> list[Job]:
        """Go on with the records of one batch from an earlier kernel; nothing is sent that may have been sent.

        Jobs that are under way here are returned as they are; one that gave up is tried again. `request` is needed
        for a batch that had not been sent; without it such a batch fails with a clear word.
        """
        with self._joining:
            going_on = [job for record in records if (job := self._active.jobs.get(record.id)) and not job.done]
            busy = {job.id for job in going_on}
            jobs = [self._join(record) for record in records if record.id not in busy]
        if jobs or going_on:
            self._loop.submit(self._active.guarded(self._resume(jobs, request, also=going_on), jobs))
        return [self.jobs[job.id] for job in (*going_on, *jobs)]

    async def aclose(self) -> None:
        """Let go whoever waits and stop tracking. The jobs at the hub go on."""
        if self._tracker:
            self._tracker.stop()
        for job in self._active.jobs.values():
            if not job.done:
                job.finish(error=errors.KlingError(f"{job.id} goes on at the hub, but this studio was closed."))

    # --- after a restart ---

    async def _resume(self, jobs: list[ActiveJob], request: Request | None, *, also: list[ActiveJob]) -> None:
        """Go on with jobs; those that are under way here `also` are only asked about at once."""
        await self._active.fail(
            [job for job in jobs if job.state == "prepared" and job.record.batch in self._active.given_up],
            errors.KlingError("It had failed before anything was sent."),
            "Nothing was sent.",
        )
        prepared = [job for job in jobs if job.state == "prepared"]
        unsure = [job for job in jobs if job.state in ("submitting", "uncertain")]
        running = [job for job in (*jobs, *also) if job.state in AT_THE_HUB]
        if running:
            self._tracking().watch([job.record.generation_id or "" for job in running], look=True)
        self._active.note(jobs, "A kernel took it up again.")
        for job in jobs:
            await self._active.expect(job.record)
            if job.state == "downloading":
                self._active.spawn(job, self._delivery.bring_in(job, None))
        if unsure:
            for job in unsure:
                if job.state == "submitting":
                    await self._active.move(
                        job, "uncertain", notes=(*job.record.notes, "The kernel ended during the enqueue.")
                    )
            await self._sending.settle(unsure)
        if prepared and request is None:
            missing = errors.LogError("The log has lost a picture of this request.")
            await self._active.fail(prepared, missing, "Nothing was sent; build it again.")
        elif prepared and request is not None:
            # Only what was never about to be sent is sent now, and after the list was read: it looks just the same.
            await self._sending.launch(prepared, request)

    # --- while the hub works ---

    async def _told(self, generation_id: str, generation: Generation | None) -> None:
        job = self._active.of(generation_id)
        if job is None or job.state not in AT_THE_HUB:
            self._tracking().told(generation_id)
            return
        try:
            await self._news(job, generation)
        except errors.LogError as exc:
            self._active.tell([job], trouble=str(exc))  # the next beat tries again; the hub has the clip

    async def _news(self, job: ActiveJob, generation: Generation | None) -> None:
        if generation is None:
            await self._unknown_to_the_hub(job)
            return
        if self._unknown.pop(job.id, None) is not None:
            self._active.tell([job])
        await self._heard(job, generation)
        self._check_deadline(job, self._age(job, generation))

    def _check_deadline(self, job: ActiveJob, age: float) -> None:
        if job.state in AT_THE_HUB and age > self._deadline and job.id not in self._overdue:
            self._overdue.add(job.id)
            self._active.spawn(job, self._give_up(job))

    async def _unknown_to_the_hub(self, job: ActiveJob) -> None:
        """One answer is no proof, of a server that is just being renewed for example: a paid clip would be given up."""
        now = time.monotonic()
        if now - self._unknown.setdefault(job.id, now) < self._pace.unknown:
            self._active.tell([job], trouble="The hub says that it does not know this job. Asking again.")
            return
        said = "The hub no longer knows this job."
        await self._active.end(
            job, fail(job.record, "lost", said, "Run it again with record.rerun().", self._active.now())
        )

    def _age(self, job: ActiveJob, generation: Generation) -> float:
        """The seconds since the hub took a job: the less of what its clock and ours say, since a clock may be put."""
        here, began = self._active.age(job), from_unix(generation.enqueued_at)
        if began is None or self._hub.clock is None:
            return here
        return min(here, (self._hub.clock - began).total_seconds())

    async def _heard(self, job: ActiveJob, generation: Generation) -> None:
        async with self._news_of[job.id]:  # a cancel and a beat may bring the same news: it must count once
            record = heard(job.record, generation, self._active.now())
            if record.status == job.state:
                return
            if record.ended:
                await self._active.end(job, record)
                return
            await self._active.save(job, record)
            if record.status == "downloading":
                self._tracking().told(generation.generation_id)
                self._active.spawn(job, self._delivery.bring_in(job, generation.result_url))

    async def _give_up(self, job: ActiveJob) -> None:
        """After the deadline: DELETE, and let the hub's record say what became of it."""
        minutes = self._deadline / 60
        try:
            await self._stop(job, f"The hub had not finished after {minutes:.0f} minutes; it was asked to stop.")
        except errors.HubError:
            self._overdue.discard(job.id)  # the next beat asks again
            return
        if job.state in AT_THE_HUB:
            said = f"The hub still calls it running after {minutes:.0f} minutes, and does not stop it."
            await self._active.end(
                job, fail(job.record, "stuck", said, "Look at the hub, then run it again.", self._active.now())
            )

    async def _cancelled(self, job: ActiveJob) -> None:
        """Before the POST a job just ends; during it, its id must be known before it can be stopped."""
        if self._sending.call_off(job):
            try:
                await self._active.end(job, move(job.record, "cancelled", self._active.now()))
            except errors.LogError as exc:
                await self._active.never_sent(job, "log", str(exc))
                job.finish(error=exc)
                raise
            return
        settled = asyncio.Event()

        def look(progress: Progress) -> None:
            if progress.status not in ("prepared", "submitting", "uncertain"):
                settled.set()

        loop = asyncio.get_running_loop()
        # Nothing is left then that could be stopped.
        job.end.add_done_callback(lambda _: loop.call_soon_threadsafe(settled.set))
        unsubscribe = job.subscribe(look)
        await settled.wait()
        unsubscribe()
        if job.state not in AT_THE_HUB:
            return
        try:
            await self._stop(job, "You cancelled it.")
        except errors.HubError as exc:
            self._active.tell([job], trouble=f"It could not be stopped: {exc}")
            raise

    async def _stop(self, job: ActiveJob, note: str) -> None:
        generation = await self._hub.cancel(job.record.generation_id or "")
        record = job.record.model_copy(update={"notes": (*job.record.notes, note)})
        job.record = said(record, note, self._active.now())
        await self._heard(job, generation)

    # --- inside ---

    def _written(self, records: Sequence[Record]) -> list[Record]:
        """Write an intent whole: of one that fails half-way nothing is left that a `resume` would send."""
        saved: list[Record] = []
        try:
            for record in records:
                saved.append(self._log.save(record))
        except BaseException as exc:  # an interrupt too: whoever stops the cell wants no clip
            interrupted = records[len(saved) :][:1] if not isinstance(exc, errors.LogError) else []  # may be written
            said = str(exc) or "It was interrupted before anything was sent."
            for record in (*saved, *interrupted):
                try:
                    self._log.save(fail(record, "log", said, "Nothing was sent.", self._active.now()))
                except errors.LogError:
                    self._active.given_up.add(record.batch)
            raise
        return saved

    def _join(self, record: Record) -> ActiveJob:
        job = self._active.add(record)
        self.jobs[job.id] = Job(job, bind=self._bind, screen=self._screen, cancel=self._cancel)
        return job

    def _cancel(self, job: ActiveJob) -> Future[None]:
        return self._loop.submit(self._cancelled(job))

    def _tracking(self) -> Tracker:
        if self._tracker is None:
            self._tracker = Tracker(
                self._hub, self._pace, ages=self._active.ages, tell=self._told, trouble=self._trouble
            )
        return self._tracker

    def _trouble(self, text: str) -> None:
        if text:
            self._unknown.clear()  # what it does not know counts only while it answers
        self._active.tell(self._active.running(), trouble=text)
        for job in self._active.running() if text else ():
            self._check_deadline(job, min(self._active.age(job), self._active.watched(job)))
