"""What a cell shows of its jobs: live rows while they run, and in the end nothing but their static cards."""

from __future__ import annotations

import datetime
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets
from IPython.display import display as show
from IPython.display import update_display

from kling_nb.render import progress_html, progress_text
from kling_nb.render.gone import under_way_html
from kling_nb.views.actions import JobLike
from kling_nb.views.messages import Messages
from kling_nb.views.note import Note
from kling_nb.views.outlet import LATE_CLASS, SHOWN, Bundle, Pages, as_output, joined, publish
from kling_nb.views.rows import Rows
from kling_nb.views.widgets import RowsWidget, keep_reachable, view_of

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
