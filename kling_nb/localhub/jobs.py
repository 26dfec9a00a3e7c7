"""The jobs of one hub: in memory while it runs, one JSON file each in the state folder for the next start."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from .state import Job

__all__ = ["Jobs", "write_atomically"]


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
