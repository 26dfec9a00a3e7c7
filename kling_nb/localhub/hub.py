"""Oxen's hub behind the routes: its records, signed URLs and events."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from starlette.requests import Request

from .inputs import InputError, Refusal
from .jobs import Job
from .options import Options
from .repos import Repos
from .runner import SCHEDULES, SUFFIXES, Runner
from .signing import Signer
from .validation import UPSTREAM_ERROR
from .workers import CRASHED

USER = "local"
# Patterns that replace IDs and paths in the request counts.
_LABELS = (
    (re.compile(r"^/api/ai/queue/.+"), "/api/ai/queue/:generation_id"),
    (re.compile(r"^/api/ai/models/(?!search$).+"), "/api/ai/models/:id"),
    (re.compile(r"^/api/repos/.+/workspaces/.+"), "/api/repos/:result"),
    (re.compile(r"^/api/repos/[^/]+/[^/]+/(file|workbench)/.+"), r"/api/repos/:\1"),
)


class Hub(Runner):
    """Oxen's stand-in and its state folder."""

    provider = "oxen"

    def __init__(self, folder: Path, options: Options) -> None:
        super().__init__(folder, options)
        self.repos = Repos(folder / "repos")
        self.signer = Signer(folder)
        # Jobs whose URLs the fault `expired_url` has made invalid, and those that were read afterwards.
        self.expired: set[str] = set()
        self.renewed: set[str] = set()

    async def stop(self) -> None:
        """End the event streams too."""
        self.closing.set()
        for queue in self.subscribers:
            queue.put_nowait(None)
        await super().stop()

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
        queue_for, process_for = (0.0 if instant else seconds / self.options.speed for seconds in SCHEDULES[media_type])
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
        return self.add(job)

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
        name = f"{directory}/{job.id}.{SUFFIXES[job.media_type]}"
        path = f"/api/repos/{job.owner}/{repo}/workspaces/{job.id}/files/{name}"
        return self.base_url + self.signer.sign(path, expires)

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

    def label(self, request: Request) -> str:
        """Return the path with patterns in place of ids and file names."""
        path: str = request.scope["path"]
        for pattern, label in _LABELS:
            path = pattern.sub(label, path)
        return path

    def error_of(self, refusal: Refusal, job: Job) -> str:
        """Return the error in upstream's words."""
        if refusal == CRASHED:
            return f"Getting model response error: 500 - {refusal.text}"
        return UPSTREAM_ERROR + refusal.text

    def ended(self, job: Job) -> None:
        """Tell the subscribers."""
        if not job.listed:
            return
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
