"""Every job as a function of the clock: pure, `now` is a parameter, nothing here waits or reads the time."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

__all__ = [
    "ACTIVE",
    "TERMINAL",
    "Job",
    "Jobs",
    "cancelled",
    "completed_at",
    "due",
    "record",
    "rendered",
    "started_at",
    "status",
    "write_atomically",
]

ACTIVE = ("queued", "processing")
TERMINAL = ("succeeded", "failed", "cancelled")
_HUB_ONLY = {"model", "prompt"}


@dataclass(frozen=True)
class Job:
    """One generation: what was asked, when, and what has become of it. A change is a new value."""

    id: str
    model: str
    media_type: str
    request: Mapping[str, Any]
    enqueued_at: float
    queue_for: float
    process_for: float
    index: int = 0
    owner: str = "local"
    listed: bool = True
    stuck: bool = False
    failure: str | None = None
    cancelled_at: float | None = None
    rendered_at: float | None = None
    result_path: str | None = None
    url_expires: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The job as the state folder keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Job:
        """The job back from the state folder."""
        return cls(**data)


def status(job: Job, now: float) -> str:
    """The job's state at `now` (HUB_API section 3, "States"): terminal states stick."""
    if job.cancelled_at is not None:
        return "cancelled"
    end = due(job)
    if end is not None and now >= end:
        return "failed" if job.failure is not None else "succeeded"
    return "queued" if now < job.enqueued_at + job.queue_for else "processing"


def due(job: Job) -> float | None:
    """When the job ends, or None while nobody can say: it is stuck, or its film is not rendered yet."""
    if job.stuck:
        return None
    scheduled = job.enqueued_at + job.queue_for + job.process_for
    if job.rendered_at is not None:
        return max(scheduled, job.rendered_at)
    return scheduled if job.failure is not None else None


def started_at(job: Job, now: float) -> float | None:
    """When processing began, or None when it never did."""
    start = job.enqueued_at + job.queue_for
    end = job.cancelled_at if job.cancelled_at is not None else now
    return start if start <= end else None


def completed_at(job: Job, now: float) -> float | None:
    """When the job reached its terminal state, or None while it is active."""
    if job.cancelled_at is not None:
        return job.cancelled_at
    end = due(job)
    return end if end is not None and now >= end else None


def cancelled(job: Job, now: float) -> Job:
    """The job after a DELETE at `now`: cancelled when it was active, unchanged when it was over."""
    return replace(job, cancelled_at=now) if status(job, now) in ACTIVE else job


def rendered(job: Job, now: float, *, path: str | None = None, failure: str | None = None) -> Job:
    """The job once its rendering ended at `now`, well (`path`) or badly (`failure`)."""
    return replace(job, rendered_at=now, result_path=path, failure=failure)


def record(job: Job, now: float, *, result_url: str | None, no_prompt: str | None = None) -> dict[str, Any]:
    """The wire record of HUB_API section 3: the fixed fields, and the submitted parameters beside them."""
    state = status(job, now)
    echoed = {name: value for name, value in job.request.items() if name not in _HUB_ONLY}
    failed = state == "failed"
    return {
        **echoed,
        "generation_id": job.id,
        "model_name": job.model,
        "model": job.model,
        "prompt": job.request.get("prompt") or no_prompt,
        "media_type": job.media_type,
        "status": state,
        "result_url": result_url if state == "succeeded" else None,
        "error_message": job.failure if failed else None,
        "enqueued_at": int(job.enqueued_at),
        "started_at": _second(started_at(job, now)),
        "completed_at": _second(completed_at(job, now)),
        **({"error_retryable": False} if failed else {}),
    }


def _second(moment: float | None) -> int | None:
    return None if moment is None else int(moment)


class Jobs:
    """All jobs by id, in the order they were enqueued."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._jobs = {job.id: job for job in sorted(_stored(folder), key=lambda job: (job.enqueued_at, job.index))}

    def __iter__(self) -> Iterator[Job]:
        return iter(list(self._jobs.values()))

    def __len__(self) -> int:
        return len(self._jobs)

    def get(self, job_id: str) -> Job | None:
        """The job, or None when there is none of that id."""
        return self._jobs.get(job_id)

    def put(self, job: Job) -> Job:
        """Keep the job, on disk before in memory."""
        write_atomically(self._folder / f"{job.id}.json", job.to_json())
        self._jobs[job.id] = job
        return job


def write_atomically(path: Path, data: Any) -> None:
    """Write JSON so that a reader sees the old file or the new one, never half of either."""
    with NamedTemporaryFile("w", dir=path.parent, prefix=".tmp-", delete=False, encoding="utf-8") as file:
        json.dump(data, file)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)


def _stored(folder: Path) -> Iterator[Job]:
    for path in folder.glob("*.json"):
        # A file of another version, or cut off by a full disk, is one lost job and no reason not to start.
        with contextlib.suppress(ValueError, TypeError):
            yield Job.from_json(json.loads(path.read_text(encoding="utf-8")))
