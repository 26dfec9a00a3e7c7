"""Records and links to draw cards from."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image
from support.records import CLIP, NOON, PROMPT, at, digest_of, record_of

from kling_nb.models.frontend import Video
from kling_nb.models.record import Record, Reference
from kling_nb.render.images import POSTER_BYTES, small_poster, small_thumbnail

_QUICKLY: dict[str, dict[str, int]] = {"PNG": {"compress_level": 1}, "WEBP": {"method": 0}}


def picture(width: int = 640, height: int = 360, kind: str = "JPEG", hue: int = 0) -> bytes:
    """Return an image file that is smooth with some detail, like a frame of a video."""
    base = Image.merge("RGB", [Image.linear_gradient("L").rotate(90 * turn) for turn in (0, 1, 2)])
    noise = Image.effect_noise((64, 64), 90).resize((width, height), Image.Resampling.BICUBIC).convert("RGB")
    image = Image.blend(base.resize((width, height)), noise, 0.3).convert("HSV")
    h, s, v = image.split()
    image = Image.merge("HSV", (h.point(lambda value: (value + hue) % 256), s, v)).convert("RGB")
    buffer = io.BytesIO()
    image.save(buffer, kind, **_QUICKLY.get(kind, {}))
    return buffer.getvalue()


POSTER = small_poster(picture(), limit=1200)
SHARP = small_poster(picture())
THUMBNAIL = small_thumbnail(picture(400, 400))


class Media:
    """Links to media that all exist."""

    def videos(self, records: Sequence[Record]) -> list[Video]:
        addresses = [f"kling/{record.clip.file}" if record.clip else None for record in records]
        return [Video(address, address) for address in addresses]

    def poster(self, record: Record, limit: int = POSTER_BYTES) -> str | None:
        return POSTER if limit < POSTER_BYTES else SHARP

    def thumbnail(self, reference: Reference) -> str | None:
        return None if reference.identity.startswith("http") else THUMBNAIL


class NoMedia:
    """Links to missing media."""

    def videos(self, records: Sequence[Record]) -> list[Video]:
        return [Video(hint=f"The file is missing: {one.clip.file}" if one.clip else "") for one in records]

    def poster(self, record: Record, limit: int = POSTER_BYTES) -> str | None:
        return None

    def thumbnail(self, reference: Reference) -> str | None:
        return None


__all__ = [
    "CLIP",
    "NOON",
    "POSTER",
    "PROMPT",
    "THUMBNAIL",
    "Media",
    "NoMedia",
    "at",
    "digest_of",
    "picture",
    "record_of",
]
