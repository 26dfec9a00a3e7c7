"""Clips played as one: one transport, to the frame, beside each other or one over the other.

The browser plays; Python sends the clips and says what tells them apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import anywidget
import traitlets
from IPython.display import display

from kling_nb.models.record import Record
from kling_nb.render import LETTERS, Difference
from kling_nb.render.card import badge_of, stars_of
from kling_nb.render.facts import headline
from kling_nb.render.formatting import prompt_line
from kling_nb.render.page import NO_ALARM
from kling_nb.ui.messages import Hand, Messages, Read, hand_frame, send_clip
from kling_nb.ui.widgets import keep_reachable, linked, styles, view_of

FEWEST, MOST = 2, len(LETTERS)
#: What a widget's own output says where widgets are not shown: nothing, since the static form stands above it.
QUIET = "<div></div>"


@dataclass(frozen=True)
class Take:
    """One clip as the player needs it; `poster` is a data URI, `seconds` and `fps` are the decoder's."""

    record: Record
    poster: str | None

    def to_json(self, letter: str) -> dict[str, Any]:
        """Return what the browser may know of it."""
        record, clip = self.record, self.record.clip
        return {
            "id": record.id,
            "letter": letter,
            "title": prompt_line(record, 160),
            "figures": " · ".join(fact.value for fact in headline(record) if fact.label != "audio"),
            "badge": badge_of(record).partition(" – ")[0],
            "stars": stars_of(record),
            "poster": self.poster or "",
            "fps": clip.fps if clip and clip.fps else 24,
            "width": clip.width if clip and clip.width else 16,
            "height": clip.height if clip and clip.height else 9,
            "audible": bool(clip and clip.audio_codec),
        }


@dataclass(frozen=True)
class Comparison:
    """Clips to be compared, what tells them apart, and the static form of both."""

    takes: Sequence[Take]
    found: Sequence[Difference]
    static: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return what the browser may know of it."""
        return {
            "clips": [take.to_json(letter) for take, letter in zip(self.takes, LETTERS, strict=False)],
            "differences": [
                {"label": item.label, "values": [[list(word) for word in value] for value in item.values]}
                for item in self.found
            ],
        }


class CompareWidget(anywidget.AnyWidget):
    """The browser's side of a comparison."""

    _esm: ClassVar[str] = linked("compare.js")
    _css: ClassVar[str] = styles("base.css", "compare.css")

    comparison = traitlets.Dict().tag(sync=True)
    alert = traitlets.Dict().tag(sync=True)


class CompareView:
    """A comparison in a cell. `read` gives a clip's bytes by its record's id, `hand` takes a frame of it on."""

    def __init__(self, comparison: Comparison, read: Read, hand: Hand) -> None:
        self._comparison, self._read, self._hand = comparison, read, hand
        self._widget = CompareWidget(comparison=comparison.to_json())
        keep_reachable(self._widget)
        Messages(self._widget).answer(clip=self._on_clip, use_frame=self._on_use_frame)

    def _ipython_display_(self) -> None:
        # Two outputs: the static form is what is left without a kernel; the player hides it while it lives.
        static = self._comparison.static
        display({**static, "text/html": static["text/html"] + NO_ALARM}, raw=True)
        display({**view_of(self._widget), "text/html": QUIET, "text/plain": repr(self)}, raw=True)

    def _on_clip(self, said: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        if said.get("id") in {take.record.id for take in self._comparison.takes}:
            send_clip(self._widget, said, self._read)

    def _on_use_frame(self, said: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        hand_frame(self._widget, said, self._hand)

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(take.record.id for take in self._comparison.takes)}>"
