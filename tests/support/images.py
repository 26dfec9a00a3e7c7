"""Makers of image files."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

ORANGE = (200, 80, 40)


def image_file(
    width: int = 320, height: int = 320, form: str = "PNG", *, colour: str | tuple[int, ...] = ORANGE, **options: Any
) -> bytes:
    """Return the bytes of an image of one colour."""
    return encoded(Image.new("RGB", (width, height), colour), form, **options)


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    """Return the bytes of an image in a format of PIL."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def jpeg(size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    """Return the bytes of a small picture."""
    return image_file(*size, "JPEG", colour="teal", **options)
