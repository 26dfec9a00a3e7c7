"""The hub behind the routes: it accepts jobs, runs them and publishes their end."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .faults import Faults, parse
from .inputs import InputError, download, edited_video_url, image_urls, video_urls
from .jobs import Job, Jobs
from .options import Options
from .repos import Repos
from .signing import Signer
from .workers import CRASHED, RenderTask, Workers

USER = "local"
_log = logging.getLogger(__name__)
# Seconds in the queue and in processing at speed 1.
_SCHEDULES = {"video": (1.5, 4.5), "image": (0.5, 1.5)}
_SUFFIXES = {"video": "mp4", "image": "png"}


class Hub:
    """A local hub and its state folder."""

    def __init__(self, folder: Path, options: Options) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self.options = options
        # `other_origin` is a second address, to which a fault redirects downloads.
        self.base_url = self.other_origin = ""
        self.jobs = Jobs(folder / "jobs")
        self.repos = Repos(folder / "repos")
        self.signer = Signer(folder)
        self.faults = Faults(map(parse, options.faults))
        self.requests: Counter[str] = Counter()
        self.last_used = time.time()
        self.subscribers: set[asyncio.Queue[str | None]] = set()
        self.closing = asyncio.Event()
        # Jobs whose URLs the fault `expired_url` has made invalid, and those that were read afterwards.
        self.expired: set[str] = set()
        self.renewed: set[str] = set()
        self.other_origin_requests = self.other_origin_keys = 0
        self._workers = Workers(options.workers)
        self._running: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Continue the jobs that an earlier process left unfinished."""
        for job in self.jobs:
            if job.is_active(time.time()) and not job.stuck:
                self._start(job)

    async def stop(self) -> None:
        """End streams and workers; unfinished jobs remain for the next start."""
        self.closing.set()
        for queue in self.subscribers:
            queue.put_nowait(None)
        for task in self._running.values():
            task.cancel()
        self._workers.close()

    def submit(
        self,
        body: Mapping[str, Any],
        media_type: str,
        *,
        index: int = 0,
        listed: bool = True,
        stuck: bool = False,
        instant: bool = False,
        error: str | None = None,
    ) -> Job:
        """Save a new job and start it; one with an `error` fails when its time is over."""
        queue_for, process_for = (
            0.0 if instant else seconds / self.options.speed for seconds in _SCHEDULES[media_type]
        )
        job = Job(
            id=str(uuid.uuid4()),
            model=str(body["model"]),
            media_type=media_type,
            request=dict(body),
            enqueued_at=time.time(),
            queue_for=queue_for,
            process_for=process_for,
            index=index,
            owner=str(body.get("target_namespace") or USER),
            listed=listed,
            stuck=stuck,
            error=error,
        )
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

    def record(self, job: Job) -> dict[str, Any]:
        """Return the record of a job on the wire, with a URL that is valid now."""
        now, url = time.time(), None
        if job.status(now) == "succeeded":
            if job.id in self.expired:
                self.expired.discard(job.id)
                self.renewed.add(job.id)
            url = self.result_url(job)
        no_prompt = "" if self.options.choices["multi_shot_prompt"] == "empty" else None
        return job.record(now, result_url=url, no_prompt=no_prompt)

    def result_url(self, job: Job) -> str:
        """Return the signed URL of a result."""
        signed_at = (job.ends_at or 0) if self.options.choices["resign"] == "never" else time.time()
        expires = int(signed_at + float(self.options.choices["url_lifetime"]) + 0.999)
        repo = str(job.request.get("target_repo") or "playground").strip("/").rpartition("/")[2]
        directory = str(job.request.get("target_directory") or "generations").strip("/")
        name = f"{directory}/{job.id}.{_SUFFIXES[job.media_type]}"
        path = f"/api/repos/{job.owner}/{repo}/workspaces/{job.id}/files/{name}"
        return self.base_url + self.signer.sign(path, expires)

    def result_file(self, job_id: str) -> Path | None:
        """Return the file of a succeeded job, or None."""
        job = self.jobs.get(job_id)
        if job is None or job.result_path is None or job.status(time.time()) != "succeeded":
            return None
        path = self.folder / job.result_path
        return path if path.is_file() else None

    def accepts_key_of(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request has a key that the hub accepts: any key, or one that `--key` lists."""
        scheme, _, key = headers.get("authorization", "").partition(" ")
        key = key.strip()
        return scheme.lower() == "bearer" and bool(key) and (not self.options.keys or key in self.options.keys)

    def access_error(self, path: str, query: Mapping[str, str], *, has_key: bool = False) -> int | None:
        """Return the status that refuses to read a file of this hub, or None if access is allowed."""
        signature = self.signer.verify(path, query, time.time())
        if signature in ("expired", "invalid"):
            return 403
        signed, parts = signature == "valid", path.split("/")
        if (job_id := _job_id_in(path)) is None:
            return 401 if not signed and not has_key and self.repos.is_private(*parts[3:5]) else None
        if not signed and not has_key:
            return 403
        if self.options.choices["results_need_key"] == "yes" and not has_key:
            return 401
        return 403 if job_id in self.expired else None

    def local_file(self, url: str) -> Path | None:
        """Return the file behind a URL of this hub, or None for any other URL.

        Upstream reads it without a key, so a URL that needs one raises `InputError`.
        """
        parts = urlsplit(url)
        if not self.base_url or f"{parts.scheme}://{parts.netloc}" != self.base_url:
            return None
        path = unquote(parts.path)
        job_id = _job_id_in(path)
        file = self.repos.find_by_url(path) if job_id is None else self.result_file(job_id)
        status = 404 if file is None else self.access_error(path, dict(parse_qsl(parts.query)))
        if status is not None:
            raise InputError(f"Failed to download image from {url[:200]}: {status} {HTTPStatus(status).phrase}")
        return file

    def touch(self) -> None:
        """Restart the idle time."""
        self.last_used = time.time()

    def is_busy(self) -> bool:
        """Return whether any job is active; a stuck one does not count, since it would keep the hub running."""
        now = time.time()
        return any(job.is_active(now) and not job.stuck for job in self.jobs)

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
        if job.listed:
            self._publish(job)

    async def _render(self, job: Job) -> Job:
        out = f"results/{job.id}.{_SUFFIXES[job.media_type]}"
        scratch = self.folder / "scratch" / job.id
        skip_missing = self.options.choices["unreachable_image"] == "placeholder"
        try:
            files = await download(
                dict.fromkeys([*image_urls(job.request), *video_urls(job.request)]),
                scratch,
                local_file=self.local_file,
                skip_missing=skip_missing,
            )
            images = {url: files[url] for url in image_urls(job.request) if url in files}
            video = files.get(edited_video_url(job.request) or "")
            path = str(self.folder / out)
            error = await self._workers.render(
                RenderTask(job.request, job.media_type, images, path, self.options.size, job.index, video)
            )
        except InputError as exc:
            error = str(exc)
        except Exception:  # noqa: BLE001  # the job must end whatever happened
            _log.exception("rendering of %s failed", job.id)
            error = CRASHED
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return self.jobs.save(job.rendered(time.time(), path=out, error=error))

    def _publish(self, job: Job) -> None:
        outcome: dict[str, Any] = {"status": "failed", "media_type": job.media_type, "error": job.error}
        if job.error is None:
            url = self.result_url(job)
            outcome = {"status": "succeeded", "media_type": job.media_type, "model": job.model, "url": url}
        data = json.dumps({"generation_id": job.id, **outcome}, separators=(",", ":"))
        for queue in self.subscribers:
            queue.put_nowait(f"event: media_generation_completed\ndata: {data}\n\n")


def _job_id_in(path: str) -> str | None:
    """Return the job whose result is at a path, or None for a file of a repository."""
    parts = path.split("/")
    return parts[6] if parts[5:6] == ["workspaces"] and len(parts) > 6 else None
