"""What a picture's field takes, what it makes of it, and what the model will have against it."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic_core import PydanticCustomError

from kling_nb.models.asset import Asset
from kling_nb.models.lint import MAX_BYTES, check_asset

from .drafts import picture


def said(data: bytes) -> list[str]:
    return [f"{p.severity}: {p.message}" for p in check_asset(("input_image", 0), Asset.parse(data))]


def refusal(value: Any) -> str:
    with pytest.raises(PydanticCustomError) as caught:
        Asset.parse(value)
    assert caught.value.context and caught.value.context["remedy"]
    return caught.value.message()


def test_a_path_its_text_its_bytes_and_its_data_uri_are_the_same_picture(tmp_path: Path) -> None:
    data, file = picture(), tmp_path / "face.png"
    file.write_bytes(data)
    uri = "data:image/png;base64," + base64.b64encode(data).decode()
    assets = [Asset.parse(value) for value in (file, str(file), data, bytearray(data), memoryview(data), uri)]
    assert len({asset.identity for asset in assets}) == len(set(assets)) == 1
    assert assets[0].name == "face.png"
    assert assets[0].given == str(file)
    assert assets[0].digest == assets[0].identity


def test_an_asset_stays_itself() -> None:
    asset = Asset.parse(picture())
    assert Asset.parse(asset) is asset
    assert Asset.parse(asset, "video").kind == "video"


def test_a_clip_with_a_path_can_be_handed_on(tmp_path: Path) -> None:
    class Clip:
        path = tmp_path / "face.png"

    Clip.path.write_bytes(picture())
    assert Asset.parse(Clip()).name == "face.png"


@pytest.mark.parametrize(
    "url", ["http://example.org/a.png", "HTTPS://example.org/a.png", " https://example.org/a.png\n"]
)
def test_a_web_address_is_kept_and_not_fetched(url: str) -> None:
    asset = Asset.parse(url)
    assert asset.url == url.strip()
    assert (asset.data, asset.facts, asset.digest, asset.name) == (None, None, None, "a.png")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("ftp://me:SECRET@example.org/a.png", "ftp:// is not an http(s) address"),
        ("file:///a.png", "file:// is not an http(s) address"),
        ("s3://bucket/a.png", "s3:// is not an http(s) address"),
        ("https://", "'https://' names no host"),
        ("http://[::1", "the address cannot be read"),
        ("http://example.org:port/a.png", "the address cannot be read"),
        ("", "the path is empty"),
        ("  ", "the path is empty"),
        ("nowhere.png", "there is no file 'nowhere.png'"),
        ("a\0b", "is no path"),
        ("\ud800.png", "is no path"),
        ("~nobody-is-called-this/a.png", "is no path"),
        ("data:image/png;base64,***", "the data URI is not base64"),
        ("data:image/png", "the data URI has no comma"),
        (5, "an int is not an image"),
        (None, "None is not an image"),
        ({}, "a dict is not an image"),
        (io.BytesIO(b""), "a BytesIO is not an image"),
    ],
)
def test_anything_else_is_refused_with_a_reason_and_a_remedy(value: Any, message: str) -> None:
    found = refusal(value)
    assert message in found
    assert "SECRET" not in found


def test_a_folder_is_told_from_a_file(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="there are no such pipes elsewhere")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert "is no file" in refusal(tmp_path / "pipe.png")


def test_a_file_far_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "film.png").open("wb") as file:
        file.truncate(2**30)  # a hole: it takes no room
    assert "1,024 MB" in refusal(tmp_path / "film.png")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read any file")
def test_a_file_without_rights_says_so(tmp_path: Path) -> None:
    file = tmp_path / "face.png"
    file.write_bytes(picture())
    file.chmod(0)
    assert "Permission denied" in refusal(file)


def test_a_picture_in_order_has_no_problem() -> None:
    assert said(picture()) == said(picture(form="JPEG")) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "error: bytes cannot be read: the file is empty"),
        (b"<html>", "error: bytes cannot be read: it is not an image in a known format"),
        (picture(form="BMP"), "error: bytes is a BMP, which is not taken"),
        (picture(form="GIF"), "warning: bytes is a GIF, which is not always taken"),
        (picture(form="WEBP"), "warning: bytes is a WEBP, which is not always taken"),
        (picture(299, 320), "error: bytes is 299×320 px, which is too small"),
        (picture(1001, 400), "error: bytes is 1001×400 px, which is too wide"),
        (picture(399, 1000), "error: bytes is 399×1000 px, which is too tall"),
        (picture() + b"\0" * MAX_BYTES, "error: bytes has 10.00 MB"),
    ],
)
def test_what_the_model_will_not_take_is_said(data: bytes, message: str) -> None:
    assert said(data) == [message]


@pytest.mark.parametrize("size", [(300, 300), (1000, 400), (400, 1000)])
def test_the_limits_themselves_are_taken(size: tuple[int, int]) -> None:
    assert said(picture(*size)) == []


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_picture_cut_short_is_noticed(form: str) -> None:
    noise = Image.effect_noise((400, 400), 90)
    buffer = io.BytesIO()
    noise.save(buffer, form)
    [message] = said(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    assert message.startswith("error: bytes cannot be read")


def test_a_decoders_own_trouble_is_a_fault_and_no_exception() -> None:
    data = bytearray(picture())
    data[40:60] = b"\xff" * 20
    [message] = said(bytes(data))
    assert "cannot be read" in message


def lying_down() -> tuple[bytes, Image.Image]:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to see it upright
    data = picture(640, 320, "JPEG", exif=exif.tobytes())
    return data, Image.open(io.BytesIO(data))


def test_a_phones_picture_is_measured_as_it_is_seen() -> None:
    facts = Asset.parse(lying_down()[0]).facts
    assert facts and (facts.width, facts.height) == (320, 640)


def test_a_phones_picture_handed_in_as_pil_is_sent_upright() -> None:
    asset = Asset.parse(lying_down()[1])
    assert asset.facts and (asset.facts.width, asset.facts.height) == (320, 640)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_a_pil_image_of_any_common_mode_becomes_a_png(mode: str) -> None:
    asset = Asset.parse(Image.new(mode, (320, 300)))
    assert asset.media_type == "image/png"
    assert asset.identity.startswith("pixels-sha256:")
    assert asset.given == f"PIL image 320×300 {mode}"


def test_a_transparent_palette_keeps_its_transparency() -> None:
    image = Image.new("P", (300, 300))
    image.info["transparency"] = 0
    assert Image.open(io.BytesIO(Asset.parse(image).data or b"")).mode == "RGBA"


@pytest.mark.parametrize("image", [Image.new("F", (300, 300)), Image.new("I;16", (300, 300)), Image.new("RGB", (0, 9))])
def test_a_pil_image_whose_pixels_cannot_be_had_is_refused(image: Image.Image) -> None:
    assert "cannot be read" in refusal(image)


def test_a_pil_image_over_a_torn_file_is_refused() -> None:
    torn = Image.open(io.BytesIO(picture(form="JPEG")[:-900]))
    assert "cannot be read" in refusal(torn)


def test_the_pixels_of_pil_name_the_picture_not_its_file() -> None:
    small, large = (Image.open(io.BytesIO(picture(compress_level=level))) for level in (9, 0))
    assert Asset.parse(small) == Asset.parse(large)
    assert Asset.parse(small) != Asset.parse(picture())


def test_arrays_of_bytes_floats_and_truths_are_the_same_picture() -> None:
    np = pytest.importorskip("numpy")
    white = np.ones((300, 320), dtype="uint8") * 255
    assets = [Asset.parse(white), Asset.parse(white / 255.0), Asset.parse(white > 0), Asset.parse(white[:, :, None])]
    assets += [Asset.parse((white / 255.0).astype(kind)) for kind in ("float16", "float32")]
    assert len(set(assets)) == 1
    assert assets[0] == Asset.parse(Image.new("L", (320, 300), 255))
    assert Asset.parse(np.zeros((300, 320, 4), dtype="int64")).given == "array 300×320×4 int64"


@pytest.mark.parametrize(
    ("shape", "kind", "value", "message"),
    [
        ((300,), "uint8", 0, "is not an image"),
        ((300, 300, 2), "uint8", 0, "is not an image"),
        ((0, 300), "uint8", 0, "is not an image"),
        ((2, 300, 300, 3), "uint8", 0, "is not an image"),
        ((300, 300), "float32", 1.5, "outside 0 to 1"),
        ((300, 300), "float32", float("nan"), "outside 0 to 1"),
        ((300, 300), "int16", 256, "outside 0 to 255"),
        ((300, 300), "int16", -1, "outside 0 to 255"),
        ((300, 300), "complex64", 0, "is not an image"),
    ],
)
def test_an_array_that_is_no_picture_is_refused(shape: Any, kind: str, value: Any, message: str) -> None:
    np = pytest.importorskip("numpy")
    assert message in refusal(np.full(shape, value, dtype=kind))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (picture(), "image/png"),
        (picture(form="JPEG"), "image/jpeg"),
        (picture(form="GIF"), "image/gif"),
        (picture(form="WEBP"), "image/webp"),
        (b"\0\0\0\x18ftypmp42", "video/mp4"),
        (b"\x1aE\xdf\xa3", "video/webm"),
        (b"", "application/octet-stream"),
    ],
)
def test_the_type_is_told_from_the_bytes(data: bytes, kind: str) -> None:
    assert Asset.parse(data, "video").media_type == kind


def test_a_figure_is_drawn() -> None:
    class Figure:
        def savefig(self, place: io.BytesIO, *, format: str) -> None:
            place.write(picture(640, 480, form=format.upper()))

    asset = Asset.parse(Figure())
    assert (asset.given, asset.facts and asset.facts.width) == ("Figure 640×480", 640)
    assert asset.identity == Asset.parse(Image.new("RGB", (640, 480), (200, 80, 40))).identity


def test_a_figure_that_cannot_be_drawn_says_so() -> None:
    class Figure:
        def savefig(self, place: io.BytesIO, *, format: str) -> None:
            raise RuntimeError("no backend")

    assert "cannot be drawn: no backend" in refusal(Figure())
