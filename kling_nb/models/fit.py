"""A picture that breaks a rule of the model, made into one that keeps it: converted, made smaller, or padded.

Nothing is made up: a picture that is too small stays so, since enlarging it would only look like more.
"""

from __future__ import annotations

import io
import math
from pathlib import PurePath
from typing import TYPE_CHECKING

from kling_nb.models.asset import Asset
from kling_nb.models.images import ImageError, ImageFacts, upright_of
from kling_nb.models.lint import MAX_BYTES, MAX_RATIO, MIN_PIXELS, MIN_RATIO
from kling_nb.models.urls import sha256, suffix_of

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

_TAKEN = frozenset({"JPEG", "PNG", "MPO"})
_LOSSY = frozenset({"JPEG", "MPO", "WEBP", "AVIF", "HEIF"})
_NAMES = {"MPO": "JPEG"}


def broken_rules(asset: Asset) -> tuple[str, ...]:
    """Return what the model has against a local picture, in a word or two each: `WEBP`, `12.4 MB`, `too wide`."""
    facts = asset.facts
    if facts is None:
        return ()
    if facts.error:
        return ("unreadable",)
    size = len(asset.data or b"")
    return tuple(
        words
        for words, broken in (
            (facts.format, facts.format not in _TAKEN),
            (f"{size / 1024 / 1024:.1f} MB", size > MAX_BYTES),
            ("too small", min(facts.width, facts.height) < MIN_PIXELS),
            ("too wide", facts.width / facts.height > MAX_RATIO),
            ("too tall", facts.width / facts.height < MIN_RATIO),
        )
        if broken
    )


def fixable(asset: Asset) -> bool:
    """Whether `mend` can help, told from the facts alone."""
    facts = asset.facts
    return bool(broken_rules(asset)) and facts is not None and not facts.error and min(_legal_size(facts)) >= MIN_PIXELS


def fit_image(asset: Asset) -> Asset:
    """Return the picture so that it breaks no rule, with what was done in `mends`; itself when it breaks none.

    Raises `ImageError` where no honest mend exists.
    """
    rules, facts = broken_rules(asset), asset.facts
    if not rules or facts is None or asset.data is None:
        return asset
    if not fixable(asset):
        why = facts.error or f"it is {facts.width}×{facts.height} px, and at least {MIN_PIXELS} px a side are needed"
        raise ImageError(
            f"{asset.given} cannot be mended: {why}", "give a larger or sound file: nothing here invents detail"
        )
    try:
        data, steps = _made(asset.data, facts)
    except ImageError:
        raise
    except Exception as exc:  # decoders fed foreign bytes raise anything
        raise ImageError(f"{asset.given} cannot be mended: {exc}", "convert it to JPEG or PNG yourself") from exc
    name = f"{PurePath(asset.name or 'image').stem}{suffix_of(data)}"
    return Asset(
        sha256(data), asset.given, name, data=data, original=asset.original or asset, fixes=(*asset.fixes, *steps)
    )


def _made(data: bytes, facts: ImageFacts) -> tuple[bytes, list[str]]:
    from PIL import Image

    steps: list[str] = []
    with Image.open(io.BytesIO(data)) as opened:
        if getattr(opened, "n_frames", 1) > 1 and facts.format not in _TAKEN:
            steps.append("its first picture taken")
        profile = opened.info.get("icc_profile") if opened.mode in ("RGB", "RGBA") else None
        image = upright_of(opened)
    if (size := _legal_size(facts)) != image.size:
        steps.append(f"padded from {_size_words(image.size)} to {_size_words(size)} px")
        image = _padded(image, size)
    form = "JPEG" if facts.format in _LOSSY and not _has_alpha(image) else "PNG"
    whole = _encoded(image, form, profile)
    if len(whole) > MAX_BYTES and not _has_alpha(image):
        form, whole = "JPEG", _encoded(image, "JPEG", profile)
    if form != _NAMES.get(facts.format, facts.format):
        steps.insert(0, f"converted from {facts.format} to {form}")
    before = image.size
    while len(whole) > MAX_BYTES:
        image = _smaller(image, math.sqrt(MAX_BYTES / len(whole)) * 0.97)
        whole = _encoded(image, form, profile)
    if image.size != before:
        steps.append(f"made smaller, from {_size_words(before)} to {_size_words(image.size)} px")
    return whole, steps or ["saved again"]


def _legal_size(facts: ImageFacts) -> tuple[int, int]:
    """The smallest size of a legal ratio that the picture fits in."""
    width, height = facts.width, facts.height
    if width / height > MAX_RATIO:
        return width, math.ceil(width / MAX_RATIO)
    return max(width, math.ceil(height * MIN_RATIO)), height


def _padded(image: PILImage, size: tuple[int, int]) -> PILImage:
    """Return the picture in the middle of a larger one, whose colour is the mean of the edges that it continues."""
    from PIL import Image, ImageStat

    width, height = image.size
    wider = size[0] > width
    ends = (
        [(0, 0, 1, height), (width - 1, 0, width, height)]
        if wider
        else [(0, 0, width, 1), (0, height - 1, width, height)]
    )
    means = [ImageStat.Stat(image.crop(box)).mean for box in ends]
    colour = [round(sum(parts) / 2) for parts in zip(*means, strict=True)]
    whole = Image.new(image.mode, size, tuple(colour) if len(colour) > 1 else colour[0])
    whole.paste(image, ((size[0] - width) // 2, (size[1] - height) // 2))
    return whole


def _smaller(image: PILImage, factor: float) -> PILImage:
    from PIL import Image

    factor = min(factor, 0.97)
    width, height = (max(MIN_PIXELS, math.floor(side * factor)) for side in image.size)
    if (width, height) == image.size:
        raise ImageError("it does not get below 10 MB", "save it as JPEG")
    # Both sides are rounded, so that a ratio at the limit would fall over it: it is kept by rounding the right one up.
    if width / height > MAX_RATIO:
        height = math.ceil(width / MAX_RATIO)
    elif width / height < MIN_RATIO:
        width = math.ceil(height * MIN_RATIO)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _encoded(image: PILImage, form: str, profile: bytes | None) -> bytes:
    buffer = io.BytesIO()
    options = {"quality": 95, "subsampling": 0} if form == "JPEG" else {}
    image.save(buffer, form, icc_profile=profile, **options)
    return buffer.getvalue()


def _has_alpha(image: PILImage) -> bool:
    return image.mode in ("LA", "RGBA")


def _size_words(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"
