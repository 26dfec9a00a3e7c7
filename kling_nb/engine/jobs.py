"""`Jobs`: several jobs held as one, shown in rows and waited for together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator, Iterable
from concurrent.futures import Future
from typing import Any

from kling_nb.engine.job import Clip, Job
from kling_nb.engine.ports import Screen


class Jobs(tuple[Job, ...]):
    """Several jobs: a tuple of `Job` that can be shown, waited for, awaited and cancelled as one."""

    _screen: Screen
    _aside: str

    @classmethod
    def of(cls, jobs: Iterable[Job], screen: Screen, aside: str = "") -> Jobs:
        """Join jobs, each once, in order; `aside` is said where they are shown."""
        joined = cls(dict.fromkeys(jobs))
        joined._screen, joined._aside = screen, aside
        return joined

    def result(self, timeout: float | None = None) -> list[Clip]:
        """Wait for every job's end, then return the clips in order; `timeout` seconds in all.

        Raises `WaitTimeout`, or what the first job without a clip raises. The others go on, and keep their results.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        for job in self:
            job.wait(None if deadline is None else max(deadline - time.monotonic(), 0))
        self._screen.publish(list(self))
        return [job.result(0) for job in self]

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for every job's end, whichever it is; return whether all ended within `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        ends = [job.wait(None if deadline is None else max(deadline - time.monotonic(), 0)) for job in self]
        return all(ends)

    def __await__(self) -> Generator[Any, None, list[Clip]]:
        return self._awaited().__await__()

    async def _awaited(self) -> list[Clip]:
        ends = await asyncio.gather(*(_ending(job) for job in self), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        return [end for end in ends if not isinstance(end, BaseException)]

    def cancel(self) -> list[Future[None]]:
        """Ask for every job to be stopped; returns at once."""
        return [job.cancel() for job in self]

    def _ipython_display_(self) -> None:
        self._screen.show(list(self), self._aside)

    def __repr__(self) -> str:
        return f"<{len(self)} jobs: {', '.join(job.progress.words for job in self)}>"


async def _ending(job: Job) -> Clip:
    return await job
