"""Turn an image, or crop it to an aspect ratio; the original stays with the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from kling_nb.models.asset import Asset
from kling_nb.models.images import LOSSY, ImageError, encoded_image, open_image, upright_of
from kling_nb.models.urls import sha256, suffix_of

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage


def turned(asset: Asset, degrees: int) -> Asset:
    """Return an image turned clockwise by a multiple of 90 degrees. Raises `ImageError` if it cannot be read."""
    return _edited(asset, lambda image: image.rotate(-degrees, expand=True), f"turned by {degrees}°")


def cropped(asset: Asset, ratio: str) -> Asset:
    """Return an image in an aspect ratio, `16:9`: its middle, of a tall one the upper part.

    Raises `ImageError` if it cannot be read.
    """
    wide, _, high = ratio.partition(":")
    if not (wide.isdecimal() and high.isdecimal() and int(wide) and int(high)):
        raise ImageError(f"{ratio!r} is not an aspect ratio", "use one such as 16:9")
    wanted = int(wide) / int(high)

    def crop(image: PILImage) -> PILImage:
        width, height = min(image.width, round(image.height * wanted)), min(image.height, round(image.width / wanted))
        left, top = (image.width - width) // 2, (image.height - height) // 4  # faces are in the upper part
        return image.crop((left, top, left + max(1, width), top + max(1, height)))

    return _edited(asset, crop, f"cropped to {ratio}")


def _edited(asset: Asset, change: Callable[[PILImage], PILImage], step: str) -> Asset:
    if asset.data is None or asset.facts is None:
        raise ImageError(f"{asset.named} cannot be edited", "it is at an address: save it to a file first")
    try:
        with open_image(asset.data) as opened:
            profile = opened.info.get("icc_profile") if opened.mode in ("RGB", "RGBA") else None
            image = change(upright_of(opened))
        lossy = asset.facts.format in LOSSY and image.mode in ("L", "RGB")
        data = encoded_image(image, "JPEG" if lossy else "PNG", profile)
    except Exception as exc:  # decoders fed foreign bytes raise anything
        raise ImageError(f"{asset.named} cannot be edited: {exc}", "convert it to JPEG or PNG first") from exc
    name = f"{PurePath(asset.name or 'image').stem}{suffix_of(data)}"
    edited = Asset(sha256(data), asset.given, name, data=data, original=asset.original or asset)
    return replace(edited, fixes=(*asset.fixes, step), source=asset.source)
