"""Hands what is shown here to the panel that is open: a frame of a clip as its start frame, or the whole request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kling_nb.errors import KlingError
from kling_nb.views.clips import Sender

#: Takes a record's id and the number of a frame; says in words what came of it. Raises `KlingError`.
Hand = Callable[[str, int], str]


def hand_frame(widget: Sender, message: Mapping[str, Any], hand: Hand) -> None:
    """Answer one `use_frame` message with what came of it, or with why not."""
    _answer(widget, message, lambda: hand(str(message.get("id")), int(message.get("frame", 0))))


def open_record(widget: Sender, message: Mapping[str, Any], fill: Callable[[str], str]) -> None:
    """Answer one `open` message with what came of it, or with why not."""
    _answer(widget, message, lambda: fill(str(message.get("id"))))


def _answer(widget: Sender, message: Mapping[str, Any], act: Callable[[], str]) -> None:
    try:
        words = act()
    except (KlingError, OSError, ValueError, IndexError) as exc:
        words = str(exc)
    widget.send({"kind": "done", "call": message.get("call"), "text": words})
