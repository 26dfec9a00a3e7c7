"""Hands a frame of a clip that is shown here to the panel that is open, as its start frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kling_nb.errors import KlingError
from kling_nb.views.clips import Sender

#: Takes a record's id and the number of a frame; says in words what came of it. Raises `KlingError`.
Hand = Callable[[str, int], str]


def hand_frame(widget: Sender, message: Mapping[str, Any], hand: Hand) -> None:
    """Answer one `hand` message with what came of it, or with why not."""
    try:
        words = hand(str(message.get("id")), int(message.get("frame", 0)))
    except (KlingError, OSError, ValueError, IndexError) as exc:
        words = str(exc)
    widget.send({"kind": "handed", "ask": message.get("ask"), "words": words})
