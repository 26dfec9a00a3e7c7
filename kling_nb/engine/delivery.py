"""`Delivery`: from the hub's result to the file in the log."""

from __future__ import annotations

import asyncio
from typing import Any

from kling_nb import errors
from kling_nb.engine.job import Job
from kling_nb.engine.ports import Hub, Log
from kling_nb.engine.roster import Roster
from kling_nb.engine.states import move

_DOWNLOADS_AT_ONCE, _CLIP_ATTEMPTS = 4, 2


class Delivery:
    """Fetches clips, a few at a time."""

    def __init__(self, hub: Hub, log: Log, roster: Roster) -> None:
        self._hub, self._log, self._roster = hub, log, roster
        self._downloads: asyncio.Semaphore | None = None

    async def bring_in(self, job: Job, url: str | None) -> None:
        """Fetch, check and keep a job's clip. What fails is shown; the clip stays safe at the hub."""

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
                        self._roster.tell([job], trouble=f"{exc} The clip is safe at the hub; kn.resume() fetches it.")
                        if not isinstance(exc, errors.LogError):
                            await self._roster.write_down(job)
                        job.finish(error=exc)
                        return

    async def _fetch(self, job: Job, url: str | None, renew: Any) -> None:
        if not url:
            raise errors.TransferError("The hub calls the job done, but gives no address for its clip.")
        partial = await asyncio.to_thread(self._log.partial, job.id)
        fetched = await self._hub.fetch(url, partial, renew, lambda words: self._roster.note([job], words))
        try:
            clip = await asyncio.to_thread(self._log.keep_clip, job.id, fetched.file, fetched.digest)
        except errors.TransferError:
            await asyncio.to_thread(partial.unlink, missing_ok=True)  # whole, but no clip: fetch it from the start
            raise
        await self._roster.end(job, move(job.kept, "succeeded", self._roster.now(), clip=clip))
