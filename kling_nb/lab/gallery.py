"""The gallery of a log in a tab, without a kernel: the one of the notebooks, whose messages go through a websocket."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from kling_nb.errors import KlingError
from kling_nb.lab.team import is_team, team_log
from kling_nb.notebook.links import Links
from kling_nb.render.images import small_poster, small_thumbnail
from kling_nb.store.log import Log
from kling_nb.ui.gallery.controller import GalleryController
from kling_nb.ui.gallery.gallery import Gallery, GalleryWidget
from kling_nb.ui.widgets import linked

#: The traits that the server changes.
_TRAITS = ("filters", "choices", "comparison", "alert", "rows")

#: Sends JSON and binary parts to the page.
Send = Callable[[Mapping[str, Any], Sequence[Any]], None]


def browser_side() -> dict[str, str]:
    """Return the gallery's module, the module of its model, and its style sheets."""
    model = (files("kling_nb.lab") / "page" / "model.js").read_text("utf-8")
    return {"esm": linked("gallery.js"), "model": model, "css": GalleryWidget._css}  # pyright: ignore[reportPrivateUsage] -- anywidget's own name


class TabController(GalleryController):
    """Acts for a gallery without a kernel: it rates, tags, compares, exports and deletes, and never spends."""

    def __init__(self, log: Log) -> None:
        self.store = log
        self._folder = log.folder.parent
        self._links = Links(log.folder, self._folder, log.media_file, log.read, small_poster, small_thumbnail)

    def price(self, record_ids: Sequence[str], /) -> str:
        """Return the text that replaces a price: nothing is generated from here."""
        return "in a notebook"

    def generate(self, record_id: str, /) -> Any:
        """Refuse: only a kernel may spend."""
        raise KlingError(f'Generate it again in a notebook: kn.log()["{record_id}"].rerun().')

    def open_record(self, record_id: str, /) -> str:
        """Return the code that opens the request in a panel. In Lab, the page adds a cell instead of asking."""
        self.store.get(record_id)
        return f'In a notebook: kn.panel("{record_id}")'

    def use_frame(self, record_id: str, number: int, /) -> str:
        """Return the code for a panel that begins with a frame. In Lab, the page adds a cell instead of asking."""
        self.store.get(record_id)
        return f'In a notebook: kn.panel({{"start_image_url": kn.log()["{record_id}"].frame({number})}})'

    def export(self, record_ids: Sequence[str], /) -> str:
        """Write these records with their media to an archive next to the log; return its description."""
        from kling_nb.exchange.export import export_beside

        return f"Saved next to the log: {export_beside(self.records(record_ids), self.store, self._folder)}."


class TabGallery(Gallery):
    """The gallery of one page."""

    def __init__(self, log: Log, send: Send) -> None:
        super().__init__(TabController(log), {"kind": "result"})
        self._send = send
        self.widget.send = self._send_message
        self.widget.observe(self._on_trait, names=list(_TRAITS))

    def start(self) -> None:
        """Send every trait, so that the page can draw."""
        for name in _TRAITS:
            self._send_trait(name)
        self._send({"ready": True}, ())

    def receive(self, content: Mapping[str, Any]) -> None:
        """Handle a message of the page."""
        self.widget._handle_custom_msg(content, [])  # pyright: ignore[reportPrivateUsage] -- what a comm would call

    def close(self) -> None:
        """Close the widgets, which ipywidgets would otherwise keep."""
        for widget in (self._jobs.box, self.outlet.late, self.widget):
            widget.close()

    def _send_message(self, content: Mapping[str, Any], buffers: Sequence[Any] | None = None) -> None:
        self._send({"message": content}, buffers or ())

    def _on_trait(self, change: Any) -> None:
        self._send_trait(change["name"])

    def _send_trait(self, name: str) -> None:
        self._send({"trait": name, "value": getattr(self.widget, name)}, ())

    def _update_static(self) -> None:
        """Leave out the form for a notebook's file."""


class LabGallery(TabGallery):
    """The gallery of one page in Lab, with a log of its own."""

    def close(self) -> None:
        """Close the log too."""
        super().close()
        self.controller.store.close()


def open_gallery(folder: Path, as_it_is: Log, send: Send) -> LabGallery:
    """Return the gallery of the log in a folder. Raises `KlingError` if another version made its index."""
    as_it_is.count()
    return LabGallery(team_log(folder) if is_team(folder) else Log(folder), send)
