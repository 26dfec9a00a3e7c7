"""`Sender`: from the recorded intent to the hub's tickets, without sending a request twice (hub-api.md section 5)."""

from __future__ import annotations

import asyncio
import datetime
import platform
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from kling_nb import __version__, errors
from kling_nb.engine.active import ActiveJob, ActiveJobs
from kling_nb.engine.ports import Hub, Log
from kling_nb.engine.settler import Settler
from kling_nb.engine.states import AT_THE_HUB, with_status
from kling_nb.engine.tracker import Tracker
from kling_nb.models.canonical import canonical_request, delivery_of, hash_of
from kling_nb.models.matching import public
from kling_nb.models.price import Estimate, distinct_amounts
from kling_nb.models.record import Record, Times
from kling_nb.models.request import Request
from kling_nb.models.urls import redact_urls

Describe = Callable[[Record, Request], Awaitable[dict[str, Any]]]
"""Returns what the catalogue knows of a request's model now (its price and its schema), for the record."""


#: After this many seconds without an answer the hub is named, and again after as many more.
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
        self._sending: dict[str, asyncio.Event] = {}
        """For each job that is being sent, an event to set once it is not wanted."""

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
        body = self._hub.body(request, lambda asset: urls[asset.identity])
        await asyncio.gather(*(self._active.guard(self._send_one(job, body, known), [job]) for job in jobs))
        if lost := [job for job in jobs if job.state == "uncertain"]:  # once all others have their answer
            await self._settler.settle(lost)

    async def _send_one(self, job: ActiveJob, body: dict[str, Any], known: dict[str, Any]) -> None:
        if job.id in self._unwanted or job.record.ended:
            return
        # Without an await in between: from here on, a cancel waits for the hub's ticket.
        self._sending[job.id] = unwanted = asyncio.Event()
        try:
            if await self._record_submission(job, body, known):
                await self._submit(job, body, unwanted)
        finally:
            del self._sending[job.id]

    def cancel(self, job: ActiveJob) -> bool:
        """Mark a job as unwanted; return whether it will not be sent."""
        self._unwanted.add(job.id)
        if job.id not in self._sending:
            return job.state == "prepared"
        self._sending[job.id].set()  # not sent again between two attempts
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

    async def _record_submission(self, job: ActiveJob, body: dict[str, Any], known: dict[str, Any]) -> bool:
        """Record that a job is being sent, if the budget allows it and no other kernel is sending it."""
        submitting = with_status(job.record, "submitting", self._active.now(), sent=public(body), **known)
        try:
            (saved,) = await asyncio.to_thread(self._log.spend, [submitting])
        except errors.BudgetError as exc:
            await self._active.fail_all([job], exc, "Nothing was sent or billed.")
            return False
        if saved is None:
            await self._leave_to_another(job)
            return False
        self._active.show(job, saved)
        return True

    async def _leave_to_another(self, job: ActiveJob) -> None:
        """End a job that must not be sent from here, and show the state that another kernel has recorded."""
        stored = await asyncio.to_thread(self._log.get, job.id)
        if (stored.status, stored.holder) == ("prepared", job.record.holder):
            exc = errors.RunByAnother("Another kernel makes the clip of this cell.")
            await self._active.fail_all([job], exc, "Nothing was sent or billed from here.")
        else:
            await self._active.follow_other(job, stored)

    async def _submit(self, job: ActiveJob, body: dict[str, Any], unwanted: asyncio.Event) -> None:
        job.sent = self._hub.clock
        try:
            tickets = await self._hub.submit(body, lambda message: self._active.note([job], message), unwanted)
        except errors.RequestCancelled:
            await self._active.end(job, with_status(job.record, "cancelled", self._active.now()))
        except errors.KlingError as exc:
            if not may_have_accepted(exc):
                await self._active.fail_all([job], exc, _remedy(exc, self._hub.key_name))
                return
            await self._mark_uncertain(job, redact_urls(f"The submission's answer: {exc}"))
        else:
            await self._accept(job, tickets)

    async def _accept(self, job: ActiveJob, named: Sequence[str]) -> None:
        """Give the job its ticket; a ticket belongs to one job, here and in the log."""
        tickets, others = list(dict.fromkeys(named)), set[str]()
        with suppress(errors.LogError):
            others = await asyncio.to_thread(self._log.claimed, tickets, by_others_than=[job.id])
        tickets = [one for one in tickets if one not in others]
        if len(tickets) != 1:
            self._active.note([job], f"The hub named {len(tickets)} generations; 1 was asked for.")
        if not tickets:  # it may be billed all the same
            await self._mark_uncertain(job, "The hub's answer did not name this generation.")
            return
        for each, ticket in zip([job, *[await self._added(job.record) for _ in tickets[1:]]], tickets, strict=True):
            try:
                await self._active.move(each, "queued", generation_id=ticket)
            except errors.LogError as exc:  # the hub has it and bills it: track it, and save it with its next change
                record = with_status(each.record, "queued", self._active.now(), generation_id=ticket)
                each.unsaved += 1
                self._active.show(each, record)
                self._active.report([each], trouble=f"The hub has the job. {exc}")
        self._tracker.watch()

    async def _added(self, first: Record) -> ActiveJob:
        """Return a job for a generation that was not asked for, but is billed."""
        batch = [job.record.index for job in self._active.jobs.values() if job.record.batch == first.batch]
        index = max(first.generations, max(batch) + 1)
        record = sibling(first, index).model_copy(update={"generations": index + 1})
        job = self._add(record)
        with suppress(errors.LogError):  # it is saved with its next change
            job.record = await asyncio.to_thread(self._log.save, record)
        return job

    async def _mark_uncertain(self, job: ActiveJob, note: str) -> None:
        await self._active.move(job, "uncertain", notes=(*job.record.notes, note))
        if job.state in AT_THE_HUB:  # another kernel has found its entry meanwhile
            self._tracker.watch(now=True)


def may_have_accepted(exc: errors.KlingError) -> bool:
    """Return whether the hub may have accepted a request that failed so; only a plain refusal is certain."""
    if isinstance(exc, errors.NotAHub):
        return False
    return isinstance(exc, errors.NoResponse | errors.ServerError) or (
        isinstance(exc, errors.HubError) and (exc.status or 0) >= 500
    )


def _remedy(exc: errors.KlingError, key_name: str) -> str:
    match exc:
        case errors.AuthError():
            return f"Nothing was billed. kn.hub() shows where the current {key_name} is from."
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
        "kling_nb": __version__,
        "python": platform.python_version(),
        "platform": platform.system().lower(),
    }
