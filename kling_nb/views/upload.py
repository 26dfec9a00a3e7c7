"""Files that arrive from the browser in pieces of 1 MiB, each acknowledged before the next is sent.

One websocket message may hold 10 MiB, and a larger one is lost without a word (JUPYTER.md section 6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_BYTES = 200 * 1024 * 1024
MAX_OPEN = 16
Reply = dict[str, Any]


@dataclass
class _Arriving:
    name: str
    size: int
    pieces: int = 0
    data: bytearray = field(default_factory=bytearray)


class Uploads:
    """Puts the pieces together. `piece` answers each; a whole file comes back beside the answer."""

    def __init__(self) -> None:
        self._open: dict[str, _Arriving] = {}

    def piece(self, message: Mapping[str, Any], data: bytes) -> tuple[Reply, tuple[str, bytes] | None]:
        """Take one piece; return the reply, and `(name, bytes)` when it was the last.

        A piece that was had before is acknowledged again; one that does not follow ends its upload.
        """
        upload, number = str(message.get("id")), message.get("piece")
        if number == 0 and upload not in self._open:
            self._begin(upload, message)
        arriving = self._open.get(upload)
        if arriving is None:
            return _refusal(upload, "The upload was interrupted – add the file again."), None
        if isinstance(number, int) and number < arriving.pieces:
            return _receipt(upload, arriving), None
        if number != arriving.pieces or len(arriving.data) + len(data) > arriving.size:
            del self._open[upload]
            return _refusal(upload, "The pieces do not fit together – add the file again."), None
        arriving.data += data
        arriving.pieces += 1
        if len(arriving.data) < arriving.size:
            return _receipt(upload, arriving), None
        del self._open[upload]
        return _receipt(upload, arriving), (arriving.name, bytes(arriving.data))

    def _begin(self, upload: str, message: Mapping[str, Any]) -> None:
        size = message.get("size")
        if not isinstance(size, int) or not 0 <= size <= MAX_BYTES:
            return
        while len(self._open) >= MAX_OPEN:  # their pages are gone: forget the oldest
            del self._open[next(iter(self._open))]
        self._open[upload] = _Arriving(str(message.get("name") or "file"), size)


def _receipt(upload: str, arriving: _Arriving) -> Reply:
    return {"kind": "received", "id": upload, "pieces": arriving.pieces}


def _refusal(upload: str, why: str) -> Reply:
    return {"kind": "refused", "id": upload, "reason": why}
