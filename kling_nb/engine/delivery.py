"""`Delivery`: from the hub's result to the file in the log."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from kling_nb import errors
from kling_nb.engine.active import ActiveJob, ActiveJobs
from kling_nb.engine.ports import Hub, Log
from kling_nb.engine.states import move
from kling_nb.engine.tracking import Pace
from kling_nb.retry import bounded_retry_after as retry_after

_DOWNLOADS_AT_ONCE = 4
#: A hub or a network that will be there again.
_PASSING = (errors.Unreachable, errors.NoResponse, errors.ServerError, errors.RateLimited, errors.TransferError)
#: What time does not mend, as a rule, is tried so often.
_TRIES = 5
#: Only a person can mend these.
_FINAL = (errors.AuthError, errors.CreditError, errors.UpdateRequired, errors.LogError)


class Delivery:
    """Fetches clips, a few at a time."""

    def __init__(self, hub: Hub, log: Log, active: ActiveJobs, pace: Pace) -> None:
        self._hub, self._log, self._active, self._pace = hub, log, active, pace
        self._downloads: asyncio.Semaphore | None = None

    async def bring_in(self, job: ActiveJob, url: str | None) -> None:
        """Fetch, check and keep a job's clip. What fails is shown, and tried again for hours: addresses expire."""

        async def renew() -> str | None:
            return (await self._hub.generation(job.record.generation_id or "")).result_url

        self._downloads = self._downloads or asyncio.Semaphore(_DOWNLOADS_AT_ONCE)
        began, failures = time.monotonic(), 0
        while True:
            try:
                async with self._downloads:
                    await self._fetch(job, url or await renew(), renew)
                return
            except (errors.HubError, errors.TransferError, errors.LogError) as exc:
                url, failures = None, failures + 1
                pause = max(retry_after(exc), self._pace.back_off(failures, jitter=random.random()))  # noqa: S311 - spreads load
                why = exc.__cause__ if isinstance(exc, errors.TransferError) else exc
                passing = isinstance(why, _PASSING)
                hopeless = isinstance(why, _FINAL) or (not passing and failures >= _TRIES)
                if hopeless or time.monotonic() - began + pause > self._pace.fetching:
                    await self._give_up(job, exc)
                    return
                self._active.tell([job], trouble=f"{exc} The clip is at the hub; fetching it again.")
            await asyncio.sleep(pause)

    async def _give_up(self, job: ActiveJob, exc: errors.KlingError) -> None:
        self._active.tell([job], trouble=f"{exc} The clip is safe at the hub; kn.resume() fetches it.")
        if not isinstance(exc, errors.LogError):
            await self._active.write_down(job)
        job.finish(error=exc)

    async def _fetch(self, job: ActiveJob, url: str | None, renew: Any) -> None:
        if not url:
            raise errors.TransferError("The hub calls the job done, but gives no address for its clip.")
        partial = await asyncio.to_thread(self._log.partial, job.id)
        fetched = await self._hub.download(url, partial, renew, lambda words: self._active.note([job], words))
        try:
            clip = await asyncio.to_thread(self._log.add_clip, job.id, fetched.file, fetched.digest)
        except errors.TransferError:
            await asyncio.to_thread(partial.unlink, missing_ok=True)  # whole, but no clip: fetch it from the start
            raise
        await self._active.end(job, move(job.record, "succeeded", self._active.now(), clip=clip))
