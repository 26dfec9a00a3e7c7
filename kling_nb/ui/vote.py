"""Two clips beside each other, nobody knows which is which, and one key for each answer.

The browser is told neither ids nor prompts before the vote: clips come under the names `left` and `right`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Protocol, get_args

import anywidget
import traitlets
from IPython.display import display

from kling_nb.render.page import gone_html
from kling_nb.ui.compare import QUIET
from kling_nb.ui.messages import Messages, send_clip
from kling_nb.ui.widgets import keep_reachable, linked, styles, view_of

Answer = Literal["left", "right", "tie", "skip"]


class Shown(Protocol):
    """The pair that is on."""

    @property
    def left(self) -> str: ...
    @property
    def right(self) -> str: ...


class BallotLike(Protocol):
    """A sitting, as the view sees it."""

    @property
    def number(self) -> int: ...
    @property
    def pairs(self) -> Sequence[Shown]: ...
    @property
    def pair(self) -> Shown | None: ...
    def vote(self, outcome: Answer) -> None: ...
    def undo(self) -> None: ...


class VoteWidget(anywidget.AnyWidget):
    """The browser's side of a vote."""

    _esm: ClassVar[str] = linked("vote.js")
    _css: ClassVar[str] = styles("base.css", "vote.css")

    state = traitlets.Dict().tag(sync=True)
    alert = traitlets.Dict().tag(sync=True)


class VoteView:
    """A sitting in a cell. `read` gives a clip's bytes by its record's id."""

    def __init__(self, ballot: BallotLike, read: Callable[[str], bytes | None]) -> None:
        self._ballot, self._read = ballot, read
        self._widget = VoteWidget()
        keep_reachable(self._widget)
        Messages(self._widget).answer(clip=self._on_clip, vote=self._on_vote, undo=self._on_undo)
        self._say()

    def _ipython_display_(self) -> None:
        # Two outputs: the line is what is left without a kernel; the vote hides it while it lives.
        display({**view_of(self._widget), "text/html": QUIET, "text/plain": repr(self)}, raw=True)
        display({"text/html": gone_html(self._invitation()), "text/plain": ""}, raw=True)

    def __repr__(self) -> str:
        return f"<Vote: {self._ballot.number} of {len(self._ballot.pairs)} pairs>"

    def _invitation(self) -> str:
        count = len(self._ballot.pairs)
        pairs = f"{count} pair{'' if count == 1 else 's'} of clips"
        return f"A vote over {pairs}: run the cell to take part. What was voted is kept."

    def _say(self) -> None:
        number, whole = self._ballot.number, len(self._ballot.pairs)
        self._widget.state = {"number": number, "of": whole, "done": self._ballot.pair is None}

    def _on_clip(self, said: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        number, _, side = str(said.get("id")).partition("-")
        pair = self._ballot.pair
        if pair is not None and number == str(self._ballot.number) and side in ("left", "right"):
            send_clip(self._widget, {**said, "id": getattr(pair, side)}, self._read)

    def _on_vote(self, said: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        # The number says which pair was seen: a key that arrives late must not speak of the next one.
        if said.get("number") == self._ballot.number and said.get("answer") in get_args(Answer):
            self._ballot.vote(said["answer"])
            self._say()

    def _on_undo(self, _said: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._ballot.undo()
        self._say()
