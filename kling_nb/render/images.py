"""Stills small enough to live inside a notebook: a few kilobytes of WebP each, as data URIs.

WebP, because at these sizes it looks twice as good as JPEG, and a notebook's sanitizer leaves it on `poster` and `src`.
"""

from __future__ import annotations

import base64
import io
from functools import lru_cache
from typing import TYPE_CHECKING

from kling_nb.models.images import on_white

if TYPE_CHECKING:
    from PIL.Image import Image

POSTER_BYTES = 1550
THUMBNAIL_BYTES = 400

_QUALITIES = (50, 40, 32, 25, 18, 12, 6)


@lru_cache(maxsize=256)
def small_poster(data: bytes, *, limit: int = POSTER_BYTES) -> str:
    """Return a still as a data URI, 320 px wide or less, its file no larger than `limit` bytes.

    Raises `OSError` when the bytes are no picture.
    """
    return _fitted(data, (320, 192, 96), limit)


@lru_cache(maxsize=512)
def small_thumbnail(data: bytes, *, limit: int = THUMBNAIL_BYTES) -> str:
    """Return a picture as a data URI, 72 px on its long side or less, its file no larger than `limit` bytes.

    Raises `OSError` when the bytes are no picture.
    """
    return _fitted(data, (72, 56, 44), limit)


@lru_cache(maxsize=512)
def smaller(uri: str, limit: int) -> str:
    """Return the picture of a data URI as a thumbnail of `limit` bytes; as it is when it is small enough."""
    head, _, body = uri.partition(",")
    if not (head.startswith("data:") and head.endswith(";base64")) or len(body) * 3 // 4 <= limit:
        return uri
    return small_thumbnail(base64.b64decode(body), limit=limit)


def _fitted(data: bytes, sides: tuple[int, ...], limit: int) -> str:
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(data)) as opened:
        # A large JPEG is decoded to a part of its size, which is quick.
        opened.draft("RGB", (2 * sides[0], 2 * sides[0]))
        image = on_white(ImageOps.exif_transpose(opened))
    encoded = b""
    for side in sides:
        scaled = image.copy()
        scaled.thumbnail((side, side))
        encoded = _webp(scaled, _QUALITIES[-1])
        if len(encoded) <= limit:
            return _uri(_finest(scaled, limit, encoded))
    return _uri(encoded)


def _finest(image: Image, limit: int, coarsest: bytes) -> bytes:
    """Return the picture at the best quality that fits (the coarsest does), found by halves: each try is slow."""
    low, high, best = 0, len(_QUALITIES) - 1, coarsest
    while low < high:
        middle = (low + high) // 2
        encoded = _webp(image, _QUALITIES[middle])
        if len(encoded) <= limit:
            high, best = middle, encoded
        else:
            low = middle + 1
    return best


def _webp(image: Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=2)  # 4 takes three times as long for a twentieth less
    return buffer.getvalue()


def _uri(data: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(data).decode()}"


TILE_WIDTH, TILE_QUALITY = 480, 76


@lru_cache(maxsize=300)
def tile_still(data: bytes) -> str:
    """Return a still as a data URI, 480 px wide or less. Raises `OSError` when the bytes are no picture."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        # A JPEG is decoded at half its size or less, where that is still no smaller than the tile.
        scale = min(TILE_WIDTH / image.width, TILE_WIDTH * 2 / image.height, 1)
        image.draft("RGB", (max(1, round(image.width * scale)), max(1, round(image.height * scale))))
        small = image.convert("RGB")
    small.thumbnail((TILE_WIDTH, TILE_WIDTH * 2), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=TILE_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
