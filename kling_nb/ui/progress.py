"""Jobs and the runs of plans in a cell: live while they run, and at the end only static HTML.

A page that was reloaded while a plan ran cannot be updated (jupyter.md section 3): it keeps the last sheet, without
buttons.
"""

from __future__ import annotations

import datetime
import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, cast

import ipywidgets
from IPython.display import display as show
from IPython.display import update_display

from kling_nb.models.clipname import clip_name
from kling_nb.models.progress import Progress
from kling_nb.render.facts import is_image
from kling_nb.render.page import JOBS_TYPE, jobs_json, offline_html, running_html, running_plan_html
from kling_nb.render.plan import plan_bundle, plan_html
from kling_nb.render.tables import progress_html, progress_text
from kling_nb.ui.cards import Acts, answer_cards
from kling_nb.ui.marimo import card, late_cards, stack
from kling_nb.ui.messages import Messages, Throttle
from kling_nb.ui.outlet import LATE_CLASS, SHOWN, Bundle, Note, Outlet, Pages, as_output, joined, update_page
from kling_nb.ui.widgets import RowsWidget, WatchWidget, keep_reachable, view_of

if TYPE_CHECKING:
    from kling_nb.engine.job import Job
    from kling_nb.sweeps.run import Run


def display(jobs: Sequence[Job], log: str = "", acts: Acts | None = None) -> JobsView:
    """Show jobs in this cell, live, and return the view; `log` is the path of their log from the notebook."""
    view = JobsView(jobs, log, acts)
    view.display()
    return view


class JobsView:
    """Live rows of jobs. When all have ended, the cell contains their cards as plain HTML, newest last."""

    def __init__(self, jobs: Sequence[Job], log: str = "", acts: Acts | None = None) -> None:
        self.jobs, self._log_path = list(jobs), log
        self.widget = RowsWidget()
        self.late = late_cards()
        """The cards again, for pages that were reloaded."""
        self.late.add_class(LATE_CLASS)
        keep_reachable(self.widget)
        self._display_id = uuid.uuid4().hex
        self._note, self._pages = Note(), Pages()
        self._lock = threading.RLock()
        self._displayed = False
        self._messages = Messages(self.widget)
        self._messages.on(page=self._on_page, cancel=self._on_cancel)
        self._box = _with_cards(self.widget, self.late)
        self._rows = Rows(lambda rows: self.widget.set_trait("rows", rows), self._ended)
        self._rows.add(self.jobs)
        if acts:
            answer_cards(self.widget, self._messages, acts, lambda job, stars: self._rows.change(job, {"stars": stars}))

    @property
    def ended(self) -> bool:
        """Whether all jobs have ended."""
        return all(job.progress.ended for job in self.jobs)

    def display(self) -> None:
        """Show the rows in this cell, or the cards if all jobs have ended."""
        with self._lock:
            show(self._cards() if self.ended else self._live(), raw=True, display_id=self._display_id)
            if not self.ended:
                states = [job.progress for job in self.jobs]
                self._note.show(running_html(states), {JOBS_TYPE: jobs_json(states, self._log_path)})
            self._displayed = True
        SHOWN.add(self)
        if self.ended:  # the last job may have ended just before the view was registered
            self.publish()

    def publish(self) -> None:
        """Replace the rows by the cards, if all jobs have ended. Harmless when repeated, on any thread."""
        with self._lock:
            if self._displayed and self.ended and self._pages.updates:
                self._note.remove()
                update_display(self._cards(), raw=True, display_id=self._display_id)

    def _ipython_display_(self) -> None:
        self.display()

    def _display_(self) -> Any:
        return stack(self.widget, self.late)

    def _cards(self) -> Bundle:
        return joined(_cards_of(self.jobs))

    def _live(self) -> Bundle:
        now, states = datetime.datetime.now(datetime.UTC), [job.progress for job in self.jobs]
        return {
            **view_of(self._box),
            "text/html": "\n".join(progress_html(state, now) for state in states),
            "text/plain": "\n".join(progress_text(state, now) for state in states),
        }

    def _ended(self, _job: Job) -> None:
        def settle() -> None:
            self._update_late()
            self.publish()

        self._messages.guard(settle)

    def _update_late(self) -> None:
        """Put the cards under the rows for pages that came later; a page with the cards in place of the rows has none.

        See `kling_nb.ui.outlet`.
        """
        if self._pages.reattached:
            with self._lock:
                ended = [job for job in self.jobs if job.progress.ended]
                self.late.outputs = tuple(as_output(card) for card in _cards_of(ended))

    def _on_page(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        first = self._pages.seen(str(content.get("page")))
        self._update_late()
        update_page(self._messages, content.get("page"), self.widget, self.late, first=first)

    def _on_cancel(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._rows.cancel(str(content.get("job")), self._messages.show_error)


class JobArea:
    """The jobs that a panel or a gallery starts: rows in its widget, newest first, and finished cards under it."""

    def __init__(
        self, widget: Any, messages: Messages, offline: str, on_end: Callable[[Job], None] = lambda job: None
    ) -> None:
        self._widget, self._messages, self._on_end = widget, messages, on_end
        self.outlet = Outlet(offline_html(offline))
        self.box = _with_cards(widget, self.outlet.late)
        self._rows = Rows(lambda rows: widget.set_trait("rows", rows), self._ended, newest_first=True)
        messages.on(page=self._on_page, cancel=self._on_cancel)

    @property
    def jobs(self) -> list[Job]:
        """The jobs, oldest first."""
        return self._rows.jobs

    def add(self, jobs: Iterable[Job]) -> None:
        """Follow more jobs."""
        jobs = list(jobs)
        self.outlet.expect(job.batch for job in jobs)
        self._rows.add(jobs)

    def change(self, job_id: str, **values: Any) -> None:
        """Change what the row of a job shows."""
        self._rows.change(job_id, values)

    def show_below(self, widget: Any) -> None:
        """Show a widget between the rows and the cards; None shows none."""
        first, *_, late = self.box.children
        self.box.children = (first, *([widget] if widget is not None else []), late)

    def publish(self) -> None:
        """Send the finished cards again, from this thread (see `outlet.publish`)."""
        for batch in {job.batch for job in self.jobs}:
            self._add_card(batch)
        self.outlet.publish()

    def _ended(self, job: Job) -> None:
        self._messages.guard(lambda: self._add_card(job.batch))
        self._on_end(job)

    def _add_card(self, batch: str) -> None:
        """Show the card of a batch with those of its jobs that have ended."""
        if ended := [job for job in self.jobs if job.batch == batch and job.progress.ended]:
            self.outlet.add(batch, ended[0].card(*ended[1:]), mark=f"{batch}-{len(ended)}")

    def _on_page(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        first = self.outlet.seen(str(content.get("page")))
        update_page(self._messages, content.get("page"), self._widget, self.outlet.late, first=first)

    def _on_cancel(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._rows.cancel(str(content.get("job")), self._messages.show_error)


def _cards_of(jobs: Iterable[Job]) -> list[Bundle]:
    """Return the cards of jobs in their order, one for each batch."""
    batches: dict[str, list[Job]] = {}
    for job in jobs:
        batches.setdefault(job.batch, []).append(job)
    return [first.card(*others) for first, *others in batches.values()]


def _with_cards(widget: Any, late: Any) -> ipywidgets.VBox:
    box = ipywidgets.VBox([widget, late])
    box.add_class("kn-with-cards")
    return box


class Rows:
    """Follows jobs and passes their rows to `send`, throttled; calls `on_end` once for each job that ends."""

    def __init__(
        self,
        send: Callable[[list[dict[str, Any]]], None],
        on_end: Callable[[Job], None],
        *,
        newest_first: bool = False,
    ) -> None:
        self._send, self._on_end, self._newest_first = send, on_end, newest_first
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._rows: dict[str, dict[str, Any]] = {}
        self._changes: dict[str, dict[str, Any]] = {}
        self._unsubscribe: dict[str, Callable[[], None]] = {}
        self._changed = Throttle(self._send_all, lock=self._lock)

    @property
    def jobs(self) -> list[Job]:
        """The jobs in the order in which they were added."""
        with self._lock:
            return list(self._jobs.values())

    def add(self, jobs: Iterable[Job]) -> None:
        """Follow more jobs; all of them appear in one message."""
        with self._lock:
            new = [job for job in jobs if job.id not in self._jobs]
            self._jobs |= {job.id: job for job in new}
            self._rows |= {job.id: row_of(job) for job in new}
            self._changed.flush()
        for job in new:
            self._follow(job)

    def change(self, job_id: str, values: Mapping[str, Any]) -> None:
        """Change what the row of a job shows, whatever its job says."""
        with self._lock:
            if job_id in self._jobs:
                self._changes[job_id] = {**self._changes.get(job_id, {}), **values}
                self._changed.flush()

    def cancel(self, job_id: str, on_error: Callable[[BaseException], None]) -> None:
        """Ask the hub to stop a job. Its row shows when that has happened; `on_error` receives the exception if not."""
        job = self._jobs.get(job_id)
        pending = job.cancel() if job is not None else None
        if isinstance(pending, Future):

            def done(future: Future[Any]) -> None:
                error = None if future.cancelled() else future.exception()
                if error is not None:
                    on_error(error)

            cast("Future[Any]", pending).add_done_callback(done)

    def _follow(self, job: Job) -> None:
        unsubscribe = job.subscribe(lambda progress: self._update(job, progress))
        with self._lock:
            if job.id in self._unsubscribe:  # the job had ended before, so the first call said so
                unsubscribe()
            else:
                self._unsubscribe[job.id] = unsubscribe

    def _update(self, job: Job, progress: Progress) -> None:
        row = row_of(job, progress)
        with self._lock:
            if self._rows[job.id] != row:
                self._rows[job.id] = row
                self._changed()
            if not progress.ended or self._unsubscribe.get(job.id) is _ended:
                return
            unsubscribe = self._unsubscribe.get(job.id, _ended)
            self._unsubscribe[job.id] = _ended
        unsubscribe()
        self._on_end(job)

    def _send_all(self) -> None:
        with self._lock:
            rows = [self._rows[job_id] | self._changes.get(job_id, {}) for job_id in self._order()]
            self._send(rows)

    def _order(self) -> list[str]:
        """Return the IDs as they are shown: the jobs of one batch in their own order, batches as chosen."""
        if not self._newest_first:
            return list(self._jobs)
        batches: dict[str, list[str]] = {}
        for job in self._jobs.values():
            batches.setdefault(job.batch, []).append(job.id)
        return [job_id for batch in reversed(batches.values()) for job_id in batch]


def _ended() -> None:
    """Mark a job that has ended and is not followed any more."""


def row_of(job: Job, progress: Progress | None = None) -> dict[str, Any]:
    """Return a job's state as JSON; times are Unix seconds, so that the browser can count by itself."""
    progress = progress or job.progress
    failure, record = progress.failure, job.record
    return {
        "id": progress.id,
        "status": progress.status,
        "text": progress.label,
        "title": progress.title,
        "ended": progress.ended,
        "created": progress.created.timestamp(),
        "since": progress.since.timestamp(),
        "expected": progress.expected.timestamp() if progress.expected else None,
        "price": progress.price,
        "preview": progress.preview,
        "warning": progress.trouble,
        "failure": {"message": failure.message, "remedy": failure.remedy} if failure else None,
        "batch": record.batch,
        "stars": record.stars or 0,
        "file": clip_name(record) if record.clip else "",
        "image": is_image(record),
    }


_log = logging.getLogger(__name__)

#: Seconds between two updates: a sheet of sixty images is some tens of kilobytes.
_INTERVAL = 0.5


class RunView:
    """The sheet of a run, updated at its changes, with two buttons until it ends."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._display_id, self._note = uuid.uuid4().hex, Note()
        self._lock = threading.RLock()
        self._page = ipywidgets.HTML()
        self._pause = ipywidgets.Button(description="Pause")
        self._cancel = ipywidgets.Button(description="Cancel the rest")
        for name, button, press in (("pause", self._pause, self._toggle), ("cancel", self._cancel, run.cancel)):
            button.add_class(f"kn-run-{name}")
            button.on_click(_logged(press))
            keep_reachable(button)
        keep_reachable(self._page)
        self._buttons = ipywidgets.HBox([self._pause, self._cancel])
        self.widget = ipywidgets.VBox([WatchWidget(), self._buttons, self._page])
        self.widget.add_class("kn-run")
        self._changed = Throttle(self._draw, interval=_INTERVAL, lock=self._lock)

    def display(self) -> None:
        """Show the run in this cell."""
        over, sheet = self._run.over, self._run.sheet()
        bundle = plan_bundle(sheet)
        self._page.value = bundle["text/html"]
        show(bundle if over else {**view_of(self.widget), **bundle}, raw=True, display_id=self._display_id)
        if not over:
            self._note.show(running_plan_html(sheet.name))
        self._run.subscribe(self._changed)
        self.publish()  # the run may have ended just before the subscription

    def _display_(self) -> Any:
        sheet = card(plan_bundle(self._run.sheet()))

        def paint(change: Mapping[str, Any]) -> None:
            sheet.set_trait("html", change["new"])

        self._page.observe(paint, "value")
        self._run.subscribe(self._changed)
        return sheet

    def publish(self) -> None:
        """Replace the live sheet by the static one once the run is over. Harmless when repeated, on any thread."""
        with self._lock:
            if self._run.over:
                self._buttons.layout.display = "none"
                self._note.remove()
                update_display(plan_bundle(self._run.sheet()), raw=True, display_id=self._display_id)

    def _draw(self) -> None:
        with self._lock:
            sheet = self._run.sheet()
            self._page.value = plan_html(sheet)
            self._pause.description = "Resume" if self._run.paused else "Pause"
            self._pause.disabled = self._cancel.disabled = not sheet.running
        if not sheet.running:
            self.publish()

    def _toggle(self) -> None:
        (self._run.resume if self._run.paused else self._run.pause)()


def _logged(press: Callable[[], None]) -> Callable[[object], None]:
    def pressed(_button: object) -> None:
        try:
            press()
        except Exception:  # noqa: BLE001 - a callback's exception reaches no cell
            _log.exception("a button of a run failed")

    return pressed
