"""The panel's exchange with the log: presets, elements, frames of earlier clips; and the fixing of images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from kling_nb.errors import KlingError, LogError, NotSaved
from kling_nb.models.asset import Asset
from kling_nb.models.edit import cropped, turned
from kling_nb.models.fit import broken_rules, fit_image
from kling_nb.models.frames import frame_of
from kling_nb.models.images import ImageError
from kling_nb.render.facts import figures_of, is_image
from kling_nb.render.formatting import format_size, prompt_line
from kling_nb.render.images import SHEET_BYTES
from kling_nb.render.tables import SavedRow
from kling_nb.ui.library import Elements, Library, Presets
from kling_nb.ui.messages import Messages, reply_clip
from kling_nb.ui.panel.uploads import image_uri

if TYPE_CHECKING:
    from kling_nb.notebook.links import Links
    from kling_nb.session import Session
    from kling_nb.store.log import Log

#: The long side, in pixels, of an image that is shown before and after its fix.
COMPARED_PIXELS = 440
#: That of an image that is shown large.
SHOWN_PIXELS = 1280

#: The number of earlier clips offered for a frame.
NEWEST = 12


class SavedItems:
    """The part of a panel that answers messages about saved items.

    `show` replaces the panel's fields, `fields_of` returns those of a draft, `put` adds an image and returns its key,
    and `get` returns the image of a key.
    """

    def __init__(
        self,
        widget: Any,
        messages: Messages,
        controller: SavedController,
        *,
        show: Callable[[Mapping[str, Any]], None],
        fields_of: Callable[[Mapping[str, Any]], dict[str, Any]],
        put: Callable[[Asset], str],
        get: Callable[[object], Asset | None],
    ) -> None:
        self._widget, self._messages, self._controller = widget, messages, controller
        self._show, self._fields_of, self._put, self._get = show, fields_of, put, get
        messages.on(
            library=lambda _content, _buffers: self._update(),
            save=self._on_save,
            load=self._on_load,
            rename=self._on_rename,
            delete=self._on_delete,
            insert=self._replying(self._insert),
            clips=self._replying(lambda _content: {"clips": controller.clips()}),
            frame=self._replying(self._frame),
            video=self._replying(self._video),
            fit=self._replying(self._fit),
            image=self._replying(self._image),
            edit_image=self._replying(self._edit_image),
            clip=lambda content, _buffers: reply_clip(widget, content, controller.store.clip),
        )

    def _update(self) -> None:
        libraries = {"preset": self._controller.presets, "element": self._controller.elements}
        self._widget.library = {name: [_row(row) for row in library.rows()] for name, library in libraries.items()}

    def _library(self, content: Mapping[str, Any]) -> Library[Any]:
        return self._controller.elements if content.get("type") == "element" else self._controller.presets

    def _on_save(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        fields = self._fields_of(content.get("draft") or {})
        value = fields["elements"][0] if content.get("type") == "element" else fields
        self._library(content)[str(content.get("name", ""))] = value
        self._update()
        self._messages.clear_alert()

    def _on_load(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._show(self._controller.presets.fields(str(content.get("name"))))
        self._messages.clear_alert()

    def _on_rename(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._library(content).rename(str(content.get("name")), str(content.get("new", "")))
        self._update()
        self._messages.clear_alert()

    def _on_delete(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._library(content).pop(str(content.get("name")), None)  # another kernel may have deleted it
        self._update()

    def _insert(self, content: Mapping[str, Any]) -> dict[str, Any]:
        fields = self._controller.elements.fields(str(content.get("name")))
        angles = [self._put(each) for each in fields.get("reference_image_urls") or ()]
        frontal = self._put(fields["frontal_image_url"])
        return {"element": {"frontal_image_url": frontal, "reference_image_urls": angles}}

    def _frame(self, content: Mapping[str, Any]) -> dict[str, Any]:
        frame = self._controller.frame(str(content.get("clip")), int(content.get("frame", 0)))
        return {"key": self._put(frame)}

    def _video(self, content: Mapping[str, Any]) -> dict[str, Any]:
        clip = str(content.get("clip"))
        data = self._controller.log_of(clip).clip(clip)
        if data is None:
            raise KlingError("The clip's file is missing.")
        asset = Asset.from_bytes(data, given=f"clip of {clip}", kind="video")
        return {"key": self._put(replace(asset, name=f"clip of {clip}.mp4"))}

    def _asset(self, content: Mapping[str, Any]) -> Asset:
        asset = self._get(content.get("key"))
        if asset is None:
            raise KlingError("The image is not in this panel any more. Add it again.")
        return asset

    def _image(self, content: Mapping[str, Any]) -> dict[str, Any]:
        return _compared(self._asset(content), SHOWN_PIXELS)

    def _edit_image(self, content: Mapping[str, Any]) -> dict[str, Any]:
        asset, ratio = self._asset(content), content.get("crop")
        try:
            edited = cropped(asset, str(ratio)) if ratio else turned(asset, int(content.get("turn", 90)) // 90 * 90)
        except ImageError as exc:
            raise KlingError(f"{exc} – {exc.remedy}") from exc
        return {"key": self._put(edited)}

    def _fit(self, content: Mapping[str, Any]) -> dict[str, Any]:
        asset = self._asset(content)
        try:
            fixed = fit_image(asset)
        except ImageError as exc:
            raise KlingError(f"{exc} – {exc.remedy}") from exc
        return {
            "key": self._put(fixed),
            "before": _compared(asset),
            "after": _compared(fixed),
            "steps": list(fixed.fixes),
        }

    def _replying(self, act: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Any:
        """Return a handler that answers a question by its ID with the result of `act`, or with its error."""

        def reply(content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
            try:
                result = {"kind": "answer", **act(content)}
            except (KlingError, OSError, ValueError, IndexError) as exc:
                result = {"kind": "refused", "reason": str(exc)}
            self._widget.send({**result, "id": content.get("id")})

        return reply


def missing_notes(names: Sequence[str]) -> list[str]:
    """Return a note for each image of a record that its log has lost."""
    return [f"{name} is missing in this log; add it again" for name in names]


def _row(row: SavedRow) -> dict[str, Any]:
    return {"name": row.name, "text": row.text, "note": row.note, "images": list(row.images)}


def _compared(asset: Asset, side: int = COMPARED_PIXELS) -> dict[str, Any]:
    facts = asset.facts
    parts = [f"{facts.width} × {facts.height} px", facts.format] if facts and facts.width else []
    return {
        "uri": image_uri(asset, side),
        "text": " · ".join([*parts, format_size(len(asset.data or b""))]),
        "rules": ", ".join(broken_rules(asset)),
    }


@dataclass(frozen=True)
class SavedController:
    """The log with its presets, elements and earlier clips. Every method may be called from any thread."""

    presets: Presets
    elements: Elements
    store: Log
    links: Links
    others: Callable[[str], Log | None] = lambda record_id: None
    """Returns the log of a record that is not in this one."""

    @classmethod
    def of(cls, session: Session) -> Self:
        """Return those of a session's log."""
        store, links = session.store, session.display.links
        return cls(Presets(store, links), Elements(store, links), store, links, session.other_log_with)

    def clips(self) -> list[dict[str, Any]]:
        """Return the newest clips whose files exist, as they are sent to the browser."""
        found = self.store.find(kind="result", status="succeeded", limit=NEWEST)
        return [
            {
                "id": record.id,
                "title": prompt_line(record, 120) or record.id,
                "figures": figures_of(record),
                "poster": self.links.poster(record, SHEET_BYTES) or "",
                "fps": record.clip.fps or 24,
                "image": is_image(record),
            }
            for record in found
            if record.clip and self.store.media_file(record.clip.digest)
        ]

    def log_of(self, record_id: str, /) -> Log:
        """Return the log of a record: a clip may be dragged here from another notebook, or from the sidebar."""
        try:
            self.store.get(record_id)
        except NotSaved:
            return self.others(record_id) or self.store
        return self.store

    def frame(self, record_id: str, number: int, /) -> Asset:
        """Return a frame of a clip, from 0; -1 is the last, as is any number after it: a player may count one more."""
        log = self.log_of(record_id)
        record = log.get(record_id)
        file = log.media_file(record.clip.digest) if record.clip else None
        if file is None:
            raise LogError(f"The clip of {record.id} is missing in the log. See kn.log.verify().")
        count = record.clip.frames if record.clip else None
        number = -1 if count and number >= count - 1 else number
        try:
            image = frame_of(file, number)
        except IndexError:  # the log does not know how many frames the file has
            image, number = frame_of(file, -1), -1
        which = {0: "first frame", -1: "last frame"}.get(number, f"frame {number}")
        asset = Asset.from_pil(image, given=f"{which} of {record.id}")
        return replace(asset, name=f"{which} of {record.id}.png", source=record.id)
