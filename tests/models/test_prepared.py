"""An image is sent as viewers show it: upright, on white, one frame, in eight bits and RGB."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageOps, ImageStat
from support.images import ORANGE, encoded, green_printer, hidden, image_file, png_of_16_bits, quarters, turned

from kling_nb.models.asset import Asset
from kling_nb.models.fit import fit_image
from kling_nb.models.lint import check_asset


def prepared(data: bytes) -> tuple[Asset, Image.Image]:
    asset = Asset.from_bytes(data, given="face.png").prepared
    return asset, Image.open(io.BytesIO(asset.data or b""))


def difference(first: Image.Image, second: Image.Image) -> float:
    """The mean difference of two images, 0 to 255."""
    return max(ImageStat.Stat(ImageChops.difference(first.convert("RGB"), second.convert("RGB"))).mean)


def palette(**info: int) -> Image.Image:
    image = quarters().quantize(4)
    image.info |= info
    return image


FRAMES = [quarters(), Image.new("RGB", (400, 320), "black"), Image.new("RGB", (400, 320), "white")]
ANIMATED = {"save_all": True, "append_images": FRAMES[1:], "lossless": True}

XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>"""

CHANGED: dict[str, tuple[Callable[[], bytes], tuple[str, ...]]] = {
    "a phone's JPEG": (lambda: encoded(quarters(), "JPEG", exif=turned(6)), ("turned upright",)),
    "a mirrored PNG": (lambda: encoded(quarters(), "PNG", exif=turned(2)), ("turned upright",)),
    "a turned WEBP": (
        lambda: encoded(quarters(), "WEBP", exif=turned(8)),
        ("converted from WEBP to JPEG", "turned upright"),
    ),
    "a turned TIFF": (
        lambda: encoded(quarters(), "TIFF", exif=turned(6)),
        ("converted from TIFF to PNG", "turned upright"),
    ),
    "orientation in XMP": (lambda: encoded(quarters(), "JPEG", xmp=XMP), ("turned upright",)),
    "CMYK": (lambda: encoded(quarters("CMYK"), "JPEG"), ("converted from CMYK to RGB",)),
    "RGBA": (lambda: encoded(hidden(), "PNG"), ("transparent areas made white",)),
    "LA": (lambda: encoded(hidden().convert("LA"), "PNG"), ("transparent areas made white",)),
    "a palette": (lambda: encoded(palette(), "PNG"), ("converted from a palette to RGB",)),
    "a transparent palette": (
        lambda: encoded(palette(transparency=0), "PNG"),
        ("transparent areas made white", "converted from a palette to RGB"),
    ),
    "16 bits": (lambda: png_of_16_bits(0x8080, colour=False), ("scaled from 16 to 8 bits",)),
    "16 bits in colour": (lambda: png_of_16_bits(0x8080, colour=True), ("scaled from 16 to 8 bits",)),
    "an animated GIF": (
        lambda: encoded(FRAMES[0], "GIF", **ANIMATED),
        ("converted from GIF to PNG", "the first of 3 frames taken"),
    ),
    "an animated WEBP": (
        lambda: encoded(FRAMES[0], "WEBP", **ANIMATED),
        ("converted from WEBP to JPEG", "the first of 3 frames taken"),
    ),
    "an animated PNG": (lambda: encoded(FRAMES[0], "PNG", **ANIMATED), ("the first of 3 frames taken",)),
    "pages of a TIFF": (
        lambda: encoded(FRAMES[0], "TIFF", **ANIMATED),
        ("converted from TIFF to PNG", "the first of 3 frames taken"),
    ),
    "GIF": (lambda: encoded(quarters(), "GIF"), ("converted from GIF to PNG",)),
    "BMP": (lambda: encoded(quarters(), "BMP"), ("converted from BMP to PNG",)),
    "TIFF": (lambda: encoded(quarters(), "TIFF"), ("converted from TIFF to PNG",)),
    "JPEG 2000": (lambda: encoded(quarters(), "JPEG2000"), ("converted from JPEG 2000 to JPEG",)),
    "AVIF": (lambda: encoded(quarters(), "AVIF"), ("converted from AVIF to JPEG",)),
}


@pytest.mark.parametrize(("make", "changes"), CHANGED.values(), ids=CHANGED)
def test_what_is_sent_is_what_viewers_show(make: Callable[[], bytes], changes: tuple[str, ...]) -> None:
    data = make()
    asset, image = prepared(data)
    assert asset.fixes == changes
    assert asset.original is not None and asset.original.data == data
    assert (image.format in ("JPEG", "PNG"), image.mode in ("RGB", "L")) == (True, True)
    assert image.getexif().get(0x0112) is None
    assert asset.facts and (asset.facts.width, asset.facts.height) == image.size
    assert asset.prepared is asset


@pytest.mark.parametrize("name", CHANGED)
def test_lint_says_what_will_be_changed(name: str) -> None:
    make, changes = CHANGED[name]
    (problem,) = check_asset(("input_image", 0), Asset.from_bytes(make()))
    assert problem.severity == "warning"
    assert all(change in problem.message for change in changes)


@pytest.mark.parametrize("name", CHANGED)
def test_fit_image_says_what_was_changed(name: str) -> None:
    make, changes = CHANGED[name]
    assert fit_image(Asset.from_bytes(make())).fixes == changes


UNCHANGED = {
    "an unknown orientation": lambda: encoded(quarters(), "JPEG", exif=turned(0)),
    "another unknown orientation": lambda: encoded(quarters(), "PNG", exif=turned(99)),
    "damaged EXIF data": lambda: encoded(quarters(), "JPEG", exif=b"Exif\0\0garbage"),
    "JPEG": lambda: encoded(quarters(), "JPEG", exif=turned(1)),
    "PNG": lambda: encoded(quarters(), "PNG"),
    "grey PNG": lambda: encoded(quarters("L"), "PNG"),
    "opaque RGBA": lambda: encoded(quarters("RGBA"), "PNG"),
    "WEBP": lambda: encoded(quarters(), "WEBP"),
    "MPO": lambda: encoded(quarters(), "MPO", save_all=True, append_images=[quarters()]),
}


@pytest.mark.parametrize("name", UNCHANGED)
def test_a_plain_image_is_sent_byte_by_byte(name: str) -> None:
    data = UNCHANGED[name]()
    asset, _ = prepared(data)
    assert (asset.data, asset.fixes, asset.original) == (data, (), None)


@settings(max_examples=30)
@given(
    st.sampled_from(["JPEG", "PNG", "WEBP", "AVIF"]),
    st.sampled_from(["RGB", "RGBA", "L", "P", "CMYK", "LA", "1"]),
    st.integers(1, 8),
)
def test_any_mode_turned_in_any_way_is_sent_as_shown(form: str, mode: str, orientation: int) -> None:
    image = hidden().convert(mode) if mode in ("RGBA", "LA") else quarters(mode)
    try:
        data = encoded(image, form, exif=turned(orientation), quality=95)
    except OSError:  # the format does not have this mode
        return
    shown = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    white = Image.new("RGBA", shown.size, "white")
    white.alpha_composite(shown.convert("RGBA"))
    _, sent = prepared(data)
    assert sent.size == shown.size
    assert sent.getexif().get(0x0112, 1) == 1
    assert difference(sent, white) < 4


def test_colours_hidden_under_transparency_do_not_leave() -> None:
    _, sent = prepared(encoded(hidden(), "PNG"))
    colours = {colour for _, colour in sent.getcolors() or ()}
    assert colours == {ORANGE, (255, 255, 255)}


@pytest.mark.parametrize(("level", "shown"), [(0, 0), (0x0101, 1), (0x7FFF, 127), (0xFFFF, 255)])
@pytest.mark.parametrize("colour", [False, True])
def test_sixteen_bits_keep_their_brightness(level: int, shown: int, colour: bool) -> None:
    _, sent = prepared(png_of_16_bits(level, colour=colour))
    value = sent.getpixel((5, 5))
    assert abs((value[0] if isinstance(value, tuple) else value) - shown) <= 1


def test_a_16_bit_pil_image_keeps_its_brightness() -> None:
    asset = Asset.parse(Image.new("I;16", (300, 300), 0x8080))
    assert Image.open(io.BytesIO(asset.data or b"")).getpixel((5, 5)) == 128


def test_cmyk_is_converted_with_its_profile() -> None:
    _, sent = prepared(encoded(Image.new("CMYK", (300, 300)), "JPEG", icc_profile=green_printer()))
    red, green, blue = sent.convert("RGB").getpixel((5, 5))
    assert green > red + 60 and green > blue + 60
    assert sent.info.get("icc_profile") is None


def test_a_damaged_profile_is_ignored() -> None:
    _, sent = prepared(encoded(Image.new("CMYK", (300, 300)), "JPEG", icc_profile=b"damaged" * 30))
    assert sent.convert("RGB").getpixel((5, 5)) == (255, 255, 255)


def test_the_profile_of_an_rgb_image_is_sent_with_it() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    _, sent = prepared(encoded(quarters(), "JPEG", exif=turned(3), icc_profile=profile))
    assert sent.info.get("icc_profile") == profile


def test_heic_is_converted_with_pillow_heif_and_named_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from pillow_heif import register_heif_opener

    register_heif_opener()
    data = encoded(quarters(), "HEIF", quality=95)
    asset, sent = prepared(data)
    assert (asset.fixes, sent.format) == (("converted from HEIC to JPEG",), "JPEG")
    assert difference(sent, quarters()) < 4

    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (problem,) = check_asset((), Asset.from_bytes(data))
    assert problem.severity == "error"
    assert 'pip install "kling-nb[heif]"' in problem.message


@pytest.mark.parametrize("mode", ["I", "F"])
def test_numbers_without_a_white_are_an_error(mode: str) -> None:
    (problem,) = check_asset((), Asset.from_bytes(encoded(Image.new(mode, (300, 300)), "TIFF")))
    assert (problem.severity, f"mode {mode}" in problem.message) == ("error", True)


def test_a_png_too_large_for_services_is_sent_as_jpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kling_nb.models.images._LARGEST_PNG", 500)
    asset, _ = prepared(encoded(quarters(), "BMP"))
    assert asset.fixes == ("converted from BMP to JPEG",)


KINDS = {
    ".png": lambda: image_file(),
    ".jpg": lambda: image_file(form="JPEG"),
    ".gif": lambda: image_file(form="GIF"),
    ".webp": lambda: image_file(form="WEBP"),
    ".bmp": lambda: image_file(form="BMP"),
    ".tif": lambda: image_file(form="TIFF"),
    ".jp2": lambda: image_file(form="JPEG2000"),
    ".avif": lambda: image_file(form="AVIF"),
    ".heic": lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    ".mov": lambda: b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
    ".mp4": lambda: b"\0\0\0\x18ftypisom\0\0\0\0isommp42",
    ".3gp": lambda: b"\0\0\0\x18ftyp3gp4\0\0\0\0isom3gp4",
    ".avi": lambda: b"RIFF\0\0\0\0AVI LIST",
    ".webm": lambda: b"\x1aE\xdf\xa3\x9fB\x86\x81\1B\xf7\x81\1B\xf2\x81\4B\xf3\x81\x08B\x82\x84webm",
    ".mkv": lambda: b"\x1aE\xdf\xa3\xa3B\x86\x81\1B\xf7\x81\1B\xf2\x81\4B\xf3\x81\x08B\x82\x88matroska",
}


@pytest.mark.parametrize("suffix", KINDS)
def test_a_file_is_named_after_its_real_format(suffix: str) -> None:
    asset = Asset.from_bytes(KINDS[suffix]())
    assert asset.name == f"image{suffix}"
    videos = (".mov", ".mp4", ".3gp", ".avi", ".webm", ".mkv")
    assert asset.media_type.startswith("video/" if suffix in videos else "image/")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (KINDS[".mp4"](), "a video"),
        (KINDS[".heic"](), "a damaged HEIC image"),
        (image_file(form="AVIF")[:200], "a damaged AVIF image"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
        (b"%PDF-1.7", "a PDF"),
        (b"\xff\x0a\xfa\x1f", "a JPEG XL image"),
        (b"<html>", "not an image in a known format"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(data: bytes, name: str) -> None:
    (problem,) = check_asset((), Asset.from_bytes(data))
    assert (problem.severity, f"it is {name}" in problem.message) == ("error", True)
