"""`Sender`: from the recorded intent to the hub's IDs, without sending a request twice (hub-api.md section 5)."""

from __future__ import annotations

import asyncio
import datetime
import platform
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import cache
from importlib import metadata
from typing import Any

from kling_nb import errors
from kling_nb.engine.active import ActiveJob, ActiveJobs
from kling_nb.engine.ports import Hub, Log
from kling_nb.engine.settling import Settler, public
from kling_nb.engine.states import with_status
from kling_nb.engine.tracking import Tracker
from kling_nb.models.canonical import canonical_request, delivery_of, hash_of
from kling_nb.models.price import Estimate, distinct_amounts
from kling_nb.models.record import Record, Times
from kling_nb.models.request import Request
from kling_nb.models.urls import redact_urls

Describe = Callable[[Record, Request], Awaitable[dict[str, Any]]]
"""Returns what the catalogue knows of a request's model now (its price and its schema), for the record."""


#: A hub that does not answer for this many seconds is named, and again after as many.
_SILENT = 5.0


class Sender:
    """Sends requests, and settles those whose answer was lost."""

    def __init__(
        self,
        hub: Hub,
        log: Log,
        active: ActiveJobs,
        tracker: Tracker,
        settler: Settler,
        *,
        describe: Describe,
        add: Callable[[Record], ActiveJob],
    ) -> None:
        self._hub, self._log, self._active, self._add = hub, log, active, add
        self._tracker, self._settler, self._describe = tracker, settler, describe
        self._unwanted: set[str] = set()
        self._sending: dict[str, tuple[list[ActiveJob], asyncio.Event]] = {}
        """For each job that is being sent: its request's jobs, and an event to set once none of them is wanted."""

    async def send(self, jobs: list[ActiveJob], request: Request) -> None:
        """Upload the images of a request and submit it; a refusal ends its jobs."""
        telling = asyncio.ensure_future(self._tell_silence(jobs))
        try:
            await self._send(jobs, request)
        finally:
            telling.cancel()

    async def _tell_silence(self, jobs: list[ActiveJob]) -> None:
        """Show for how long the hub has not answered, while a request is on its way to it."""
        hub = "The local hub" if jobs[0].record.hub == "local" else f"The hub at {jobs[0].record.hub}"
        while True:
            await asyncio.sleep(_SILENT)
            if (seconds := self._hub.silence()) >= _SILENT:
                waiting = [job for job in jobs if not job.progress.uploading and not job.record.ended]
                self._active.show_trouble(waiting, f"{hub} has not answered for {seconds:.0f} s.")

    async def _send(self, jobs: list[ActiveJob], request: Request) -> None:
        try:
            await self._tracker.listen()
            urls = await self._upload(jobs, request)
            known = await self._describe(jobs[0].record, request)
            self._check_price(jobs, known)
        except errors.KlingError as exc:
            await self._active.fail_all(jobs, exc, "Nothing was sent or billed. Try again.")
            return
        wanted = [job for job in jobs if job.id not in self._unwanted and not job.record.ended]
        # Without an await in between: from here on, a cancel waits for the hub's id.
        self._sending.update(dict.fromkeys((job.id for job in wanted), (wanted, asyncio.Event())))
        try:
            if wanted:
                body = {**request.body(lambda asset: urls[asset.identity]), "num_generations": len(wanted)}
                if mine := await self._record_submission(wanted, body, known):
                    await self._submit(mine, {**body, "num_generations": len(mine)})
        finally:
            for job in wanted:
                self._sending.pop(job.id, None)

    def cancel(self, job: ActiveJob) -> bool:
        """Mark a job as unwanted; return whether it will not be sent."""
        self._unwanted.add(job.id)
        if job.id not in self._sending:
            return job.state == "prepared"
        batch, unwanted = self._sending[job.id]
        if all(each.id in self._unwanted for each in batch):
            unwanted.set()  # not sent again between two attempts
        return False

    async def _upload(self, jobs: list[ActiveJob], request: Request) -> dict[str, str]:
        """Return the URL of each image by its identity."""
        urls: dict[str, str] = {}
        for asset in dict.fromkeys(asset for _, asset in request.assets()):
            if asset.url is None:
                self._active.report(jobs, uploading=asset.name)
            urls[asset.identity] = await self._hub.upload(asset)
        self._active.report(jobs)
        return urls

    def _check_price(self, jobs: list[ActiveJob], known: dict[str, Any]) -> None:
        """Refuse a price above the one that the hub gave before, or that a plan was agreed on for."""
        now, before = known.get("estimate"), jobs[0].record.estimate
        if now is None or before.each is None or (now.each is not None and now.each <= before.each):
            return
        asked, expected = now.each and now.each * len(jobs), before.each * len(jobs)
        if asked is None:
            message = f"The price is now unknown; {before.source_text} was ${expected:.2f}."
        else:
            shown, was = distinct_amounts(asked, expected)
            message = f"The price is now ${shown}; {before.source_text} was ${was}."
        if before.source == "live" or jobs[0].record.plan:
            raise errors.BudgetError(message, asked=asked, left=expected, limit="price")
        self._active.note(jobs, message)

    async def _record_submission(
        self, jobs: list[ActiveJob], body: dict[str, Any], known: dict[str, Any]
    ) -> list[ActiveJob]:
        """Record that jobs are being sent, if the budget allows it; return those that no other kernel is sending."""
        sent, now = public(body), self._active.now()
        submitting = [with_status(job.record, "submitting", now, sent=sent, **known) for job in jobs]
        try:
            saved = await asyncio.to_thread(self._log.spend, submitting)
        except errors.BudgetError as exc:
            await self._active.fail_all(jobs, exc, "Nothing was sent or billed.")
            return []
        mine: list[ActiveJob] = []
        for job, record in zip(jobs, saved, strict=True):
            if record is None:
                job.finish(error=errors.KlingError(f"Job {job.id} is run by another kernel; see kn.log()."))
            else:
                self._active.show(job, record)
                mine.append(job)
        return mine

    async def _submit(self, jobs: list[ActiveJob], body: dict[str, Any]) -> None:
        _, unwanted = self._sending[jobs[0].id]
        for job in jobs:
            job.sent = self._hub.clock
        try:
            ids = await self._hub.submit(body, lambda message: self._active.note(jobs, message), unwanted)
        except errors.RequestCancelled:
            for job in jobs:
                await self._active.end(job, with_status(job.record, "cancelled", self._active.now()))
        except errors.KlingError as exc:
            if not may_have_accepted(exc):
                await self._active.fail_all(jobs, exc, _remedy(exc))
                return
            await self._settle(jobs, redact_urls(f"The submission's answer: {exc}"))
        else:
            await self._accept(jobs, ids)

    async def _accept(self, jobs: list[ActiveJob], named: Sequence[str]) -> None:
        """Give each job its id; an id belongs to one job, here and in the log."""
        ids, others = list(dict.fromkeys(named)), set[str]()
        with suppress(errors.LogError):
            others = await asyncio.to_thread(self._log.claimed, ids, by_others_than=[job.id for job in jobs])
        ids = [one for one in ids if one not in others]
        if len(ids) != len(jobs):
            self._active.note(jobs, f"The hub named {len(ids)} generations; {len(jobs)} were asked for.")
        jobs = [*jobs, *[await self._added(jobs[0].record, jobs, extra) for extra in range(len(ids) - len(jobs))]]
        for job, generation_id in zip(jobs, ids, strict=False):
            try:
                await self._active.move(job, "queued", generation_id=generation_id)
            except errors.LogError as exc:  # the hub has it and bills it: track it, and save it with its next change
                record = with_status(job.record, "queued", self._active.now(), generation_id=generation_id)
                job.unsaved += 1
                self._active.show(job, record)
                self._active.report([job], trouble=f"The hub has the job. {exc}")
        self._tracker.watch()
        if unnamed := jobs[len(ids) :]:  # they may be billed all the same
            await self._settle(unnamed, "The hub's answer did not name this generation.")

    async def _added(self, first: Record, jobs: Sequence[ActiveJob], number: int) -> ActiveJob:
        """Return a job for a generation that was not asked for, but is billed."""
        index = max(job.record.index for job in jobs) + 1 + number
        record = sibling(first, index).model_copy(update={"generations": max(first.generations, index + 1)})
        with suppress(errors.LogError):  # it is saved with its next change
            record = await asyncio.to_thread(self._log.save, record)
        return self._add(record)

    async def _settle(self, jobs: Sequence[ActiveJob], note: str) -> None:
        for job in jobs:
            await self._active.move(job, "uncertain", notes=(*job.record.notes, note))
        await self._settler.settle(jobs)


def may_have_accepted(exc: errors.KlingError) -> bool:
    """Return whether the hub may have accepted a request that failed so; only a plain refusal is certain."""
    if isinstance(exc, errors.NotAHub):
        return False
    return isinstance(exc, errors.NoResponse | errors.ServerError) or (
        isinstance(exc, errors.HubError) and (exc.status or 0) >= 500
    )


def _remedy(exc: errors.KlingError) -> str:
    match exc:
        case errors.AuthError():
            return "Nothing was billed. Set a valid OXEN_API_KEY; kn.hub() shows where the current key is from."
        case errors.CreditError():
            return "Nothing was billed."
        case errors.ModelNotFound(alternatives=names) if names:
            return f"Nothing was billed. Use model={names[0]!r}."
        case errors.Unreachable():
            return "Nothing was sent or billed. Try again later."
        case errors.RateLimited():
            return "Nothing was billed. Try again later."
        case _:
            return "Nothing was queued. Fix the request and try again."


def records_for(
    request: Request, *, estimate: Estimate, now: datetime.datetime, tags: Sequence[str] = (), **facts: Any
) -> list[Record]:
    """Return the records of a request's generations, all `prepared`, with one batch id.

    `facts` are other fields of `Record`: which hub it is for, where it comes from.
    """
    canonical = canonical_request(request)
    batch = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    first = Record(
        id=f"{batch}-0",
        batch=batch,
        generations=request.num_generations,
        model=request.model,
        canonical=canonical,
        request_hash=hash_of(canonical),
        delivery=delivery_of(request),
        estimate=estimate,
        times=Times(created=now),
        tags=tuple(dict.fromkeys(filter(None, map(str.strip, tags)))),
        versions=versions(),
        **facts,
    )
    return [sibling(first, index) for index in range(request.num_generations)]


def sibling(record: Record, index: int) -> Record:
    """Return the record of another generation of the same request, in the same state."""
    return record.model_copy(update={"id": f"{record.batch}-{index}", "index": index})


@cache
def versions() -> dict[str, str]:
    """Return the versions of this package and of Python, and the platform, for the record."""
    return {
        "kling_nb": metadata.version("kling-nb"),
        "python": platform.python_version(),
        "platform": platform.system().lower(),
    }
