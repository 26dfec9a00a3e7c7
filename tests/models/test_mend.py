"""Pictures that break a rule are made to keep it, and nothing is made up."""

from __future__ import annotations

import io
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kling_nb.models.asset import Asset
from kling_nb.models.fit import broken_rules, fit_image, fixable
from kling_nb.models.images import ImageError
from kling_nb.models.lint import check_asset

from .drafts import picture


def mended(data: bytes) -> Asset:
    asset = fit_image(Asset.from_bytes(data, given="face.webp"))
    assert list(check_asset((), asset)) == []
    return asset


def opened(asset: Asset) -> Image.Image:
    return Image.open(io.BytesIO(asset.data or b""))


def drawn(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def test_a_picture_that_breaks_no_rule_stays_itself() -> None:
    asset = Asset.from_bytes(picture())
    assert fit_image(asset) is asset
    assert broken_rules(asset) == ()


@pytest.mark.parametrize(
    ("form", "becomes"), [("WEBP", "JPEG"), ("GIF", "PNG"), ("BMP", "PNG"), ("TIFF", "PNG"), ("AVIF", "JPEG")]
)
def test_another_format_is_converted(form: str, becomes: str) -> None:
    asset = mended(picture(form=form))
    assert opened(asset).format == becomes
    assert asset.fixes == (f"converted from {form} to {becomes}",)
    assert asset.given == "face.webp"
    assert asset.original is not None and asset.original.facts and asset.original.facts.format == form


def test_transparency_survives() -> None:
    image = Image.new("RGBA", (400, 400), (255, 0, 0, 40))
    assert opened(mended(drawn(image, "WEBP", lossless=True))).getpixel((5, 5)) == (255, 0, 0, 40)


def test_of_a_moving_picture_the_first_is_taken() -> None:
    first, second = (Image.new("RGB", (400, 400), colour) for colour in ("red", "blue"))
    asset = mended(drawn(first, "GIF", save_all=True, append_images=[second]))
    assert opened(asset).convert("RGB").getpixel((9, 9)) == (255, 0, 0)
    assert "its first picture taken" in asset.fixes


@pytest.mark.parametrize(("size", "legal"), [((1200, 300), (1200, 480)), ((300, 1000), (400, 1000))])
def test_a_shape_outside_the_rules_is_padded_with_the_colour_of_its_edges(
    size: tuple[int, int], legal: tuple[int, int]
) -> None:
    asset = mended(picture(*size))
    assert opened(asset).size == legal
    assert opened(asset).getpixel((0, 0)) == (200, 80, 40)
    assert asset.fixes == (f"padded from {size[0]}×{size[1]} to {legal[0]}×{legal[1]} px",)


def test_a_phones_picture_on_its_side_is_judged_and_mended_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("RGB", (1600, 400), "red")
    image.paste("blue", (0, 0, 100, 400))  # the left of the file is the top of the picture
    asset = Asset.from_bytes(drawn(image, "JPEG", exif=exif, quality=95))
    assert broken_rules(asset) == ("too tall",)
    upright = opened(mended(asset.data or b""))
    assert upright.size == (640, 1600)
    assert upright.getexif().get(0x0112) is None
    red, _, blue = upright.getpixel((320, 20))
    assert blue > 200 > 60 > red


def test_a_file_that_is_too_large_is_saved_as_jpeg_or_made_smaller() -> None:
    noise = random.Random(1).randbytes(4 * 1900 * 1900)  # noqa: S311 - nothing makes it any smaller
    bmp = Asset.from_bytes(drawn(Image.frombytes("RGB", (1900, 1900), noise[: 3 * 1900 * 1900]), "BMP"))
    assert broken_rules(bmp) == ("BMP", "10.3 MB")
    assert mended(bmp.data or b"").fixes == ("converted from BMP to JPEG",)
    small = mended(drawn(Image.frombytes("RGBA", (1900, 1900), noise), "PNG", compress_level=0))
    assert opened(small).mode == "RGBA"
    assert small.fixes[0].startswith("made smaller, from 1900×1900 to ")


def test_too_small_is_not_made_larger_but_padding_may_be_enough() -> None:
    small = Asset.from_bytes(picture(200, 200))
    assert not fixable(small)
    with pytest.raises(ImageError, match="200×200 px, and at least 300"):
        fit_image(small)
    assert opened(mended(picture(1000, 250))).size == (1000, 400)


def test_what_cannot_be_read_cannot_be_mended() -> None:
    with pytest.raises(ImageError, match="cannot be mended"):
        fit_image(Asset.from_bytes(picture()[:-40]))


@settings(max_examples=40)  # four forms, turned four ways; what matters of the sizes is which rules they break
@given(
    st.integers(280, 1500),
    st.integers(280, 1500),
    st.sampled_from(["PNG", "JPEG", "WEBP", "BMP"]),
    st.sampled_from([1, 3, 6, 8]),
)
def test_a_mend_breaks_no_rule_and_loses_no_pixel(width: int, height: int, form: str, turned: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turned
    options = {"exif": exif} if form != "BMP" else {}
    asset = Asset.from_bytes(picture(width, height, form, **options))
    if broken_rules(asset) and not fixable(asset):
        with pytest.raises(ImageError):
            fit_image(asset)
        return
    facts, now = asset.facts, mended(asset.data or b"").facts
    assert facts and now
    assert now.width >= facts.width and now.height >= facts.height
