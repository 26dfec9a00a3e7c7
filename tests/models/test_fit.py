"""Images that break a rule of the model are fitted to it, without upscaling."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from support.images import ORANGE, encoded, image_file

from kling_nb.models.asset import Asset
from kling_nb.models.fit import broken_rules, fit_image, fixable
from kling_nb.models.images import ImageError
from kling_nb.models.lint import check_asset


def fitted(data: bytes) -> Asset:
    asset = fit_image(Asset.from_bytes(data, given="face.webp"))
    assert list(check_asset((), asset)) == []
    return asset


def opened(asset: Asset) -> Image.Image:
    return Image.open(io.BytesIO(asset.data or b""))


def test_an_image_that_breaks_no_rule_is_returned_as_it_is() -> None:
    asset = Asset.from_bytes(image_file())
    assert fit_image(asset) is asset
    assert broken_rules(asset) == ()


@pytest.mark.parametrize(
    ("form", "becomes"), [("WEBP", "JPEG"), ("GIF", "PNG"), ("BMP", "PNG"), ("TIFF", "PNG"), ("AVIF", "JPEG")]
)
def test_another_format_is_converted(form: str, becomes: str) -> None:
    asset = fitted(image_file(form=form))
    assert opened(asset).format == becomes
    assert asset.fixes == (f"converted from {form} to {becomes}",)
    assert asset.given == "face.webp"
    assert asset.original is not None and asset.original.facts and asset.original.facts.format == form


def test_an_animation_becomes_its_first_frame() -> None:
    first, second = (Image.new("RGB", (400, 400), colour) for colour in ("red", "blue"))
    asset = fitted(encoded(first, "GIF", save_all=True, append_images=[second]))
    assert opened(asset).convert("RGB").getpixel((9, 9)) == (255, 0, 0)
    assert "the first of 2 frames taken" in asset.fixes


@pytest.mark.parametrize(("size", "legal"), [((1200, 300), (1200, 480)), ((300, 1000), (400, 1000))])
def test_a_shape_outside_the_rules_is_padded_in_the_colour_of_its_edges(
    size: tuple[int, int], legal: tuple[int, int]
) -> None:
    asset = fitted(image_file(*size))
    assert opened(asset).size == legal
    assert opened(asset).getpixel((0, 0)) == ORANGE
    assert asset.fixes == (f"padded from {size[0]}×{size[1]} to {legal[0]}×{legal[1]} px",)


def test_a_rotated_image_is_checked_and_fitted_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("RGB", (1600, 400), "red")
    image.paste("blue", (0, 0, 100, 400))  # the left of the file is the top of the image
    asset = Asset.from_bytes(encoded(image, "JPEG", exif=exif, quality=95))
    assert broken_rules(asset) == ("too tall",)
    upright = opened(fitted(asset.data or b""))
    assert upright.size == (640, 1600)
    assert upright.getexif().get(0x0112) is None
    red, _, blue = upright.getpixel((320, 20))
    assert blue > 200 > 60 > red


def test_a_file_that_is_too_large_is_saved_as_jpeg_or_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("fit.MAX_BYTES", "lint.MAX_BYTES", "images._LARGEST_PNG"):
        monkeypatch.setattr(f"kling_nb.models.{limit}", 500_000)
    noise = random.Random(1).randbytes(3 * 600 * 600)  # noqa: S311 - incompressible
    bmp = Asset.from_bytes(encoded(Image.frombytes("RGB", (400, 400), noise[: 3 * 400 * 400]), "BMP"))
    assert broken_rules(bmp) == ()
    assert fitted(bmp.data or b"").fixes == ("converted from BMP to PNG",)
    png = Asset.from_bytes(encoded(Image.frombytes("RGB", (600, 600), noise), "PNG"))
    assert broken_rules(png) == ("1.0 MB",)
    small = fitted(png.data or b"")
    assert small.fixes[0] == "converted from PNG to JPEG"
    assert small.fixes[1].startswith("made smaller, from 600×600 to ")


def test_a_small_image_is_not_enlarged_but_may_be_padded() -> None:
    small = Asset.from_bytes(image_file(200, 200))
    assert not fixable(small)
    with pytest.raises(ImageError, match="200×200 px"):
        fit_image(small)
    assert opened(fitted(image_file(1000, 250))).size == (1000, 400)


def test_an_unreadable_image_cannot_be_fixed() -> None:
    with pytest.raises(ImageError, match="cannot be fixed"):
        fit_image(Asset.from_bytes(image_file()[:-40]))


@settings(max_examples=20)  # four forms, turned four ways; what matters of the sizes is which rules they break
@given(
    st.integers(280, 1500),
    st.integers(280, 1500),
    st.sampled_from(["PNG", "JPEG", "WEBP", "BMP"]),
    st.sampled_from([1, 3, 6, 8]),
)
def test_a_fitted_image_breaks_no_rule_and_loses_no_pixel(width: int, height: int, form: str, turned: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turned
    options = {"exif": exif} if form != "BMP" else {}
    asset = Asset.from_bytes(image_file(width, height, form, **options))
    if broken_rules(asset) and not fixable(asset):
        with pytest.raises(ImageError):
            fit_image(asset)
        return
    facts, now = asset.facts, fitted(asset.data or b"").facts
    assert facts and now
    assert now.width >= facts.width and now.height >= facts.height
