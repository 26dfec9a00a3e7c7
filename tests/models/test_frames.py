"""`clip.frame(n)` is exactly that frame, so that shots can be chained."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hubside import HubSide
from PIL import Image, ImageChops, ImageStat

from kling_nb.errors import ArgumentTypeError, LogError
from kling_nb.models.asset import Asset
from kling_nb.models.frames import frame_of
from kling_nb.models.request import OMNI
from kling_nb.studio import Studio

BITS, CELL = 7, 32


def drawn(number: int) -> Image.Image:
    """A frame with its own number in it: a row of black and white cells, its bits."""
    image = Image.new("L", (BITS * CELL, 64), 0)
    for bit in range(BITS):
        image.paste(255 * (number >> bit & 1), (bit * CELL, 0, (bit + 1) * CELL, 64))
    return image.convert("RGB")


def number_in(image: Image.Image) -> int:
    grey = image.convert("L")
    return sum((grey.getpixel((bit * CELL + CELL // 2, 32)) > 127) << bit for bit in range(BITS))


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write a video of numbered frames; with `gaps`, some are shown longer than others."""
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
def test_each_number_gives_its_frame(video: Callable[..., Path], number: int) -> None:
    assert number_in(frame_of(video(), number)) == number % 60


def test_every_frame_of_a_clip_with_uneven_times_is_found(video: Callable[..., Path]) -> None:
    uneven = video(gaps=True)
    assert [number_in(frame_of(uneven, number)) for number in range(60)] == list(range(60))


def test_another_codec_gives_its_frames_too(video: Callable[..., Path]) -> None:
    assert number_in(frame_of(video(30, "libvpx-vp9", ".webm"), 17)) == 17


@pytest.mark.parametrize("number", [60, -61, 9999])
def test_a_missing_frame_raises_an_index_error(video: Callable[..., Path], number: int) -> None:
    with pytest.raises(IndexError, match=f"has 60 frames, 0 to 59, got {number}"):
        frame_of(video(), number)


@pytest.mark.parametrize("wrong", ["last", None, 1.0, True])
def test_a_frame_number_must_be_an_integer(video: Callable[..., Path], wrong: object) -> None:
    with pytest.raises(ArgumentTypeError):
        frame_of(video(), wrong)  # type: ignore[arg-type] -- user input


def test_a_missing_file_raises_a_log_error_with_its_name(video: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"gone\.mp4 is missing"):
        frame_of(tmp_path / "gone.mp4", 0)
    assert number_in(frame_of(video(), np.int64(7))) == 7


def test_the_last_frame_can_start_another_shot(studio: Studio) -> None:
    clip = studio.generate("a paper boat", duration=3).result(60)
    last = clip.frame(-1)

    asset = Asset.parse(last)
    again = clip.frame((clip.record.clip.frames or 0) - 1)

    assert asset.facts is not None and not asset.facts.error
    assert (asset.facts.width, asset.facts.height) == (clip.record.clip.width, clip.record.clip.height)
    assert ImageStat.Stat(ImageChops.difference(last, again)).sum == [0, 0, 0]


@pytest.mark.parametrize("model", [OMNI, "kling-video-o3-pro-video-to-video-edit"])
def test_an_edited_clip_is_priced_by_its_source_and_as_long(
    own_hub: Callable[..., HubSide], studio_at: Callable[..., Studio], model: str
) -> None:
    studio = studio_at(own_hub("--size", "720p"))  # a smaller clip would be refused
    source = studio.generate("A red kite", duration=4).result(60)

    job = studio.generate("at night", model=model, input_video=source)

    assert job.record.estimate.seconds == 4
    assert job.result(60).record.clip.frames == source.record.clip.frames == 96
