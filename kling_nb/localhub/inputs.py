"""The pictures of a request: fetched by the hub, then checked and decoded by the worker (HUB_API sections 6 and 7)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["BadPicture", "Footage", "fetch", "fetch_all", "footage_of", "opened", "verified"]

_UPSTREAM = "Getting model response error: 422 - Value error, "
_MOST_BYTES = 10 * 1024 * 1024
_LEAST_SIDE = 300
_FLATTEST, _WIDEST = 0.40, 2.50
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


class BadPicture(Exception):
    """A picture that upstream would refuse; the text is the generation's `error_message`."""

    def __init__(self, text: str) -> None:
        super().__init__(_UPSTREAM + text)


async def fetch_all(
    urls: Iterable[str], folder: Path, *, own: Callable[[str], Path | None], lenient: bool
) -> dict[str, str]:
    """The pictures behind these URLs as files in a folder; with `lenient`, without those that cannot be had."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    found: dict[str, str] = {}
    for url in urls:
        try:
            data = await fetch(url, own=own)
        except BadPicture:
            if not lenient:
                raise
            continue
        path = folder / hashlib.sha256(data).hexdigest()
        await asyncio.to_thread(path.write_bytes, data)
        found[url] = str(path)
    return found


async def fetch(url: str, *, own: Callable[[str], Path | None]) -> bytes:
    """The bytes behind a picture URL: a data URI, a file of this hub (`own`), or the network."""
    if url.startswith("data:"):
        return _from_data_uri(url)
    path = own(url)
    if path is not None:
        return path.read_bytes()
    if urlsplit(url).scheme not in ("http", "https"):
        raise BadPicture(f"Input should be a valid URL: {url[:200]}")
    import httpx  # few pictures come from the network, and a client reads all the authorities of TLS first

    try:
        async with httpx.AsyncClient(timeout=20, follow_redirects=True) as client:
            answer = await client.get(url)
            answer.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise BadPicture(f"Failed to download image from {url[:200]}: {_reason(exc)}") from exc
    return answer.content


def opened(body: Mapping[str, Any], paths: Mapping[str, str]) -> dict[str, Image.Image]:
    """Every fetched picture of the request, checked and decoded, by its URL."""
    return {url: verified(Path(path).read_bytes(), url) for url, path in paths.items()}


def verified(data: bytes, url: str) -> Image.Image:
    """The picture as upright RGB, or `BadPicture` with the rule that it breaks."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    name = "the data URI" if url.startswith("data:") else url.partition("?")[0][:200]
    if len(data) > _MOST_BYTES:
        raise BadPicture(f"Image size of {name} is {len(data) / 1048576:.1f} MB, the maximum is 10 MB.")
    try:
        picture = Image.open(BytesIO(data), formats=_FORMATS)
        picture.load()
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as exc:
        raise BadPicture(f"Image format of {name} is not supported: use jpg, jpeg or png.") from exc
    width, height = picture.size
    if min(width, height) < _LEAST_SIDE:
        raise BadPicture(f"Image dimensions of {name} are {width}x{height}, the minimum is 300x300.")
    if not _FLATTEST <= width / height <= _WIDEST:
        raise BadPicture(f"Image aspect ratio of {name} is {width / height:.2f}, it must be between 0.40 and 2.50.")
    upright = ImageOps.exif_transpose(picture)
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        ground = Image.new("RGBA", upright.size, "white")
        ground.alpha_composite(upright.convert("RGBA"))
        upright = ground
    return upright.convert("RGB")


def _from_data_uri(url: str) -> bytes:
    head, _, payload = url.partition(",")
    try:
        return base64.b64decode(payload, validate=True) if head.endswith(";base64") else unquote_to_bytes(payload)
    except (binascii.Error, ValueError) as exc:
        raise BadPicture("Invalid data URI.") from exc


def _reason(exc: Exception) -> str:
    return str(exc).split("\n")[0][:200] or type(exc).__name__


_MOST_SECONDS = 60
_LARGEST = (1280, 1280)
_UNREADABLE = "The input video cannot be read: use mp4 or mov."


@dataclass(frozen=True)
class Footage:
    """A video: its length in seconds, and what is seen at the beginning of each second."""

    seconds: float
    stills: tuple[Image.Image, ...]


def footage_of(path: Path) -> Footage:
    """Read a video's first minute. Raises `BadPicture` for a file that is none."""
    import av

    stills: list[Image.Image] = []
    seen = 0
    try:
        with av.open(str(path), "r") as container:
            stream = container.streams.video[0]
            pace = float(stream.average_rate or 24)
            for seen, frame in enumerate(container.decode(stream), 1):
                if seen > len(stills) * pace:
                    still = frame.to_image()
                    still.thumbnail(_LARGEST)
                    stills.append(still)
                if seen >= _MOST_SECONDS * pace:
                    break
    except (OSError, ValueError, IndexError) as exc:  # PyAV's errors are the first two; no stream is the last
        raise BadPicture(_UNREADABLE) from exc
    if seen < 2:  # a still is a film of one frame, for a decoder
        raise BadPicture(_UNREADABLE)
    return Footage(seen / pace, tuple(stills))
