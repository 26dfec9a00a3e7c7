"""The gallery: the clips of a log as tiles to search, play, rate, tag, compare, generate again and delete.

The browser has only the visible tiles and asks for the rest page by page. Each message has its filters, so that two
views of one gallery do not interfere.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import anywidget
import traitlets
from IPython.display import display, update_display

from kling_nb.errors import KlingError
from kling_nb.models.record import Record, Status
from kling_nb.render.formatting import STATUS_WORDS
from kling_nb.ui.compare import EMPTY, MAX_CLIPS, MIN_CLIPS
from kling_nb.ui.gallery.controller import tile_of
from kling_nb.ui.marimo import stack
from kling_nb.ui.messages import Messages, PressGuard, reply_clip, reply_open, reply_use_frame
from kling_nb.ui.outlet import SHOWN
from kling_nb.ui.progress import JobArea
from kling_nb.ui.widgets import keep_reachable, linked, styles, view_of

if TYPE_CHECKING:
    from kling_nb.engine.job import Job
    from kling_nb.ui.gallery.controller import GalleryController

#: Filters with a control in the browser; the others stay as given.
CONTROLS = ("text", "model", "status", "stars", "tag")
#: The largest page.
PAGE = 60
#: Threads that read the images of a page, which for a team may be in its bucket, and decode them.
_THREADS = 12
#: The most characters of a note, tags, and characters of a tag in a message.
_NOTE, _TAGS, _TAG = 4000, 30, 100


class GalleryWidget(anywidget.AnyWidget):
    """The browser side of a gallery."""

    _esm: ClassVar[str] = linked("gallery.js")
    _css: ClassVar[str] = styles("base.css", "stars.css", "compare.css", "gallery.css", "jobs.css")

    filters = traitlets.Dict().tag(sync=True)
    choices = traitlets.Dict().tag(sync=True)
    comparison = traitlets.Dict().tag(sync=True)
    alert = traitlets.Dict().tag(sync=True)
    rows = traitlets.List().tag(sync=True)


class Gallery:
    """A gallery in a cell, of the records that match some filters.

    Attributes:
        widget: The widget that the browser shows.
        outlet: The cards of finished jobs.
        controller: Does what the buttons ask for.
    """

    def __init__(
        self,
        controller: GalleryController,
        filters: Mapping[str, Any],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.controller, self._filters, self._guard = controller, dict(filters), PressGuard(clock)
        self._display_id = uuid.uuid4().hex
        shown = {name: filters[name] for name in CONTROLS if isinstance(filters.get(name), str | int)}
        self.widget = GalleryWidget(filters=shown)
        keep_reachable(self.widget)
        self._messages = Messages(self.widget)
        self._messages.on(
            records=self._on_records,
            poll=self._on_poll,
            clip=lambda content, _buffers: reply_clip(self.widget, content, self.controller.store.clip),
            use_frame=lambda content, _buffers: reply_use_frame(self.widget, content, self.controller.use_frame),
            open=lambda content, _buffers: reply_open(self.widget, content, self.controller.open_record),
            annotate=self._on_annotate,
            price=self._on_price,
            generate=self._on_generate,
            export=self._on_export,
            trash=self._on_trash,
            restore=self._on_trash,
            compare=self._on_compare,
        )
        offline = "Run this cell to search, rate and compare the clips."
        self._jobs = JobArea(self.widget, self._messages, offline, lambda _job: self._messages.send("changed"))
        self.outlet = self._jobs.outlet
        self._update_choices()

    @property
    def jobs(self) -> list[Job]:
        """The jobs that were started here, oldest first."""
        return self._jobs.jobs

    def reveal(self, record_id: str) -> None:
        """Open the details of a record in the browser."""
        self._messages.send("reveal", tile=self._tile(self.controller.store.get(record_id)))

    def compare(self, record_ids: Sequence[str]) -> None:
        """Play clips beside each other in the browser."""
        comparison = self.controller.comparison(self.controller.records(record_ids))
        self.widget.comparison = {**comparison.to_json(), "at": time.time()}

    def refresh(self) -> None:
        """Read the log again."""
        self._messages.send("changed")

    def publish(self) -> None:
        """Send the finished cards again, from this thread (see `kling_nb.ui.outlet.publish`)."""
        self._jobs.publish()

    def _display_(self) -> Any:
        return stack(self.widget, self.outlet.late)

    def _ipython_display_(self) -> None:
        # Two outputs: the static form remains without a kernel; the live gallery hides it.
        display(dict(self.controller.static(self._filters)), raw=True, display_id=self._display_id)
        display({**view_of(self._jobs.box), "text/html": EMPTY, "text/plain": repr(self)}, raw=True)
        self.outlet.show()
        SHOWN.add(self)

    def __repr__(self) -> str:
        return f"<Gallery {', '.join(f'{name}={value!r}' for name, value in self._filters.items())}>"

    # --- messages -----------------------------------------------------------------------------------------------------

    def _on_records(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        call, offset, limit = content.get("call"), _int(content.get("offset"), 0, 10**9), content.get("limit")
        try:
            filters = self._filters_with(content.get("filters"))
            records, total = self.controller.find(filters, offset=offset, limit=_int(limit, 1, PAGE))
        except KlingError as exc:
            self._messages.send("records", call=call, reason=str(exc))
            return
        with ThreadPoolExecutor(_THREADS) as pool:  # Pillow decodes an image in milliseconds, without the GIL
            posters = pool.map(self.controller.poster, records)
            scores = self.controller.store.scores.of(records)
            tiles = [
                tile_of(record, poster, scores.get(record.id, ()))
                for record, poster in zip(records, posters, strict=True)
            ]
        self._messages.send("records", call=call, offset=offset, total=total, tiles=tiles)

    def _on_poll(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        seen: Any = content.get("statuses")
        statuses = {str(name): status for name, status in seen.items()} if isinstance(seen, Mapping) else {}
        if statuses and self.controller.statuses(list(statuses)) != statuses:
            self._messages.send("changed")

    def _on_annotate(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        changes = _annotations(content.get("changes"))
        record = self.controller.store.annotate(str(content.get("id")), **changes)
        self._messages.send("record", tile=self._tile(record))
        if "tags" in changes:
            self._update_choices()
        self._update_static()

    def _on_price(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._messages.send("price", call=content.get("call"), price=self.controller.price(_ids(content)))

    def _on_generate(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        press, ids = str(content.get("id")), _ids(content)
        if not self._guard.admit(press, "generate", {"ids": ids}):
            return
        try:
            price = self.controller.price(ids)
            if price != content.get("price"):  # the user never pays another price than the one on the button
                self._messages.alert(
                    f"Not sent: the price is now {price}.", "To generate at this price, press Generate again."
                )
                return
            for record_id in ids:
                self._jobs.add(self.controller.generate(record_id))
        finally:
            self._guard.release()
            self._messages.send("changed")

    def _on_export(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        text = ""
        try:
            text = self.controller.export(_ids(content))
        finally:  # an error is shown as an alert; the button must be enabled again in any case
            self._messages.send("exported", call=content.get("call"), text=text)

    def _on_trash(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        trash, store = content.get("kind") == "trash", self.controller.store
        done: list[str] = []
        try:
            for record_id in _ids(content):
                (store.trash if trash else store.restore)(record_id)
                done.append(record_id)
        finally:
            self._messages.send("trashed" if trash else "changed", ids=done)
            self._update_choices()
            self._update_static()

    def _on_compare(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        ids = _ids(content)
        if not ids:
            self.widget.comparison = {}
        elif MIN_CLIPS <= len(ids) <= MAX_CLIPS:
            self.compare(ids)

    # --- helpers ------------------------------------------------------------------------------------------------------

    def _filters_with(self, chosen: Any) -> dict[str, Any]:
        """Return the filters chosen in the browser in place of the given ones; those without a control stay."""
        given = {name: value for name, value in self._filters.items() if name not in self.widget.filters}
        chosen = chosen if isinstance(chosen, Mapping) else {}
        return given | {name: chosen[name] for name in CONTROLS if chosen.get(name)}

    def _tile(self, record: Record) -> dict[str, Any]:
        scores = self.controller.store.scores.of([record]).get(record.id, ())
        return tile_of(record, self.controller.poster(record), scores)

    def _update_choices(self) -> None:
        def update() -> None:
            store = self.controller.store
            statuses = [{"value": status, "text": STATUS_WORDS[status]} for status in get_args(Status)]
            self.widget.choices = {"models": store.models(), "tags": store.tags(), "statuses": statuses}

        self._messages.guard(update)

    def _update_static(self) -> None:
        update_display(dict(self.controller.static(self._filters)), raw=True, display_id=self._display_id)


def _ids(content: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(map(str, content.get("ids") or ())))


def _int(value: Any, minimum: int, maximum: int) -> int:
    return min(maximum, max(minimum, value)) if isinstance(value, int) else minimum


def _annotations(changes: Any) -> dict[str, Any]:
    """Return the valid annotations in a message, within their limits."""
    given: Mapping[str, Any] = changes if isinstance(changes, Mapping) else {}
    valid: dict[str, Any] = {}
    if "stars" in given:
        valid["stars"] = given["stars"] or None
    if isinstance(given.get("tags"), list):
        valid["tags"] = [str(tag)[:_TAG] for tag in given["tags"][:_TAGS]]
    if "note" in given:
        valid["note"] = str(given["note"])[:_NOTE]
    return valid
