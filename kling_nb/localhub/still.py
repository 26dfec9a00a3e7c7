"""The picture that an image model answers with: a designed card of the request, as PNG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from .animatic import COMMENT
from .graphics import overlay
from .palette import backdrop, palette
from .storyboard import Shot, seed_of, size_of

__all__ = ["write"]


def write(
    path: Path, body: Mapping[str, Any], pictures: Mapping[str, Image.Image], *, size: str = "720p", index: int = 0
) -> None:
    """Write the still of a request."""
    seed = seed_of(body, pictures, index)
    shape = size_of(None, str(body.get("aspect_ratio") or "1:1"), size)
    shown = next(iter(pictures.values()), None)
    ground = ImageOps.fit(shown, shape, Image.Resampling.LANCZOS) if shown else backdrop(seed, 1, shape)
    shot = Shot(1, str(body.get("prompt") or ""), 0, 1, (shown,) if shown else (), ())
    layer = overlay(shot, 1, shape, palette(seed), bare=shown is None)
    note = PngInfo()
    note.add_text("Comment", COMMENT)
    Image.alpha_composite(ground.convert("RGBA"), layer).convert("RGB").save(path, format="PNG", pnginfo=note)
