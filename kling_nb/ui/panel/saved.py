"""The panel's exchange with the log: presets, elements, frames of earlier clips; and the fixing of images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from kling_nb.errors import KlingError, LogError
from kling_nb.models.asset import Asset
from kling_nb.models.fit import broken_rules, fit_image
from kling_nb.models.images import ImageError
from kling_nb.render.facts import figures_of
from kling_nb.render.formatting import format_size, prompt_line
from kling_nb.render.tables import SavedRow
from kling_nb.ui.messages import Messages, reply_clip
from kling_nb.ui.panel.uploads import image_uri

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

    from kling_nb.models.record import Record
    from kling_nb.notebook.links import Links
    from kling_nb.store.log import Log
    from kling_nb.ui.library import Elements, Library, Presets

Type = Literal["preset", "element"]

#: The long side, in pixels, of an image that is shown before and after its fix.
COMPARED_PIXELS = 440

#: The number of earlier clips offered for a frame.
NEWEST = 12


@dataclass(frozen=True)
class EarlierClip:
    """A clip to take frames from; `poster` is a data URI."""

    id: str
    title: str
    figures: str
    poster: str
    fps: float
    image: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as it is sent to the browser."""
        return vars(self)


@dataclass(frozen=True)
class FormAccess:
    """The panel's form, as the saved items use it."""

    show: Callable[[Mapping[str, Any]], None]
    """Replaces the fields that are shown."""
    fields: Callable[[Mapping[str, Any]], dict[str, Any]]
    """Returns the wire-named fields of a draft."""
    put: Callable[[Asset], str]
    """Adds an image and returns its key."""
    get: Callable[[object], Asset | None]
    """Returns the image of a key."""


class SavedItems:
    """The part of a panel that answers messages about saved items."""

    def __init__(self, widget: Any, messages: Messages, form: FormAccess, controller: SavedController) -> None:
        self._widget, self._messages, self._form, self._controller = widget, messages, form, controller
        messages.on(
            library=lambda _content, _buffers: self._update(),
            save=self._on_save,
            load=self._on_load,
            rename=self._on_rename,
            delete=self._on_delete,
            insert=self._replying(self._insert),
            clips=self._replying(lambda _content: {"clips": [clip.to_json() for clip in controller.clips()]}),
            frame=self._replying(self._frame),
            video=self._replying(self._video),
            fit=self._replying(self._fit),
            clip=lambda content, _buffers: reply_clip(widget, content, controller.clip),
        )

    def _update(self) -> None:
        types: tuple[Type, ...] = ("preset", "element")
        self._widget.library = {each: [_row(row) for row in self._controller.rows(each)] for each in types}

    def _on_save(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        fields = self._form.fields(content.get("draft") or {})
        each = _type(content)
        if each == "element":
            fields = fields["elements"][0]  # the draft of an element has no other
        self._controller.save(each, str(content.get("name", "")), fields)
        self._update()
        self._messages.clear_alert()

    def _on_load(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._form.show(self._controller.load("preset", str(content.get("name"))))
        self._messages.clear_alert()

    def _on_rename(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._controller.rename(_type(content), str(content.get("name")), str(content.get("new", "")))
        self._update()
        self._messages.clear_alert()

    def _on_delete(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._controller.delete(_type(content), str(content.get("name")))
        self._update()

    def _insert(self, content: Mapping[str, Any]) -> dict[str, Any]:
        fields = self._controller.load("element", str(content.get("name")))
        angles = [self._form.put(each) for each in fields.get("reference_image_urls") or ()]
        frontal = self._form.put(fields["frontal_image_url"])
        return {"element": {"frontal_image_url": frontal, "reference_image_urls": angles}}

    def _frame(self, content: Mapping[str, Any]) -> dict[str, Any]:
        frame = self._controller.frame(str(content.get("clip")), int(content.get("frame", 0)))
        return {"key": self._form.put(frame)}

    def _video(self, content: Mapping[str, Any]) -> dict[str, Any]:
        clip = str(content.get("clip"))
        data = self._controller.clip(clip)
        if data is None:
            raise KlingError("The clip's file is missing.")
        asset = Asset.from_bytes(data, given=f"clip of {clip}", kind="video")
        return {"key": self._form.put(replace(asset, name=f"clip of {clip}.mp4"))}

    def _fit(self, content: Mapping[str, Any]) -> dict[str, Any]:
        asset = self._form.get(content.get("key"))
        if asset is None:
            raise KlingError("The image is not in this panel any more. Add it again.")
        try:
            fixed = fit_image(asset)
        except ImageError as exc:
            raise KlingError(f"{exc} – {exc.remedy}") from exc
        return {
            "key": self._form.put(fixed),
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


def _type(content: Mapping[str, Any]) -> Type:
    return "element" if content.get("type") == "element" else "preset"


def _row(row: SavedRow) -> dict[str, Any]:
    return {"name": row.name, "text": row.text, "note": row.note, "images": list(row.images)}


def _compared(asset: Asset) -> dict[str, Any]:
    facts = asset.facts
    parts = [f"{facts.width} × {facts.height} px", facts.format] if facts and facts.width else []
    return {
        "uri": image_uri(asset, COMPARED_PIXELS),
        "text": " · ".join([*parts, format_size(len(asset.data or b""))]),
        "rules": ", ".join(broken_rules(asset)),
    }


class SavedController:
    """Saves and loads by name, and reads frames of clips. Every method may be called from any thread.

    `read_frame` returns a frame of a video file, by number.
    """

    def __init__(
        self,
        presets: Presets,
        elements: Elements,
        store: Log,
        links: Links,
        read_frame: Callable[[Path, int], Image],
    ) -> None:
        self._libraries: dict[Type, Library[Any]] = {"preset": presets, "element": elements}
        self._store, self._links, self._read_frame = store, links, read_frame

    def rows(self, each: Type, /) -> Sequence[SavedRow]:
        """Return all saved items of a type."""
        return self._libraries[each].rows()

    def load(self, each: Type, name: str, /) -> Mapping[str, Any]:
        """Return the wire-named fields of an item, with images as `Asset`."""
        return self._libraries[each].fields(name)

    def save(self, each: Type, name: str, fields: Mapping[str, Any], /) -> None:
        """Save fields under a name, replacing an item of that name."""
        self._libraries[each][name] = fields

    def rename(self, each: Type, name: str, new: str, /) -> None:
        """Rename an item."""
        self._libraries[each].rename(name, new)

    def delete(self, each: Type, name: str, /) -> None:
        """Delete an item; another kernel may have deleted it before."""
        self._libraries[each].pop(name, None)

    def clips(self) -> Sequence[EarlierClip]:
        """Return the newest clips whose files exist."""
        found = self._store.find(kind="result", status="succeeded", limit=NEWEST)
        return [self._earlier(record) for record in found if record.clip and self._store.file(record.clip.digest)]

    def clip(self, record_id: str, /) -> bytes | None:
        """Return a clip's bytes, None when the file is missing."""
        record = self._store.get(record_id)
        return self._store.read(record.clip.digest) if record.clip else None

    def frame(self, record_id: str, number: int, /) -> Asset:
        """Return a frame of a clip, from 0; negative numbers count from the end."""
        record = self._store.get(record_id)
        file = self._store.file(record.clip.digest) if record.clip else None
        if file is None:
            raise LogError(f"The clip of {record.id} is missing in the log. See kn.log.verify().")
        which = {0: "first frame", -1: "last frame"}.get(number, f"frame {number}")
        asset = Asset.from_pil(self._read_frame(file, number), given=f"{which} of {record.id}")
        return replace(asset, name=f"{which} of {record.id}.png")

    def _earlier(self, record: Record) -> EarlierClip:
        fps = record.clip.fps if record.clip and record.clip.fps else 24
        title = prompt_line(record, 120) or record.id
        image = bool(record.clip and record.clip.media_type.startswith("image/"))
        return EarlierClip(record.id, title, figures_of(record), self._links.poster(record) or "", fps, image)
