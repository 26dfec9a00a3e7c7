"""Makers of image files."""

from __future__ import annotations

import io
import zlib
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


def turned(orientation: int) -> Image.Exif:
    """Return the EXIF data of a photo that is held in another way: 6 is upright when it is turned clockwise."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def quarters(mode: str = "RGB", size: tuple[int, int] = (400, 320)) -> Image.Image:
    """Return an image with another colour in each quarter, so that each way to turn it looks different."""
    image = Image.new("RGB", (2, 2))
    image.putdata([(200, 40, 40), (40, 160, 40), (40, 40, 200), (220, 200, 40)])
    return image.resize(size, Image.Resampling.NEAREST).convert(mode)


def png_of_16_bits(level: int, *, colour: bool) -> bytes:
    """Return a PNG whose channels all have one level of 16 bits; PIL writes only grey ones."""
    row = b"\0" + level.to_bytes(2) * (3 if colour else 1) * 300
    header = (300).to_bytes(4) * 2 + bytes([16, 2 if colour else 0, 0, 0, 0])
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(row * 300)), (b"IEND", b""))
    packed = (len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4) for kind, body in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def green_printer() -> bytes:
    """Return the profile of a printer whose every ink is a strong green (an ICC profile with a table of one colour)."""
    identity = b"".join((0x10000 if i % 4 == 0 else 0).to_bytes(4) for i in range(9))
    ramp, green = bytes(range(256)), bytes([140, 60, 190])  # L*, a*, b*
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + ramp * 4 + green * 16 + ramp * 3
    tags = (1).to_bytes(4) + b"A2B0" + (144).to_bytes(4) + len(table).to_bytes(4)
    head = (144 + len(table)).to_bytes(4) + bytes(4) + b"\x02\x10\0\0prtrCMYKLab " + bytes(12) + b"acsp" + bytes(28)
    return head + b"\0\0\xf6\xd6\0\1\0\0\0\0\xd3\x2d" + bytes(48) + tags + table


def hidden() -> Image.Image:
    """An image whose left half is transparent, with a secret colour in it."""
    image = Image.new("RGBA", (400, 320), (*ORANGE, 255))
    image.paste((1, 2, 3, 0), (0, 0, 200, 320))
    return image
