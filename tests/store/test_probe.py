"""Facts and posters are upright, whatever a phone or a camera makes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat
from support.images import encoded, quarters, turned
from support.videos import video_file

from kling_nb.errors import TransferError
from kling_nb.models.frames import frame_of
from kling_nb.store.probe import probe, thumbnail


def difference(first: Image.Image, second: Image.Image) -> float:
    small = [image.convert("RGB").resize((32, 32)) for image in (first, second)]
    return max(ImageStat.Stat(ImageChops.difference(*small)).mean)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_turned_clip_has_upright_facts_posters_and_frames(tmp_path: Path, degrees: int) -> None:
    file = video_file(tmp_path / "a.mp4", 1, (320, 192), image=quarters(size=(320, 192)), turned=degrees)
    shown = quarters(size=(320, 192)).rotate(-degrees, expand=True)
    facts, poster = probe(file)
    assert (facts.width, facts.height) == frame_of(file, -1).size == shown.size
    small = thumbnail(file, video=True) or b""
    for image in (Image.open(io.BytesIO(poster)), Image.open(io.BytesIO(small)), frame_of(file, 3)):
        assert difference(image, shown) < 12


def test_a_clip_with_uneven_times_has_its_length_and_mean_rate(tmp_path: Path) -> None:
    facts, _ = probe(video_file(tmp_path / "a.mp4", fps=36, size=(320, 192), times=[at for at in range(144) if at % 3]))
    assert (facts.frames, facts.duration, facts.fps) == (96, pytest.approx(4, abs=0.1), pytest.approx(24, abs=0.5))


def test_the_poster_of_an_hdr_clip_is_as_bright_as_on_a_screen(tmp_path: Path) -> None:
    white = Image.new("RGB", (320, 192), (148, 148, 148))  # PQ encodes the white of a studio as 58 %

    def brightness(transfer: int) -> float:
        file = video_file(tmp_path / "a.mp4", 1, (320, 192), image=white, codec="libx264", transfer=transfer)
        return ImageStat.Stat(Image.open(io.BytesIO(probe(file)[1]))).mean[0]

    assert brightness(1) < 160 < 180 < brightness(16)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_has_upright_facts_and_an_upright_poster(tmp_path: Path, orientation: int) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(encoded(quarters(), "JPEG", exif=turned(orientation)))
    facts, poster = probe(file)
    small = Image.open(io.BytesIO(poster))
    assert small.size == (facts.width, facts.height) == ((400, 320) if orientation < 5 else (320, 400))


def test_an_avif_is_a_result_too(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(encoded(quarters(), "AVIF"))
    facts, poster = probe(file, "image")
    assert (facts.media_type, facts.width, facts.height) == ("image/avif", 400, 320)
    assert difference(Image.open(io.BytesIO(poster)), quarters()) < 12


@pytest.mark.parametrize("form", ["HEIF", "TIFF", "BMP", "JPEG2000"])
def test_an_image_that_no_browser_shows_is_named(tmp_path: Path, form: str) -> None:
    from pillow_heif import register_heif_opener

    register_heif_opener()
    file = tmp_path / "a"
    file.write_bytes(encoded(quarters(), form))
    names = {"HEIF": "HEIC", "JPEG2000": "JP2"}
    with pytest.raises(TransferError, match=f"a {names.get(form, form)} image that no browser shows"):
        probe(file, "image")
