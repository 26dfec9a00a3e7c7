"""`Engine`: carries the jobs of one hub from the intent to the file.

The intent is on disk before the POST and the id the moment it arrives. An enqueue is never sent twice on a guess:
after a lost answer the hub's own list decides (HUB_API section 5).
"""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from kling_nb import errors
from kling_nb.engine.job import Job
from kling_nb.engine.ports import Hub, Log, Screen
from kling_nb.engine.settle import ours
from kling_nb.engine.states import AT_THE_HUB, fail, heard, move, progress_of
from kling_nb.engine.tracker import Tracker
from kling_nb.loop import BackgroundLoop
from kling_nb.models.asset import public_url
from kling_nb.models.generation import Generation
from kling_nb.models.progress import Progress
from kling_nb.models.record import Record
from kling_nb.models.request import Request
from kling_nb.pace import Pace, expected_seconds

logger = logging.getLogger(__name__)

#: Seconds after which a job that the hub still calls running is given up (one was seen stuck for weeks).
DEADLINE = 3600.0
#: How often, and how many seconds apart, the hub's list is read after a lost answer.
SETTLE_LOOKS, SETTLE_EVERY = 4, 2.0
_DOWNLOADS_AT_ONCE, _CLIP_ATTEMPTS = 4, 2


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
        settle_every: float = SETTLE_EVERY,
        now: Callable[[], datetime.datetime] = _utc_now,
    ) -> None:
        self._hub, self._log, self._loop, self._pace = hub, log, loop, pace
        self._bind, self._screen, self._describe = bind, screen, describe
        self._deadline, self._settle_every, self._now = deadline, settle_every, now
        self.jobs: dict[str, Job] = {}
        self._by_generation: dict[str, Job] = {}
        self._unwanted: set[str] = set()
        self._sending: set[str] = set()
        self._news_of: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        # Equal requests are enqueued or settled one at a time: the hub's list cannot tell them apart.
        self._equal: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._expected: dict[str, float | None] = {}
        self._overdue: set[str] = set()
        self._tracker: Tracker | None = None
        self._downloads: asyncio.Semaphore | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # --- what the studio calls ---

    def start(self, records: Sequence[Record], request: Request) -> list[Job]:
        """Write the intent down and begin the jobs of one request: one record for each generation.

        Returns at once. Raises `LogError` when it cannot be written; nothing is sent then.
        """
        keep, holder = self._log.keep_reference, self._log.holder()
        known = {"holder": holder, "references": tuple(keep(asset, path=path) for path, asset in request.assets())}
        jobs = [self._job(self._log.save(record.model_copy(update=known))) for record in records]
        self._loop.submit(self._guarded(self._launch(jobs, request), jobs))
        return jobs

    def adopt(self, records: Sequence[Record], request: Request | None) -> list[Job]:
        """Go on with the records of one batch from an earlier kernel; nothing is sent that may have been sent.

        Jobs that are under way here are returned as they are; one that gave up is tried again. `request` is needed
        for a batch that had not been sent; without it such a batch fails with a clear word.
        """
        going_on = [job for record in records if (job := self.jobs.get(record.id)) and not job.over]
        busy = {job.id for job in going_on}
        jobs = [self._job(record) for record in records if record.id not in busy]
        if jobs:
            self._loop.submit(self._guarded(self._resume(jobs, request), jobs))
        return [*going_on, *jobs]

    async def aclose(self) -> None:
        """Let go whoever waits and stop tracking. The jobs at the hub go on."""
        if self._tracker:
            self._tracker.stop()
        for job in self.jobs.values():
            if not job.over:
                job.finish(error=errors.KlingError(f"{job.id} goes on at the hub, but this studio was closed."))

    # --- from the intent to the hub ---

    async def _launch(self, jobs: list[Job], request: Request) -> None:
        try:
            await self._tracking().listen()
            addresses = await self._addresses(jobs, request)
            known = await self._describe(jobs[0].kept, request)
        except errors.KlingError as exc:
            await self._fail(jobs, exc, "Nothing was sent and nothing billed; run it again.")
            return
        wanted = [job for job in jobs if job.id not in self._unwanted]
        self._sending.update(job.id for job in wanted)  # in one step: from here on, a cancel waits for the id
        if wanted:
            body = request.body(lambda asset: addresses[asset.identity])
            await self._submit(wanted, {**body, "num_generations": len(wanted)}, known)

    async def _addresses(self, jobs: list[Job], request: Request) -> dict[str, str]:
        addresses: dict[str, str] = {}
        for asset in dict.fromkeys(asset for _, asset in request.assets()):
            if asset.url is None:
                self._tell(jobs, uploading=asset.name)
            addresses[asset.identity] = await self._hub.address_of(asset)
        self._tell(jobs)
        return addresses

    async def _submit(self, jobs: list[Job], body: dict[str, Any], known: dict[str, Any]) -> None:
        public, now = _public(body), self._now()
        asking = [move(job.kept, "submitting", now, sent=public, **known) for job in jobs]
        try:
            saved = await asyncio.to_thread(self._log.spend, asking)
        except errors.BudgetError as exc:
            await self._fail(jobs, exc, "Nothing was sent and nothing billed.")
            return
        for job, record in zip(jobs, saved, strict=True):
            job.become(record, progress_of(record))
        async with self._equal[jobs[0].kept.request_hash]:
            await self._enqueue(jobs, body)

    async def _enqueue(self, jobs: list[Job], body: dict[str, Any]) -> None:
        try:
            ids = await self._hub.enqueue(body)
        except errors.KlingError as exc:
            if not _in_doubt(exc):
                await self._fail(jobs, exc, _remedy(exc))
                return
            for job in jobs:
                await self._move(job, "uncertain", notes=(*job.kept.notes, f"The answer to the enqueue: {exc}"))
            await self._settle(jobs)
        else:
            await self._accepted(jobs, ids)

    async def _accepted(self, jobs: list[Job], ids: Sequence[str]) -> None:
        for job, generation_id in zip(jobs, ids, strict=False):
            await self._move(job, "queued", generation_id=generation_id)
        self._tracking().watch(ids[: len(jobs)])
        for job in jobs[len(ids) :]:
            said = f"The hub took {len(ids)} of {len(jobs)} generations."
            await self._end(job, fail(job.kept, "refused", said, "Run it again for the rest.", self._now()))

    async def _settle(self, jobs: list[Job]) -> None:
        """Find out from the hub's list whether it has jobs whose answer was lost. Never sends them again."""
        found = await self._looked_for(jobs)
        if found is None:
            return
        for job, generation in zip(jobs, found, strict=False):
            await self._move(job, "queued", generation_id=generation.generation_id)
        self._tracking().watch([generation.generation_id for generation in found], look=True)
        for job in jobs[len(found) :]:
            said = "The answer to the enqueue was lost, and the hub's queue does not have the job."
            remedy = "Most likely nothing was made or billed; run it again with record.rerun()."
            await self._end(job, fail(job.kept, "lost", said, remedy, self._now()))

    async def _looked_for(self, jobs: list[Job]) -> list[Generation] | None:
        found: list[Generation] = []
        looked = 0
        while len(found) < len(jobs) and looked < SETTLE_LOOKS:
            if looked:
                await asyncio.sleep(self._settle_every)
            try:
                found = await self._find(jobs)
                looked += 1
                self._tell(jobs)
            except (errors.Unreachable, errors.ReplyLost, errors.HubFault, errors.RateLimited) as exc:
                self._tell(jobs, trouble=f"{exc} Asking again.")
                await asyncio.sleep(self._settle_every)
            except errors.HubError as exc:
                for job in jobs:
                    self._tell([job], trouble=str(exc))
                    job.finish(error=exc)
                return None
        return found

    async def _find(self, jobs: list[Job]) -> list[Generation]:
        record = jobs[0].record
        listed = await self._hub.listed(model=record.model)
        for status in ("succeeded", "failed", "cancelled"):
            listed += await self._hub.listed(model=record.model, status=status)
        unique = {generation.generation_id: generation for generation in listed}
        claimed = await asyncio.to_thread(self._log.claimed, list(unique))
        since = record.times.submitted or record.times.created
        return ours(unique.values(), record.sent or {}, since=since, claimed=claimed, count=len(jobs))

    # --- after a restart ---

    async def _resume(self, jobs: list[Job], request: Request | None) -> None:
        prepared = [job for job in jobs if job.state == "prepared"]
        unsure = [job for job in jobs if job.state in ("submitting", "uncertain")]
        running = [job for job in jobs if job.state in AT_THE_HUB]
        if running:
            self._tracking().watch([job.kept.generation_id or "" for job in running], look=True)
        for job in jobs:
            await self._expect(job.kept)
            if job.state == "downloading":
                self._spawn(job, self._bring_in(job, None))
        if unsure:
            for job in unsure:
                if job.state == "submitting":
                    await self._move(job, "uncertain", notes=(*job.kept.notes, "The kernel ended during the enqueue."))
            async with self._equal[unsure[0].kept.request_hash]:
                await self._settle(unsure)
        if prepared and request is None:
            missing = errors.LogError("The log has lost a picture of this request.")
            await self._fail(prepared, missing, "Nothing was sent; build it again.")
        elif prepared and request is not None:
            # Only what was never about to be sent is sent now, and after the list was read: it looks just the same.
            await self._launch(prepared, request)

    # --- while the hub works ---

    async def _told(self, generation_id: str, generation: Generation | None) -> None:
        job = self._by_generation.get(generation_id)
        if job is None or job.state not in AT_THE_HUB:
            self._tracking().told(generation_id)
            return
        try:
            await self._news(job, generation)
        except errors.LogError as exc:
            self._tell([job], trouble=str(exc))  # the next beat tries again; the hub has the clip

    async def _news(self, job: Job, generation: Generation | None) -> None:
        if generation is None:
            said = "The hub no longer knows this job."
            await self._end(job, fail(job.kept, "lost", said, "Run it again with record.rerun().", self._now()))
            return
        await self._heard(job, generation)
        if job.state in AT_THE_HUB and self._age(job) > self._deadline and job.id not in self._overdue:
            self._overdue.add(job.id)
            self._spawn(job, self._give_up(job))

    async def _heard(self, job: Job, generation: Generation) -> None:
        async with self._news_of[job.id]:  # a cancel and a beat may bring the same news: it must count once
            record = heard(job.kept, generation, self._now())
            if record.status == job.state:
                return
            if record.ended:
                await self._end(job, record)
                return
            await self._save(job, record)
            if record.status == "downloading":
                self._tracking().told(generation.generation_id)
                self._spawn(job, self._bring_in(job, generation.result_url))

    async def _give_up(self, job: Job) -> None:
        """After the deadline: DELETE, and let the hub's record say what became of it."""
        minutes = self._deadline / 60
        try:
            await self._stop(job, f"The hub had not finished after {minutes:.0f} minutes; it was asked to stop.")
        except errors.HubError:
            self._overdue.discard(job.id)  # the next beat asks again
            return
        if job.state in AT_THE_HUB:
            said = f"The hub still calls it running after {minutes:.0f} minutes, and does not stop it."
            await self._end(job, fail(job.kept, "stuck", said, "Look at the hub, then run it again.", self._now()))

    async def _cancelled(self, job: Job) -> None:
        """Before the POST a job just ends; during it, its id must be known before it can be stopped."""
        self._unwanted.add(job.id)
        if job.state == "prepared" and job.id not in self._sending:
            await self._end(job, move(job.kept, "cancelled", self._now()))
            return
        settled = asyncio.Event()

        def look(progress: Progress) -> None:
            if progress.status not in ("prepared", "submitting", "uncertain"):
                settled.set()

        unsubscribe = job.subscribe(look)
        await settled.wait()
        unsubscribe()
        if job.state not in AT_THE_HUB:
            return
        try:
            await self._stop(job, "You cancelled it.")
        except errors.HubError as exc:
            self._tell([job], trouble=f"It could not be stopped: {exc}")
            raise

    async def _stop(self, job: Job, note: str) -> None:
        generation = await self._hub.cancel(job.kept.generation_id or "")
        job.become(job.kept.model_copy(update={"notes": (*job.kept.notes, note)}), job.progress)
        await self._heard(job, generation)

    # --- from the hub to the file ---

    async def _bring_in(self, job: Job, url: str | None) -> None:
        async def renew() -> str | None:
            return (await self._hub.generation(job.kept.generation_id or "")).result_url

        self._downloads = self._downloads or asyncio.Semaphore(_DOWNLOADS_AT_ONCE)
        async with self._downloads:
            for attempt in range(1, _CLIP_ATTEMPTS + 1):
                try:
                    await self._fetch(job, url or await renew(), renew)
                    return
                except (errors.HubError, errors.TransferError, errors.LogError) as exc:
                    if attempt == _CLIP_ATTEMPTS or isinstance(exc, errors.LogError):
                        self._tell([job], trouble=f"{exc} The clip is safe at the hub; kn.resume() fetches it.")
                        job.finish(error=exc)
                        return

    async def _fetch(self, job: Job, url: str | None, renew: Any) -> None:
        if not url:
            raise errors.TransferError("The hub calls the job done, but gives no address for its clip.")
        partial = await asyncio.to_thread(self._log.partial, job.id)
        fetched = await self._hub.fetch(url, partial, renew)
        try:
            clip = await asyncio.to_thread(self._log.keep_clip, job.id, fetched.file, fetched.digest)
        except errors.TransferError:
            await asyncio.to_thread(partial.unlink, missing_ok=True)  # whole, but no clip: fetch it from the start
            raise
        await self._end(job, move(job.kept, "succeeded", self._now(), clip=clip))

    # --- bookkeeping ---

    def _job(self, record: Record) -> Job:
        job = Job(record, progress_of(record), bind=self._bind, screen=self._screen, stop=self._cancel)
        self.jobs[record.id] = job
        if record.generation_id:
            self._by_generation[record.generation_id] = job
        return job

    def _cancel(self, job: Job) -> Future[None]:
        return self._loop.submit(self._cancelled(job))

    def _tracking(self) -> Tracker:
        if self._tracker is None:
            self._tracker = Tracker(self._hub, self._pace, ages=self._ages, tell=self._told, trouble=self._trouble)
        return self._tracker

    def _running(self) -> list[Job]:
        return [job for job in self.jobs.values() if job.state in AT_THE_HUB]

    def _age(self, job: Job) -> float:
        return (self._now() - (job.kept.times.accepted or job.kept.times.created)).total_seconds()

    def _ages(self) -> list[tuple[float, float | None]]:
        return [(self._age(job), self._expected.get(job.id)) for job in self._running()]

    def _trouble(self, text: str) -> None:
        self._tell(self._running(), trouble=text)

    def _tell(self, jobs: Sequence[Job], *, uploading: str = "", trouble: str = "") -> None:
        for job in jobs:
            expected = self._expected.get(job.id)
            progress = progress_of(job.kept, expected_seconds=expected, uploading=uploading, trouble=trouble)
            if progress != job.progress:
                job.become(job.kept, progress)

    async def _expect(self, record: Record) -> None:
        history = await asyncio.to_thread(self._log.durations, record.model, record.hub)
        self._expected[record.id] = expected_seconds(history, record.estimate.seconds)

    async def _move(self, job: Job, status: Any, **changes: Any) -> None:
        if status == "queued":
            await self._expect(job.kept)
        await self._save(job, move(job.kept, status, self._now(), **changes))

    async def _save(self, job: Job, record: Record) -> None:
        if record.generation_id:
            self._by_generation[record.generation_id] = job
        saved = await asyncio.to_thread(self._log.save, record)
        job.become(saved, progress_of(saved, expected_seconds=self._expected.get(saved.id)))

    async def _end(self, job: Job, record: Record) -> None:
        await self._save(job, record)
        if record.generation_id:
            self._tracking().told(record.generation_id)
        path: Path | None = None
        if job.kept.clip:
            path = await asyncio.to_thread(self._log.file, job.kept.clip.digest)
        self._expected.pop(job.id, None)
        job.finish(path)

    async def _fail(self, jobs: Sequence[Job], exc: errors.KlingError, remedy: str) -> None:
        for job in jobs:
            if not job.kept.ended:
                await self._end(job, fail(job.kept, type(exc).__name__, str(exc), remedy, self._now()))

    def _spawn(self, job: Job, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(self._guarded(work, [job]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None], jobs: Sequence[Job]) -> None:
        """A fault of ours, or a full disk, must reach whoever waits, and not vanish in a task."""
        try:
            await work
        except Exception as exc:
            logger.exception("a job's work ended with an error")
            error = exc if isinstance(exc, errors.KlingError) else errors.KlingError(f"{type(exc).__name__}: {exc}")
            for job in jobs:
                if job.state == "prepared":  # nothing was sent; the log may be what fails, so it is only shown
                    failed = fail(job.kept, type(exc).__name__, str(error), "Nothing was sent.", self._now())
                    job.become(failed, progress_of(failed))
                elif not job.kept.ended:
                    self._tell([job], trouble=str(error))
                job.finish(error=error)


def _public(value: Any) -> Any:
    """Return a body as a record may keep it: addresses without signatures, data URIs without data."""
    match value:
        case str() if value.startswith("data:"):
            return f"{value.partition(',')[0]},…"
        case str() if value.startswith(("http://", "https://")):
            return public_url(value)
        case dict():
            return {name: _public(item) for name, item in value.items()}
        case list():
            return [_public(item) for item in value]
        case _:
            return value


def _in_doubt(exc: errors.KlingError) -> bool:
    """Whether the hub may have taken an enqueue that ended so: only a plain refusal is one (HUB_API section 5)."""
    if isinstance(exc, errors.ReplyLost | errors.HubFault):
        return True
    return isinstance(exc, errors.HubError) and (exc.status or 0) >= 500


def _remedy(exc: errors.KlingError) -> str:
    match exc:
        case errors.AuthError():
            return "Nothing was billed. Set a valid OXEN_API_KEY; kn.hub() says where the one in use came from."
        case errors.CreditError():
            return "Nothing was billed."
        case errors.ModelNotFound(alternatives=names) if names:
            return f"Nothing was billed. Use model={names[0]!r}."
        case errors.RateLimited() | errors.Unreachable():
            return "Nothing was billed; run it again later."
        case _:
            return "Nothing was queued. Mend it as the message says, and run it again."
