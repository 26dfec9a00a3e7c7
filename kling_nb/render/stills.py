"""Stills for a live gallery: large enough for a tile on a sharp screen, made in a few milliseconds."""

from __future__ import annotations

import base64
import io
from functools import lru_cache

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
