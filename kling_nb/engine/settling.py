"""`Settler`: finds out, when the answer to a submission was lost, if the hub accepted it (hub-api.md section 5)."""

from __future__ import annotations

import asyncio
import datetime
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kling_nb import errors, retry
from kling_nb.engine.active import ActiveJob, ActiveJobs
from kling_nb.engine.pace import Pace
from kling_nb.engine.ports import Hub, Log
from kling_nb.engine.tracking import LOST_REMEDY, Tracker
from kling_nb.models.asset import redact_url, sha256
from kling_nb.models.generation import Generation, from_unix
from kling_nb.models.record import Record
from kling_nb.models.request import DELIVERY

#: How many seconds before a request was sent an entry of it may be dated: the hub's clock is known to the second.
CLOCK_SKEW = 5.0
#: How many seconds our idea of the hub's clock may be behind: an answer's date is as old as the answer took.
SLOW_ANSWER = 60.0
_A_DAY = 86_400.0
_NOT_SHOWN = "The hub's answer was lost, and its queue has not shown the job so far."
_TWIN = "An identical request is being sent, and the queue cannot tell them apart. Waiting for its answer."


class Settler:
    """Settles uncertain jobs by the hub's own list. Never sends them again."""

    def __init__(self, hub: Hub, log: Log, active: ActiveJobs, tracker: Tracker, pace: Pace) -> None:
        self._hub, self._log, self._active, self._tracker, self._pace = hub, log, active, tracker, pace

    async def settle(self, jobs: Sequence[ActiveJob]) -> None:
        """Look for the entries of uncertain jobs. Those without one have failed once `Pace.lost` is over.

        Until then they stay uncertain, and the wait for them ends: an entry may appear late.
        """
        try:
            odd = await self._search(jobs)
        except errors.HubError as exc:  # the list cannot be read: the jobs stay uncertain
            for job in _uncertain(jobs):
                self._active.report([job], trouble=str(exc))
                job.finish(error=exc)
            return
        for job in _uncertain(jobs):
            times = job.record.times
            patience = max(self._pace.lost, _A_DAY) if odd else self._pace.lost
            if self._active.seconds_since(times.submitted or times.created) < patience:
                message = f"{odd or _NOT_SHOWN} It may be generated and billed all the same: kn.resume() looks again."
                self._active.report([job], trouble=message)
                job.record = await asyncio.to_thread(self._log.save, job.record)
                job.finish(error=errors.JobUncertain(message, job_id=job.id))
            else:
                message = "The hub's answer was lost, and its queue does not have the job."
                await self._active.fail(job, "lost", message, LOST_REMEDY)

    async def _search(self, jobs: Sequence[ActiveJob]) -> str:
        """Read the list until every job has its entry, or after each pause of `Pace.settling`.

        Returns why an entry that may be theirs was not taken, if there was one at last.
        """
        pauses = iter(self._pace.settling)
        pause: float | None = self._pace.settling[0]
        odd = ""

        def wait(failures: int, exc: Exception) -> float | None:
            back_off = self._pace.back_off(failures, jitter=retry.jitter())
            again = isinstance(exc, retry.TRANSIENT)
            return max(pause or 0.0, back_off, retry.bounded_retry_after(exc)) if again else None

        def on_retry(exc: Exception, _seconds: float) -> None:
            self._active.report(_uncertain(jobs), trouble=f"{exc} Retrying.")

        while lost := _uncertain(jobs):
            has_twin, odd = await retry.retrying(lambda lost=lost: self._claim_for(lost), wait, on_retry=on_retry)
            self._active.report(_uncertain(jobs), trouble=_TWIN if has_twin else odd)
            pause = pause if has_twin else next(pauses, None)
            if pause is None:
                break
            if _uncertain(jobs):
                await asyncio.sleep(pause)
        return odd

    async def _claim_for(self, jobs: list[ActiveJob]) -> tuple[bool, str]:
        """Claim matching entries of the queue.

        Returns whether they may be those of a twin that is being sent, and why an equal entry was not taken.
        """
        record = jobs[0].record
        found, odd = await self._matching(jobs)
        # After the list was read: a request with an entry in it was recorded as being sent before.
        others = await asyncio.to_thread(self._log.being_sent, record) if found else []
        if any(alike(other.sent or {}, record.sent or {}) for other in others):
            return True, ""
        unclaimed = list(jobs)
        for generation in found:
            if unclaimed and await self._active.claim(unclaimed[0], generation.generation_id):
                unclaimed.pop(0)
        if len(unclaimed) < len(jobs):
            self._tracker.watch(now=True)
        return False, odd

    async def _matching(self, jobs: list[ActiveJob]) -> tuple[list[Generation], str]:
        """Return the queue's entries that may be these jobs', without those of other records; see `matching`."""
        record = jobs[0].record
        # The running ones first: one that ends in between is in the later list.
        listed: list[Generation] = []
        for scope in _scopes(record):
            listed += await self._hub.generations(**scope)
            for status in ("succeeded", "failed", "cancelled"):
                listed += await self._hub.generations(**scope, status=status)
        if any(not entry.generation_id and alike(entry.raw, record.sent or {}) for entry in listed):
            raise errors.ServerError("The hub's queue has a job like this one, but without a generation ID.")
        unique = {entry.generation_id: entry for entry in listed if entry.generation_id}
        own = [job.id for job in jobs]
        claimed = await asyncio.to_thread(self._log.claimed, list(unique), by_others_than=own)
        since, until = record.times.submitted or record.times.created, self._active.now()
        if clock := self._hub.clock:  # the entries have the hub's times
            since, until = jobs[0].sent or since + (clock - until), clock
        unclaimed = [entry for entry in unique.values() if entry.generation_id not in claimed]
        return matching(unclaimed, record.sent or {}, since=since, until=until)


def _uncertain(jobs: Iterable[ActiveJob]) -> list[ActiveJob]:
    return [job for job in jobs if job.state == "uncertain"]


def _scopes(record: Record) -> Iterator[dict[str, str]]:
    """Yield filters of the queue's list, which may not show what is billed to another namespace."""
    yield {"model": record.model}
    if namespace := record.delivery.get("target_namespace"):
        yield {"model": record.model, "namespace": namespace}


def matching(
    listed: Iterable[Generation], sent: Mapping[str, Any], *, since: datetime.datetime, until: datetime.datetime
) -> tuple[list[Generation], str]:
    """Return the entries with the model and parameters of `sent` that were enqueued in a span of time, nearest first.

    The times are of the hub's clock. Also returns a sentence about an entry of another time: it may be an equal job of
    another user, or the hub's times may be wrong. If one is dated in the future they are, and none is returned.
    """
    earliest, latest = since.timestamp() - CLOCK_SKEW, until.timestamp() + SLOW_ANSWER
    same = [entry for entry in listed if alike(entry.raw, sent)]
    found = [entry for entry in same if earliest <= (entry.enqueued_at or earliest) <= latest]
    found.sort(key=lambda entry: abs((entry.enqueued_at or 0) - since.timestamp()))
    others = [entry for entry in same if entry not in found]
    if not others:
        return found, ""
    dated = from_unix(others[0].enqueued_at)
    odd = f"The hub's queue has a job like this one, but dated {dated:%d %b %H:%M} UTC, when it was not sent."
    return ([] if any((entry.enqueued_at or 0) > latest for entry in others) else found), odd


def alike(echo: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    """Return whether the hub's record of a request may be that of `sent`, or two bodies the same request.

    URLs are compared without their signatures, numbers whether they are text or not, and prompts without regard to
    spaces. A parameter that is not echoed does not count.
    """
    if sent.get("model") not in (echo.get("model_name"), echo.get("model")):
        return False
    for name, value in sent.items():
        if name in DELIVERY or name == "model" or name not in echo:
            continue
        if name == "prompt" and not echo[name] and "multi_prompt" in sent:
            continue  # the echoed prompt of a multi-shot job is open: null or ""
        if echo[name] is None and name != "prompt":
            continue
        if _comparable(echo[name]) != _comparable(value):
            return False
    return True


def public(value: Any) -> Any:
    """Return a body as a record keeps it: URLs without signatures, data URIs with the hash of their data."""
    match value:
        case str() if value.startswith("data:"):
            head, _, data = value.partition(",")
            return value if data.startswith("sha256:") else f"{head},{sha256(data.encode())}"
        case str() if value.startswith(("http://", "https://")):
            return redact_url(value)
        case dict():
            return {name: public(item) for name, item in value.items()}
        case list():
            return [public(item) for item in value]
        case _:
            return value


def _comparable(value: Any) -> Any:
    match value:
        case str():
            text = " ".join(public(value).split())
            return float(text) if re.fullmatch(r"-?\d{1,9}(\.\d+)?", text) else text
        case list():
            return [_comparable(item) for item in value]
        case Mapping():
            return {name: _comparable(item) for name, item in value.items() if item not in (None, [])}
        case _:
            return value
