"""What a panel has from the log and puts there: presets, elements, frames of earlier clips, mended pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from kling_nb.engine.frames import frame_of
from kling_nb.errors import KlingError, LogError
from kling_nb.models.asset import Asset
from kling_nb.models.fit import broken_rules, fit_image
from kling_nb.models.images import ImageError
from kling_nb.models.record import Record
from kling_nb.notebook.links import Links
from kling_nb.render import SavedRow
from kling_nb.render.facts import headline
from kling_nb.render.formatting import format_size, prompt_line
from kling_nb.store.log import Log
from kling_nb.ui.library import Elements, Library, Presets
from kling_nb.ui.messages import Messages, send_clip
from kling_nb.ui.panel.uploads import picture_uri

What = Literal["preset", "element"]

#: The long side, in pixels, of a picture that is shown before and after its mend.
SHOWN_PIXELS = 440


@dataclass(frozen=True)
class EarlierClip:
    """A clip whose frames can be had; `poster` is a data URI, `fps` the decoder's."""

    id: str
    title: str
    figures: str
    poster: str
    fps: float
    image: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return what the browser may know of it."""
        return vars(self)


@dataclass(frozen=True)
class Form:
    """The form that things are taken from and put into."""

    show: Callable[[Mapping[str, Any]], None]
    """Shows fields in place of what is there."""
    fields: Callable[[Mapping[str, Any]], dict[str, Any]]
    """Gives the wire-named fields of a draft, which is what the browser has."""
    put: Callable[[Asset], str]
    """Keeps a picture and gives its key."""
    get: Callable[[object], Asset | None]
    """Gives the picture of a key."""


class SavedItems:
    """The part of a panel that answers what the browser asks about kept things. `keeping` is asked when needed."""

    def __init__(self, widget: Any, messages: Messages, form: Form, keeping: Callable[[], SavedController]) -> None:
        self._widget, self._messages, self._form, self._keeping = widget, messages, form, keeping
        messages.answer(
            library=self._on_library,
            save=self._on_save,
            load=self._on_load,
            rename=self._on_rename,
            delete=self._on_delete,
            insert=self._answering(self._insert),
            clips=self._answering(self._clips),
            frame=self._answering(self._frame),
            video=self._answering(self._video),
            fit=self._answering(self._fit),
            clip=self._on_clip,
        )

    # --- what is kept by name ---

    def _on_library(self, _content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._widget.library = {what: list(map(_row, self._keeping().kept(what))) for what in _WHATS}

    def _on_save(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        what, name = _what(content), str(content.get("name"))
        fields = self._form.fields(content.get("draft") or {})
        if what == "element":  # it comes as the only one of its draft
            fields = fields["elements"][0]
        self._keeping().keep(what, name, fields)
        self._messages.calm()
        self._on_library(content, buffers)

    def _on_load(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._form.show(self._keeping().take("preset", str(content.get("name"))))
        self._messages.calm()

    def _on_rename(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        self._keeping().rename(_what(content), str(content.get("name")), str(content.get("new")))
        self._on_library(content, buffers)

    def _on_delete(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        self._keeping().drop(_what(content), str(content.get("name")))
        self._on_library(content, buffers)

    def _insert(self, content: Mapping[str, Any]) -> dict[str, Any]:
        fields = self._keeping().take("element", str(content.get("name")))
        angles = [self._form.put(angle) for angle in fields.get("reference_image_urls") or ()]
        front = self._form.put(fields["frontal_image_url"])
        return {"element": {"frontal_image_url": front, "reference_image_urls": angles}}

    # --- pictures ---

    def _clips(self, _content: Mapping[str, Any]) -> dict[str, Any]:
        return {"clips": [clip.to_json() for clip in self._keeping().clips()]}

    def _frame(self, content: Mapping[str, Any]) -> dict[str, Any]:
        frame = self._keeping().frame(str(content.get("clip")), int(content.get("frame", 0)))
        return {"key": self._form.put(frame)}

    def _video(self, content: Mapping[str, Any]) -> dict[str, Any]:
        clip = str(content.get("clip"))
        data = self._keeping().clip(clip)
        if data is None:
            raise KlingError("The clip is not in the log any more.")
        asset = Asset.from_bytes(data, given=f"clip of {clip}", kind="video")
        return {"key": self._form.put(replace(asset, name=f"clip of {clip}.mp4"))}

    def _fit(self, content: Mapping[str, Any]) -> dict[str, Any]:
        asset = self._form.get(content.get("key"))
        if asset is None:
            raise KlingError("The picture is not there any more: add it again.")
        try:
            mended = fit_image(asset)
        except ImageError as exc:
            raise KlingError(f"{exc} – {exc.remedy}") from exc
        after = {"before": _side(asset), "after": _side(mended), "steps": list(mended.fixes)}
        return {"key": self._form.put(mended), **after}

    def _on_clip(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        send_clip(self._widget, content, self._keeping().clip)

    def _answering(self, act: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Any:
        """Answer a question by its id: with what `act` gives, or with why not."""

        def answer(content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
            try:
                said = {"kind": "answer", **act(content)}
            except (KlingError, OSError, ValueError, IndexError) as exc:
                said = {"kind": "refused", "reason": str(exc)}
            self._widget.send({**said, "id": content.get("id")})

        return answer


_WHATS: tuple[What, ...] = ("preset", "element")


def _what(content: Mapping[str, Any]) -> What:
    return "element" if content.get("type") == "element" else "preset"


def _row(row: SavedRow) -> dict[str, Any]:
    return {"name": row.name, "text": row.text, "note": row.note, "images": list(row.pictures)}


def _side(asset: Asset) -> dict[str, Any]:
    facts = asset.facts
    words = [f"{facts.width} × {facts.height} px", facts.format] if facts and facts.width else []
    return {
        "uri": picture_uri(asset, SHOWN_PIXELS),
        "text": " · ".join([*words, format_size(len(asset.data or b""))]),
        "rules": ", ".join(broken_rules(asset)),
    }


#: How many earlier clips are offered for a frame.
NEWEST = 12


class SavedController:
    """Keeps and gives by name, and takes frames out of clips."""

    def __init__(self, presets: Presets, elements: Elements, store: Log, links: Links) -> None:
        self._shelves: dict[What, Library[Any]] = {"preset": presets, "element": elements}
        self._store, self._links = store, links

    def kept(self, what: What, /) -> Sequence[SavedRow]:
        """Return what is kept by name."""
        return self._shelves[what].rows()

    def take(self, what: What, name: str, /) -> Mapping[str, Any]:
        """Return the fields of one."""
        return self._shelves[what].fields(name)

    def keep(self, what: What, name: str, fields: Mapping[str, Any], /) -> None:
        """Keep fields under a name."""
        self._shelves[what][name] = fields

    def rename(self, what: What, name: str, new: str, /) -> None:
        """Give one another name."""
        self._shelves[what].rename(name, new)

    def drop(self, what: What, name: str, /) -> None:
        """Forget one; another kernel may have done so before."""
        self._shelves[what].pop(name, None)

    def clips(self) -> Sequence[EarlierClip]:
        """Return the newest clips that are here."""
        found = self._store.find(kind="result", status="succeeded", limit=NEWEST)
        return [self._earlier(record) for record in found if record.clip and self._store.file(record.clip.digest)]

    def clip(self, record_id: str, /) -> bytes | None:
        """Return a clip's bytes."""
        record = self._store.get(record_id)
        return self._store.read(record.clip.digest) if record.clip else None

    def frame(self, record_id: str, number: int, /) -> Asset:
        """Return a frame of a clip as a picture that says where it is from."""
        record = self._store.get(record_id)
        file = self._store.file(record.clip.digest) if record.clip else None
        if file is None:
            raise LogError(f"The clip of {record.id} is not in the log any more; see log.verify()")
        which = {0: "first frame", -1: "last frame"}.get(number, f"frame {number}")
        asset = Asset.from_pil(frame_of(file, number), given=f"{which} of {record.id}")
        return replace(asset, name=f"{which} of {record.id}.png")

    def _earlier(self, record: Record) -> EarlierClip:
        figures = " · ".join(fact.value for fact in headline(record) if fact.label != "audio")
        fps = record.clip.fps if record.clip and record.clip.fps else 24
        title = prompt_line(record, 120) or record.id
        still = bool(record.clip and record.clip.media_type.startswith("image/"))
        return EarlierClip(record.id, title, figures, self._links.poster(record) or "", fps, still)
