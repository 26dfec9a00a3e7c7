"""Pictures as pixels: what a file says of itself, and PIL images and arrays made into PNG files.

Neither PIL nor numpy is imported before a picture is at hand: an array can only come from where numpy is.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kling_nb.models.urls import sha256

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

_ORIENTATION = 0x0112
_ON_ITS_SIDE = frozenset({5, 6, 7, 8})


class ImageError(ValueError):
    """A picture that cannot be made into a file, with what to do instead."""

    def __init__(self, message: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(message)


@dataclass(frozen=True)
class ImageFacts:
    """What an image file says of itself; `error` is set when it cannot be read to its end.

    `width` and `height` are in pixels, as viewers show it: a phone's picture that is stored on its side stands up.
    """

    format: str = ""
    width: int = 0
    height: int = 0
    error: str = ""


def facts_of(data: bytes) -> ImageFacts:
    """Decode a file to its end and return what it is."""
    from PIL import Image, UnidentifiedImageError

    if not data:
        return ImageFacts(error="the file is empty")
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            if image.getexif().get(_ORIENTATION) in _ON_ITS_SIDE:
                width, height = height, width
            facts = ImageFacts(image.format or "", width, height)
            image.load()
    except UnidentifiedImageError:
        return ImageFacts(error="it is not an image in a known format")
    except Exception as exc:  # noqa: BLE001 - decoders fed foreign bytes raise anything: struct.error, IndexError, ...
        return ImageFacts(error=str(exc) or "it cannot be decoded")
    return facts if width and height else ImageFacts(error="it has no pixels")


def describe_pil(image: PILImage) -> str:
    """Say what a PIL image is: `PIL image 640×480 RGB`."""
    return f"PIL image {image.width}×{image.height} {image.mode}"


def png_of(image: PILImage) -> tuple[str, bytes]:
    """Return the identity of the pixels and a PNG of them, upright. Raises `ImageError` when they cannot be had."""
    try:
        plain = upright_of(image)
        buffer = io.BytesIO()
        plain.save(buffer, "PNG")
        pixels = plain.tobytes()
    except Exception as exc:
        raise ImageError(f"the {describe_pil(image)} cannot be read: {exc}", "give the file, or an RGB image") from exc
    head = f"{plain.mode} {plain.width} {plain.height} ".encode()
    return f"pixels-{sha256(head + pixels)}", buffer.getvalue()


def figure_of(figure: Any) -> tuple[PILImage, str]:
    """Return an image of a figure (anything with `savefig`, as matplotlib's) and what was given, in words.

    Raises `ImageError` when it cannot be drawn.
    """
    from PIL import Image

    buffer = io.BytesIO()
    try:
        figure.savefig(buffer, format="png")
        image = Image.open(io.BytesIO(buffer.getvalue()))
        image.load()
    except Exception as exc:
        raise ImageError(
            f"the {type(figure).__name__} cannot be drawn: {exc}", "save it as PNG, and give the file"
        ) from exc
    return image, f"{type(figure).__name__} {image.width}×{image.height}"


def image_of(array: Any) -> tuple[PILImage, str]:
    """Return an image of an H×W, H×W×3 or H×W×4 array (0 to 255, or floats of 0.0 to 1.0) and what was given, in words.

    Raises `ImageError` for another shape or range.
    """
    import numpy as np  # pyright: ignore[reportMissingImports]  # no dependency of ours: the caller's
    from PIL import Image

    pixels = np.asarray(array)
    given = f"array {'×'.join(map(str, pixels.shape))} {pixels.dtype}"
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (1, 3, 4)) or 0 in pixels.shape:
        raise ImageError(f"an {given} is not an image", "give height × width, or height × width × 3 or 4")
    flat = pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    return Image.fromarray(_bytes_of(flat, given)), given


def upright_of(image: PILImage) -> PILImage:
    """Return an image as viewers show it, in grey or RGB, with or without alpha. Raises for what has no fixed white."""
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(image)
    if upright.mode in ("L", "LA", "RGB", "RGBA"):
        return upright
    if upright.mode.startswith("I") or upright.mode == "F":
        raise ValueError(f"its mode {upright.mode} has no fixed white")  # PIL would clip it to 255
    return upright.convert("RGBA" if upright.has_transparency_data else "RGB")


def _bytes_of(pixels: Any, given: str) -> Any:
    import numpy as np  # pyright: ignore[reportMissingImports]  # same

    match pixels.dtype.kind:
        case "f":
            if not np.isfinite(pixels).all() or pixels.min() < 0 or pixels.max() > 1:
                raise ImageError(f"an {given} has values outside 0 to 1", "scale it, or give uint8 of 0 to 255")
            return (pixels.astype("float64") * 255).round().astype("uint8")
        case "b":
            return pixels.astype("uint8") * 255
        case "i" | "u":
            if pixels.min() < 0 or pixels.max() > 255:
                raise ImageError(f"an {given} has values outside 0 to 255", "scale it to 0 to 255")
            return pixels.astype("uint8")
        case _:
            raise ImageError(f"an {given} is not an image", "give uint8 of 0 to 255, or floats of 0.0 to 1.0")


def on_white(image: PILImage) -> PILImage:
    """Return a picture on white where it is transparent, in RGB."""
    from PIL import Image

    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        clear = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    return image.convert("RGB")


@dataclass(frozen=True)
class VideoFacts:
    """What a video file says of itself: `seconds` that its pictures run; `error` is set when it cannot be read."""

    seconds: float = 0
    error: str = ""


def video_facts(data: bytes) -> VideoFacts:
    """Read a file's heads, decode its first picture and return what it is."""
    if not data:
        return VideoFacts(error="the file is empty")
    import av

    try:
        with av.open(io.BytesIO(data), "r") as container:
            if not container.streams.video:
                return VideoFacts(error="it has no pictures")
            stream = container.streams.video[0]
            ticks, base = stream.duration, stream.time_base
            seconds = float(ticks * base) if ticks and base else (container.duration or 0) / av.time_base
            next(container.decode(stream))
    except StopIteration:
        return VideoFacts(error="it has no pictures")
    except (OSError, ValueError) as exc:  # PyAV's errors are one or the other
        return VideoFacts(error=getattr(exc, "strerror", None) or str(exc) or "it cannot be decoded")
    return VideoFacts(seconds) if seconds > 0 else VideoFacts(error="it does not say how long it is")
