"""`Follower`: follows jobs of another process in the log, and takes them over when that process has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from kling_nb import errors
from kling_nb.engine.active import ActiveJob, ActiveJobs
from kling_nb.engine.ports import Log
from kling_nb.engine.states import progress_of
from kling_nb.models.record import Record

#: Seconds between two looks at a record.
INTERVAL = 0.5


class Follower:
    """The jobs of other processes. `continue_here` continues a job whose process has ended."""

    def __init__(self, log: Log, active: ActiveJobs, continue_here: Callable[[ActiveJob], Awaitable[None]]) -> None:
        self._log, self._active, self._continue_here = log, active, continue_here
        self.jobs: dict[str, ActiveJob] = {}

    def of(self, record: Record) -> tuple[ActiveJob, bool]:
        """Return the job that follows a record, and whether it is new."""
        job = self.jobs.get(record.id)
        if job and not job.done:
            return job, False
        job = self.jobs[record.id] = ActiveJob(record)
        return job, True

    async def follow(self, job: ActiveJob) -> None:
        """Show a job's state in the log until the job has ended or is continued here."""
        await self._active.expect(job)
        while not job.done:
            try:
                if await self._look(job):
                    return
            except errors.LogError as exc:  # it is read again
                self._active.show_trouble([job], str(exc))
            await asyncio.sleep(INTERVAL)

    async def _look(self, job: ActiveJob) -> bool:
        record = await asyncio.to_thread(self._log.get, job.id)
        if record.revision != job.record.revision:
            job.path = await asyncio.to_thread(self._log.file, record.clip.digest) if record.clip else None
            job.update(record, progress_of(record, expected_seconds=job.expected))
        if record.ended:
            job.finish(job.path)
            return True
        if record.status == "prepared":  # only a person at a kernel may spend: `resume` sends it
            return False
        taken = await asyncio.to_thread(self._log.take, job.id)
        if taken is None:
            return False
        self.jobs.pop(job.id, None)
        job.record = taken
        await self._continue_here(job)
        return True
