"""`fit_image`: an image that the model refuses, converted, padded or made smaller until the model accepts it.

An image is never enlarged: that would only look like more detail.
"""

from __future__ import annotations

import io
import math
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from kling_nb.models.asset import Asset
from kling_nb.models.images import LOSSY, ImageError, ImageFacts, encoded_image, upright_of
from kling_nb.models.lint import MAX_BYTES, MAX_RATIO, MIN_PIXELS, MIN_RATIO
from kling_nb.models.urls import sha256, suffix_of

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

_ACCEPTED = frozenset({"JPEG", "PNG", "MPO"})
_NAMES = {"MPO": "JPEG"}


def broken_rules(asset: Asset) -> tuple[str, ...]:
    """Return the rules of the model that a local image breaks, in a word or two: `WEBP`, `12.4 MB`, `too wide`."""
    facts = asset.facts
    if facts is None:
        return ()
    try:
        sent = asset.prepared
    except ImageError:
        return ("unreadable",)
    if facts.error or not (facts := sent.facts):
        return ("unreadable",)
    size, ratio = len(sent.data or b""), facts.width / facts.height
    rules = {
        facts.format: facts.format in _ACCEPTED,
        f"{size / 1024 / 1024:.1f} MB": size <= MAX_BYTES,
        "too small": min(facts.width, facts.height) >= MIN_PIXELS,
        "too wide": ratio <= MAX_RATIO,
        "too tall": ratio >= MIN_RATIO,
    }
    return tuple(rule for rule, kept in rules.items() if not kept)


def fixable(asset: Asset) -> bool:
    """Return whether `fit_image` can help, without decoding the image again."""
    facts = asset.facts
    return bool(broken_rules(asset)) and facts is not None and not facts.error and min(_legal_size(facts)) >= MIN_PIXELS


def fit_image(asset: Asset) -> Asset:
    """Return an image that breaks no rule, with the changes in `fixes`; the same asset if there is nothing to change.

    Raises:
        ImageError: If it cannot be fixed: an image that is too small is not enlarged.
    """
    rules, facts = broken_rules(asset), asset.facts
    if facts is None or (not rules and not facts.is_sent_changed):
        return asset
    if rules and not fixable(asset):
        why = facts.error or f"{facts.width}×{facts.height} px is less than {MIN_PIXELS} px on a side"
        raise ImageError(f"{asset.named} cannot be fixed: {why}", "use a larger or undamaged file: nothing is upscaled")
    sent = asset.prepared
    data, steps = sent.data or b"", list[str]()
    if rules:
        try:
            data, steps = _fitted(sent)
        except ImageError:
            raise
        except Exception as exc:  # decoders fed foreign bytes raise anything
            raise ImageError(f"{asset.named} cannot be fixed: {exc}", "convert it to JPEG or PNG yourself") from exc
    name, fixes = f"{PurePath(asset.name or 'image').stem}{suffix_of(data)}", (*sent.fixes, *steps)
    fixed = Asset(sha256(data), asset.given, name, data=data, original=asset.original or asset, fixes=fixes)
    return replace(fixed, source=asset.source)


def _fitted(asset: Asset) -> tuple[bytes, list[str]]:
    from PIL import Image

    steps, facts = list[str](), asset.facts
    if facts is None or asset.data is None:
        return b"", steps
    with Image.open(io.BytesIO(asset.data)) as opened:
        profile = opened.info.get("icc_profile") if opened.mode in ("RGB", "RGBA") else None
        image = upright_of(opened)
    if image.mode in ("LA", "RGBA"):  # nothing in it is transparent
        image = image.convert(image.mode[:-1])
    if (size := _legal_size(facts)) != image.size:
        steps.append(f"padded from {_size_text(image.size)} to {_size_text(size)} px")
        image = _padded(image, size)
    form = "JPEG" if facts.format in LOSSY else "PNG"
    whole = encoded_image(image, form, profile)
    if len(whole) > MAX_BYTES:
        form, whole = "JPEG", encoded_image(image, "JPEG", profile)
    if form != _NAMES.get(facts.format, facts.format):
        steps.insert(0, f"converted from {facts.format} to {form}")
    before = image.size
    while len(whole) > MAX_BYTES:
        image = _smaller(image, math.sqrt(MAX_BYTES / len(whole)) * 0.97)
        whole = encoded_image(image, form, profile)
    if image.size != before:
        steps.append(f"made smaller, from {_size_text(before)} to {_size_text(image.size)} px")
    return whole, steps or ["saved again"]


def _legal_size(facts: ImageFacts) -> tuple[int, int]:
    """Return the smallest size with a legal ratio that the image fits in."""
    width, height = facts.width, facts.height
    if width / height > MAX_RATIO:
        return width, math.ceil(width / MAX_RATIO)
    return max(width, math.ceil(height * MIN_RATIO)), height


def _padded(image: PILImage, size: tuple[int, int]) -> PILImage:
    """Return the image in the middle of a larger one, in the mean colour of the edges that are extended."""
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
        raise ImageError("it stays above 10 MB", "save it as JPEG")
    # Both sides were rounded down, which may push a ratio at the limit over it.
    if width / height > MAX_RATIO:
        height = math.ceil(width / MAX_RATIO)
    elif width / height < MIN_RATIO:
        width = math.ceil(height * MIN_RATIO)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _size_text(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"
