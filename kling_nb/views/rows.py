"""The rows of progress: each job as a few plain values for the browser, followed until it ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, cast

from kling_nb.models.progress import Progress
from kling_nb.views.actions import JobLike
from kling_nb.views.throttle import Throttle

_log = logging.getLogger(__name__)


def row_of(progress: Progress) -> dict[str, Any]:
    """Return a job's state as JSON; times are unix seconds, so that the browser can tick by itself."""
    failure = progress.failure
    return {
        "id": progress.id,
        "status": progress.status,
        "text": progress.words,
        "title": progress.title,
        "ended": progress.ended,
        "created": progress.created.timestamp(),
        "since": progress.since.timestamp(),
        "expected": progress.expected.timestamp() if progress.expected else None,
        "price": progress.price,
        "preview": progress.preview,
        "warning": progress.trouble,
        "failure": {"message": failure.message, "remedy": failure.remedy} if failure else None,
    }


class Rows:
    """Follows jobs and hands their rows to `send`, throttled; `on_end` is called once for each job that ends."""

    def __init__(
        self,
        send: Callable[[list[dict[str, Any]]], None],
        on_end: Callable[[JobLike], None],
        *,
        newest_first: bool = False,
    ) -> None:
        self._send, self._on_end, self._newest_first = send, on_end, newest_first
        self._lock = threading.RLock()
        self._jobs: dict[str, JobLike] = {}
        self._rows: dict[str, dict[str, Any]] = {}
        self._leave: dict[str, Callable[[], None]] = {}
        self._changed = Throttle(self._hand_over, lock=self._lock)
        self._adding = False

    @property
    def jobs(self) -> list[JobLike]:
        """The jobs in the order in which they came."""
        with self._lock:
            return list(self._jobs.values())

    def add(self, jobs: Iterable[JobLike]) -> None:
        """Follow more jobs; all of them appear in one message."""
        with self._lock:
            fresh = [job for job in jobs if job.id not in self._jobs]
            self._jobs |= {job.id: job for job in fresh}
            self._rows |= {job.id: row_of(job.progress) for job in fresh}
            self._changed.flush()
        for job in fresh:
            self._follow(job)

    def cancel(self, job_id: str, failed: Callable[[BaseException], None]) -> None:
        """Ask for a job to be stopped; its row says so when the hub has done it, `failed` hears why it has not."""
        job = self._jobs.get(job_id)
        asked = job.cancel() if job is not None else None
        if isinstance(asked, Future):
            cast("Future[Any]", asked).add_done_callback(lambda done: _tell(done, failed))

    def _follow(self, job: JobLike) -> None:
        leave = job.subscribe(lambda progress: self._heard(job, progress))
        with self._lock:
            if job.id in self._leave:  # it had ended already, in the first call
                leave()
            else:
                self._leave[job.id] = leave

    def _heard(self, job: JobLike, progress: Progress) -> None:
        row = row_of(progress)
        with self._lock:
            if self._rows[job.id] != row:
                self._rows[job.id] = row
                self._changed()
            if not progress.ended or self._leave.get(job.id) is _left:
                return
            leave = self._leave.get(job.id, _left)
            self._leave[job.id] = _left
        leave()
        self._on_end(job)

    def _hand_over(self) -> None:
        with self._lock:
            rows = [self._rows[job_id] for job_id in self._jobs]
            self._send(rows[::-1] if self._newest_first else rows)


def _tell(done: Future[Any], failed: Callable[[BaseException], None]) -> None:
    fault = None if done.cancelled() else done.exception()
    if fault is not None:
        failed(fault)


def _left() -> None:
    """The job has ended and is not followed any more."""
