"""The jobs that each cell of this session has started, so that a cell that runs again need not pay again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from kling_nb.engine.job import Job
from kling_nb.notebook.location import running_cell


class Place(NamedTuple):
    """The place of a request: the cell, the request, and how often that cell had made it before in the same run."""

    cell: str
    request: str
    number: int


class CellJobs:
    """Jobs by the place that started them. Ask for a place once for each request: places are counted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[Place, tuple[Job, ...]] = {}
        self._runs: dict[str, tuple[object, Counter[str]]] = {}

    def place(self, request: str) -> Place | None:
        """Return the place of a request in the running cell, the same when the cell runs again; None without a cell."""
        running = running_cell()
        if running is None:
            return None
        cell, run = running
        with self._lock:
            known, counts = self._runs.get(cell, (None, Counter[str]()))
            if known is not run and known != run:
                counts = Counter[str]()
            self._runs[cell] = run, counts
            counts[request] += 1
            return Place(cell, request, counts[request])

    def jobs(self, place: Place) -> list[Job]:
        """Return the jobs that this place has started; none if one of them has no clip to give."""
        jobs = self._jobs.get(place, ())
        return [] if any(job.state in ("failed", "cancelled") for job in jobs) else list(jobs)

    def keep(self, place: Place, jobs: Sequence[Job]) -> None:
        """Note the jobs that a place has started."""
        self._jobs[place] = tuple(jobs)
