"""Jobs: their state as a function of time, and their storage on disk."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

ACTIVE = ("queued", "processing")


@dataclass(frozen=True)
class Job:
    """A generation: its request, schedule and outcome. A change returns a new job.

    The state follows from these values and the time, so its methods take `now`. Terminal states never change.
    """

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
    error: str | None = None
    cancelled_at: float | None = None
    rendered_at: float | None = None
    result_path: str | None = None
    # What only one provider keeps of a job.
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def ends_at(self) -> float | None:
        """When the job ends, or None while it is stuck or not rendered yet."""
        if self.stuck:
            return None
        scheduled = self.enqueued_at + self.queue_for + self.process_for
        if self.rendered_at is not None:
            return max(scheduled, self.rendered_at)
        return scheduled if self.error is not None else None

    def status(self, now: float) -> str:
        """Return the state at `now`."""
        if self.cancelled_at is not None:
            return "cancelled"
        if self.ends_at is not None and now >= self.ends_at:
            return "succeeded" if self.error is None else "failed"
        return "queued" if now < self.enqueued_at + self.queue_for else "processing"

    def is_active(self, now: float) -> bool:
        """Return whether the job is queued or processing at `now`."""
        return self.status(now) in ACTIVE

    def started_at(self, now: float) -> float | None:
        """Return when processing began, or None if it has not."""
        start = self.enqueued_at + self.queue_for
        end = self.cancelled_at if self.cancelled_at is not None else now
        return start if start <= end else None

    def completed_at(self, now: float) -> float | None:
        """Return when the job reached its terminal state, or None while it is active."""
        if self.cancelled_at is not None:
            return self.cancelled_at
        return self.ends_at if self.ends_at is not None and now >= self.ends_at else None

    def cancelled(self, now: float) -> Job:
        """Return the job after a DELETE at `now`, which does not affect a finished job."""
        return replace(self, cancelled_at=now) if self.is_active(now) else self

    def rendered(self, now: float, *, path: str | None = None, error: str | None = None) -> Job:
        """Return the job after its rendering ended at `now` with a file or an error."""
        return replace(self, rendered_at=now, result_path=path, error=error)

    def record(self, now: float, *, result_url: str | None, no_prompt: str | None = None) -> dict[str, Any]:
        """Return the record on the wire: the submitted parameters and the fixed fields."""
        status = self.status(now)
        failed = status == "failed"
        return {
            **self.request,
            "generation_id": self.id,
            "model_name": self.model,
            "model": self.model,
            "prompt": self.request.get("prompt") or no_prompt,
            "media_type": self.media_type,
            "status": status,
            "result_url": result_url if status == "succeeded" else None,
            "error_message": self.error if failed else None,
            "enqueued_at": int(self.enqueued_at),
            "started_at": _whole(self.started_at(now)),
            "completed_at": _whole(self.completed_at(now)),
            **({"error_retryable": False} if failed else {}),
        }


class Jobs:
    """All jobs of a hub in the order they were enqueued: in memory, and one JSON file each for the next start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._jobs = {job.id: job for job in sorted(_load(folder), key=lambda job: (job.enqueued_at, job.index))}

    def __iter__(self) -> Iterator[Job]:
        return iter(list(self._jobs.values()))

    def get(self, job_id: str) -> Job | None:
        """Return the job with this ID, or None."""
        return self._jobs.get(job_id)

    def save(self, job: Job) -> Job:
        """Save the job on disk, then in memory."""
        write_atomically(self._folder / f"{job.id}.json", asdict(job))
        self._jobs[job.id] = job
        return job


def write_atomically(path: Path, data: Any) -> None:
    """Write JSON so that a reader sees either the old file or the new one."""
    with NamedTemporaryFile("w", dir=path.parent, prefix=".tmp-", delete=False, encoding="utf-8") as file:
        json.dump(data, file)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)


def _load(folder: Path) -> Iterator[Job]:
    for path in folder.glob("*.json"):
        # A damaged file, or one from another version, loses one job and must not prevent the start.
        with contextlib.suppress(ValueError, TypeError):
            yield Job(**json.loads(path.read_text(encoding="utf-8")))


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds)
