"""`Looking`: the verbs that show something in a cell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kling_nb import errors
from kling_nb.engine.job import Clip, Job
from kling_nb.exchange.selection import records_of
from kling_nb.making import Making
from kling_nb.models.record import Record
from kling_nb.models.request import Request
from kling_nb.models.restore import available_fields
from kling_nb.notebook.location import notebook_path
from kling_nb.store.filters import check_names, with_text
from kling_nb.store.selection import Selection

if TYPE_CHECKING:
    from kling_nb.exchange.selection import Handed
    from kling_nb.preferences import Options
    from kling_nb.ui.compare import CompareView
    from kling_nb.ui.gallery.controller import GalleryController
    from kling_nb.ui.gallery.gallery import Gallery
    from kling_nb.ui.library import Elements, Presets
    from kling_nb.ui.panel.panel import Panel
    from kling_nb.ui.panel.saved import SavedController


#: What no code is: one word.
_ID = re.compile(r"[\w.-]+")


class Looking(Making):
    """The panel, the log, the gallery, the comparison."""

    def panel(self, source: Request | Record | Clip | Job | Mapping[str, Any] | str | None = None) -> Panel:
        """Return the panel that builds a request; filled from a request, a record (or its clip) or fields when given.

        A text is read as code: a cURL command, a JSON body or a Python call. What of it was not understood is listed.
        Text that is no code is the prompt. One word is a record's id: `LogError` when the log has none of that name.
        """
        from kling_nb.ui.panel.controller import PanelController
        from kling_nb.ui.panel.drafts import Draft
        from kling_nb.ui.panel.models import ModelsController
        from kling_nb.ui.panel.panel import Panel

        parts, lost = self.parts, list[str]()
        request: Request | Mapping[str, Any] | str | None
        if isinstance(source, str) and _ID.fullmatch(source.strip()):
            source = self.store.get(source.strip())
        if isinstance(source, Clip | Job):
            source = source.record
        if isinstance(source, Record):
            request, lost = available_fields(source, self.store.read)
        else:
            request = _fillable(source)
        actions = PanelController(
            parts.settings,
            parts.connection,
            parts.store,
            self._loop,
            self.start,
            self._keeping(),
            ModelsController(parts.connection.catalogue, self._loop),
            parts.screen.links,
            Draft(parts.store, self._loop),
        )
        return Panel(actions, request, _lost(lost))

    def log(self, text: str | None = None, /, **filters: Any) -> Selection:
        """Return the records that pass the filters, newest first; see `Selection`. A text alone is the filter `text`.

        Raises `LogError` for what is no filter.
        """
        chosen = {"kind": "result", **with_text(text, filters)}
        return Selection(self.store, chosen, bind=self.bind, show=self.parts.screen.table)

    def gallery(self, text: str | None = None, /, **filters: Any) -> Gallery:
        """Return the log's clips as a gallery: find, play, rate, tag, compare, make again. Filters as for `log`."""
        from kling_nb.ui.gallery.gallery import Gallery

        chosen: dict[str, Any] = {"kind": "result", **with_text(text, filters)}
        check_names(chosen)
        self.store.find(limit=0, **chosen)  # a wrong filter is said here, not when it is shown
        return Gallery(self._curating(), chosen)

    def compare(self, *clips: Handed) -> CompareView:
        """Play 2 to 9 clips as one, with what tells them apart: records, clips, jobs, ids, plans, or lists of them.

        Raises `KlingError` for fewer or more, and for one that has no clip.
        """
        from kling_nb.ui.compare import CompareView

        curating = self._curating()
        return CompareView(curating.comparison(records_of(clips, self.store.get)), curating.clip, self._hand)

    @property
    def options(self) -> Options:
        """What you set once for this log: `kn.options.confirm_above = "5.00"`."""
        from kling_nb.preferences import Options

        return Options(self.store)

    @property
    def presets(self) -> Presets:
        """Requests kept by name in the log: `kn.presets["walk"] = request`, `kn.panel(kn.presets["walk"])`."""
        from kling_nb.ui.library import Presets

        return Presets(self.store, self.parts.screen.links, self.request_of)

    @property
    def elements(self) -> Elements:
        """Characters and objects kept by name in the log: `kn.elements["mara"] = kn.Element(...)`."""
        from kling_nb.ui.library import Elements

        return Elements(self.store, self.parts.screen.links)

    # --- inside ---

    def _curating(self) -> GalleryController:
        from kling_nb.ui.gallery.controller import GalleryController

        def start(request: Request, rerun_of: str) -> list[Job]:
            return self.start(self.request(request), rerun_of=rerun_of)

        parts, estimate = self.parts, self.parts.connection.estimate
        return GalleryController(
            parts.store,
            parts.screen.links,
            request_of=self.request_of,
            estimate=estimate,
            start=start,
            hand=self._hand,
            fill=self._fill,
            export=self._exported,
        )

    def _keeping(self) -> SavedController:
        from kling_nb.ui.panel.saved import SavedController

        return SavedController(self.presets, self.elements, self.store, self.parts.screen.links)

    def _exported(self, records: Sequence[Record]) -> str:
        from kling_nb.exchange.export import export_beside

        notebook = notebook_path()
        done = export_beside(records, self.store, notebook.parent if notebook else Path.cwd())
        return f"Beside the notebook: {done}."

    def _hand(self, record_id: str, number: int) -> str:
        frame = self._keeping().frame(record_id, number)
        _front_panel().set_start_frame(frame)
        return f"The panel’s start frame is now {frame.given}."

    def _fill(self, record_id: str) -> str:
        panel, (request, lost) = _front_panel(), available_fields(self.store.get(record_id), self.store.read)
        panel.fill(request, _lost(lost))
        return "The panel has it now; undo there brings back what it had."


def _front_panel() -> Panel:
    from kling_nb.ui.panel.panel import active_panel

    panel = active_panel()
    if panel is None:
        raise errors.KlingError("There is no panel to put it in: run kn.panel() in a cell, then press again.")
    return panel


def _lost(names: Sequence[str]) -> list[str]:
    return [f"{name} is not in this log: give it again." for name in names]


def _fillable(source: Any) -> Any:
    if source is None or isinstance(source, Request | Mapping | str):
        return source
    raise errors.KlingError(f"{type(source).__name__} fills no panel: give a request, a record, fields or code")
