"""fal's side behind the routes: its requests, their states and results, and the media it serves."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.requests import Request

from kling_nb.localhub.inputs import InputError, Refusal
from kling_nb.localhub.jobs import Job
from kling_nb.localhub.options import Options
from kling_nb.localhub.runner import SCHEDULES, Runner

from .drawing import as_drawn, field_of
from .endpoints import Endpoint
from .options import FAULTS

_NAME = re.compile(r"[^A-Za-z0-9._-]+")
# Patterns that replace ids and names in the request counts.
_LABELS = (
    (re.compile(r"^/(storage|v1|api|models)/(?!.*/requests/[0-9a-f-]{36})"), None),
    (re.compile(r"^/.+/requests/[^/]+((/status(/stream)?|/cancel)?)(/response)?$"), r"/:app/requests/:id\1"),
    (re.compile(r"^/files/upload"), None),
    (re.compile(r"^/(upload/)?files/b/[^/]+/[^/]+"), r"/\1files/:name"),
    (re.compile(r"^/[^/]+/[^/]+(/.+)?$"), "/:endpoint"),
)
_NEVER = 1e9  # seconds
_KEPT_HEADERS = ("x-fal-", "x-app-fal-")


class FalHub(Runner):
    """fal's stand-in and its state folder."""

    provider = "fal"
    known_faults = FAULTS

    def __init__(self, folder: Path, options: Options) -> None:
        super().__init__(folder, options)
        self.uploads = folder / "uploads"
        self.uploads.mkdir(exist_ok=True)
        # Tokens for uploads to the media host, and the files of uploads that are announced.
        self.tokens: set[str] = set()
        self.announced: dict[str, str] = {}

    def submit(self, endpoint: Endpoint, body: Mapping[str, Any], request: Request, failure: Any = None) -> Job:
        """Save a new request and start it; one with a `failure` fails when its time is over."""
        fault = self.faults.take(request, "stuck", "failed", "requeued")
        name, headers = (None if fault is None else fault.name), request.headers
        if fault is not None and name == "failed":
            failure = _failure_of(fault.extra, headers.get("authorization", "").removeprefix("Key "))
        instant = headers.get("x-local-instant") == "1"
        waits, takes = (0.0 if instant else seconds / self.options.speed for seconds in SCHEDULES["video"])
        stuck, limit = name == "stuck", headers.get("x-fal-request-timeout")
        if stuck and fault is not None and not fault.extra.get("running"):
            waits = _NEVER
        if limit is not None and float(limit) < waits:  # it did not start in time
            waits, takes, stuck = float(limit), 0.0, False
            detail = f"Request did not start within {limit} seconds"
            failure = {"status": 504, "detail": detail, "error_type": "request_timeout"}
        sent = {key: value for key, value in headers.items() if key.startswith(_KEPT_HEADERS)}
        return self.add(
            Job(
                id=str(uuid.uuid4()),
                model=endpoint.id,
                media_type="video",
                request=dict(body),
                enqueued_at=time.time(),
                queue_for=waits,
                process_for=takes,
                stuck=stuck,
                error=None if failure is None else json.dumps(failure),
                details={"headers": sent, "requeued": name == "requeued", "mode": endpoint.mode, "app": endpoint.app},
            )
        )

    def state(self, job: Job) -> str:
        """Return the state in fal's words."""
        now = time.time()
        match job.status(now):
            case "queued":
                return "IN_QUEUE"
            case "processing":
                started = job.enqueued_at + job.queue_for
                third = (now - started) / (job.process_for or 1) * 3
                return "IN_QUEUE" if job.details.get("requeued") and 1 <= third < 2 else "IN_PROGRESS"
            case _:
                return "COMPLETED"

    def failure(self, job: Job) -> dict[str, Any] | None:
        """Return status, detail and type of the error that a request ended with, or None."""
        if job.cancelled_at is not None:
            return {"status": 499, "detail": "Request was cancelled", "error_type": "client_cancelled"}
        return None if job.error is None or job.status(time.time()) != "failed" else json.loads(job.error)

    def urls(self, job: Job, form: str, base: str) -> dict[str, str]:
        """Return the URLs of a request; `form` is a value of the choice `url_form`."""
        root = f"{base}/{job.details['app'] if form == 'app' else job.model}/requests/{job.id}"
        return {
            "response_url": root + ("/response" if form == "response" else ""),
            "status_url": f"{root}/status",
            "cancel_url": f"{root}/cancel",
        }

    def status_of(self, job: Job, *, logs: bool) -> dict[str, Any]:
        """Return the status object of a request."""
        state, failure = self.state(job), self.failure(job)
        found: dict[str, Any] = {
            "status": state,
            "request_id": job.id,
            **self.urls(job, self.options.choices["url_form"], self.base_url),
            "logs": [_log(job)] if logs and state != "IN_QUEUE" else None,
        }
        if state == "IN_QUEUE":
            waiting = [each.id for each in self.jobs if self.state(each) == "IN_QUEUE"]
            found["queue_position"] = waiting.index(job.id) if job.id in waiting else 0
        if state == "COMPLETED":
            found["metrics"] = {"inference_time": job.process_for}
        if failure and (failure["error_type"] or self.options.choices["status_error"] == "yes"):
            detail: Any = failure["detail"]
            first = detail[0] if isinstance(detail, list) else {"msg": detail, "type": None}
            found |= {"error": first["msg"], "error_type": failure["error_type"] or first["type"]}
        return found

    def result_of(self, job: Job) -> dict[str, Any]:
        """Return the output of a request that succeeded."""
        path = self.result_file(job.id)
        size = path.stat().st_size if path is not None else 0
        url = f"{self.other_origin}/files/b/{job.id[:8]}/{job.id}_output.mp4"
        return {"video": {"url": url, "content_type": "video/mp4", "file_name": "output.mp4", "file_size": size}}

    # --- media ---

    def new_upload(self, name: str) -> str:
        """Return the path of a new file on the media host, under its own name."""
        name = _NAME.sub("_", name)[-80:].lstrip(".") or "file"
        return f"/files/b/{secrets.token_hex(4)}/{secrets.token_urlsafe(12)}_{name}"

    def upload_path(self, path: str) -> Path:
        """Return where the file at a path of the media host is kept."""
        return self.uploads / hashlib.sha256(path.encode()).hexdigest()

    def media_file(self, path: str) -> Path | None:
        """Return the file at a path of the media host: a result or an upload; None if there is none."""
        if (result := self.result_file(path.rpartition("/")[2].partition("_")[0])) is not None:
            return result
        file = self.upload_path(path)
        return file if file.is_file() else None

    # --- what a `Runner` asks ---

    def label(self, request: Request) -> str:
        """Return the path with patterns in place of ids and names, without the host that it begins with."""
        path: str = request.scope["path"]
        for pattern, label in _LABELS:
            if pattern.match(path):
                return path if label is None else pattern.sub(label, path)
        return path

    def accepts_key_of(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request has a key that the hub accepts: any key, or one that `--key` lists."""
        scheme, _, key = headers.get("authorization", "").partition(" ")
        key = key.strip()
        return scheme.lower() == "key" and bool(key) and (not self.options.keys or key in self.options.keys)

    def local_file(self, url: str) -> Path | None:
        """Return the file behind a URL of the media host, or None for any other URL."""
        parts = urlsplit(url)
        if not self.other_origin or f"{parts.scheme}://{parts.netloc}" != self.other_origin:
            return None
        if (file := self.media_file(unquote(parts.path))) is None:
            raise InputError(f"Failed to download the file from {url[:200]}: 404", "file_download_error", url)
        return file

    def drawn(self, job: Job) -> Mapping[str, Any]:
        """Return the request in the fields that the animatic draws."""
        return as_drawn(job.request, job.details["mode"])

    def error_of(self, refusal: Refusal, job: Job) -> str:
        """Return the error as the model words it, at the field that has the URL."""
        loc = field_of(job.request, refusal.url)
        if refusal.kind == "internal_server_error":
            return json.dumps({"status": 500, "detail": refusal.text, "error_type": "runner_server_error"})
        detail = [{"loc": ["body", *loc], "msg": refusal.text, "type": refusal.kind}]
        return json.dumps({"status": 422, "detail": detail, "error_type": None})


def _failure_of(extra: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the failure that the fault `failed` describes: of a runner, or with a list as `detail` of the model."""
    message = str(extra.get("message", "Internal Server Error")).replace("{key}", key)
    detail = extra.get("detail", message)
    error_type = extra.get("error_type", None if isinstance(detail, list) else "runner_server_error")
    status = extra.get("status", 422 if isinstance(detail, list) else 500)
    return {"status": status, "detail": detail, "error_type": error_type}


def _log(job: Job) -> dict[str, Any]:
    started = time.gmtime(job.enqueued_at + job.queue_for)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", started)
    return {"message": "Drawing an animatic", "level": "INFO", "source": "RUNNER", "timestamp": stamp}
