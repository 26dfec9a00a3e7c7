"""`Engine`: carries out the jobs of one hub, from the recorded intent to the file.

The intent is on disk before the POST, and the hub's id the moment it arrives. A request is never sent twice on a
guess: after a lost answer the hub's own list decides (hub-api.md section 5).

    start ── Sender ── Settler ── Tracker ── Delivery ── log
"""

from __future__ import annotations

import asyncio
import datetime
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial

from kling_nb import errors
from kling_nb.engine.active import ActiveJob, ActiveJobs
from kling_nb.engine.delivery import Delivery
from kling_nb.engine.follower import Follower
from kling_nb.engine.job import Job
from kling_nb.engine.loop import BackgroundLoop
from kling_nb.engine.pace import Pace
from kling_nb.engine.ports import Display, Hub, Log
from kling_nb.engine.sender import Describe, Sender
from kling_nb.engine.settler import Settler
from kling_nb.engine.states import AT_THE_HUB, with_failure, with_status
from kling_nb.engine.tracker import Tracker
from kling_nb.models.generation import Generation
from kling_nb.models.record import Record
from kling_nb.models.request import Request

#: Seconds of work after which the hub is asked to stop a job (some were seen stuck for weeks).
DEADLINE = 3600.0
#: Seconds between two checks whether a job that is to be cancelled has its ID.
_SETTLED_CHECK = 0.1


class Engine:
    """The jobs of one hub. `start` and `adopt` may be called on any thread; all the work is on the loop.

    `bind` attaches a record to its studio; `describe` returns what the catalogue knows of a request's model.
    """

    def __init__(
        self,
        hub: Hub,
        log: Log,
        loop: BackgroundLoop,
        pace: Pace,
        *,
        bind: Callable[[Record], Record],
        display: Display,
        describe: Describe,
        deadline: float,
    ) -> None:
        self.jobs: dict[str, Job] = {}
        """The jobs by their ids."""
        self._hub, self._log, self._loop = hub, log, loop
        self._bind, self._display = bind, display
        # A record that one thread has just saved is not adopted by another before its job is here.
        self._adding = threading.Lock()
        self._active = ActiveJobs(log, partial(datetime.datetime.now, datetime.UTC))
        self._delivery = Delivery(hub, log, self._active, pace)
        self._tracker = Tracker(hub, self._active, self._delivery, pace, deadline=deadline)
        self._settler = Settler(hub, log, self._active, self._tracker, pace)
        self._follower = Follower(log, self._active, self._continue_here)
        self._sender = Sender(hub, log, self._active, self._tracker, self._settler, describe=describe, add=self._add)

    def start(self, records: Sequence[Record], request: Request) -> list[Job]:
        """Save the intent and start the jobs of one request, a record for each generation. Returns immediately.

        Raises `LogError` if the intent cannot be saved; nothing is sent then.
        """
        references = tuple(self._log.add_reference(asset, path=path) for path, asset in request.assets())
        update = {"holder": self._log.holder(), "references": references}
        with self._adding:
            jobs = [self._add(record) for record in self._save_all([one.model_copy(update=update) for one in records])]
        self._loop.submit(self._active.guard(self._sender.send(jobs, request), jobs))
        return [self.jobs[job.id] for job in jobs]

    def adopt(self, records: Sequence[Record], request: Request | None) -> list[Job]:
        """Continue the jobs of one batch from an earlier kernel; nothing is sent that may have been sent.

        Jobs that are under way here are returned as they are; one that gave up is tried again. Without a `request`, a
        batch that had not been sent fails.
        """
        with self._adding:
            under_way = [job for record in records if (job := self._active.under_way(record.id))]
            ids = {job.id for job in under_way}
            jobs = [self._add(record) for record in records if record.id not in ids]
        if jobs or under_way:
            self._loop.submit(self._active.guard(self._resume(jobs, under_way, request), jobs))
        return [self.jobs[job.id] for job in (*under_way, *jobs)]

    def follow(self, record: Record) -> Job:
        """Return a job that follows one of another process, and takes it over when that process is gone."""
        with self._adding:
            job, new = self._follower.of(record)
            if new:
                self.jobs[job.id] = Job(
                    job, self._bind, self._display, lambda: self._loop.submit(self._cancel_followed(job))
                )
                self._loop.submit(self._active.guard(self._follower.follow(job), [job]))
            return self.jobs[job.id]

    def look(self, ticket: str) -> Future[Generation]:
        """Ask the hub about one generation; an answer proves that the key in use may see it."""
        return self._loop.submit(self._look(ticket))

    def cancel_at_hub(self, generation_id: str) -> Future[None]:
        """Ask the hub to stop a job that another process runs; that process learns of it from the hub."""
        return self._loop.submit(self._hub.cancel(generation_id))

    async def aclose(self) -> None:
        """End every wait and stop tracking. The jobs at the hub continue."""
        self._tracker.close()
        for job in (*self._active.jobs.values(), *self._follower.jobs.values()):
            if not job.done:
                message = f"The studio was closed; job {job.id} is still running at the hub."
                job.finish(error=errors.KlingError(message))

    async def _resume(self, jobs: list[ActiveJob], under_way: list[ActiveJob], request: Request | None) -> None:
        """Continue `jobs`, and ask the hub immediately about those that are `under_way` here."""
        for job in jobs:
            if job.state == "prepared" and job.record.batch in self._active.abandoned:
                message = "It had failed before anything was sent."
                await self._active.fail(job, "KlingError", message, "Nothing was sent.")
        prepared = [job for job in jobs if job.state == "prepared"]
        unsettled = [job for job in jobs if job.state in ("submitting", "uncertain")]
        if any(job.state in AT_THE_HUB for job in (*jobs, *under_way)):
            self._tracker.watch(now=True)
        self._active.note(jobs, "Resumed by another kernel.")
        for job in jobs:
            await self._active.expect(job)
            if job.state == "downloading":
                self._delivery.start(job)
        for job in unsettled:
            if job.state == "submitting":
                note = "The kernel ended while the request was being sent."
                await self._active.move(job, "uncertain", notes=(*job.record.notes, note))
        await self._settler.settle(unsettled)
        if prepared and request is None:
            missing = errors.LogError("An image of this request is missing from the log.")
            await self._active.fail_all(prepared, missing, "Nothing was sent. Build the request again.")
        elif prepared and request is not None:
            # Only after the list was read, in which an identical request could not be told apart.
            await self._sender.send(prepared, request)

    async def _continue_here(self, job: ActiveJob) -> None:
        """Carry on with a job that was followed until its process had gone."""
        self._active.adopt(job)
        await self._resume([job], [], None)

    async def _look(self, ticket: str) -> Generation:
        answer = (await self._hub.look([ticket]))[ticket]
        if isinstance(answer, errors.HubError):
            raise answer
        return answer

    async def _cancel_followed(self, job: ActiveJob) -> None:
        if self._active.jobs.get(job.id) is job:  # taken over meanwhile
            await self._cancel(job)
        elif job.record.generation_id:
            await self._hub.cancel(job.record.generation_id)
        else:
            raise errors.KlingError("The hub has not confirmed the job yet. Try again soon.")

    async def _cancel(self, job: ActiveJob) -> None:
        """Before the POST a job simply ends; during it, the job cannot be stopped until its id is known."""
        if self._sender.cancel(job):
            try:
                await self._active.end(job, with_status(job.record, "cancelled", self._active.now()))
            except errors.LogError as exc:
                await self._active.fail_unsent(job, "log", str(exc))
                job.finish(error=exc)
                raise
            return
        unsettled = ("prepared", "submitting", "uncertain")
        while job.state in unsettled and not job.done:  # noqa: ASYNC110 - the state is changed in many places
            await asyncio.sleep(_SETTLED_CHECK)
        if job.state not in AT_THE_HUB:
            return
        try:
            await self._tracker.stop(job, "You cancelled it.")
        except errors.HubError as exc:
            self._active.report([job], trouble=f"It could not be stopped: {exc}")
            raise

    def _save_all(self, records: Sequence[Record]) -> list[Record]:
        """Save an intent whole: if it fails half-way, nothing is left that a `resume` would send."""
        saved: list[Record] = []
        try:
            for record in records:
                saved.append(self._log.save(record))
        except BaseException as exc:  # an interrupt too: a user who stops the cell wants no clip
            in_doubt = records[len(saved) :][:1] if not isinstance(exc, errors.LogError) else []  # may be saved
            message = str(exc) or "Interrupted before anything was sent."
            for record in (*saved, *in_doubt):
                try:
                    self._log.save(with_failure(record, "log", message, "Nothing was sent.", self._active.now()))
                except errors.LogError:
                    self._active.abandoned.add(record.batch)
            raise
        return saved

    def _add(self, record: Record) -> ActiveJob:
        job = self._active.add(record)
        self.jobs[job.id] = Job(job, self._bind, self._display, lambda: self._loop.submit(self._cancel(job)))
        return job
