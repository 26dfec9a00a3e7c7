"""The gallery: every clip of a log as a poster, found as one types, rated, tagged, compared, made again, thrown away.

The browser holds only what is seen and asks for the rest, a page at a time. Each question carries its filters, so
that two views of one gallery do not disturb each other.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, get_args

import anywidget
import ipywidgets
import traitlets
from IPython.display import display, update_display

from kling_nb.errors import KlingError
from kling_nb.models.record import Status
from kling_nb.render.formatting import STATUS_WORDS
from kling_nb.render.page import gone_html
from kling_nb.ui.compare import FEWEST, MOST, QUIET
from kling_nb.ui.gallery.controller import GalleryController, tile_of
from kling_nb.ui.messages import Messages, hand_frame, open_record, send_clip
from kling_nb.ui.outlet import SHOWN, JobLike, Outlet
from kling_nb.ui.panel.uploads import PressGuard
from kling_nb.ui.progress import Rows
from kling_nb.ui.widgets import keep_reachable, linked, styles, view_of

#: Filters that have a control in the browser; the others stay as they were given.
CONTROLS = ("text", "model", "status", "stars", "tag")
#: The most that one question may ask for.
PAGE = 60
#: Threads that draw the stills of a page.
_DRAWING = 4
#: How long a note, how many tags and how long a tag a message may bring.
_NOTE, _TAGS, _TAG = 4000, 30, 100


class GalleryWidget(anywidget.AnyWidget):
    """The browser's side of a gallery."""

    _esm: ClassVar[str] = linked("gallery.js")
    _css: ClassVar[str] = styles("base.css", "compare.css", "gallery.css", "jobs.css")

    filters = traitlets.Dict().tag(sync=True)
    choices = traitlets.Dict().tag(sync=True)
    comparison = traitlets.Dict().tag(sync=True)
    alert = traitlets.Dict().tag(sync=True)
    rows = traitlets.List().tag(sync=True)


class Gallery:
    """A gallery in a cell, over the records that pass some filters."""

    def __init__(
        self,
        actions: GalleryController,
        filters: Mapping[str, Any],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._actions, self._filters, self._guard = actions, dict(filters), PressGuard(clock)
        self._place = uuid.uuid4().hex
        self._outlet = Outlet(gone_html("Run the cell to search, rate and compare here again."))
        self._widget = GalleryWidget(filters=_shown(filters))
        keep_reachable(self._widget)
        self._rows = Rows(self._send_rows, self._ended, newest_first=True)
        self._box = ipywidgets.VBox([self._widget, self._outlet.late])
        self._box.add_class("kn-with-cards")
        self._messages = Messages(self._widget)
        self._messages.answer(
            page=self._on_page,
            records=self._on_records,
            poll=self._on_poll,
            clip=self._on_clip,
            use_frame=self._on_use_frame,
            open=self._on_open,
            annotate=self._on_annotate,
            price=self._on_price,
            generate=self._on_generate,
            export=self._on_export,
            trash=self._on_trash,
            restore=self._on_trash,
            compare=self._on_compare,
            cancel=self._on_cancel,
        )
        self._say_choices()

    @property
    def jobs(self) -> list[JobLike]:
        """The jobs that were started here, oldest first."""
        return self._rows.jobs

    def publish(self) -> None:
        """Send the finished cards again, from this thread: a headless run keeps only what a waiting cell sends."""
        for job in self.jobs:
            if job.progress.ended:
                self._outlet.add(job.id, job.card())
        self._outlet.publish()

    def _ipython_display_(self) -> None:
        # Two outputs: the sheet is what is left without a kernel; the gallery hides it while it lives.
        display(dict(self._actions.sheet(self._filters)), raw=True, display_id=self._place)
        display({**view_of(self._box), "text/html": QUIET, "text/plain": repr(self)}, raw=True)
        self._outlet.show()
        SHOWN.add(self)

    def __repr__(self) -> str:
        return f"<Gallery {', '.join(f'{name}={value!r}' for name, value in self._filters.items())}>"

    # --- what the browser asks ----------------------------------------------------------------------------------------

    def _on_page(self, said: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        first = self._outlet.seen(str(said.get("page")))
        self._widget.send({"kind": "clock", "page": said.get("page"), "now": time.time(), "first": first})

    def _on_records(self, said: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        offset, limit = _whole(said.get("offset"), 0, 10**9), _whole(said.get("limit"), 1, PAGE)
        filters = self._refined(said.get("filters"))
        try:
            records, total = self._actions.find(filters, offset=offset, limit=limit)
        except KlingError as exc:
            self._widget.send({"kind": "records", "call": said.get("call"), "reason": str(exc)})
            return
        with ThreadPoolExecutor(_DRAWING) as pool:  # a still is milliseconds of Pillow, which needs no interpreter
            posters = pool.map(self._actions.poster, records)
            scores = self._actions.scores(records)
            tiles = [
                tile_of(record, poster, scores.get(record.id, ()))
                for record, poster in zip(records, posters, strict=True)
            ]
        self._widget.send(
            {"kind": "records", "call": said.get("call"), "offset": offset, "total": total, "tiles": tiles}
        )

    def _on_poll(self, said: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        seen: Any = said.get("statuses")
        asked = {str(name): status for name, status in seen.items()} if isinstance(seen, Mapping) else {}
        if asked and self._actions.statuses(list(asked)) != asked:
            self._widget.send({"kind": "changed"})

    def _on_clip(self, said: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        send_clip(self._widget, said, self._actions.clip)

    def _on_use_frame(self, said: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        hand_frame(self._widget, said, self._actions.hand)

    def _on_open(self, said: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        open_record(self._widget, said, self._actions.fill)

    def _on_annotate(self, said: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        record = self._actions.annotate(str(said.get("id")), _words(said.get("changes")))
        scores = self._actions.scores([record]).get(record.id, ())
        self._widget.send({"kind": "record", "tile": tile_of(record, self._actions.poster(record), scores)})
        if "tags" in (said.get("changes") or {}):
            self._say_choices()
        self._refresh_sheet()

    def _on_price(self, said: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        price = self._actions.offer(_ids(said))
        self._widget.send({"kind": "price", "call": said.get("call"), "price": price})

    def _on_generate(self, said: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        press, ids = str(said.get("id")), _ids(said)
        if not self._guard.admit(press, "generate", {"ids": ids}):
            return
        try:
            price = self._actions.offer(ids)
            if price != said.get("price"):  # nobody pays more than what they pressed
                self._messages.alert(f"Not sent: the price is now {price}.", "Press Generate again if you agree.")
                return
            for record_id in ids:
                self._rows.add(self._actions.generate(record_id))
        finally:
            self._guard.release()
            self._widget.send({"kind": "changed"})

    def _on_export(self, said: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        words = ""
        try:
            words = self._actions.export(_ids(said))
        finally:  # an error has its own place; the button is free again in any case
            self._widget.send({"kind": "exported", "call": said.get("call"), "text": words})

    def _on_trash(self, said: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        act = self._actions.trash if said.get("kind") == "trash" else self._actions.restore
        done: list[str] = []
        try:
            for record_id in _ids(said):
                act(record_id)
                done.append(record_id)
        finally:
            self._widget.send({"kind": "trashed" if act == self._actions.trash else "changed", "ids": done})
            self._say_choices()
            self._refresh_sheet()

    def _on_compare(self, said: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        ids = _ids(said)
        if not ids:
            self._widget.comparison = {}
        elif FEWEST <= len(ids) <= MOST:
            self._widget.comparison = {**self._actions.compare(ids).to_json(), "at": time.time()}

    def _on_cancel(self, said: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._rows.cancel(str(said.get("job")), self._messages.failed)

    # --- inside -------------------------------------------------------------------------------------------------------

    def _refined(self, chosen: Any) -> dict[str, Any]:
        """The filters of the controls in place of those that were given; the rest as given."""
        given = {name: value for name, value in self._filters.items() if name not in self._widget.filters}
        asked = chosen if isinstance(chosen, Mapping) else {}
        return given | {name: asked[name] for name in CONTROLS if asked.get(name)}

    def _say_choices(self) -> None:
        def say() -> None:
            known = self._actions.choices()
            statuses = [{"value": status, "text": STATUS_WORDS[status]} for status in get_args(Status)]
            self._widget.choices = {"models": list(known["models"]), "tags": list(known["tags"]), "statuses": statuses}

        self._messages.reporting(say)

    def _refresh_sheet(self) -> None:
        update_display(dict(self._actions.sheet(self._filters)), raw=True, display_id=self._place)

    def _send_rows(self, rows: list[dict[str, Any]]) -> None:
        self._widget.rows = rows

    def _ended(self, job: JobLike) -> None:
        self._messages.reporting(lambda: self._outlet.add(job.id, job.card()))
        self._widget.send({"kind": "changed"})


def _shown(filters: Mapping[str, Any]) -> dict[str, Any]:
    """The given filters that a control can show."""
    return {name: filters[name] for name in CONTROLS if isinstance(filters.get(name), str | int)}


def _ids(said: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(map(str, said.get("ids") or ())))


def _whole(value: Any, least: int, most: int) -> int:
    return min(most, max(least, value)) if isinstance(value, int) else least


def _words(changes: Any) -> dict[str, Any]:
    """What the user says of a record, within bounds; anything else that a message may hold is left out."""
    said: Mapping[str, Any] = changes if isinstance(changes, Mapping) else {}
    words: dict[str, Any] = {}
    if "stars" in said:
        words["stars"] = said["stars"] or None
    if isinstance(said.get("tags"), list):
        words["tags"] = [str(tag)[:_TAG] for tag in said["tags"][:_TAGS]]
    if "note" in said:
        words["note"] = str(said["note"])[:_NOTE]
    return words
