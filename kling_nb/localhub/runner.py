"""`Runner`: the base of both providers' stand-ins. It keeps jobs, draws their clips and ends them."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from starlette.requests import Request

from .faults import FAULTS, Faults, parse
from .inputs import InputError, Refusal, download, edited_video_url, image_urls, video_urls
from .jobs import Job, Jobs
from .options import Options
from .workers import CRASHED, RenderTask, Workers

_log = logging.getLogger(__name__)
# Seconds in the queue and in processing at speed 1.
SCHEDULES: Mapping[str, tuple[float, float]] = {"video": (1.5, 4.5), "image": (0.5, 1.5)}
SUFFIXES: Mapping[str, str] = {"video": "mp4", "image": "png"}


class Runner:
    """The jobs of one process in a state folder, and the clips that it draws for them."""

    provider: ClassVar[str]
    #: The faults that this provider has, and the requests that each is for.
    known_faults: ClassVar[Mapping[str, tuple[str, str]]] = FAULTS

    def __init__(self, folder: Path, options: Options) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self.options = options
        # `other_origin` is a second address: of redirected downloads at Oxen, of all media at fal.
        self.base_url = self.other_origin = ""
        self.jobs = Jobs(folder / "jobs")
        self.faults = Faults(parse(text, self.known_faults) for text in options.faults)
        self.requests: Counter[str] = Counter()
        self.last_used = time.time()
        self.closing = asyncio.Event()
        # The open streams of events.
        self.subscribers: set[asyncio.Queue[str | None]] = set()
        # Requests with a key that is not this hub's, and requests and keys at the second address.
        self.wrong_keys = self.other_origin_requests = self.other_origin_keys = 0
        self._workers = Workers(options.workers)
        self._running: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Continue the jobs that an earlier process left unfinished."""
        for job in self.jobs:
            if job.is_active(time.time()) and not job.stuck:
                self._start(job)

    async def stop(self) -> None:
        """End the workers; unfinished jobs remain for the next start."""
        self.closing.set()
        for task in self._running.values():
            task.cancel()
        self._workers.close()

    def add(self, job: Job) -> Job:
        """Save a new job and start it."""
        self.jobs.save(job)
        if not job.stuck:
            self._start(job)
        return job

    def cancel(self, job: Job) -> None:
        """Cancel an active job, without an event."""
        self.jobs.save(job.cancelled(time.time()))
        if (task := self._running.get(job.id)) is not None:
            task.cancel()

    async def wait(self, job_id: str) -> Job:
        """Return the job once it has ended."""
        if (task := self._running.get(job_id)) is not None:
            await asyncio.wait([task])
        job = self.jobs.get(job_id)
        assert job is not None  # noqa: S101  # jobs are never deleted
        return job

    def result_file(self, job_id: str) -> Path | None:
        """Return the file of a succeeded job, or None."""
        job = self.jobs.get(job_id)
        if job is None or job.result_path is None or job.status(time.time()) != "succeeded":
            return None
        path = self.folder / job.result_path
        return path if path.is_file() else None

    def touch(self) -> None:
        """Restart the idle time."""
        self.last_used = time.time()

    def is_busy(self) -> bool:
        """Return whether any job is active; a stuck one does not count, since it would keep the hub running."""
        now = time.time()
        return any(job.is_active(now) and not job.stuck for job in self.jobs)

    # --- what a provider answers for itself ---

    def label(self, request: Request) -> str:
        """Return the path under which a request is counted, with patterns in place of ids and file names."""
        raise NotImplementedError

    def accepts_key_of(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request has a key that this hub accepts."""
        raise NotImplementedError

    def local_file(self, url: str) -> Path | None:
        """Return the file behind a URL of this hub, or None for any other URL."""
        raise NotImplementedError

    def drawn(self, job: Job) -> Mapping[str, Any]:
        """Return the request of a job in the fields that the animatic draws: those of Oxen's contract."""
        return job.request

    def error_of(self, refusal: Refusal, job: Job) -> str:
        """Return what the job keeps of a failed rendering."""
        raise NotImplementedError

    def ended(self, job: Job) -> None:
        """Called at the end of a job that was not cancelled."""

    # --- drawing ---

    def _start(self, job: Job) -> None:
        task = self._running[job.id] = asyncio.create_task(self._run(job))
        task.add_done_callback(lambda _: self._running.pop(job.id, None))
        task.add_done_callback(lambda _: self.touch())

    async def _run(self, job: Job) -> None:
        if job.error is None and job.rendered_at is None:
            job = await self._render(job)
        # In a loop, because the event loop's clock may run ahead of the wall clock.
        while (left := (job.ends_at or 0) - time.time()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(left)
        self.ended(job)

    async def _render(self, job: Job) -> Job:
        out = f"results/{job.id}.{SUFFIXES[job.media_type]}"
        scratch = self.folder / "scratch" / job.id
        skip_missing = self.options.choices["unreachable_image"] == "placeholder"
        body = self.drawn(job)
        try:
            files = await download(
                dict.fromkeys([*image_urls(body), *video_urls(body)]),
                scratch,
                local_file=self.local_file,
                skip_missing=skip_missing,
            )
            images = {url: files[url] for url in image_urls(body) if url in files}
            video = files.get(edited_video_url(body) or "")
            path = str(self.folder / out)
            refusal = await self._workers.render(
                RenderTask(body, job.media_type, images, path, self.options.size, job.index, video)
            )
        except InputError as exc:
            refusal = exc.refusal
        except Exception:  # noqa: BLE001  # the job must end whatever happened
            _log.exception("rendering of %s failed", job.id)
            refusal = CRASHED
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        error = None if refusal is None else self.error_of(refusal, job)
        return self.jobs.save(job.rendered(time.time(), path=out, error=error))
