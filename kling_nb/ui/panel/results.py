"""The actions of a panel on its finished jobs: stars, the next shot, the same request again, comparisons, a gallery."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from kling_nb.errors import KlingError
from kling_nb.models.restore import available_fields
from kling_nb.render.formatting import prompt_line
from kling_nb.ui.panel.saved import SavedController, missing_notes

if TYPE_CHECKING:
    from kling_nb.models.asset import Asset
    from kling_nb.ui.messages import Messages
    from kling_nb.ui.progress import JobArea


class GalleryLike(Protocol):
    """A gallery that can be shown below the panel."""

    widget: Any

    def reveal(self, record_id: str) -> None:
        """Open a record in it."""
        ...

    def compare(self, record_ids: Sequence[str]) -> None:
        """Compare clips in it."""
        ...

    def refresh(self) -> None:
        """Read the log again."""
        ...


class Results:
    """Answers the messages of a panel's rows.

    `use_frame` puts a frame into the panel with a sentence about it, `fill` replaces the panel's fields, and
    `new_gallery` makes the gallery when it is first opened.
    """

    def __init__(
        self,
        messages: Messages,
        jobs: JobArea,
        controller: SavedController,
        *,
        use_frame: Callable[[Asset, str], None],
        fill: Callable[[Mapping[str, Any], Sequence[str]], None],
        new_gallery: Callable[[], GalleryLike] | None,
    ) -> None:
        self._messages, self._jobs, self._controller = messages, jobs, controller
        self._use_frame, self._fill, self._new_gallery = use_frame, fill, new_gallery
        self._gallery: GalleryLike | None = None
        messages.on(
            annotate=self._on_annotate,
            use_frame=self._on_use_frame,
            open=self._on_open,
            gallery=self._on_gallery,
            compare=self._on_compare,
        )

    def ended(self) -> None:
        """Show a new clip in the gallery, if it is open."""
        if self._gallery is not None:
            self._gallery.refresh()

    def _on_annotate(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        changes: Mapping[str, Any] = content.get("changes") or {}
        record = self._controller.store.annotate(str(content.get("id")), stars=changes.get("stars") or None)
        self._jobs.change(record.id, stars=record.stars or 0)
        self.ended()

    def _on_use_frame(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        record_id = str(content.get("id"))
        frame = self._controller.frame(record_id, int(content.get("frame", -1)))
        self._use_frame(frame, prompt_line(self._controller.store.get(record_id), 60))

    def _on_open(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        record = self._controller.store.get(str(content.get("id")))
        fields, missing = available_fields(record, self._controller.store.read)
        self._fill(fields, missing_notes(missing))
        self._messages.send("arrived", field="prompt", text="The request of this clip again. Undo brings yours back.")

    def _on_gallery(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Open the gallery, with a record if one is named; without one, close it if it is open."""
        record_id = content.get("id")
        if self._gallery is not None and not record_id:
            self._show(None)
            return
        self._show(self._gallery or self._made())
        if record_id and self._gallery is not None:
            self._gallery.reveal(str(record_id))

    def _on_compare(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._show(self._gallery or self._made())
        if self._gallery is not None:
            self._gallery.compare(list(map(str, content.get("ids") or ())))

    def _made(self) -> GalleryLike:
        if self._new_gallery is None:
            raise KlingError("This panel has no gallery. Run kn.gallery() in a cell.")
        return self._new_gallery()

    def _show(self, gallery: GalleryLike | None) -> None:
        self._gallery = gallery
        self._jobs.show_below(gallery.widget if gallery else None)
        self._messages.send("gallery", open=gallery is not None)
