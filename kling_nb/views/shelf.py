"""The pictures of a panel: values in Python, named by short keys that a browser may know, with small thumbnails."""

from __future__ import annotations

import base64
import io
import itertools
from typing import Any

from kling_nb.models.asset import Asset
from kling_nb.models.lint import check_asset
from kling_nb.models.mend import broken_rules, can_mend
from kling_nb.render.words import size as words_for_bytes

THUMBNAIL_PIXELS = 96


class Shelf:
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
        size = words_for_bytes(len(asset.data))
    barred = any(problem.severity == "error" for problem in check_asset((), asset))
    rules = {"rules": list(broken_rules(asset)), "blocked": barred, "fixable": can_mend(asset)}
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
