"""Pixels: the facts of an image file, what is sent for it, and PIL images, arrays and figures as PNG files.

PIL and numpy are only imported once there is an image; an array can only come from a process that has numpy.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kling_nb.models.urls import media_type_of, sha256, suffix_of

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

#: The key in the `info` of a PIL image for the ID of the record whose clip it is a frame of.
SOURCE = "kling_nb.record"

_ORIENTATION = 0x0112
_ROTATED = frozenset({5, 6, 7, 8})
#: The formats that services take; an image in any other is converted before it is sent.
_SENT_AS_IT_IS = frozenset({"JPEG", "PNG", "MPO", "WEBP"})
LOSSY = frozenset({"JPEG", "MPO", "WEBP", "AVIF", "HEIF", "JPEG2000"})
_NAMES = {"MPO": "JPEG", "HEIF": "HEIC", "JPEG2000": "JPEG 2000"}
_LARGEST_PNG = 10 * 2**20
#: The change by which an image loses the colours of its transparent areas, which editors keep unseen.
WHITENED = "transparent areas made white"


class ImageError(ValueError):
    """An image or a video that cannot be read or converted; `remedy` says what to do instead."""

    def __init__(self, message: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(message)


@dataclass(frozen=True)
class ImageFacts:
    """The format and size of an image file; `error` is set if it cannot be decoded to its end.

    Attributes:
        width: In pixels, as viewers show the image: with the orientation that a phone notes in the file.
        height: Likewise.
        changes: What must change, besides the format, so that a service that ignores orientation, transparency,
            profiles of printers and animation gets what viewers show: `turned upright`.
    """

    format: str = ""
    width: int = 0
    height: int = 0
    error: str = ""
    changes: tuple[str, ...] = ()

    @property
    def is_sent_changed(self) -> bool:
        """Whether `prepared_image` makes another file of it."""
        return not self.error and (bool(self.changes) or self.format not in _SENT_AS_IT_IS)


def image_facts(data: bytes) -> ImageFacts:
    """Decode an image file to its end and return its facts."""
    from PIL import UnidentifiedImageError

    if not data:
        return ImageFacts(error="the file is empty")
    try:
        with open_image(data) as image:
            # Before loading, which turns a TIFF.
            frames, orientation = getattr(image, "n_frames", 1), image.getexif().get(_ORIENTATION)
            image.load()
            width, height = image.size
            if image.getexif().get(_ORIENTATION) in _ROTATED:
                width, height = height, width
            facts = ImageFacts(image.format or "", width, height, changes=_changes(image, frames, orientation, data))
    except UnidentifiedImageError:
        return ImageFacts(error=_unknown(data))
    except Exception as exc:  # noqa: BLE001 - decoders fed foreign bytes raise anything: struct.error, IndexError, ...
        return ImageFacts(error=str(exc) or "it cannot be decoded")
    return facts if width and height else ImageFacts(error="it has no pixels")


def _unknown(data: bytes) -> str:
    """Return the format of a file that PIL does not read."""
    kind, _, form = media_type_of(data).partition("/")
    if kind != "application":
        return "it is a video" if kind == "video" else f"it is a damaged {form.upper()} image"
    others = {"an SVG drawing": b"<svg" in data[:1000], "a PDF": data.startswith(b"%PDF")}
    others["a JPEG XL image"] = data.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL "))
    found = next((name for name, is_it in others.items() if is_it), "not an image in a known format")
    return f"it is {found}"


def prepared_image(data: bytes, facts: ImageFacts) -> tuple[bytes, tuple[str, ...]]:
    """Return the file to send for an image, and what was changed: one upright frame in RGB or grey, as JPEG or PNG."""
    with open_image(data) as image:
        image.load()
        profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA", "P", "PA") else None
        flat = upright_of(image)
    flat = on_white(flat) if flat.has_transparency_data else flat
    form = "JPEG" if facts.format in LOSSY else "PNG"
    prepared = encoded_image(flat, form, profile)
    if form == "PNG" and len(prepared) > _LARGEST_PNG:
        form, prepared = "JPEG", encoded_image(flat, "JPEG", profile)
    name = _NAMES.get(facts.format, facts.format)
    return prepared, (*([f"converted from {name} to {form}"] if name != form else []), *facts.changes)


def encoded_image(image: PILImage, form: str, profile: bytes | None) -> bytes:
    """Return an image as a PNG or JPEG file, in high quality."""
    buffer = io.BytesIO()
    options = {"quality": 95, "subsampling": 0} if form == "JPEG" else {}
    image.save(buffer, form, icc_profile=profile, **options)
    return buffer.getvalue()


def open_image(data: bytes) -> PILImage:
    """Open an image file with PIL. Raises its errors, and `ValueError` for a HEIC without the optional package."""
    from PIL import Image

    if suffix_of(data) == ".heic":
        try:
            from pillow_heif import register_heif_opener  # pyright: ignore[reportMissingTypeStubs]
        except ImportError:
            raise ValueError('it is a HEIC image, which needs pillow-heif: pip install "kling-nb[heif]"') from None
        register_heif_opener()
    return Image.open(io.BytesIO(data))


def _changes(image: PILImage, frames: int, orientation: Any, data: bytes) -> tuple[str, ...]:
    form = image.format or ""
    if image.mode == "F" or (image.mode == "I" and form != "PNG"):
        raise ValueError(f"its pixels (mode {image.mode}) have no fixed white")
    changes = {
        f"the first of {frames} frames taken": frames > 1 and form != "MPO",
        "turned upright": orientation in range(2, 9),
        WHITENED: _is_see_through(image),
        f"converted from {image.mode} to RGB": image.mode in ("CMYK", "YCbCr", "LAB", "HSV"),
        "converted from a palette to RGB": image.mode in ("P", "PA") and form != "GIF",
        "scaled from 16 to 8 bits": image.mode.startswith("I") or (form == "PNG" and data[24:25] == b"\x10"),
    }
    return tuple(change for change, needed in changes.items() if needed)


def _is_see_through(image: PILImage) -> bool:
    if not image.has_transparency_data or image.mode.startswith("I"):  # 16-bit grey is not converted
        return False
    low, _ = image.convert("RGBA").getchannel("A").getextrema()
    return isinstance(low, int | float) and low < 255


def image_from(value: Any) -> tuple[PILImage, str] | None:
    """Return the image in a PIL image, an array or a figure, and a description; None for any other value.

    Raises:
        ImageError: If an array is not an image, or a figure cannot be drawn.
    """
    if hasattr(value, "getbands"):
        return value, _described(value)
    if hasattr(value, "__array_interface__"):
        return _from_array(value)
    return _from_figure(value) if hasattr(value, "savefig") else None


def png_of(image: PILImage) -> tuple[str, bytes]:
    """Return the identity of an image's pixels and an upright PNG. Raises `ImageError` if it cannot be encoded."""
    try:
        upright = upright_of(image)
        buffer = io.BytesIO()
        upright.save(buffer, "PNG")
        pixels = upright.tobytes()
    except Exception as exc:
        message = f"the {_described(image)} cannot be encoded: {exc}"
        raise ImageError(message, "use a file, or an RGB image") from exc
    head = f"{upright.mode} {upright.width} {upright.height} ".encode()
    return f"pixels-{sha256(head + pixels)}", buffer.getvalue()


def upright_of(image: PILImage) -> PILImage:
    """Return an image as viewers show it, in L, LA, RGB or RGBA. Raises `ValueError` for a mode without a white."""
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(image)
    if upright.mode in ("L", "LA", "RGB", "RGBA"):
        return upright
    if upright.mode.startswith("I;16") or (upright.mode == "I" and image.format == "PNG"):
        upright.info.pop("transparency", None)  # a value of 16 bits
        return upright.convert("I").point(lambda level: level * (1 / 257) + 0.5).convert("L")
    if upright.mode in ("I", "F"):
        raise ValueError(f"mode {upright.mode} has no fixed white")  # PIL would clip it to 255
    if upright.mode in ("CMYK", "LAB"):
        return _to_srgb(upright)
    return upright.convert("RGBA" if upright.has_transparency_data else "RGB")


def _to_srgb(image: PILImage) -> PILImage:
    from PIL import ImageCms

    profile = image.info.get("icc_profile")
    if profile or image.mode == "LAB":
        with contextlib.suppress(OSError, ImageCms.PyCMSError):  # a damaged profile
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile)) if profile else ImageCms.createProfile("LAB")
            srgb = ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(image, source, srgb, outputMode="RGB") or image
    return image.convert("RGB")


def on_white(image: PILImage) -> PILImage:
    """Return an image in RGB, on white where it is transparent."""
    from PIL import Image

    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        clear = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    return image.convert("RGB")


def _described(image: PILImage) -> str:
    return f"PIL image {image.width}×{image.height} {image.mode}"


def _from_figure(figure: Any) -> tuple[PILImage, str]:
    from PIL import Image

    kind, buffer = type(figure).__name__, io.BytesIO()
    try:
        figure.savefig(buffer, format="png")
        image = Image.open(io.BytesIO(buffer.getvalue()))
        image.load()
    except Exception as exc:
        raise ImageError(f"the {kind} cannot be drawn: {exc}", "save it as PNG, and use the file") from exc
    return image, f"{kind} {image.width}×{image.height}"


def _from_array(array: Any) -> tuple[PILImage, str]:
    import numpy as np  # pyright: ignore[reportMissingImports]  # not a dependency: the caller has it
    from PIL import Image

    pixels = np.asarray(array)
    given = f"array {'×'.join(map(str, pixels.shape))} {pixels.dtype}"
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (1, 3, 4)) or 0 in pixels.shape:
        raise ImageError(f"the {given} is not an image", "use height × width, or height × width × 3 or 4")
    flat = pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    return Image.fromarray(_as_bytes(flat, given)), given


def _as_bytes(pixels: Any, given: str) -> Any:
    import numpy as np  # pyright: ignore[reportMissingImports]  # same

    match pixels.dtype.kind:
        case "f":
            if not np.isfinite(pixels).all() or pixels.min() < 0 or pixels.max() > 1:
                raise ImageError(f"the {given} has values outside 0 to 1", "scale it, or use uint8 from 0 to 255")
            return (pixels.astype("float64") * 255).round().astype("uint8")
        case "b":
            return pixels.astype("uint8") * 255
        case "i" | "u":
            if pixels.min() < 0 or pixels.max() > 255:
                raise ImageError(f"the {given} has values outside 0 to 255", "scale it to 0 to 255")
            return pixels.astype("uint8")
        case _:
            raise ImageError(f"the {given} is not an image", "use uint8 from 0 to 255, or floats from 0.0 to 1.0")
