"""The hub itself, behind its routes: accepts jobs, follows each to its end, and tells the subscribers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import shutil
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from . import jobs, validation
from .faults import Faults
from .inputs import BadPicture, fetch_all
from .jobs import Job, Jobs
from .options import Options
from .repos import Repos
from .signing import Signer
from .workers import Order, Renders

__all__ = ["USER", "Hub"]

USER = "local"
_log = logging.getLogger(__name__)
# Seconds in the queue and in processing at speed 1: a clip takes about six, a still two.
_COURSE = {"video": (1.5, 4.5), "image": (0.5, 1.5)}
_CRASHED = "Getting model response error: 500 - Internal Server Error"


class Hub:
    """One local hub and its state folder."""

    def __init__(self, folder: Path, options: Options) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self.options = options
        self.base = ""
        self.jobs = Jobs(folder / "jobs")
        self.repos = Repos(folder / "repos")
        self.signer = Signer(folder)
        self.faults = Faults(options.faults)
        self.renders = Renders(options.workers)
        self.requests: Counter[str] = Counter()
        self.foreign = {"requests": 0, "authorization": 0}
        self.subscribers: set[asyncio.Queue[str | None]] = set()
        self.closing = asyncio.Event()
        self.touched = time.time()
        self.stale: set[str] = set()
        self.renewed: set[str] = set()
        self.foreign_origin: str | None = None
        self._kept: set[asyncio.Task[None]] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ended: dict[str, asyncio.Event] = {}

    async def start(self) -> None:
        """Take up the jobs that an earlier process left unfinished; a half-made film is made again."""
        now = time.time()
        for job in self.jobs:
            if jobs.status(job, now) in jobs.ACTIVE and not job.stuck:
                self._follow(job)

    async def stop(self) -> None:
        """End streams and workers; active jobs stay in the state folder for the next start."""
        self.closing.set()
        for queue in self.subscribers:
            queue.put_nowait(None)
        for task in list(self._tasks.values()):
            task.cancel()
        self.renders.close()

    def accept(self, body: Mapping[str, Any], media_type: str, **how: Any) -> Job:
        """Keep a new job and set it going. `how`: instant, index, listed, stuck, failure."""
        queue_for, process_for = (seconds / self.options.speed for seconds in _COURSE[media_type])
        if how.pop("instant", False):
            queue_for = process_for = 0.0
        job = Job(
            id=str(uuid.uuid4()),
            model=str(body["model"]),
            media_type=media_type,
            request=dict(body),
            enqueued_at=time.time(),
            queue_for=queue_for,
            process_for=process_for,
            owner=str(body.get("target_namespace") or USER),
            **how,
        )
        self.jobs.put(job)
        if not job.stuck:
            self._follow(job)
        return job

    def cancel(self, job: Job) -> None:
        """Cancel an active job; no event is sent for it (section 4)."""
        self.jobs.put(jobs.cancelled(job, time.time()))
        if (task := self._tasks.get(job.id)) is not None:
            task.cancel()

    async def ended(self, job_id: str) -> Job:
        """The job once it is over."""
        event = self._ended.get(job_id)
        if event is not None:
            await event.wait()
        job = self.jobs.get(job_id)
        assert job is not None  # noqa: S101  # jobs are never removed
        return job

    def record(self, job: Job) -> dict[str, Any]:
        """The wire record of a job, with a URL that answers now."""
        now = time.time()
        url = None
        if jobs.status(job, now) == "succeeded":
            self._renew(job.id)
            url = self.result_url(job)
        no_prompt = "" if self.options.answers["multi_shot_prompt"] == "empty" else None
        return jobs.record(job, now, result_url=url, no_prompt=no_prompt)

    def result_url(self, job: Job) -> str:
        """The signed address of a result (section 8)."""
        lifetime = self.options.url_lifetime
        expires = int(time.time() + lifetime + 0.999)
        if self.options.answers["resign"] == "never":
            expires = int((jobs.due(job) or 0) + lifetime + 0.999)
        return self.base + self.signer.signed(self.result_path(job), expires)

    def result_path(self, job: Job) -> str:
        """The path part of a result's address."""
        repo = str(job.request.get("target_repo") or "playground").strip("/").rpartition("/")[2]
        suffix = "mp4" if job.media_type == "video" else "png"
        directory = str(job.request.get("target_directory") or "generations").strip("/")
        return f"/api/repos/{job.owner}/{repo}/workspaces/{job.id}/files/{directory}/{job.id}.{suffix}"

    def result_file(self, job_id: str) -> Path | None:
        """The file of a finished job, or None."""
        job = self.jobs.get(job_id)
        if job is None or job.result_path is None or jobs.status(job, time.time()) != "succeeded":
            return None
        path = self.folder / job.result_path
        return path if path.is_file() else None

    def keep(self, task: asyncio.Task[None]) -> None:
        """Hold on to a task that runs beside the requests."""
        self._kept.add(task)
        task.add_done_callback(self._kept.discard)

    def touch(self) -> None:
        """Somebody asked for something."""
        self.touched = time.time()

    def active(self) -> int:
        """How many jobs are on their way (a stuck one is not: it would keep an idle hub alive for ever)."""
        now = time.time()
        return sum(not job.stuck and jobs.status(job, now) in jobs.ACTIVE for job in self.jobs)

    def counts(self) -> dict[str, int]:
        """How many listed jobs there are of each status."""
        now = time.time()
        return dict(Counter(jobs.status(job, now) for job in self.jobs if job.listed))

    def barred(self, path: str, query: Mapping[str, str], *, key: bool = False) -> int | None:
        """The status that keeps a reader from a file of this hub (sections 7 and 8), or None: it is read."""
        verdict = self.signer.verdict(path, query, time.time())
        if verdict in ("expired", "wrong"):
            return 403
        pieces = path.split("/")
        if (job_id := _job_of(pieces)) is None:
            return 401 if verdict == "none" and not key and self.repos.is_private(*pieces[3:5]) else None
        if verdict == "none" and not key:
            return 403
        if self.options.answers["results_need_key"] == "yes" and not key:
            return 401
        return 403 if job_id in self.stale else None

    def own_file(self, url: str) -> Path | None:
        """The file behind one of this hub's own addresses; None when the address is another's.

        The model's provider reads it, who has no key: what a bare address does not give is no input either.
        """
        parts = urlsplit(url)
        if not self.base or f"{parts.scheme}://{parts.netloc}" != self.base:
            return None
        path = unquote(parts.path)
        job_id = _job_of(path.split("/"))
        found = self.repos.find_by_url(path) if job_id is None else self.result_file(job_id)
        status = 404 if found is None else self.barred(path, dict(parse_qsl(parts.query)))
        if status is not None:
            raise BadPicture(f"Failed to download image from {url[:200]}: {status} {HTTPStatus(status).phrase}")
        return found

    def _renew(self, job_id: str) -> None:
        if job_id in self.stale:
            self.stale.discard(job_id)
            self.renewed.add(job_id)

    def _follow(self, job: Job) -> None:
        self._ended[job.id] = asyncio.Event()
        task = asyncio.create_task(self._course(job))
        self._tasks[job.id] = task
        task.add_done_callback(lambda _: self._leave(job.id))

    def _leave(self, job_id: str) -> None:
        self._tasks.pop(job_id, None)
        self._ended.pop(job_id, asyncio.Event()).set()
        self.touched = time.time()

    async def _course(self, job: Job) -> None:
        if job.failure is None and job.rendered_at is None:
            job = await self._rendered(job)
        # Again when it wakes early: the loop's clock is not the wall's.
        while (left := (jobs.due(job) or 0) - time.time()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(left)
        if job.listed:
            self._publish(job)

    async def _rendered(self, job: Job) -> Job:
        out = Path("results") / f"{job.id}.{'mp4' if job.media_type == 'video' else 'png'}"
        scratch = self.folder / "scratch" / job.id
        try:
            wanted = dict.fromkeys(validation.references(job.request))
            lenient = self.options.answers["unreachable_image"] == "placeholder"
            pictures = await fetch_all(wanted, scratch, own=self.own_file, lenient=lenient)
            videos = await fetch_all(validation.videos(job.request), scratch, own=self.own_file, lenient=lenient)
            order = Order(
                job.request,
                job.media_type,
                pictures,
                str(self.folder / out),
                self.options.size,
                job.index,
                video=videos.get(validation.edited_video(job.request) or ""),
            )
            failure = await self._made(order)
        except BadPicture as fault:
            failure = str(fault)
        except Exception:  # noqa: BLE001  # whatever went wrong, the job must end, and hub.log must say why
            _log.exception("rendering of %s failed", job.id)
            failure = _CRASHED
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return self.jobs.put(jobs.rendered(job, time.time(), path=out.as_posix(), failure=failure))

    async def _made(self, order: Order) -> str | None:
        for _ in range(2):
            with contextlib.suppress(BrokenProcessPool):
                return await self.renders.make(order)
            self.renders.close()
        return _CRASHED

    def _publish(self, job: Job) -> None:
        news: dict[str, Any] = {"generation_id": job.id}
        if job.failure is None:
            url = self.result_url(job)
            news |= {"status": "succeeded", "media_type": job.media_type, "model": job.model, "url": url}
        else:
            news |= {"status": "failed", "media_type": job.media_type, "error": job.failure}
        line = json.dumps(news, separators=(",", ":"))
        for queue in self.subscribers:
            queue.put_nowait(f"event: media_generation_completed\ndata: {line}\n\n")


def _job_of(pieces: list[str]) -> str | None:
    """The job whose result lies at a path; None for a repository's file."""
    return pieces[6] if pieces[5:6] == ["workspaces"] and len(pieces) > 6 else None
