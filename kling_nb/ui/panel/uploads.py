"""Files from the browser, in pieces of 1 MiB that are each acknowledged, and the assets that a panel refers to by key.

A websocket message may have 10 MiB; a larger one is lost silently (jupyter.md section 6).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kling_nb.models.asset import Asset, Kind
from kling_nb.models.fit import broken_rules, fixable
from kling_nb.models.lint import check_asset
from kling_nb.models.request import is_kling
from kling_nb.render.formatting import format_size
from kling_nb.render.images import screen_image

MAX_BYTES = 200 * 1024 * 1024
MAX_OPEN = 16
THUMBNAIL_PIXELS = 96
Reply = dict[str, Any]


@dataclass
class _Upload:
    name: str
    size: int
    pieces: int = 0
    data: bytearray = field(default_factory=bytearray)


class Uploads:
    """Assembles files from their pieces."""

    def __init__(self) -> None:
        self._open: dict[str, _Upload] = {}

    def piece(self, message: Mapping[str, Any], data: bytes) -> tuple[Reply, tuple[str, bytes] | None]:
        """Take one piece; return the reply, and `(name, bytes)` if it was the last one.

        A repeated piece is acknowledged again; one that is out of order ends its upload.
        """
        upload_id, number = str(message.get("id")), message.get("piece")
        if number == 0 and upload_id not in self._open:
            self._begin(upload_id, message)
        upload = self._open.get(upload_id)
        if upload is None:
            return _refused(upload_id, "The upload was interrupted. Add the file again."), None
        if isinstance(number, int) and number < upload.pieces:
            return _received(upload_id, upload), None
        if number != upload.pieces or len(upload.data) + len(data) > upload.size:
            del self._open[upload_id]
            return _refused(upload_id, "The upload arrived incomplete. Add the file again."), None
        upload.data += data
        upload.pieces += 1
        if len(upload.data) < upload.size:
            return _received(upload_id, upload), None
        del self._open[upload_id]
        return _received(upload_id, upload), (upload.name, bytes(upload.data))

    def _begin(self, upload_id: str, message: Mapping[str, Any]) -> None:
        size = message.get("size")
        if not isinstance(size, int) or not 0 <= size <= MAX_BYTES:
            return
        while len(self._open) >= MAX_OPEN:  # their pages were closed: forget the oldest
            del self._open[next(iter(self._open))]
        self._open[upload_id] = _Upload(str(message.get("name") or "file"), size)


def _received(upload_id: str, upload: _Upload) -> Reply:
    return {"kind": "received", "id": upload_id, "pieces": upload.pieces}


def _refused(upload_id: str, reason: str) -> Reply:
    return {"kind": "refused", "id": upload_id, "reason": reason}


def media_of(content: Mapping[str, Any]) -> Kind:
    """Return what a message adds: an image or a video."""
    return "video" if content.get("media") == "video" else "image"


class AssetTable:
    """Assets by key. The browser gets only `labels`: a thumbnail and a name for each."""

    def __init__(self) -> None:
        self._assets: dict[str, Asset] = {}
        self._labels: dict[str, dict[str, Any]] = {}
        self._readable: set[str] = set()
        self._numbers = itertools.count(1)

    def put(self, asset: Asset) -> str:
        """Add an asset and return its new key."""
        key = f"a{next(self._numbers)}"
        self._labels[key] = label(asset)
        if not any(problem.severity == "error" for problem in check_asset((), asset, model="")):
            self._readable.add(key)
        self._assets[key] = asset
        return key

    def get(self, key: object) -> Asset | None:
        """Return the asset of a key, None for an unknown key."""
        return self._assets.get(key) if isinstance(key, str) else None

    def labels(self, model: str) -> dict[str, dict[str, Any]]:
        """Key to `{name, note, uri, rules, blocked, fixable}` for a model; safe to send to a browser."""
        if is_kling(model):
            return dict(self._labels)
        free = {"rules": [], "blocked": False, "fixable": False}
        return {key: each | free if key in self._readable else each for key, each in self._labels.items()}


def label(asset: Asset) -> dict[str, Any]:
    """Return the part of an asset that is sent to the browser: never its bytes, never a signed URL's query."""
    facts = asset.facts
    note = f"{facts.width} × {facts.height}" if facts and facts.width else ""
    if asset.kind == "video" and asset.data is not None:
        note = format_size(len(asset.data))
    return {
        "name": asset.name or asset.given,
        "note": note,
        "uri": image_uri(asset, THUMBNAIL_PIXELS),
        "rules": list(broken_rules(asset)),
        "blocked": any(problem.severity == "error" for problem in check_asset((), asset)),
        "fixable": fixable(asset),
    }


def image_uri(asset: Asset, side: int) -> str:
    """Return an image as a data URI of at most `side` pixels, or its public URL; empty if it cannot be shown."""
    if asset.kind == "video":
        return ""
    if asset.data is None:
        return asset.identity
    # A problem is reported at its field.
    return screen_image(asset.prepared.data or b"", (side, side)) or ""
