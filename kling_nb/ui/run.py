"""The live view of a sweep's run: its sheet, and buttons to pause and cancel. At the end the cell has plain HTML.

A page that was reloaded meanwhile cannot be updated (jupyter.md section 3): it keeps the last sheet, without buttons.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets
from IPython.display import display as show
from IPython.display import update_display

from kling_nb.render.page import running_plan_html
from kling_nb.render.plan import plan_bundle, plan_html
from kling_nb.ui.messages import Throttle
from kling_nb.ui.outlet import Note
from kling_nb.ui.widgets import keep_reachable, view_of

if TYPE_CHECKING:
    from kling_nb.sweeps.run import Run

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
        self.widget = ipywidgets.VBox([self._buttons, self._page])
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
