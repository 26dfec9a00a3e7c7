"""A local hub for a benchmark: in its own process, with tiny films, at a speed that resembles the real hub's."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from kling_nb.localhub.serve import ensure, stop

MODEL = "kling-video-o3-pro-reference-to-video"
KEY = "benchmark"
#: Seconds in the queue and in processing at speed 1.
_COURSE = 6.0


class BenchHub:
    """A running hub whose clips take `takes` seconds; ended by leaving the `with`."""

    def __init__(self, folder: Path, *, takes: float, size: str = "180p", provider: str = "oxen") -> None:
        self.folder = folder
        self.url = ensure(folder, speed=_COURSE / takes, idle=600, arguments=("--size", size), provider=provider)

    def __enter__(self) -> BenchHub:
        return self

    def __exit__(self, *_: object) -> None:
        stop(self.folder)

    def requests(self) -> dict[str, int]:
        """How often each route was asked, as the hub counted."""
        return httpx.get(f"{self.url}/_local/stats", trust_env=False).json()["requests"]

    def spans(self) -> dict[str, tuple[float, float]]:
        """When each generation was taken and when it was done, to the fraction of a second that the wire leaves out."""
        jobs = (json.loads(path.read_text()) for path in (self.folder / "jobs").glob("*.json"))
        return {job["id"]: (job["enqueued_at"], _done(job)) for job in jobs}


def _done(job: dict[str, float]) -> float:
    return max(job["enqueued_at"] + job["queue_for"] + job["process_for"], job["rendered_at"])
