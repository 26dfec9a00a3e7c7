"""Clips beside each other: the comparison, which plays them in sync frame by frame, and the blind vote on pairs.

The browser plays; Python sends the clips and their differences. In a vote, the browser gets neither IDs nor prompts
before the answer: the clips are called `left` and `right`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import anywidget
import traitlets
from IPython.display import display

from kling_nb.models.judgements import Outcome
from kling_nb.models.record import Record
from kling_nb.render.card import badge_of, stars_of
from kling_nb.render.compare import LETTERS, Difference
from kling_nb.render.facts import figures_of
from kling_nb.render.formatting import prompt_line
from kling_nb.render.page import NO_WIDGET_ERROR, offline_html
from kling_nb.ui.messages import Messages, ReadClip, UseFrame, reply_clip, reply_use_frame
from kling_nb.ui.widgets import keep_reachable, linked, styles, view_of

if TYPE_CHECKING:
    from kling_nb.scoring.ballot import Ballot

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

    def _display_(self) -> Any:
        return self.widget  # for marimo

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


class VoteWidget(anywidget.AnyWidget):
    """The browser side of a vote."""

    _esm: ClassVar[str] = linked("vote.js")
    _css: ClassVar[str] = styles("base.css", "vote.css")

    state = traitlets.Dict().tag(sync=True)
    alert = traitlets.Dict().tag(sync=True)


class VoteView:
    """A ballot in a cell. `read` returns a clip's bytes by its record's ID."""

    def __init__(self, ballot: Ballot, read: ReadClip) -> None:
        self._ballot, self._read = ballot, read
        self.widget = VoteWidget()
        keep_reachable(self.widget)
        Messages(self.widget).on(clip=self._on_clip, vote=self._on_vote, undo=self._on_undo)
        self._update()

    def _display_(self) -> Any:
        return self.widget  # for marimo

    def _ipython_display_(self) -> None:
        # Two outputs: the line remains without a kernel; the live vote hides it.
        display({**view_of(self.widget), "text/html": EMPTY, "text/plain": repr(self)}, raw=True)
        count = len(self._ballot.pairs)
        pairs = f"{count} pair{'' if count == 1 else 's'}"
        line = f"A vote on {pairs} of clips. Run the cell to vote; votes already cast are saved."
        display({"text/html": offline_html(line), "text/plain": ""}, raw=True)

    def __repr__(self) -> str:
        return f"<Vote: {self._ballot.number} of {len(self._ballot.pairs)} pairs>"

    def _update(self) -> None:
        number, count = self._ballot.number, len(self._ballot.pairs)
        self.widget.state = {"number": number, "of": count, "done": self._ballot.pair is None}

    def _on_clip(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        number, _, side = str(content.get("id")).partition("-")
        pair = self._ballot.pair
        if pair is not None and number == str(self._ballot.number) and side in ("left", "right"):
            reply_clip(self.widget, {**content, "id": getattr(pair, side)}, self._read)

    def _on_vote(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        # The number names the pair that was shown: a key press that arrives late must not count for the next one.
        if content.get("number") == self._ballot.number and content.get("answer") in get_args(Outcome):
            self._ballot.vote(content["answer"])
            self._update()

    def _on_undo(self, _content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._ballot.undo()
        self._update()
