"""What a cell shows of its jobs: live rows while they run, and in the end nothing but their static cards."""

from __future__ import annotations

import datetime
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, cast

import ipywidgets
from IPython.display import display as show
from IPython.display import update_display

from kling_nb.models.progress import Progress
from kling_nb.render import progress_html, progress_text
from kling_nb.render.page import under_way_html
from kling_nb.ui.messages import Messages, Throttle
from kling_nb.ui.outlet import LATE_CLASS, SHOWN, Bundle, JobLike, Note, Pages, as_output, joined, publish
from kling_nb.ui.widgets import RowsWidget, keep_reachable, view_of

__all__ = ["JobsView", "display", "publish"]


class JobsView:
    """The live rows of some jobs. When all have ended, the cell holds their cards as plain HTML, newest last."""

    def __init__(self, jobs: Sequence[JobLike]) -> None:
        self.jobs = list(jobs)
        self._place = uuid.uuid4().hex
        self._note = Note()
        self._lock = threading.RLock()
        self._displayed = False
        self._pages = Pages()
        self._late = ipywidgets.Output()
        self._late.add_class(LATE_CLASS)
        self._widget = RowsWidget()
        keep_reachable(self._widget)
        self._messages = Messages(self._widget)
        self._messages.answer(page=self._on_page, cancel=self._on_cancel)
        self._box = ipywidgets.VBox([self._widget, self._late])
        self._box.add_class("kn-with-cards")
        self._rows = Rows(self._send_rows, self._ended)
        self._rows.add(self.jobs)

    @property
    def ended(self) -> bool:
        """Whether all of its jobs have."""
        return all(job.progress.ended for job in self.jobs)

    def display(self) -> None:
        """Show the rows in this cell; the cards at once when there is nothing left to wait for."""
        with self._lock:
            show(self._cards() if self.ended else self._live(), raw=True, display_id=self._place)
            if not self.ended:
                self._note.show(under_way_html([job.progress for job in self.jobs]))
            self._displayed = True
        SHOWN.add(self)
        if self.ended:  # in the moment between: say it again
            self.publish()

    def publish(self) -> None:
        """Put the cards where the rows were, if all jobs have ended. Harmless when repeated, on any thread."""
        with self._lock:
            if self._displayed and self.ended and self._pages.updates:
                self._note.take_back()
                update_display(self._cards(), raw=True, display_id=self._place)

    def _ipython_display_(self) -> None:
        self.display()

    def _cards(self) -> Bundle:
        return joined([job.card() for job in self.jobs])

    def _live(self) -> Bundle:
        now, states = datetime.datetime.now(datetime.UTC), [job.progress for job in self.jobs]
        return {
            **view_of(self._box),
            "text/html": "\n".join(progress_html(state, now) for state in states),
            "text/plain": "\n".join(progress_text(state, now) for state in states),
        }

    def _send_rows(self, rows: list[dict[str, Any]]) -> None:
        self._widget.rows = rows

    def _ended(self, _job: JobLike) -> None:
        self._messages.reporting(self._settle)

    def _settle(self) -> None:
        self._put_late()
        self.publish()

    def _put_late(self) -> None:
        """Put the cards under the rows for pages that came later; a page that has them in the rows' place has none."""
        if self._pages.reattached:
            with self._lock:
                self._late.outputs = tuple(as_output(job.card()) for job in self.jobs if job.progress.ended)

    def _on_page(self, said: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        first = self._pages.seen(str(said.get("page")))
        self._messages.send("clock", page=said.get("page"), now=time.time(), first=first)
        self._put_late()

    def _on_cancel(self, said: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._rows.cancel(str(said.get("job")), self._messages.failed)


def display(jobs: Sequence[JobLike]) -> JobsView:
    """Show jobs in this cell, live, and return the view."""
    view = JobsView(jobs)
    view.display()
    return view


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
