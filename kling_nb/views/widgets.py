"""The two anywidgets and what every widget of ours needs."""

from __future__ import annotations

from typing import Any, ClassVar

import anywidget
import traitlets

from kling_nb.views.esm import linked, styles


class PanelWidget(anywidget.AnyWidget):
    """The browser's side of a panel: it shows these values and sends small messages."""

    _esm: ClassVar[str] = linked("panel.js")
    _css: ClassVar[str] = styles(
        "base.css", "panel.css", "pictures.css", "compose.css", "rows.css", "code.css", "models.css"
    )

    draft = traitlets.Dict().tag(sync=True)
    forms = traitlets.Dict().tag(sync=True)
    catalogue = traitlets.Dict().tag(sync=True)
    news = traitlets.Dict().tag(sync=True)
    aside = traitlets.List().tag(sync=True)
    verdict = traitlets.Dict().tag(sync=True)
    earlier = traitlets.Dict().tag(sync=True)
    labels = traitlets.Dict().tag(sync=True)
    banner = traitlets.Dict().tag(sync=True)
    alert = traitlets.Dict().tag(sync=True)
    extra = traitlets.Unicode().tag(sync=True)
    notes = traitlets.List().tag(sync=True)
    library = traitlets.Dict().tag(sync=True)
    rows = traitlets.List().tag(sync=True)


class RowsWidget(anywidget.AnyWidget):
    """The browser's side of a cell that shows jobs."""

    _esm: ClassVar[str] = linked("jobs.js")
    _css: ClassVar[str] = styles("base.css", "rows.css")

    alert = traitlets.Dict().tag(sync=True)
    rows = traitlets.List().tag(sync=True)


def keep_reachable(widget: Any) -> None:
    """Let clicks be handled while a cell is busy.

    ipykernel 7.4 sends a message to the shell that last published on its comm, which is the busy one; this takes
    that back. The method is private there and absent elsewhere (JUPYTER.md section 4).
    """
    comm = widget.comm
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = _as_asked


def _as_asked(data: Any, default: Any) -> Any:
    return default


def view_of(widget: Any) -> dict[str, Any]:
    """Return the mimebundle that shows a widget."""
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {"application/vnd.jupyter.widget-view+json": view}
