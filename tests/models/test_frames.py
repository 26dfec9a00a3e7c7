"""`clip.frame(n)` is exactly that frame, so that shots can be chained."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageChops, ImageStat

from kling_nb.errors import KlingError, LogError
from kling_nb.models.asset import Asset
from kling_nb.models.frames import frame_of
from kling_nb.models.request import OMNI
from kling_nb.studio import Studio

BITS, CELL = 7, 32


def drawn(number: int) -> Image.Image:
    """A frame that says its own number: a row of black and white cells, its bits."""
    image = Image.new("L", (BITS * CELL, 64), 0)
    for bit in range(BITS):
        image.paste(255 * (number >> bit & 1), (bit * CELL, 0, (bit + 1) * CELL, 64))
    return image.convert("RGB")


def number_in(image: Image.Image) -> int:
    grey = image.convert("L")
    return sum((grey.getpixel((bit * CELL + CELL // 2, 32)) > 127) << bit for bit in range(BITS))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write a film of numbered frames; `gaps` lets some moments stay longer than others."""
    folder = tmp_path_factory.mktemp("numbered")

    def make(frames: int = 60, codec: str = "libx264", suffix: str = ".mp4", *, gaps: bool = False) -> Path:
        path = folder / f"{codec}-{frames}-{gaps}{suffix}"
        if path.exists():
            return path
        with av.open(str(path), "w") as out:
            stream = out.add_stream(codec, rate=Fraction(24))
            stream.width, stream.height, stream.pix_fmt = BITS * CELL, 64, "yuv420p"
            stream.gop_size, stream.max_b_frames = 25, 3
            for number in range(frames):
                frame = av.VideoFrame.from_image(drawn(number))
                frame.pts, frame.time_base = number + (number // 5 if gaps else 0), Fraction(1, 24)
                out.mux(stream.encode(frame))
            out.mux(stream.encode())
        return path

    return make


@pytest.mark.parametrize("number", [0, 1, 24, 25, 26, 49, 59, -1, -60])
def test_a_frame_is_the_one_that_was_asked_for(film: Callable[..., Path], number: int) -> None:
    assert number_in(frame_of(film(), number)) == number % 60


def test_every_frame_of_a_film_with_uneven_moments_is_found(film: Callable[..., Path]) -> None:
    uneven = film(gaps=True)
    assert [number_in(frame_of(uneven, number)) for number in range(60)] == list(range(60))


def test_another_codec_gives_its_frames_too(film: Callable[..., Path]) -> None:
    assert number_in(frame_of(film(30, "libvpx-vp9", ".webm"), 17)) == 17


@pytest.mark.parametrize("number", [60, -61, 9999])
def test_a_frame_that_is_not_there_is_said(film: Callable[..., Path], number: int) -> None:
    with pytest.raises(IndexError, match=f"no frame {number}: .* has 60, 0 to 59 or -60 to -1"):
        frame_of(film(), number)


@pytest.mark.parametrize("wrong", ["last", None, 1.0, True])
def test_what_is_no_number_names_no_frame(film: Callable[..., Path], wrong: object) -> None:
    with pytest.raises(KlingError, match="is no frame's number: 0 is the first, -1 the last"):
        frame_of(film(), wrong)  # type: ignore[arg-type] -- what somebody may give


def test_a_clip_whose_file_is_gone_says_where_it_was(film: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"gone\.mp4 is not there any more"):
        frame_of(tmp_path / "gone.mp4", 0)
    assert number_in(frame_of(film(), np.int64(7))) == 7


def test_shots_can_be_chained(studio: Studio) -> None:
    clip = studio.generate("a paper boat", duration=3).result(40)
    last = clip.frame(-1)

    asset = Asset.parse(last)
    again = clip.frame((clip.record.clip.frames or 0) - 1)

    assert asset.facts is not None and not asset.facts.error
    assert (asset.facts.width, asset.facts.height) == (clip.record.clip.width, clip.record.clip.height)
    assert ImageStat.Stat(ImageChops.difference(last, again)).sum == [0, 0, 0]


@pytest.mark.parametrize("model", [OMNI, "kling-video-o3-pro-video-to-video-edit"])
def test_an_edit_of_a_clip_is_priced_by_it_and_as_long_as_it(studio: Studio, model: str) -> None:
    source = studio.generate("A red kite", duration=4).result(60)

    job = studio.generate("at night", model=model, input_video=source)

    assert job.record.estimate.seconds == 4
    assert job.result(60).record.clip.frames == source.record.clip.frames == 96
