"""Views in marimo, which asks objects for `_display_`: the same widgets, and finished cards in their own widget.

An output of marimo cannot be replaced from a thread, and its pages do not have ipywidgets' boxes and outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import anywidget
import ipywidgets
import traitlets

from kling_nb.notebook.location import in_marimo
from kling_nb.ui.widgets import linked, styles


class CardsWidget(anywidget.AnyWidget):
    """HTML that can change: what `ipywidgets.Output` is elsewhere, with the same trait `outputs`."""

    _esm: ClassVar[str] = linked("cards.js")
    _css: ClassVar[str] = styles("base.css")

    html = traitlets.Unicode().tag(sync=True)
    outputs: Any = traitlets.Tuple()

    @traitlets.observe("outputs")
    def _on_outputs(self, _change: Any) -> None:
        self.html = "\n".join(str(output["data"].get("text/html", "")) for output in self.outputs)


def late_cards() -> Any:
    """Return a widget for finished cards: an `Output`, or in marimo a `CardsWidget`."""
    return CardsWidget() if in_marimo() else ipywidgets.Output()


def card(bundle: Mapping[str, Any]) -> CardsWidget:
    """Return the HTML of a bundle as a widget: a clip in it may be larger than what marimo takes as an output."""
    return CardsWidget(html=str(bundle.get("text/html", "")))


def stack(*widgets: Any) -> Any:
    """Return widgets below each other, for `_display_`."""
    import marimo

    return marimo.vstack(list(widgets))
