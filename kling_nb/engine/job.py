"""`Job`: one generation, as the user holds it; `Clip`: its result."""

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
from typing import TYPE_CHECKING, Any, TypeVar, cast

from kling_nb.engine.active import ActiveJob, Listener
from kling_nb.engine.ports import Display
from kling_nb.errors import (
    ArgumentTypeError,
    JobCancelled,
    JobFailed,
    JobUncertain,
    KlingError,
    TransferError,
    WaitTimeout,
)
from kling_nb.models.frames import frame_of
from kling_nb.models.images import SOURCE
from kling_nb.models.reprs import parts, shorten

if TYPE_CHECKING:  # for jedi too: it fails on a live job if it can look up `Status`, a `Literal`
    from PIL.Image import Image as PILImage

    from kling_nb.models.judgements import Score
    from kling_nb.models.progress import Progress
    from kling_nb.models.record import File, Record, Status

C = TypeVar("C", bound=Callable[..., Any])
#: Seconds after which a wait wakes up: an interrupt of an awaiting cell is noticed only when its loop runs.
_HEARTBEAT = 0.1


@dataclass(frozen=True, repr=False)
class Clip:
    """A finished clip.

    Attributes:
        path: The file in the log.
        record: Inputs and outputs: everything needed to understand the clip and to make it again.
    """

    path: Path
    record: Record

    def __repr__(self) -> str:
        return f"<Clip {self.id}: {self}>"

    def __str__(self) -> str:
        return parts(shorten(self.record.prompt.replace("\n", " / "), 60), self._file.text)

    @property
    def id(self) -> str:
        """ID of its record in the log."""
        return self.record.id

    @property
    def duration(self) -> float:
        """Length in seconds; 0.0 for an image."""
        return self._file.duration or 0.0

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self._file.width or 0

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self._file.height or 0

    @property
    def fps(self) -> float:
        """Frames per second; 0.0 for an image."""
        return self._file.fps or 0.0

    @property
    def frames(self) -> int:
        """Number of frames; 0 for an image."""
        return self._file.frames or 0

    @property
    def _file(self) -> File:
        assert self.record.clip is not None  # noqa: S101 - a clip is made of a record that has one
        return self.record.clip

    def frame(self, number: int, /) -> PILImage:
        """Return one frame as a PIL image.

        It is exactly the frame that a player shows, so that shots can be chained:
        `kn.generate("…", start_image_url=clip.frame(-1))`.

        Args:
            number: From 0 for the first frame; -1 is the last.

        Raises:
            IndexError: The clip has no such frame.
        """
        image = frame_of(self.path, number)
        image.info[SOURCE] = self.id  # the record of a request that takes it names this one as its parent
        return image

    @property
    def scores(self) -> dict[str, Score]:
        """Its scores by the scorers' names: `clip.scores["motion"].value`."""
        return self.record.scores

    def save(self, target: str | os.PathLike[str]) -> Path:
        """Write the clip to a file or folder of yours, with its record inside; see `Record.save`."""
        return self.record.save(target)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self.record._repr_mimebundle_(include, exclude)  # pyright: ignore[reportPrivateUsage] -- IPython's own name

    def _display_(self) -> Any:
        return self.record._display_()  # pyright: ignore[reportPrivateUsage] -- marimo's own name


class Clips(list[Clip]):
    """Clips in order: a list that a cell shows side by side."""

    def __init__(self, clips: Iterable[Clip], display: Display) -> None:
        super().__init__(clips)
        self._display = display

    def __reduce__(self) -> tuple[type[list[Clip]], tuple[list[Clip]]]:
        return list, (list(self),)

    def __repr__(self) -> str:
        return f"[{', '.join(map(repr, self))}]"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self._display.strip([clip.record for clip in self]) if self else {"text/plain": "[]"}

    def _display_(self) -> Any:  # for marimo
        return self._display.card_view(self._repr_mimebundle_())


class Job:
    """One generation, from the request to the file, as `kn.generate` returns it.

    A job runs in the background. It can be shown, waited for, awaited, iterated over and cancelled, on any thread.
    Interrupting a wait does not cancel the job. After a kernel restart, `kn.resume()` brings it back.

    Example:
        >>> job = kn.generate("A paper boat", duration=5)
        >>> clip = job.result()  # or: clip = await job
        >>> for progress in job:  # or: async for
        ...     print(progress.label)
    """

    def __init__(
        self, active: ActiveJob, bind: Callable[[Record], Record], display: Display, cancel: Callable[[], Future[None]]
    ) -> None:
        self._active, self._bind, self._display, self._cancel = active, bind, display, cancel
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
        """The state as a word: `queued`, `processing`, `succeeded`, `failed`, …"""
        return self._active.state

    @property
    def done(self) -> bool:
        """Whether `result()` returns or raises immediately: the job has ended, or this session has given it up.

        `record.ended` tells the two apart.
        """
        return self._active.done

    def add_done_callback(self, callback: Callable[[Job], Any]) -> None:
        """Call `callback(job)` once the job is `done`, on any thread; immediately if it is done already."""
        checked = _callable("callback", callback)
        self._active.end.add_done_callback(lambda _: checked(self))

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with the progress, now and at each change; return a function that unsubscribes it.

        The listener is called on the engine's thread and must not block.
        """
        return self._active.subscribe(_callable("listener", listener))

    def result(self, timeout: float | None = None) -> Clip:
        """Wait for the clip and return it.

        Args:
            timeout: Seconds to wait at most; None waits as long as it takes.

        Raises:
            WaitTimeout: The timeout was reached, or the hub does not stop the job at its deadline; the job continues.
            JobFailed: The hub refused the request or could not generate the clip.
            JobCancelled: The job was cancelled.
            JobUncertain: It is not known whether the hub has the job; `kn.resume()` checks again.
            TransferError: The clip exists but could not be downloaded; `kn.resume()` tries again.
            LogError: The log cannot be written.
        """
        if not self.wait(timeout):
            trouble, label = self.progress.trouble, self.progress.label.lower()
            doing = f"waiting: {trouble}" if trouble else f"still {label}."
            raise WaitTimeout(f"Job {self.id} is {doing} It continues in the background.")
        return self._clip()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the job is done, however it ends; return whether it is, within `timeout` seconds."""
        self._check_process()
        with suppress(KlingError, TimeoutError):
            self._active.end.result(timeout)
        if self.done:
            self._display.publish([self])
        return self.done

    def __await__(self) -> Generator[Any, None, Clip]:
        return self._awaited().__await__()

    async def _awaited(self) -> Clip:
        self._check_process()
        while not self.done:  # noqa: ASYNC110 - the end comes on another loop
            await asyncio.sleep(_HEARTBEAT)
        self._display.publish([self])
        return self._clip()

    def __iter__(self) -> Iterator[Progress]:
        """Yield the progress at each change, the last one when the job is done."""
        self._check_process()
        changes: queue.SimpleQueue[Progress] = queue.SimpleQueue()
        unsubscribe = self.subscribe(changes.put)
        try:
            while not (self.done and changes.empty()):
                with suppress(queue.Empty):
                    yield (progress := changes.get(timeout=_HEARTBEAT))
                    if progress.ended:
                        break
        finally:
            unsubscribe()
        self._display.publish([self])

    async def __aiter__(self) -> AsyncIterator[Progress]:
        changes: queue.SimpleQueue[Progress] = queue.SimpleQueue()
        unsubscribe = self.subscribe(changes.put)
        try:
            while not (self.done and changes.empty()):
                try:
                    yield changes.get_nowait()
                except queue.Empty:
                    await asyncio.sleep(_HEARTBEAT)
        finally:
            unsubscribe()

    def cancel(self) -> Future[None]:
        """Ask for the job to be stopped; return immediately. The hub may still bill a clip that it has begun."""
        self._check_process()
        return self._cancel()

    @property
    def batch(self) -> str:
        """The ID that the jobs of one request share."""
        return self.record.batch

    def card(self, *others: Job) -> dict[str, Any]:
        """Return the static card of this job, and of others of its batch, as a MIME bundle."""
        return self._display.bundle(self.record, *(job.record for job in others))

    def _ipython_display_(self) -> None:
        self._display.show([self])

    def _display_(self) -> Any:  # for marimo
        return self._display.jobs_view([self])

    def __repr__(self) -> str:
        # asyncio.run(job), which takes coroutines only, shows it in its error.
        hint = "" if self.done else " · job.result() or `await job` waits for the clip"
        return f"<Job {self.id}: {self.progress.label}{hint}>"

    if not TYPE_CHECKING:  # checkers find such mistakes by themselves

        def __getattr__(self, name: str) -> Any:
            if (not name.startswith("_") and hasattr(Clip, name)) or name == "path":
                raise AttributeError(f"A job has no {name!r}, its clip has: job.result().{name} or (await job).{name}")
            raise AttributeError(f"'Job' object has no attribute {name!r}")

    def _check_process(self) -> None:
        """Refuse to wait in a forked process, which gets no updates of the job."""
        if self._process != os.getpid() and not self.done:
            raise KlingError(f"Job {self.id} belongs to another process. Wait for it there, or see kn.log().")

    def _clip(self) -> Clip:
        record = self.record
        match record.status:
            case "failed":
                failure = record.failure
                message = f"{failure.message} {failure.remedy}".strip() if failure else "The job failed."
                raise JobFailed(message, job_id=self.id, failure=failure)
            case "cancelled":
                why = record.notes[-1] if record.notes else ""
                raise JobCancelled(f"Job {self.id} was cancelled. {why}".strip(), job_id=self.id)
            case "uncertain":
                message = "It is not known whether the hub accepted the job."
                remedy = "kn.resume() checks again; nothing is sent twice."
                raise JobUncertain(f"{message} {remedy}", job_id=self.id)
            case "succeeded" if path := self._active.path:
                return Clip(path, record)
            case _:
                self._active.end.result()  # raises the error that ended the wait
                message = f"Job {self.id} is {record.status}, but its file is missing."
                raise TransferError(f"{message} kn.resume() downloads it.")


class Jobs(tuple[Job, ...]):
    """A tuple of `Job` that can be shown, waited for, awaited and cancelled as one."""

    _display: Display
    _note: str

    @classmethod
    def of(cls, jobs: Iterable[Job], display: Display, note: str = "") -> Jobs:
        """Join jobs, each once, in order; `note` is shown below them."""
        joined = cls(dict.fromkeys(jobs))
        joined._display, joined._note = display, note
        return joined

    def result(self, timeout: float | None = None) -> list[Clip]:
        """Wait for every job and return the clips in order.

        Args:
            timeout: Seconds to wait at most for all of them together.

        Raises:
            WaitTimeout: The timeout was reached; the jobs continue.
            KlingError: The error of the first job without a clip, see `Job.result`. The others keep their results.
        """
        self.wait(timeout)
        self._display.publish(list(self))
        return self._clips(job.result(0) for job in self)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until every job is done, however it ends; return whether all are, within `timeout` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        done = [job.wait(None if end is None else max(end - time.monotonic(), 0)) for job in self]
        return all(done)

    def __await__(self) -> Generator[Any, None, list[Clip]]:
        return self._awaited().__await__()

    async def _awaited(self) -> list[Clip]:
        results = await asyncio.gather(*(job._awaited() for job in self), return_exceptions=True)  # pyright: ignore[reportPrivateUsage]
        if error := next((result for result in results if isinstance(result, BaseException)), None):
            raise error
        return self._clips(cast("list[Clip]", results))

    def _clips(self, clips: Iterable[Clip]) -> list[Clip]:
        return Clips(clips, self._display)

    def cancel(self) -> list[Future[None]]:
        """Ask for every job to be stopped; return immediately."""
        return [job.cancel() for job in self]

    def _ipython_display_(self) -> None:
        self._display.show(list(self), self._note)

    def _display_(self) -> Any:  # for marimo
        return self._display.jobs_view(list(self)) if self else repr(self)

    def __repr__(self) -> str:
        jobs = f"<{len(self)} jobs: {', '.join(job.progress.label for job in self)}>"
        return jobs if self else "\n".join(filter(None, ["<0 jobs>", self._note]))


def _callable(name: str, given: C) -> C:
    if not callable(given):
        raise ArgumentTypeError(f"{name} must be callable, got {given!r}.")
    return given
