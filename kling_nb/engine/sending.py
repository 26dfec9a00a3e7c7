"""`Sending`: from the intent to the hub's id. An enqueue is never sent twice on a guess: after a lost answer the hub's
own list decides (HUB_API section 5).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from kling_nb import errors
from kling_nb.engine.job import Job
from kling_nb.engine.ports import Hub, Log
from kling_nb.engine.roster import Roster
from kling_nb.engine.settle import ours
from kling_nb.engine.states import fail, move, progress_of
from kling_nb.engine.tracker import Tracker
from kling_nb.models.asset import public_url
from kling_nb.models.generation import Generation
from kling_nb.models.record import Record
from kling_nb.models.request import Request

#: How often the hub's list is read after a lost answer.
SETTLE_LOOKS = 4


class Sending:
    """Sends requests, and settles those whose answer was lost. `describe` is the engine's."""

    def __init__(
        self,
        hub: Hub,
        log: Log,
        roster: Roster,
        tracking: Callable[[], Tracker],
        describe: Callable[[Record, Request], Awaitable[dict[str, Any]]],
        settling: float,
    ) -> None:
        self._hub, self._log, self._roster = hub, log, roster
        self._tracking, self._describe, self._settling = tracking, describe, settling
        self._unwanted: set[str] = set()
        self._sending: set[str] = set()
        # Equal requests are enqueued or settled one at a time: the hub's list cannot tell them apart.
        self._equal: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def call_off(self, job: Job) -> bool:
        """Say that a job is not wanted; return whether it will not be sent."""
        self._unwanted.add(job.id)
        return job.state == "prepared" and job.id not in self._sending

    async def launch(self, jobs: list[Job], request: Request) -> None:
        """Upload what must be uploaded, and enqueue; a refusal ends the jobs."""
        try:
            await self._tracking().listen()
            addresses = await self._addresses(jobs, request)
            known = await self._describe(jobs[0].kept, request)
        except errors.KlingError as exc:
            await self._roster.fail(jobs, exc, "Nothing was sent and nothing billed; run it again.")
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
                self._roster.tell(jobs, uploading=asset.name)
            addresses[asset.identity] = await self._hub.address_of(asset)
        self._roster.tell(jobs)
        return addresses

    async def _submit(self, jobs: list[Job], body: dict[str, Any], known: dict[str, Any]) -> None:
        public, now = _public(body), self._roster.now()
        asking = [move(job.kept, "submitting", now, sent=public, **known) for job in jobs]
        try:
            saved = await asyncio.to_thread(self._log.spend, asking)
        except errors.BudgetError as exc:
            await self._roster.fail(jobs, exc, "Nothing was sent and nothing billed.")
            return
        for job, record in zip(jobs, saved, strict=True):
            job.become(record, progress_of(record))
        async with self._equal[jobs[0].kept.request_hash]:
            await self._enqueue(jobs, body)

    async def _enqueue(self, jobs: list[Job], body: dict[str, Any]) -> None:
        try:
            ids = await self._hub.enqueue(body, lambda words: self._roster.note(jobs, words))
        except errors.KlingError as exc:
            if not _in_doubt(exc):
                await self._roster.fail(jobs, exc, _remedy(exc))
                return
            for job in jobs:
                await self._roster.move(job, "uncertain", notes=(*job.kept.notes, f"The answer to the enqueue: {exc}"))
            await self._settle(jobs)
        else:
            await self._accepted(jobs, ids)

    async def _accepted(self, jobs: list[Job], ids: Sequence[str]) -> None:
        for job, generation_id in zip(jobs, ids, strict=False):
            await self._roster.move(job, "queued", generation_id=generation_id)
        self._tracking().watch(ids[: len(jobs)])
        for job in jobs[len(ids) :]:
            said = f"The hub took {len(ids)} of {len(jobs)} generations."
            await self._roster.end(
                job, fail(job.kept, "refused", said, "Run it again for the rest.", self._roster.now())
            )

    async def settle(self, jobs: list[Job]) -> None:
        """Settle jobs whose enqueue was cut short by the end of their kernel."""
        async with self._equal[jobs[0].kept.request_hash]:
            await self._settle(jobs)

    async def _settle(self, jobs: list[Job]) -> None:
        """Find out from the hub's list whether it has jobs whose answer was lost. Never sends them again."""
        found = await self._looked_for(jobs)
        if found is None:
            return
        for job, generation in zip(jobs, found, strict=False):
            await self._roster.move(job, "queued", generation_id=generation.generation_id)
        self._tracking().watch([generation.generation_id for generation in found], look=True)
        for job in jobs[len(found) :]:
            said = "The answer to the enqueue was lost, and the hub's queue does not have the job."
            remedy = "Most likely nothing was made or billed; run it again with record.rerun()."
            await self._roster.end(job, fail(job.kept, "lost", said, remedy, self._roster.now()))

    async def _looked_for(self, jobs: list[Job]) -> list[Generation] | None:
        found: list[Generation] = []
        looked = 0
        while len(found) < len(jobs) and looked < SETTLE_LOOKS:
            if looked:
                await asyncio.sleep(self._settling)
            try:
                found = await self._find(jobs)
                looked += 1
                self._roster.tell(jobs)
            except (errors.Unreachable, errors.ReplyLost, errors.HubFault, errors.RateLimited) as exc:
                self._roster.tell(jobs, trouble=f"{exc} Asking again.")
                await asyncio.sleep(self._settling)
            except errors.HubError as exc:
                for job in jobs:
                    self._roster.tell([job], trouble=str(exc))
                    job.finish(error=exc)
                return None
        return found

    async def _find(self, jobs: list[Job]) -> list[Generation]:
        record = jobs[0].record
        listed: list[Generation] = []
        for scope in _scopes(record):
            listed += await self._hub.listed(**scope)
            for status in ("succeeded", "failed", "cancelled"):
                listed += await self._hub.listed(**scope, status=status)
        unique = {generation.generation_id: generation for generation in listed}
        claimed = await asyncio.to_thread(self._log.claimed, list(unique))
        since = record.times.submitted or record.times.created
        return ours(unique.values(), record.sent or {}, since=since, claimed=claimed, count=len(jobs))


def _scopes(record: Record) -> Iterator[dict[str, str]]:
    """Where to look: nobody knows whether the plain list has what another namespace is billed for."""
    yield {"model": record.model}
    if namespace := record.delivery.get("target_namespace"):
        yield {"model": record.model, "namespace": namespace}


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
