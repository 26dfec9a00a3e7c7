"""The images and videos of a request: downloaded by the hub, then checked and decoded by a worker."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

if TYPE_CHECKING:
    from PIL import Image

_MAX_BYTES = 10 * 1024 * 1024
_MIN_SIDE = 300
_MIN_RATIO, _MAX_RATIO = 0.40, 2.50
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_MAX_VIDEO_SECONDS = 60
_MAX_VIDEO_SIZE = (1280, 1280)
_UNREADABLE = "The input video cannot be read: use mp4 or mov."


@dataclass(frozen=True)
class Refusal:
    """Why upstream refuses an input: the text, the kind of error in fal's words, and the URL it is about."""

    text: str
    kind: str = "value_error"
    url: str = ""


class InputError(Exception):
    """An image or video that upstream would refuse."""

    def __init__(self, text: str, kind: str = "value_error", url: str = "") -> None:
        super().__init__(text)
        self.refusal = Refusal(text, kind, url)


@dataclass(frozen=True)
class SourceVideo:
    """A video to edit: its length in seconds, and its frame at the start of each second."""

    seconds: float
    frames: tuple[Image.Image, ...]


def image_urls(body: Mapping[str, Any]) -> list[str]:
    """Return all image URLs of a request, in the order of its fields."""
    found: list[Any] = [body.get("start_image_url"), body.get("tail_image_url")]
    images, elements = body.get("input_image"), body.get("elements")
    found += images if isinstance(images, list) else [images]
    for element in elements if isinstance(elements, list) else []:
        if isinstance(element, dict):
            found += [element.get("frontal_image_url"), *(element.get("reference_image_urls") or [])]
    return [url for url in found if isinstance(url, str) and url]


def video_urls(body: Mapping[str, Any]) -> list[str]:
    """Return the video URL of a request, if it has one."""
    url = body.get("input_video")
    return [url] if isinstance(url, str) and url else []


def edited_video_url(body: Mapping[str, Any]) -> str | None:
    """Return the URL of the video that a request edits; it determines the length of the clip."""
    mode = body.get("video_mode") or "edit"
    return next(iter(video_urls(body)), None) if mode == "edit" else None


async def download(
    urls: Iterable[str], folder: Path, *, local_file: Callable[[str], Path | None], skip_missing: bool
) -> dict[str, str]:
    """Save the files behind the URLs in a folder, and return their paths by URL.

    Args:
        urls: Data URIs, URLs of this hub, or URLs on the network.
        folder: Created if it does not exist.
        local_file: Returns the file behind a URL of this hub, and None for any other URL.
        skip_missing: Leave out files that cannot be downloaded instead of raising `InputError`.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    paths: dict[str, str] = {}
    for url in urls:
        try:
            data = await _read(url, local_file)
        except InputError:
            if not skip_missing:
                raise
            continue
        path = folder / hashlib.sha256(data).hexdigest()
        await asyncio.to_thread(path.write_bytes, data)
        paths[url] = str(path)
    return paths


async def _read(url: str, local_file: Callable[[str], Path | None]) -> bytes:
    if url.startswith("data:"):
        head, _, payload = url.partition(",")
        try:
            return base64.b64decode(payload, validate=True) if head.endswith(";base64") else unquote_to_bytes(payload)
        except ValueError as exc:
            raise InputError("Invalid data URI.", "file_download_error", url) from exc
    if (path := local_file(url)) is not None:
        return path.read_bytes()
    if urlsplit(url).scheme not in ("http", "https"):
        raise InputError(f"Input should be a valid URL: {url[:200]}", "file_download_error", url)
    import httpx  # imported late: a client loads the certificate authorities, and few images come from the network

    try:
        async with httpx.AsyncClient(timeout=20, follow_redirects=True) as client:
            response = await client.get(url)
            response.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        reason = str(exc).split("\n")[0][:200] or type(exc).__name__
        text = f"Failed to download image from {url[:200]}: {reason}"
        raise InputError(text, "file_download_error", url) from exc
    return response.content


def decode_image(data: bytes, url: str) -> Image.Image:
    """Return the image upright and in RGB.

    Raises:
        InputError: The image breaks one of upstream's rules.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    name = "the data URI" if url.startswith("data:") else url.partition("?")[0][:200]
    if len(data) > _MAX_BYTES:
        text = f"Image size of {name} is {len(data) / 1048576:.1f} MB, the maximum is 10 MB."
        raise InputError(text, "file_too_large", url)
    try:
        image = Image.open(BytesIO(data), formats=_FORMATS)
        image.load()
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as exc:
        text = f"Image format of {name} is not supported: use jpg, jpeg or png."
        raise InputError(text, "unsupported_image_format", url) from exc
    width, height = image.size
    if min(width, height) < _MIN_SIDE:
        text = f"Image dimensions of {name} are {width}x{height}, the minimum is 300x300."
        raise InputError(text, "image_too_small", url)
    if not _MIN_RATIO <= width / height <= _MAX_RATIO:
        text = f"Image aspect ratio of {name} is {width / height:.2f}, it must be between 0.40 and 2.50."
        raise InputError(text, "image_load_error", url)
    upright = ImageOps.exif_transpose(image)
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        background = Image.new("RGBA", upright.size, "white")
        background.alpha_composite(upright.convert("RGBA"))
        upright = background
    return upright.convert("RGB")


def read_video(path: Path) -> SourceVideo:
    """Read the first minute of a video.

    Raises:
        InputError: The file is not a video.
    """
    import av

    frames: list[Image.Image] = []
    count, rate = 0, 24.0
    try:
        with av.open(str(path), "r") as container:
            stream = container.streams.video[0]
            rate = float(stream.average_rate or rate)
            for count, frame in enumerate(container.decode(stream), 1):
                if count > len(frames) * rate:
                    image = frame.to_image()
                    image.thumbnail(_MAX_VIDEO_SIZE)
                    frames.append(image)
                if count >= _MAX_VIDEO_SECONDS * rate:
                    break
    except (OSError, ValueError, IndexError) as exc:  # PyAV raises the first two; IndexError means no video stream
        raise InputError(_UNREADABLE, "unsupported_video_format") from exc
    if count < 2:  # a decoder reads an image as a video of one frame
        raise InputError(_UNREADABLE, "unsupported_video_format")
    return SourceVideo(count / rate, tuple(frames))
