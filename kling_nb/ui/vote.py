"""Blind votes: two clips side by side without names, and one key for each answer.

The browser gets neither IDs nor prompts before the vote: the clips are called `left` and `right`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import anywidget
import traitlets
from IPython.display import display

from kling_nb.models.judgements import Outcome
from kling_nb.render.page import offline_html
from kling_nb.ui.compare import EMPTY
from kling_nb.ui.messages import Messages, ReadClip, reply_clip
from kling_nb.ui.widgets import keep_reachable, linked, styles, view_of

if TYPE_CHECKING:
    from kling_nb.scoring.ballot import Ballot


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
