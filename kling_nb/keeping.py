"""What a panel has from the log: `views.keeping.Keeping` over presets, elements and clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kling_nb.engine.frames import frame_of
from kling_nb.errors import LogError
from kling_nb.library import Elements, Library, Presets
from kling_nb.links import Links
from kling_nb.logbook.store import Log
from kling_nb.models.asset import Asset
from kling_nb.models.record import Record
from kling_nb.render import KeptRow
from kling_nb.render.facts import headline
from kling_nb.render.words import prompt_line
from kling_nb.views.keeping import EarlierClip, What

#: How many earlier clips are offered for a frame.
NEWEST = 12


class PanelKeeping:
    """Keeps and gives by name, and takes frames out of clips."""

    def __init__(self, presets: Presets, elements: Elements, store: Log, links: Links) -> None:
        self._shelves: dict[What, Library[Any]] = {"preset": presets, "element": elements}
        self._store, self._links = store, links

    def kept(self, what: What, /) -> Sequence[KeptRow]:
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
