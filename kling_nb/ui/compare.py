"""Clips side by side or one over the other, played in sync frame by frame.

The browser plays; Python sends the clips and their differences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import anywidget
import traitlets
from IPython.display import display

from kling_nb.models.record import Record
from kling_nb.render.card import badge_of, stars_of
from kling_nb.render.compare import LETTERS, Difference
from kling_nb.render.facts import figures_of
from kling_nb.render.formatting import prompt_line
from kling_nb.render.page import NO_WIDGET_ERROR
from kling_nb.ui.messages import Messages, ReadClip, UseFrame, reply_clip, reply_use_frame
from kling_nb.ui.widgets import keep_reachable, linked, styles, view_of

MIN_CLIPS, MAX_CLIPS = 2, len(LETTERS)

#: The HTML of a widget's own output: empty, since a static form is next to it.
EMPTY = "<div></div>"


@dataclass(frozen=True)
class Comparison:
    """Records with their posters (data URIs), their differences, and the static form of both."""

    records: Sequence[Record]
    posters: Sequence[str | None]
    differences: Sequence[Difference]
    static: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return the part of it that is sent to the browser."""
        return {
            "clips": [_clip(*each) for each in zip(self.records, self.posters, LETTERS, strict=False)],
            "differences": [
                {"label": item.label, "values": [[list(word) for word in value] for value in item.values]}
                for item in self.differences
            ],
        }


def _clip(record: Record, poster: str | None, letter: str) -> dict[str, Any]:
    clip = record.clip
    return {
        "id": record.id,
        "letter": letter,
        "title": prompt_line(record, 160),
        "figures": figures_of(record),
        "badge": badge_of(record).partition(" – ")[0],
        "stars": stars_of(record),
        "poster": poster or "",
        "fps": clip.fps if clip and clip.fps else 24,
        "width": clip.width if clip and clip.width else 16,
        "height": clip.height if clip and clip.height else 9,
        "audible": bool(clip and clip.audio_codec),
    }


class CompareWidget(anywidget.AnyWidget):
    """The browser side of a comparison."""

    _esm: ClassVar[str] = linked("compare.js")
    _css: ClassVar[str] = styles("base.css", "compare.css")

    comparison = traitlets.Dict().tag(sync=True)
    alert = traitlets.Dict().tag(sync=True)


class CompareView:
    """A comparison in a cell.

    `read` returns a clip's bytes by its record's ID; `use_frame` puts one of its frames into the open panel.
    """

    def __init__(self, comparison: Comparison, read: ReadClip, use_frame: UseFrame) -> None:
        self._comparison, self._read, self._use_frame = comparison, read, use_frame
        self.widget = CompareWidget(comparison=comparison.to_json())
        keep_reachable(self.widget)
        Messages(self.widget).on(clip=self._on_clip, use_frame=self._on_use_frame)

    def _ipython_display_(self) -> None:
        # Two outputs: the static form remains without a kernel; the live player hides it.
        static = self._comparison.static
        display({**static, "text/html": static["text/html"] + NO_WIDGET_ERROR}, raw=True)
        display({**view_of(self.widget), "text/html": EMPTY, "text/plain": repr(self)}, raw=True)

    def _on_clip(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        if content.get("id") in {record.id for record in self._comparison.records}:
            reply_clip(self.widget, content, self._read)

    def _on_use_frame(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        reply_use_frame(self.widget, content, self._use_frame)

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(record.id for record in self._comparison.records)}>"
