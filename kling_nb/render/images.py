"""The media of a card: links to clips, and images of a few kilobytes of WebP, embedded as data URIs.

WebP looks twice as good as JPEG at these sizes, and a notebook's sanitizer keeps it in `poster` and `src`.
"""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, ParamSpec, Protocol

from kling_nb.models.frontend import Video
from kling_nb.models.images import on_white
from kling_nb.models.record import Record, Reference

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

P = ParamSpec("P")

#: A card's poster, which is seen at up to 560 pixels: sharp, and a notebook of twelve clips stays under 300 kB.
POSTER_BYTES = 12_000
#: A poster on a sheet of many clips, a few centimetres wide.
SHEET_BYTES = 2400
THUMBNAIL_BYTES = 400

_QUALITIES = (80, 72, 64, 56, 50, 40, 32, 25, 18, 12, 6)


class Links(Protocol):
    """The addresses of a record's media, ready to be used in an attribute. They come from a module that knows files."""

    def videos(self, records: Sequence[Record]) -> list[Video]:
        """Return how one output shows the clips of these records: by a relative, quoted URL or by a data URI."""
        ...

    def poster(self, record: Record, limit: int = POSTER_BYTES) -> str | None:
        """Return an image of the clip of at most `limit` bytes as a data URI (see `small_poster`), None without one."""
        ...

    def thumbnail(self, reference: Reference) -> str | None:
        """Return a small image of a reference as a data URI (see `small_thumbnail`), None if there is none."""
        ...


#: The most pixels of an image that is shown small: more are not one of ours, and would take gigabytes.
MOST_PIXELS = 100_000_000


def _none_if_damaged(draw: Callable[P, str]) -> Callable[P, str | None]:
    """Let a function return None for bytes that are not an image: one damaged file must not hide all others."""

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> str | None:
        try:
            return draw(*args, **kwargs)
        except Exception:  # noqa: BLE001 - decoders fed foreign bytes raise anything: struct.error, IndexError, ...
            return None

    return drawn


@lru_cache(maxsize=256)
@_none_if_damaged
def small_poster(data: bytes, *, limit: int = POSTER_BYTES) -> str:
    """Return an image as a data URI, at most 480 px wide and `limit` bytes large; None for other files."""
    return _fitted(data, (480, 320, 192) if limit > SHEET_BYTES else (240, 160, 96), limit)


@lru_cache(maxsize=512)
@_none_if_damaged
def small_thumbnail(data: bytes, *, limit: int = THUMBNAIL_BYTES) -> str:
    """Return an image as a data URI, at most 72 px on its long side; None for other files."""
    return _fitted(data, (72, 56, 44), limit)


@lru_cache(maxsize=512)
def smaller(uri: str, limit: int) -> str:
    """Return the image of a data URI as a thumbnail of `limit` bytes, or unchanged if it is small enough."""
    head, _, body = uri.partition(",")
    if not (head.startswith("data:") and head.endswith(";base64")) or len(body) * 3 // 4 <= limit:
        return uri
    return small_thumbnail(base64.b64decode(body), limit=limit) or uri


def _fitted(data: bytes, sides: tuple[int, ...], limit: int) -> str:
    from PIL import ImageOps

    with _opened(data) as opened:
        opened.draft("RGB", (2 * sides[0], 2 * sides[0]))  # decodes a large JPEG at a fraction of its size
        image = on_white(ImageOps.exif_transpose(opened))
    encoded = b""
    for side in sides:
        scaled = image.copy()
        scaled.thumbnail((side, side))
        encoded = _webp(scaled, _QUALITIES[-1])
        if len(encoded) <= limit:
            return _uri(_best(scaled, limit, encoded))
    return _uri(encoded)


def _opened(data: bytes) -> ImageFile:
    from PIL import Image

    image = Image.open(io.BytesIO(data))
    if image.width * image.height > MOST_PIXELS:
        raise ValueError("the image is too large")
    return image


def _best(image: Image, limit: int, coarsest: bytes) -> bytes:
    """Return the image in the best quality that fits, by bisection: each try is slow. `coarsest` is known to fit."""
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
    image.save(buffer, "WEBP", quality=quality, method=2)  # 4 takes three times as long to save a twentieth
    return buffer.getvalue()


def _uri(data: bytes, kind: str = "webp") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


#: The largest width and height of a gallery's tile, in pixels.
TILE = (480, 960)


@lru_cache(maxsize=300)
@_none_if_damaged
def screen_image(data: bytes, box: tuple[int, int] = TILE) -> str:
    """Return an image, upright and on white, as a data URI that fits into a box in pixels; None for other files."""
    from PIL import Image, ImageOps

    with _opened(data) as image:
        # Decodes a JPEG at half its size or less, where that is no smaller than the box.
        scale = min(box[0] / image.width, box[1] / image.height, 1)
        image.draft("RGB", (max(1, round(image.width * scale)), max(1, round(image.height * scale))))
        small = on_white(ImageOps.exif_transpose(image))
    small.thumbnail(box, Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=78)
    return _uri(buffer.getvalue(), "jpeg")
