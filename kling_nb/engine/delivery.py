"""`Delivery`: from the hub's result to the file in the log."""

from __future__ import annotations

import asyncio
import time

from kling_nb import errors, retry
from kling_nb.engine.active import ActiveJob, ActiveJobs
from kling_nb.engine.pace import Pace
from kling_nb.engine.ports import Hub, Log
from kling_nb.engine.states import with_status
from kling_nb.models.generation import Generation
from kling_nb.models.record import SAME_CLIP, Record
from kling_nb.models.request import HubRequest, request_type

_MAX_DOWNLOADS = 4
#: Failures that usually do not pass with time are tried this often.
_ATTEMPTS = 5
#: Only a person can fix these.
_FINAL = (errors.AuthError, errors.CreditError, errors.UpdateRequired, errors.LogError)


class Delivery:
    """Downloads clips, a few at a time. A failure is shown and tried again for hours: URLs expire."""

    def __init__(self, hub: Hub, log: Log, active: ActiveJobs, pace: Pace) -> None:
        self._hub, self._log, self._active, self._pace = hub, log, active, pace
        self._downloads, self._ending = asyncio.Semaphore(_MAX_DOWNLOADS), asyncio.Lock()

    def start(self, job: ActiveJob, url: str | None = None) -> None:
        """Start to download a job's clip; without a URL, the hub is asked for it."""
        self._active.spawn(job, self._deliver(job, url))

    async def _deliver(self, job: ActiveJob, url: str | None) -> None:
        job.delivering = True
        try:
            await self._fetch_until_here(job, url)
        finally:
            job.delivering = False

    async def _fetch_until_here(self, job: ActiveJob, url: str | None) -> None:
        began = time.monotonic()

        async def attempt() -> None:
            nonlocal url
            given, url = url, None  # once it has failed it may have expired
            async with self._downloads:
                await self._fetch(job, given)

        def wait(failures: int, exc: Exception) -> float | None:
            pause = max(retry.bounded_retry_after(exc), self._pace.back_off(failures, jitter=retry.jitter()))
            cause = exc.__cause__ if isinstance(exc, errors.TransferError) else exc
            transient = isinstance(cause, (*retry.TRANSIENT, errors.TransferError))
            hopeless = (
                isinstance(exc, errors.TransferStopped)
                or isinstance(cause, _FINAL)
                or not (transient or failures < _ATTEMPTS)
            )
            late = time.monotonic() - began + pause > self._pace.fetching
            return pause if isinstance(exc, errors.KlingError) and not (hopeless or late) else None

        def on_retry(exc: Exception, _seconds: float) -> None:
            self._active.report([job], trouble=f"{exc} Still retrying the download.")

        try:
            await retry.retrying(attempt, wait, on_retry=on_retry)
        except (errors.HubError, errors.TransferError, errors.LogError) as exc:
            self._active.report([job], trouble=f"{exc} kn.resume() tries again.")
            if not isinstance(exc, errors.LogError):
                job.record = await asyncio.to_thread(self._log.save, job.record)
            job.finish(error=exc)

    async def _fetch(self, job: ActiveJob, url: str | None) -> None:
        async def renew() -> str | None:
            told = self._active.event_report(job)
            try:
                found = await report_of(self._hub, job)
            except errors.NotFound:
                if told is None:
                    raise
                return told.result_url
            return found.result_url or (told.result_url if told else None)

        if not (url := url or await renew()):
            message = "The hub reports the job as done, but has given no URL for its clip so far."
            raise errors.TransferError(message) from errors.ServerError(message)  # it may give one later
        partial = await asyncio.to_thread(self._log.partial, job.id)
        digest = await self._hub.download(url, partial, renew, lambda message: self._active.note([job], message))
        try:
            clip = await asyncio.to_thread(self._log.add_clip, job.id, partial, digest, _kind_of(job.record))
        except errors.TransferError:
            await asyncio.to_thread(partial.unlink, missing_ok=True)  # it is whole but not a clip: start over
            raise
        async with self._ending:  # of two clips that arrive together, the second one sees the first
            notes = job.record.notes
            if not job.record.local and (twin := await asyncio.to_thread(self._log.same_clip, job.record, digest)):
                notes = (*notes, f"{SAME_CLIP}{twin}, byte for byte: the same request got the same clip again.")
            ended = with_status(job.record, "succeeded", self._active.now(), clip=clip, notes=notes)
            await self._active.end(job, ended)


async def report_of(hub: Hub, job: ActiveJob) -> Generation:
    """Return what the hub says of one job. Raises a `HubError`, `NotFound` if it does not know it."""
    ticket = job.record.generation_id or ""
    answer = (await hub.look([ticket]))[ticket]
    if isinstance(answer, errors.HubError):
        raise answer
    return answer


def _kind_of(record: Record) -> str:
    """Return the kind of file that a job makes, `video` or `image`; empty if it is not known."""
    if request_type(record.model) is not HubRequest:
        return "video"
    said = (record.server or {}).get("media_type")
    return said if said in ("video", "image") else ""
