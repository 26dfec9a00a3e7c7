"""Files that arrive from the browser in pieces of 1 MiB, each acknowledged before the next is sent.

One websocket message may hold 10 MiB, and a larger one is lost without a word (JUPYTER.md section 6).
"""

from __future__ import annotations

import base64
import io
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kling_nb.models.asset import Asset
from kling_nb.models.fit import broken_rules, fixable
from kling_nb.models.lint import check_asset
from kling_nb.render.formatting import format_size

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


THUMBNAIL_PIXELS = 96


class AssetTable:
    """Holds assets by key. The browser only ever sees `labels`: a thumbnail and a name for each."""

    def __init__(self) -> None:
        self._assets: dict[str, Asset] = {}
        self._labels: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(1)

    def put(self, asset: Asset) -> str:
        """Keep an asset and return its key; each call gives a key of its own."""
        key = f"a{next(self._numbers)}"
        self._labels[key] = label(asset)
        self._assets[key] = asset
        return key

    def get(self, key: object) -> Asset | None:
        """Return the asset behind a key, None for a key that is not ours."""
        return self._assets.get(key) if isinstance(key, str) else None

    @property
    def labels(self) -> dict[str, dict[str, Any]]:
        """Key to `{name, note, uri, rules, blocked, fixable}`; safe to send to a browser."""
        return dict(self._labels)


def label(asset: Asset) -> dict[str, Any]:
    """Return what a browser may know of an asset: never its bytes, never a signed query."""
    facts = asset.facts
    size = f"{facts.width} × {facts.height}" if facts and facts.width else ""
    if asset.kind == "video" and asset.data is not None:
        size = format_size(len(asset.data))
    barred = any(problem.severity == "error" for problem in check_asset((), asset))
    rules = {"rules": list(broken_rules(asset)), "blocked": barred, "fixable": fixable(asset)}
    return {"name": asset.name or asset.given, "note": size, "uri": picture_uri(asset, THUMBNAIL_PIXELS), **rules}


def picture_uri(asset: Asset, side: int) -> str:
    """Return a data URI of at most `side` pixels, a URL's public address, or nothing for what cannot be drawn."""
    if asset.kind == "video":
        return ""
    if asset.data is None:
        return asset.identity
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(asset.data)) as image:
            image.draft("RGB", (side * 2, side * 2))
            image.thumbnail((side, side))
            alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
            upright = ImageOps.exif_transpose(image)
            small, name = (upright.convert("RGBA"), "png") if alpha else (upright.convert("RGB"), "jpeg")
            buffer = io.BytesIO()
            small.save(buffer, name.upper(), **({} if alpha else {"quality": 82}))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return ""  # its problem is said at the field; here there is just no picture
    return f"data:image/{name};base64,{base64.b64encode(buffer.getvalue()).decode()}"


#: Two presses with the same draft within this many seconds are one double click.
DOUBLE = 1.0


class PressGuard:
    """Remembers presses: `admit` is true once for each, and never while another is being carried out."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: deque[str] = deque(maxlen=100)
        self._last: tuple[str, Mapping[str, Any]] | None = None
        self._ended = float("-inf")
        self._busy = False

    def admit(self, press: str, what: str, draft: Mapping[str, Any]) -> bool:
        """Whether this press is to be carried out; if so, `release` must follow."""
        same = (what, {name: value for name, value in draft.items() if name != "edit"})
        with self._lock:
            recent = self._clock() - self._ended < DOUBLE
            if self._busy or press in self._seen or (recent and same == self._last):
                return False
            self._seen.append(press)
            self._last, self._busy = same, True
            return True

    def release(self, *, asked: bool = False) -> None:
        """The press was carried out, well or not; one that was only answered by a question is no half of a double."""
        with self._lock:
            self._busy, self._ended = False, self._clock()
            if asked:
                self._last = None
