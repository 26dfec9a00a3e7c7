"""`Job`: one generation as the user holds it. It can be shown, waited for, awaited, cancelled; it never blocks."""

from __future__ import annotations

import asyncio
import os
import queue
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kling_nb.engine.active import ActiveJob, Listener
from kling_nb.engine.frames import frame_of
from kling_nb.engine.ports import Screen
from kling_nb.errors import JobCancelled, JobFailed, JobUncertain, KlingError, TransferError, WaitTimeout
from kling_nb.models.progress import Progress
from kling_nb.models.record import Record, Status

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

    from kling_nb.engine.ports import Screen
    from kling_nb.models.judgements import Score

#: How often a wait looks up, in seconds: an interrupt of a cell that awaits is felt only when its loop wakes.
_HEARTBEAT = 0.1


@dataclass(frozen=True)
class Clip:
    """A finished clip: `path` is the file, `record` everything needed to know it and to make it again."""

    path: Path
    record: Record

    @property
    def id(self) -> str:
        """Its record's name in the log."""
        return self.record.id

    def frame(self, number: int, /) -> PILImage:
        """Return one frame as a PIL image, from 0; `-1` is the last. Raises `IndexError` for one that is not there.

        It is exactly the frame that a player stops at, so that shots can be chained:
        `kn.generate("…", start_image_url=clip.frame(-1))`.
        """
        return frame_of(self.path, number)

    @property
    def scores(self) -> dict[str, Score]:
        """What scorers have said of it so far, by their names: `clip.scores["motion"].value`; see `kn.score`."""
        return self.record.scores

    def save(self, target: str | os.PathLike[str]) -> Path:
        """Write it to a file or into a folder of your own, with its record inside; see `Record.save`."""
        return self.record.save(target)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self.record._repr_mimebundle_(include, exclude)  # pyright: ignore[reportPrivateUsage] -- IPython's own name


class Job:
    """One generation, from the intent to the file. Made by `kn.generate`; every method may be called on any thread.

    Interrupting a wait leaves the job running: it goes on in the background, and after a kernel restart
    `kn.resume()` brings it back.
    """

    def __init__(
        self,
        active: ActiveJob,
        *,
        bind: Callable[[Record], Record],
        screen: Screen,
        cancel: Callable[[ActiveJob], Future[None]],
    ) -> None:
        self._active, self._bind, self._screen, self._cancel = active, bind, screen, cancel
        self._process = os.getpid()

    @property
    def id(self) -> str:
        """ID of its record in the log."""
        return self._active.id

    @property
    def record(self) -> Record:
        """The record as it is now."""
        return self._bind(self._active.record)

    @property
    def progress(self) -> Progress:
        """State, elapsed and expected time, and any trouble, as one value."""
        return self._active.progress

    @property
    def state(self) -> Status:
        """`prepared`, `submitting`, `uncertain`, `queued`, `processing`, `downloading`, `succeeded`, `failed` or
        `cancelled`."""
        return self._active.state

    @property
    def done(self) -> bool:
        """Whether `result()` returns or raises at once: the job has ended, or this session has stopped working on it.

        `record.ended` tells the two apart.
        """
        return self._active.done

    def add_done_callback(self, callback: Callable[[Job], Any]) -> None:
        """Call `callback(job)` once the job is `done`, on any thread; at once if it is done already."""
        self._active.end.add_done_callback(lambda _: callback(self))

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with the progress, now and at each change; return a function that unsubscribes it.

        The listener is called on the engine's thread and must not block.
        """
        return self._active.subscribe(listener)

    def result(self, timeout: float | None = None) -> Clip:
        """Wait for the clip, for up to `timeout` seconds (None: as long as it takes).

        Raises `WaitTimeout` (the job goes on), `JobFailed` with the hub's words, `JobCancelled`, `JobUncertain`, or
        `TransferError` when the clip exists but could not be fetched yet (`kn.resume()` tries again).
        """
        if not self.wait(timeout):
            raise WaitTimeout(f"{self.id} is still {self.progress.words.lower()}; it goes on")
        return self._clip()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, whichever it is; return whether it came within `timeout` seconds."""
        self._check_process()
        with suppress(KlingError, TimeoutError):
            self._active.end.result(timeout)
        if self._active.end.done():
            self._screen.publish([self])
        return self._active.end.done()

    def __await__(self) -> Generator[Any, None, Clip]:
        return self._awaited().__await__()

    async def _awaited(self) -> Clip:
        self._check_process()
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def wake(_: Any) -> None:
            with suppress(RuntimeError):  # the waiting loop may be gone by then
                loop.call_soon_threadsafe(ended.set)

        self._active.end.add_done_callback(wake)
        while not self._active.end.done():
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), _HEARTBEAT)
        self._screen.publish([self])
        return self._clip()

    def __iter__(self) -> Iterator[Progress]:
        """Yield how it stands at each change, ending with its end."""
        self._check_process()
        changes: queue.SimpleQueue[Progress] = queue.SimpleQueue()
        unsubscribe = self.subscribe(changes.put)
        try:
            while True:
                with suppress(queue.Empty):
                    yield (progress := changes.get(timeout=_HEARTBEAT))
                    if progress.ended:
                        break
                if self._active.end.done() and changes.empty():
                    break
        finally:
            unsubscribe()
        self._screen.publish([self])

    async def __aiter__(self) -> AsyncIterator[Progress]:
        changes: queue.SimpleQueue[Progress] = queue.SimpleQueue()
        unsubscribe = self.subscribe(changes.put)
        try:
            while not (self._active.end.done() and changes.empty()):
                try:
                    yield changes.get_nowait()
                except queue.Empty:
                    await asyncio.sleep(_HEARTBEAT)
        finally:
            unsubscribe()

    def cancel(self) -> Future[None]:
        """Ask for the job to be stopped; returns at once. One that the hub has begun may still be billed."""
        self._check_process()
        return self._cancel(self._active)

    def card(self) -> dict[str, Any]:
        """Return its static card as a mimebundle."""
        return self._screen.bundle(self.record)

    def _ipython_display_(self) -> None:
        self._screen.show([self])

    def __repr__(self) -> str:
        return f"<Job {self.id}: {self.progress.words}>"

    def _check_process(self) -> None:
        """No news of a job reaches a process that was forked off: a wait there would have no end."""
        if self._process != os.getpid() and not self._active.end.done():
            raise KlingError(f"{self.id} belongs to the process that started it: wait for it there, or read kn.log()")

    def _clip(self) -> Clip:
        record = self.record
        match record.status:
            case "failed":
                failure = record.failure
                message = f"{failure.message} {failure.remedy}".strip() if failure else "It failed."
                raise JobFailed(message, job_id=self.id, failure=failure)
            case "cancelled":
                why = record.notes[-1] if record.notes else ""
                raise JobCancelled(f"{self.id} was cancelled. {why}".strip(), job_id=self.id)
            case "uncertain":
                text = (
                    "The hub's answer was lost and its queue could not be read, so nobody knows whether it has the job."
                )
                raise JobUncertain(f"{text} kn.resume() looks again; nothing is sent twice.", job_id=self.id)
            case _:
                path = self._active.end.result()
                if path is None:
                    raise TransferError(
                        f"{self.id} is {record.status}, but its file is not here; kn.resume() fetches it"
                    )
                return Clip(path, record)


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
