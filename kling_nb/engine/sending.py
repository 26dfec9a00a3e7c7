"""`Sending`: from the intent to the hub's id. An enqueue is never sent twice on a guess: after a lost answer the hub's
own list decides (HUB_API section 5).
"""

from __future__ import annotations

import asyncio
import datetime
import platform
import random
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import cache
from importlib import metadata
from typing import Any

from kling_nb import errors
from kling_nb.engine.active import ActiveJob, ActiveJobs
from kling_nb.engine.ports import Hub, Log
from kling_nb.engine.settling import alike, ours, public
from kling_nb.engine.states import fail, move, progress_of
from kling_nb.engine.tracking import Pace, Tracker
from kling_nb.models.canonical import canonical_request, delivery_of, hash_of
from kling_nb.models.generation import Generation
from kling_nb.models.price import Estimate, distinct_amounts
from kling_nb.models.record import Kind, Record, Times
from kling_nb.models.request import Request
from kling_nb.models.urls import redact_urls
from kling_nb.retry import bounded_retry_after as retry_after


class Sending:
    """Sends requests, and settles those whose answer was lost. `describe` is the engine's."""

    def __init__(
        self,
        hub: Hub,
        log: Log,
        active: ActiveJobs,
        tracking: Callable[[], Tracker],
        describe: Callable[[Record, Request], Awaitable[dict[str, Any]]],
        pace: Pace,
    ) -> None:
        self._hub, self._log, self._active = hub, log, active
        self._tracking, self._describe, self._pace = tracking, describe, pace
        self._unwanted: set[str] = set()
        self._sending: dict[str, tuple[list[ActiveJob], asyncio.Event]] = {}
        """Each job that is being sent, with those of its request, and what is set once none of them is wanted."""

    def call_off(self, job: ActiveJob) -> bool:
        """Say that a job is not wanted; return whether it will not be sent."""
        self._unwanted.add(job.id)
        if job.id not in self._sending:
            return job.state == "prepared"
        together, unwanted = self._sending[job.id]
        if all(each.id in self._unwanted for each in together):
            unwanted.set()  # between two attempts it is not sent again
        return False

    async def launch(self, jobs: list[ActiveJob], request: Request) -> None:
        """Upload what must be uploaded, and enqueue; a refusal ends the jobs."""
        try:
            await self._tracking().listen()
            addresses = await self._addresses(jobs, request)
            known = await self._describe(jobs[0].record, request)
            self._check_price(jobs, known)
        except errors.KlingError as exc:
            await self._active.fail(jobs, exc, "Nothing was sent and nothing billed; run it again.")
            return
        wanted = [job for job in jobs if job.id not in self._unwanted and not job.record.ended]
        # In one step: from here on, a cancel waits for the id.
        self._sending.update(dict.fromkeys((job.id for job in wanted), (wanted, asyncio.Event())))
        try:
            if wanted:
                body = request.body(lambda asset: addresses[asset.identity])
                await self._submit(wanted, {**body, "num_generations": len(wanted)}, known)
        finally:
            for job in wanted:
                self._sending.pop(job.id, None)

    def _check_price(self, jobs: list[ActiveJob], known: dict[str, Any]) -> None:
        """Refuse what the hub asks more for by now than it said before, or than a plan was agreed on for."""
        asked, was = known.get("estimate"), jobs[0].record.estimate
        if asked is None or asked.each is None or was.each is None or asked.each <= was.each:
            return
        now, before = distinct_amounts(asked.each * len(jobs), was.each * len(jobs))
        said = f"The hub asks ${now} for it now, where {was.source_text} was ${before}."
        if was.source == "live" or jobs[0].record.plan:
            raise errors.BudgetError(said, asked=asked.each * len(jobs), left=was.each * len(jobs), limit="price")
        self._active.note(jobs, said)

    async def _addresses(self, jobs: list[ActiveJob], request: Request) -> dict[str, str]:
        addresses: dict[str, str] = {}
        for asset in dict.fromkeys(asset for _, asset in request.assets()):
            if asset.url is None:
                self._active.tell(jobs, uploading=asset.name)
            addresses[asset.identity] = await self._hub.upload(asset)
        self._active.tell(jobs)
        return addresses

    async def _submit(self, jobs: list[ActiveJob], body: dict[str, Any], known: dict[str, Any]) -> None:
        sent, now = public(body), self._active.now()
        asking = [move(job.record, "submitting", now, sent=sent, **known) for job in jobs]
        try:
            saved = await asyncio.to_thread(self._log.spend, asking)
        except errors.BudgetError as exc:
            await self._active.fail(jobs, exc, "Nothing was sent and nothing billed.")
            return
        mine: list[ActiveJob] = []
        for job, record in zip(jobs, saved, strict=True):
            if record is None:
                job.finish(error=errors.KlingError(f"{job.id} is carried out by another kernel; kn.log() shows it."))
            else:
                job.update(record, progress_of(record))
                mine.append(job)
        if mine:
            await self._enqueue(mine, {**body, "num_generations": len(mine)})

    async def _enqueue(self, jobs: list[ActiveJob], body: dict[str, Any]) -> None:
        _, unwanted = self._sending[jobs[0].id]
        try:
            ids = await self._hub.submit(body, lambda words: self._active.note(jobs, words), unwanted)
        except errors.RequestCancelled:
            for job in jobs:
                await self._active.end(job, move(job.record, "cancelled", self._active.now()))
        except errors.KlingError as exc:
            if not _in_doubt(exc):
                await self._active.fail(jobs, exc, _remedy(exc))
                return
            for job in jobs:
                await self._active.move(
                    job, "uncertain", notes=(*job.record.notes, redact_urls(f"The answer to the enqueue: {exc}"))
                )
            await self.settle(jobs)
        else:
            await self._accepted(jobs, ids)

    async def _accepted(self, jobs: list[ActiveJob], ids: Sequence[str]) -> None:
        for job, generation_id in zip(jobs, ids, strict=False):
            await self._take_id(job, generation_id)
        self._tracking().watch(ids[: len(jobs)])
        for job in jobs[len(ids) :]:
            said = f"The hub took {len(ids)} of {len(jobs)} generations."
            await self._active.end(
                job, fail(job.record, "refused", said, "Run it again for the rest.", self._active.now())
            )

    async def _take_id(self, job: ActiveJob, generation_id: str) -> None:
        try:
            await self._active.move(job, "queued", generation_id=generation_id)
        except errors.LogError as exc:  # the hub has it and will be paid: it is watched, and written down with its news
            self._active.hold(job, move(job.record, "queued", self._active.now(), generation_id=generation_id))
            self._active.tell([job], trouble=f"The hub has it. {exc}")

    async def settle(self, jobs: list[ActiveJob]) -> None:
        """Find out from the hub's list whether it has jobs whose answer was lost. Never sends them again."""
        if not await self._looked_for(jobs):
            return
        for job in (job for job in jobs if job.state == "uncertain"):
            said = "The answer to the enqueue was lost, and the hub's queue does not have the job."
            remedy = "Most likely nothing was made or billed; run it again with record.rerun()."
            await self._active.end(job, fail(job.record, "lost", said, remedy, self._active.now()))

    async def _looked_for(self, jobs: list[ActiveJob]) -> bool:
        """Look until every job has its entry, or the list was read often enough; False when it cannot be read."""
        pauses, failures = iter(self._pace.settling), 0
        pause: float | None = self._pace.settling[0]
        while pause is not None and (lost := [job for job in jobs if job.state == "uncertain"]):
            try:
                waits_for_others = await self._look_for(lost)
            except (errors.Unreachable, errors.NoResponse, errors.ServerError, errors.RateLimited) as exc:
                failures, asked = failures + 1, retry_after(exc)
                self._active.tell(lost, trouble=f"{exc} Asking again.")
            except errors.HubError as exc:
                for job in lost:
                    self._active.tell([job], trouble=str(exc))
                    job.finish(error=exc)
                return False
            else:
                failures, asked = 0, 0.0
                self._active.tell(lost, trouble=_OTHERS if waits_for_others else "")
                pause = pause if waits_for_others else next(pauses, None)
            if pause is not None and any(job.state == "uncertain" for job in lost):
                again = self._pace.back_off(failures, jitter=random.random()) if failures else 0.0  # noqa: S311 - spreads load
                await asyncio.sleep(max(pause, again, asked))
        return True

    async def _look_for(self, jobs: list[ActiveJob]) -> bool:
        """Claim what the queue has of the jobs; return whether it may be another's, whose answer is on its way."""
        record = jobs[0].record
        found = await self._listed(jobs)
        # After the list was read: whoever has an entry in it had written down before that it was being sent.
        others = await asyncio.to_thread(self._log.being_sent, record) if found else []
        if any(alike(other.sent or {}, record.sent or {}) for other in others):
            return True
        open_, claimed = list(jobs), list[str]()
        for generation in found:
            if open_ and await self._active.claim(open_[0], generation.generation_id):
                open_.pop(0)
                claimed.append(generation.generation_id)
        self._tracking().watch(claimed, look=True)
        return False

    async def _listed(self, jobs: list[ActiveJob]) -> list[Generation]:
        """Return the entries of the queue that may be these jobs': none of those that another record has."""
        record = jobs[0].record
        # The running ones first: one that ends in between is in the later list.
        listed: list[Generation] = []
        for scope in _scopes(record):
            listed += await self._hub.generations(**scope)
            for status in ("succeeded", "failed", "cancelled"):
                listed += await self._hub.generations(**scope, status=status)
        if any(not entry.generation_id and alike(entry.raw, record.sent or {}) for entry in listed):
            raise errors.ServerError("The hub's queue has a job like this one, but does not say its id.")
        unique = {entry.generation_id: entry for entry in listed if entry.generation_id}
        mine = [job.id for job in jobs]
        claimed = await asyncio.to_thread(self._log.claimed, list(unique), by_others_than=mine)
        since = record.times.submitted or record.times.created
        if clock := self._hub.clock:  # the entries bear the hub's times
            since += clock - self._active.now()
        return ours(unique.values(), record.sent or {}, since=since, claimed=claimed)


def _scopes(record: Record) -> Iterator[dict[str, str]]:
    """Where to look: nobody knows whether the plain list has what another namespace is billed for."""
    yield {"model": record.model}
    if namespace := record.delivery.get("target_namespace"):
        yield {"model": record.model, "namespace": namespace}


_OTHERS = "An equal request is being sent, and the queue cannot tell them apart; waiting for its answer."


def _in_doubt(exc: errors.KlingError) -> bool:
    """Whether the hub may have taken an enqueue that ended so: only a plain refusal is one (HUB_API section 5)."""
    if isinstance(exc, errors.NotAHub):
        return False
    return isinstance(exc, errors.NoResponse | errors.ServerError) or (
        isinstance(exc, errors.HubError) and (exc.status or 0) >= 500
    )


def _remedy(exc: errors.KlingError) -> str:
    match exc:
        case errors.AuthError():
            return "Nothing was billed. Set a valid OXEN_API_KEY; kn.hub() says where the one in use came from."
        case errors.CreditError():
            return "Nothing was billed."
        case errors.ModelNotFound(alternatives=names) if names:
            return f"Nothing was billed. Use model={names[0]!r}."
        case errors.Unreachable():
            return "Nothing was sent and nothing billed; run it again later."
        case errors.RateLimited():
            return "Nothing was billed; run it again later."
        case _:
            return "Nothing was queued. Mend it as the message says, and run it again."


def records_for(
    request: Request,
    *,
    hub: str,
    local: bool,
    kind: Kind,
    estimate: Estimate,
    now: datetime.datetime,
    notebook: str | None = None,
    rerun_of: str | None = None,
    plan: str | None = None,
    cell: str | None = None,
    tags: Sequence[str] = (),
) -> list[Record]:
    """Return the records of a request's generations, all `prepared`, joined by one batch id."""
    canonical = canonical_request(request)
    batch = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    first = Record(
        id=f"{batch}-0",
        batch=batch,
        generations=request.num_generations,
        kind=kind,
        hub=hub,
        local=local,
        model=request.model,
        canonical=canonical,
        request_hash=hash_of(canonical),
        delivery=delivery_of(request),
        estimate=estimate,
        times=Times(created=now),
        notebook=notebook,
        rerun_of=rerun_of,
        plan=plan,
        cell=cell,
        tags=tuple(dict.fromkeys(filter(None, map(str.strip, tags)))),
        versions=versions(),
    )
    return [sibling(first, index) for index in range(request.num_generations)]


def sibling(record: Record, index: int) -> Record:
    """Return the record of another generation of the same request, as it was before anything was sent."""
    return record.model_copy(update={"id": f"{record.batch}-{index}", "index": index})


@cache
def versions() -> dict[str, str]:
    """What made the record: this package, Python and the machine's kind."""
    return {
        "kling_nb": metadata.version("kling-nb"),
        "python": platform.python_version(),
        "platform": platform.system().lower(),
    }
