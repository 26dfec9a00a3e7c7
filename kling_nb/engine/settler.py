"""`Settler`: finds out, when the answer to a submission was lost, if the hub accepted it (hub-api.md section 5)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from kling_nb import errors, retry
from kling_nb.engine.active import ActiveJob, ActiveJobs
from kling_nb.engine.pace import Pace
from kling_nb.engine.ports import Hub, Log
from kling_nb.engine.states import AT_THE_HUB
from kling_nb.engine.tracker import LOST_REMEDY, Tracker
from kling_nb.models.matching import Absent, Found, LostRequest, Undecided, alike

_A_DAY = 86_400.0
_NOT_SHOWN = "The hub's answer was lost, and its queue has not shown the job so far."
_NOT_THERE = "The hub's answer was lost, and its queue does not have the job."
_TWIN = "An identical request is being sent, and the queue cannot tell them apart. Waiting for its answer."


class Settler:
    """Settles uncertain jobs by the hub's own list of jobs. It never sends them again."""

    def __init__(self, hub: Hub, log: Log, active: ActiveJobs, tracker: Tracker, pace: Pace) -> None:
        self._hub, self._log, self._active, self._tracker, self._pace = hub, log, active, tracker, pace

    async def settle(self, jobs: Sequence[ActiveJob]) -> None:
        """Look for the entries of uncertain jobs. Those without one have failed once `Pace.lost` is over.

        Until then they stay uncertain, and the wait for them ends: an entry may appear late.
        """
        if any(job.state in AT_THE_HUB for job in jobs):  # another kernel has found its entry meanwhile
            self._tracker.watch(now=True)
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
                message = f"The hub's answer was lost. {odd}" if odd else _NOT_THERE
                await self._active.fail(job, "lost", message, LOST_REMEDY)

    async def _search(self, jobs: Sequence[ActiveJob]) -> str:
        """Read the list until every job has its entry, or after each pause of `Pace.settling`.

        Returns why the last entry that may belong to them was not taken; empty without such an entry.
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
        """Claim the hub's entries for these jobs.

        Returns whether an entry may belong to an identical request that is being sent, and why a similar one was not
        taken.
        """
        record = jobs[0].record
        answer = await self._find(jobs)
        tickets, odd = (), ""
        match answer:
            case Found():
                tickets, odd = answer.tickets, answer.odd
            case Undecided():
                odd = answer.why
            case Absent():
                pass
        # Read after the hub's list: a request in that list was recorded as being sent before.
        others = await asyncio.to_thread(self._log.being_sent, record) if tickets else []
        if any(alike(other.sent or {}, record.sent or {}) for other in others):
            return True, ""
        unclaimed = list(jobs)
        for ticket in tickets:
            if unclaimed and await self._active.claim(unclaimed[0], ticket):
                unclaimed.pop(0)
        if len(unclaimed) < len(jobs):
            self._tracker.watch(now=True)
        return False, odd

    async def _find(self, jobs: list[ActiveJob]) -> Found | Absent | Undecided:
        """Ask the hub for these jobs of one request, by the times of its own clock."""
        record, sent = jobs[0].record, jobs[0].record.sent or {}
        own = [job.id for job in jobs]

        async def taken(tickets: Iterable[str]) -> set[str]:
            return await asyncio.to_thread(self._log.claimed, list(tickets), by_others_than=own)

        since, until = record.times.submitted or record.times.created, self._active.now()
        if clock := self._hub.clock:
            since, until = jobs[0].sent or since + (clock - until), clock
        wanted = sum(job.record.sent == sent for job in _uncertain(self._active.jobs.values()))
        return await self._hub.find(LostRequest(sent, since, until, wanted), taken)


def _uncertain(jobs: Iterable[ActiveJob]) -> list[ActiveJob]:
    return [job for job in jobs if job.state == "uncertain"]
