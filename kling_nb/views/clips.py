"""Brings clips to the browser: it asks for one by its id, and gets the bytes as one message, whatever their size.

From the kernel to the browser a message has no limit (JUPYTER.md section 6); there a blob URL plays it in every
frontend, with no server that would have to know the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from kling_nb.errors import KlingError

Read = Callable[[str], bytes | None]


class Sender(Protocol):
    """A widget that can send messages."""

    def send(self, content: Any, buffers: Any = None) -> None: ...


def send_clip(widget: Sender, message: Mapping[str, Any], read: Read) -> None:
    """Answer one `clip` message with the bytes, or with why there are none."""
    reply = {"kind": "clip", "call": message.get("call")}
    try:
        data = read(str(message.get("id")))
    except (KlingError, OSError) as exc:
        widget.send({**reply, "reason": str(exc)})
        return
    if data is None:
        widget.send({**reply, "reason": "The file is not there any more."})
    else:
        widget.send(reply, buffers=[data])
