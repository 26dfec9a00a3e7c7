"""Assets: the values that an image field accepts, and the checks of the files."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from support.images import encoded, image_file
from support.texts import assert_texts

from kling_nb.models.asset import Asset
from kling_nb.models.images import ImageError
from kling_nb.models.lint import MAX_BYTES, check_asset


def problems(data: bytes) -> list[tuple[str, str]]:
    """The severity and the remedy of each problem."""
    return [(problem.severity, problem.remedy) for problem in check_asset((), Asset.parse(data))]


def refusal(value: Any) -> str:
    """The message and the remedy of the error for a value."""
    with pytest.raises(ImageError) as caught:
        Asset.parse(value)
    assert caught.value.remedy
    return f"{caught.value} – {caught.value.remedy}"


def test_a_path_a_string_bytes_and_a_data_uri_are_the_same_image(tmp_path: Path) -> None:
    data, file = image_file(), tmp_path / "face.png"
    file.write_bytes(data)
    uri = "data:image/png;base64," + base64.b64encode(data).decode()
    assets = [Asset.parse(value) for value in (file, str(file), data, bytearray(data), memoryview(data), uri)]
    assert len({asset.identity for asset in assets}) == len(set(assets)) == 1
    assert assets[0].name == "face.png"
    assert assets[0].given == str(file)
    assert assets[0].digest == assets[0].identity


def test_an_asset_is_returned_as_it_is() -> None:
    asset = Asset.parse(image_file())
    assert Asset.parse(asset) is asset
    assert Asset.parse(asset, "video").kind == "video"


def test_an_object_with_a_path_is_accepted(tmp_path: Path) -> None:
    class Clip:
        path = tmp_path / "face.png"

    Clip.path.write_bytes(image_file())
    assert Asset.parse(Clip()).name == "face.png"


@pytest.mark.parametrize(
    "url", ["http://example.org/a.png", "HTTPS://example.org/a.png", " https://example.org/a.png\n"]
)
def test_a_url_is_not_fetched(url: str) -> None:
    asset = Asset.parse(url)
    assert asset.url == url.strip()
    assert (asset.data, asset.facts, asset.digest, asset.name) == (None, None, None, "a.png")


REFUSED = [
    "ftp://me:SECRET@example.org/a.png",
    "file:///a.png",
    "https://",
    "http://[::1",
    "http://example.org:port/a.png",
    "http://example.org:0/a.png",
    "",
    "  ",
    "a\0b",
    "\ud800.png",
    "~nobody-is-called-this/a.png",
    "data:image/png;base64,***",
    "data:image/png",
    5,
    None,
    {},
    io.BytesIO(b""),
]


@pytest.mark.parametrize("value", REFUSED)
def test_any_other_value_is_refused_without_its_secrets(value: Any) -> None:
    assert "SECRET" not in refusal(value)


def test_the_texts_of_refused_values() -> None:
    assert_texts("refused-images", map(refusal, REFUSED))


def test_a_missing_file_is_refused_with_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusal("nowhere.png") == f"the file 'nowhere.png' does not exist – the current directory is {tmp_path}"


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has such pipes")
def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert "is not a regular file" in refusal(tmp_path / "pipe.png")


def test_a_file_far_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(2**30)  # sparse: it uses no space
    assert "1,024 MB" in refusal(tmp_path / "large.png")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read any file")
def test_a_file_without_permissions_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "face.png"
    file.write_bytes(image_file())
    file.chmod(0)
    assert "Permission denied" in refusal(file)


def test_a_valid_image_has_no_problem() -> None:
    assert problems(image_file()) == problems(image_file(form="JPEG")) == []


CONVERT, CROP = "convert it to JPEG or PNG", "crop or pad it to a width of 0.40 to 2.50 times its height"
SHOWN = "kn.fit_image shows the result"
#: A PNG file of exactly the size limit.
LARGEST = image_file() + b"\0" * (MAX_BYTES - len(image_file()))
INVALID = {
    "empty": (b"", "error", "use a JPEG or PNG file"),
    "unknown": (b"<html>", "error", "use a JPEG or PNG file"),
    "BMP": (image_file(form="BMP"), "warning", SHOWN),
    "GIF": (image_file(form="GIF"), "warning", SHOWN),
    "WEBP": (image_file(form="WEBP"), "warning", CONVERT),
    "narrow": (image_file(299, 320), "error", "at least 300 px on each side"),
    "low": (image_file(320, 299), "error", "at least 300 px on each side"),
    "wide": (image_file(1001, 400), "error", CROP),
    "tall": (image_file(399, 1000), "error", CROP),
    "large": (LARGEST + b"\0", "error", "at most 10 MB"),
}


@pytest.mark.parametrize(("data", "severity", "remedy"), INVALID.values(), ids=INVALID)
def test_an_image_that_the_model_refuses_has_one_problem(data: bytes, severity: str, remedy: str) -> None:
    assert problems(data) == [(severity, remedy)]


@pytest.mark.parametrize("size", [(300, 300), (1000, 400), (400, 1000)])
def test_an_image_at_a_limit_of_size_is_accepted(size: tuple[int, int]) -> None:
    assert problems(image_file(*size)) == []


def test_a_file_at_the_limit_of_bytes_is_accepted() -> None:
    assert problems(LARGEST) == []


def test_the_texts_of_image_problems() -> None:
    files = [data for data, _, _ in INVALID.values()]
    assert_texts("image-problems", [str(problem) for data in files for problem in check_asset((), Asset.parse(data))])


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_truncated_image_is_an_error(form: str) -> None:
    data = encoded(Image.effect_noise((400, 400), 90), form)
    assert problems(data[: len(data) // 2]) == [("error", "use a JPEG or PNG file")]


def test_an_exception_of_a_decoder_is_an_error() -> None:
    data = bytearray(image_file())
    data[40:60] = b"\xff" * 20
    assert problems(bytes(data)) == [("error", "use a JPEG or PNG file")]


def rotated() -> tuple[bytes, Image.Image]:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to see it upright
    data = image_file(640, 320, "JPEG", exif=exif.tobytes())
    return data, Image.open(io.BytesIO(data))


def test_an_image_is_measured_upright() -> None:
    facts = Asset.parse(rotated()[0]).facts
    assert facts and (facts.width, facts.height) == (320, 640)


def test_a_pil_image_is_sent_upright() -> None:
    asset = Asset.parse(rotated()[1])
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


@pytest.mark.parametrize("image", [Image.new("F", (300, 300)), Image.new("I", (300, 300)), Image.new("RGB", (0, 9))])
def test_a_pil_image_that_cannot_be_encoded_is_refused(image: Image.Image) -> None:
    assert "use a file, or an RGB image" in refusal(image)


def test_a_pil_image_of_a_truncated_file_is_refused() -> None:
    truncated = Image.open(io.BytesIO(image_file(form="JPEG")[:-900]))
    assert "use a file, or an RGB image" in refusal(truncated)


def test_a_pil_image_is_identified_by_its_pixels() -> None:
    small, large = (Image.open(io.BytesIO(image_file(compress_level=level))) for level in (9, 0))
    assert Asset.parse(small) == Asset.parse(large)
    assert Asset.parse(small) != Asset.parse(image_file())


def test_arrays_of_bytes_floats_and_bools_are_the_same_image() -> None:
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
def test_an_array_that_is_not_an_image_is_refused(shape: Any, kind: str, value: Any, message: str) -> None:
    np = pytest.importorskip("numpy")
    assert message in refusal(np.full(shape, value, dtype=kind))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (image_file(), "image/png"),
        (image_file(form="JPEG"), "image/jpeg"),
        (image_file(form="GIF"), "image/gif"),
        (image_file(form="WEBP"), "image/webp"),
        (b"\0\0\0\x18ftypmp42", "video/mp4"),
        (b"\x1aE\xdf\xa3", "video/webm"),
        (b"", "application/octet-stream"),
    ],
)
def test_the_media_type_follows_from_the_bytes(data: bytes, kind: str) -> None:
    assert Asset.parse(data, "video").media_type == kind


def test_a_figure_is_drawn() -> None:
    class Figure:
        def savefig(self, place: io.BytesIO, *, format: str) -> None:
            place.write(image_file(640, 480, form=format.upper()))

    asset = Asset.parse(Figure())
    assert (asset.given, asset.facts and asset.facts.width) == ("Figure 640×480", 640)
    assert asset.identity == Asset.parse(Image.new("RGB", (640, 480), (200, 80, 40))).identity


def test_a_figure_that_cannot_be_drawn_is_refused() -> None:
    class Figure:
        def savefig(self, place: io.BytesIO, *, format: str) -> None:
            raise RuntimeError("no backend")

    assert "cannot be drawn: no backend" in refusal(Figure())
