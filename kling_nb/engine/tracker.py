"""`Tracker`: follows the jobs of a hub until it has finished them. Events wake it, one
request per poll serves all jobs, and only the answers to polls count.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Collection
from contextlib import suppress

from kling_nb import retry
from kling_nb.engine.active import ActiveJob, ActiveJobs
from kling_nb.engine.delivery import Delivery, report_of
from kling_nb.engine.loop import interpreter_exits
from kling_nb.engine.pace import Pace
from kling_nb.engine.ports import Hub
from kling_nb.engine.states import AT_THE_HUB, is_of_another, with_message, with_report
from kling_nb.errors import HubError, JobUncertain, LogError, NoResponse, NotFound, WaitTimeout
from kling_nb.models.generation import Completion, Generation, from_unix

logger = logging.getLogger(__name__)

_MAX_HINTS = 1000
#: Seconds by which a job may seem to begin after now. The hub's times are whole seconds, and its clock is behind by the
#: time that its last answer was on the way.
_AHEAD = 120.0
#: Seconds for which the event stream stays open without a job, since the next one often follows immediately.
_LINGER = 10.0
#: A job that has waited for more seconds is shown with the time at which the wait began.
_LONG_WAIT = 600.0
#: A job that the hub reports as running for this many seconds, and does not stop, has failed.
_GIVEN_UP_AFTER = 7 * 24 * 3600.0
#: A poll at the deadline comes this many seconds after the one before at the earliest.
_LEAST_INTERVAL = 1.0
#: A wait ends after this many reports in a row that the log could not save.
_UNSAVED_REPORTS = 2
#: What to do about a job that has been looked for in vain.
LOST_REMEDY = "It may have been billed: look at the hub's own history before you run it again with record.rerun()."
#: An event stream that lasted this many seconds is reconnected without a growing pause.
_STEADY = 30.0


class Tracker:
    """Polls the hub about the running jobs of `active`, and hands those that have a clip to `delivery`.

    A job that the hub has worked on for `deadline` seconds is stopped; if it continues, it is watched slowly.
    """

    def __init__(self, hub: Hub, active: ActiveJobs, delivery: Delivery, pace: Pace, *, deadline: float) -> None:
        self._hub, self._active, self._delivery, self._pace = hub, active, delivery, pace
        self._deadline = deadline
        self._hinted: set[str] = set()
        self._poll_now = False
        self._wake = asyncio.Event()
        self._connected = asyncio.Event()
        self._polling: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None

    async def listen(self) -> None:
        """Connect to the hub's events, if it has any, before a job is submitted: they are not replayed.

        Continues without them after 2 s: polling finds everything.
        """
        self._start_listening()
        if self._listening:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._connected.wait(), 2.0)

    def watch(self, *, now: bool = False) -> None:
        """Follow the running jobs from now on; with `now`, poll immediately."""
        self._poll_now |= now
        self._wake.set()
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll_until_idle(), name="kling_nb tracker")
        self._start_listening()

    async def stop(self, job: ActiveJob, note: str) -> None:
        """Ask the hub to cancel a job; its own report decides whether and how it ended. Raises a `HubError`."""
        await self._hub.cancel(job.record.generation_id or "")
        generation = await report_of(self._hub, job)
        record = job.record.model_copy(update={"notes": (*job.record.notes, note)})
        job.record = with_message(record, note, self._active.now())
        await self._take_report(job, generation)

    def close(self) -> None:
        """Stop polling and listening."""
        for task in (self._polling, self._listening):
            if task:
                task.cancel()

    # --- polling ---

    async def _poll_until_idle(self) -> None:
        while self._active.running:
            await self._woken(self._interval())
            try:
                await self._poll_until_answered()
            except RuntimeError:  # it continues after any failure but one: the interpreter exits
                return
        asyncio.get_running_loop().call_later(_LINGER, self._stop_listening)

    def _interval(self) -> float:
        """Return the seconds until the next poll."""
        running = list(self._active.running.values())
        ages = [(self._active.age(job), job.expected) for job in running if job.late_since is None]
        if ages or not running:
            if any(job.unsaved for job in running):
                return self._pace.shortest
            interval = self._pace.next_poll(ages, listening=self._connected.is_set(), jitter=retry.jitter())
            ahead = [self._deadline - self._seconds(job) for job in running if not job.waiting]
            due = min((seconds for seconds in ahead if seconds > 0), default=interval)
            return min(interval, max(due, _LEAST_INTERVAL))
        now = time.monotonic()
        return min(self._pace.next_look(now - (job.late_since or now)) for job in running)

    async def _poll_until_answered(self) -> None:
        back_off = 0.0

        def wait(failures: int, exc: Exception) -> float | None:
            nonlocal back_off
            if interpreter_exits(exc):
                return None
            back_off = self._pace.back_off(failures, jitter=retry.jitter())
            return max(back_off, retry.bounded_retry_after(exc))

        def on_retry(exc: Exception, seconds: float) -> None:
            if not isinstance(exc, HubError):
                logger.error("a poll failed", exc_info=exc)
                self._report_trouble("Something went wrong in kling_nb. Retrying.")
            elif seconds > back_off:
                self._report_trouble(f"{exc} Retrying in {seconds:.0f} s (Retry-After).")
            else:
                self._report_trouble(f"{exc} Retrying.")

        async def sleep(seconds: float) -> None:
            self._poll_now = False
            await asyncio.sleep(back_off)
            await self._woken(seconds - back_off)  # an event, or the user, ends a long `Retry-After`
            self._poll_now = True

        await retry.retrying(self._poll, wait, on_retry=on_retry, sleep=sleep)
        if back_off:
            self._report_trouble("")

    async def _woken(self, within: float) -> None:
        """Wait up to `within` seconds for a reason to poll. A job that was only just submitted is not a reason."""
        running = self._active.running
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while running and not self._poll_now and not self._hinted & running.keys():
                    self._wake.clear()
                    await self._wake.wait()

    async def _poll(self) -> None:
        hinted, poll_all = self._hinted & self._active.running.keys(), self._poll_now
        self._poll_now = False
        self._hinted = self._hinted - hinted if len(self._hinted) < _MAX_HINTS else set()
        if hinted:
            await self._look(hinted)
        if poll_all or not hinted:
            await self._look(set(self._active.running))

    async def _look(self, tickets: Collection[str]) -> None:
        """Apply the hub's report on each job, then raise the first error, if any."""
        failures: list[HubError] = []
        for ticket, answer in (await self._hub.look(tickets) if tickets else {}).items():
            match answer:
                case NotFound():
                    await self._take(ticket, None)
                case HubError():
                    failures.append(answer)
                case _:
                    await self._take(ticket, answer)
        if failures:
            raise failures[0]

    # --- events ---

    def _start_listening(self) -> None:
        if (self._listening is None or self._listening.done()) and self._hub.hints() is not None:
            self._listening = asyncio.create_task(self._listen(), name="kling_nb events")

    def _stop_listening(self) -> None:
        if not self._active.running and self._listening:
            self._listening.cancel()

    async def _listen(self) -> None:
        """Receive events until cancelled, reconnecting with growing pauses."""
        failures = 0

        async def receive() -> None:
            nonlocal failures
            began = time.monotonic()
            try:
                async for event in self._hub.hints() or _nothing():
                    if event:
                        self._take_event(event)
                    else:
                        self._connected.set()
                        self._poll_now |= failures > 0  # events are not replayed, but the queue knows the changes
                    self._wake.set()
                raise NoResponse("The event stream ended.")
            finally:
                self._connected.clear()
                failures = 1 if time.monotonic() - began > _STEADY else failures + 1

        def wait(_: int, exc: Exception) -> float | None:
            logger.debug("event stream: %s", exc)
            pause = self._pace.back_off(failures, jitter=retry.jitter())
            return max(pause, retry.bounded_retry_after(exc)) if isinstance(exc, HubError) else None

        await retry.retrying(receive, wait)

    def _take_event(self, event: Completion) -> None:
        """Note that a job has changed, and keep the event's report in case the queue forgets the job."""
        self._hinted.add(event.generation_id)
        if len(self._active.told) >= _MAX_HINTS:
            del self._active.told[next(iter(self._active.told))]
        self._active.told[event.generation_id] = event.report

    # --- the hub's answers ---

    async def _take(self, generation_id: str, generation: Generation | None) -> None:
        """Apply the hub's report on a job; None if the hub does not know it."""
        job = self._active.running.get(generation_id)
        if job is None:
            return
        if generation and is_of_another(generation.raw, job.record.sent or {}):
            generation = None
        try:
            if generation is None:
                await self._take_unknown(job)
                return
            if job.unknown_since is not None:
                job.unknown_since = job.late_since = None
                self._active.report([job])
            await self._take_report(job, generation)
        except LogError as exc:  # the next poll tries again; the hub has the clip
            self._active.report([job], trouble=str(exc))
            job.unsaved += 1
            if job.unsaved >= _UNSAVED_REPORTS:
                job.finish(error=exc)
            return
        if job.state in AT_THE_HUB:
            self._show_delay(job, generation)
            self._check_deadline(job, self._seconds(job, generation))

    async def _take_report(self, job: ActiveJob, generation: Generation) -> None:
        async with job.lock:
            now = self._active.now()
            record = with_report(job.record, generation, now)
            job.waiting = generation.outcome == "queued"
            if job.waiting:
                job.began = None
            elif job.began is None:
                accepted, started = job.record.times.accepted or now, from_unix(generation.started_at) or now
                job.began = min(max(accepted, started), now)
            if record.status == job.state and not job.unsaved:
                return
            if record.ended:
                await self._active.end(job, record)
            else:
                await self._active.save(job, record)
            job.unsaved = 0
            if job.state == "downloading":
                self._delivery.start(job, generation.result_url)
        if not self._active.running:
            self._wake.set()

    async def _take_unknown(self, job: ActiveJob) -> None:
        """Give a job up only if the hub denies it repeatedly: it may just be restarting, and the clip is paid."""
        told = self._active.event_report(job)
        if told and told.result_url:
            await self._take_report(job, told)
            return
        now = time.monotonic()
        job.unknown_since = job.unknown_since or now
        if now - job.unknown_since < self._pace.unknown:
            self._active.report([job], trouble="The hub does not know this job. Retrying.")
        elif told:
            await self._take_report(job, told)
        elif self._active.age(job) < self._pace.lost:
            job.late_since = job.late_since or now
            message = "The hub does not know this job any more. It may come back: kn.resume() asks again."
            self._active.report([job], trouble=message)
            job.finish(error=JobUncertain(message, job_id=job.id))
        else:
            await self._active.fail(job, "lost", "The hub no longer knows this job.", LOST_REMEDY)

    def _report_trouble(self, text: str) -> None:
        """Show why the job does not advance; an empty text clears the note."""
        running = list(self._active.running.values())
        if text:
            for job in running:
                job.unknown_since = None  # it counts only while the hub answers
        self._active.report(running, trouble=text)
        for job in running if text else ():
            self._check_deadline(job, min(self._seconds(job), time.monotonic() - job.added))

    # --- the deadline ---

    def _seconds(self, job: ActiveJob, generation: Generation | None = None) -> float:
        """Return how long a job has waited at the hub, or how long the hub has worked on it.

        The smaller of two clocks' times, since one of them may have been changed.
        """
        accepted = job.record.times.accepted or job.record.times.created
        answers = [self._active.seconds_since(accepted if job.waiting else job.began or accepted)]
        since = generation and from_unix(generation.enqueued_at if job.waiting else generation.started_at)
        if since and self._hub.clock:
            answers.append((self._hub.clock - since).total_seconds())
        return max(min((seconds for seconds in answers if seconds >= -_AHEAD), default=0.0), 0.0)

    def _show_delay(self, job: ActiveJob, generation: Generation) -> None:
        """Show since when a job waits if that is long, and a status that has no meaning here."""
        accepted = job.record.times.accepted
        if generation.outcome not in ("queued", "processing"):
            self._active.report([job], trouble=f'The hub reports the status "{generation.status_text}".')
        elif job.waiting and accepted and self._seconds(job, generation) > min(self._deadline, _LONG_WAIT):
            self._active.report([job], trouble=f"Waiting since {accepted.astimezone():%d %b %H:%M}.")
        elif job.late_since is None:
            self._active.report([job])

    def _check_deadline(self, job: ActiveJob, seconds: float) -> None:
        """Ask the hub to stop a job that takes too long; if it continues, end the wait and watch it slowly.

        It is paid for, and may still succeed.
        """
        longest = self._pace.waiting if job.waiting else self._deadline
        if job.state not in AT_THE_HUB or seconds < longest:
            return
        told = self._active.event_report(job)
        if told and told.result_url:  # the queue has not heard of it
            self._active.spawn(job, self._take_report(job, told))
            return
        now = time.monotonic()
        job.late_since = job.late_since or now
        if not job.asked_to_stop:
            job.asked_to_stop = True
            done = "begun" if job.waiting else "finished"
            note = f"The hub had not {done} after {_duration_text(longest)} and was asked to stop."
            self._active.spawn(job, self._ask_to_stop(job, note))
        if now - job.late_since < self._pace.stopping:
            return
        if self._active.age(job) > _GIVEN_UP_AFTER:
            message = f"The job has not ended after {_duration_text(_GIVEN_UP_AFTER)}."
            self._active.spawn(job, self._active.fail(job, "stuck", message, LOST_REMEDY))
            return
        why = "the hub does not stop it" if job.heard_to_stop else "the hub could not be asked to stop it"
        message = f"The job has not ended after {_duration_text(longest)}, and {why}."
        message += " If its clip comes, it is downloaded, here or by kn.resume()."
        self._active.report([job], trouble=message)
        job.finish(error=WaitTimeout(message))

    async def _ask_to_stop(self, job: ActiveJob, note: str) -> None:
        try:
            await self.stop(job, note)
        except HubError:
            job.asked_to_stop = False  # the next poll tries again
        else:
            job.heard_to_stop = True


async def _nothing() -> AsyncGenerator[None]:
    return
    yield


def _duration_text(seconds: float) -> str:
    unit, name = (3600, "hours") if seconds >= 7200 else (60, "minutes") if seconds >= 120 else (1, "s")
    return f"{seconds / unit:.0f} {name}"
