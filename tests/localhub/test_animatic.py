"""Animatics, read by FFmpeg and by PyAV."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest
from filmreader import read_film
from PIL import Image, ImageChops, ImageDraw, ImageStat

from kling_nb.localhub import animatic, inputs, sound, storyboard, typography
from kling_nb.localhub.storyboard import Storyboard

from .conftest import data_uri, image_bytes

RED, BLUE = "https://x/red.png", "https://x/blue.png"
PHOTOS = {
    RED: inputs.decode_image(image_bytes(colour="#c02020"), RED),
    BLUE: inputs.decode_image(image_bytes((600, 600), colour="#2030c0"), BLUE),
}


def made(folder: Path, size: str = "180p", **body: Any) -> Path:
    path = folder / f"{hashlib.sha256(json.dumps(body).encode()).hexdigest()[:8]}.mp4"
    animatic.write_video(path, body, PHOTOS, size=size)
    return path


def decoded(path: Path) -> list[Image.Image]:
    with av.open(str(path)) as container:
        return [frame.to_image() for frame in container.decode(video=0)]


def difference(first: Image.Image, second: Image.Image) -> float:
    """Return the mean difference of two images, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(first.convert("RGB"), second.convert("RGB"))).mean) / 3


def boxes(data: bytes) -> Iterator[str]:
    at = 0
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8])
        yield name.decode()
        at += size


@pytest.mark.parametrize(
    ("ratio", "size", "seconds"),
    [("16:9", (1280, 720), 3), ("9:16", (720, 1280), 1), ("1:1", (960, 960), 1)],
    ids=["wide", "tall", "square"],
)
def test_a_video_has_the_requested_shape_length_and_sound(
    tmp_path: Path, ratio: str, size: tuple[int, int], seconds: int
) -> None:
    body = {"prompt": "a boat", "duration": seconds, "aspect_ratio": ratio, "generate_audio": True}
    found = read_film(made(tmp_path, "720p", **body))
    assert found.size == size
    assert (found.video, found.fps, found.frames) == (("h264", "yuv420p"), 24, 24 * seconds)
    assert found.audio == ("aac", 48000, "stereo")
    assert abs(found.heard / 48000 - seconds) < 0.05
    assert found.tags["comment"] == "kling_nb local hub animatic"


def test_a_silent_video_has_one_stream_and_its_index_first(tmp_path: Path) -> None:
    path = made(tmp_path, prompt="a boat", duration=3)
    names = list(boxes(path.read_bytes()))
    assert names.index("moov") < names.index("mdat")
    with av.open(str(path)) as container:
        assert [stream.type for stream in container.streams] == ["video"]


def test_the_same_request_gives_the_same_frames(tmp_path: Path) -> None:
    body = {"prompt": "@Image1 floats", "duration": 3, "input_image": [RED, BLUE]}
    digests = {
        hashlib.sha256(b"".join(image.tobytes() for image in decoded(made(folder, **body)))).hexdigest()
        for folder in (tmp_path, *_folders(tmp_path, 1))
    }
    assert len(digests) == 1


def test_the_url_of_an_image_does_not_change_the_seed() -> None:
    other = data_uri(image_bytes(colour="#c02020"))
    first = storyboard.seed_of({"input_image": [RED]}, PHOTOS)
    assert first == storyboard.seed_of({"input_image": [other]}, {other: PHOTOS[RED]})
    assert first != storyboard.seed_of({"input_image": [BLUE]}, PHOTOS)


def test_the_start_image_is_the_first_frame_and_the_tail_image_the_last(tmp_path: Path) -> None:
    images = decoded(made(tmp_path, prompt="from red to blue", duration=3, start_image_url=RED, tail_image_url=BLUE))
    assert images[0].size == storyboard.size_of(PHOTOS[RED], "1:1", "180p")
    assert difference(images[0], PHOTOS[RED].resize(images[0].size)) < 4
    width, height = images[0].size
    top = round((width - height) * 0.15)  # a tall image is cropped above its middle, where a face is
    blue = PHOTOS[BLUE].resize((width, width)).crop((0, top, width, top + height))
    assert difference(images[-1], blue) < 4


@pytest.mark.parametrize(
    ("shape", "middle"),
    [((400, 400), 0.24), ((400, 500), 0.28), ((400, 711), 0.28), ((500, 400), 0.45), ((600, 400), 0.5)],
    ids=["square", "portrait", "phone", "photo", "wide"],
)
@pytest.mark.parametrize("seed", range(8))
def test_a_face_stays_in_sight_in_every_move(seed: int, shape: tuple[int, int], middle: float) -> None:
    width, height = shape
    scene, half = Image.new("RGB", shape, "#808080"), 0.16 * width / height / 2
    face = (width * 0.42, height * (middle - half), width * 0.58, height * (middle + half))
    ImageDraw.Draw(scene).ellipse(face, fill="#f0e020")
    body = {"prompt": "", "duration": 3, "input_image": [RED]}
    shown = replace(Storyboard.of(body, {RED: scene}, size="180p"), seed=bytes([seed]) * 32)
    for planes in [*animatic.draw_frames(shown)][::12]:
        yellow = planes[1].point(lambda level: 255 if level < 100 else 0).getbbox()
        assert yellow
        assert 0 < yellow[1] < yellow[3] < planes[1].height


def test_the_dissolve_from_start_to_tail_image_is_in_the_middle() -> None:
    shown = Storyboard.of(
        {"prompt": "x", "duration": 5, "start_image_url": RED, "tail_image_url": BLUE}, PHOTOS, size="180p"
    )
    luma = [ImageStat.Stat(planes[1]).mean[0] for planes in animatic.draw_frames(shown)]
    turn = next(number for number, level in enumerate(luma) if level > (luma[20] + luma[-20]) / 2)
    assert 54 <= turn <= 66


def test_shots_are_cut_at_the_exact_frame(tmp_path: Path) -> None:
    parts = [
        {"prompt": "@Image1", "duration": 1},
        {"prompt": "@Image2", "duration": 2},
        {"prompt": "@Image1", "duration": 1},
    ]
    images = [image.resize((64, 36)) for image in decoded(made(tmp_path, multi_prompt=parts, input_image=[RED, BLUE]))]
    steps = [difference(a, b) for a, b in pairwise(images)]
    assert [at + 1 for at, step in enumerate(steps) if step > 20] == [24, 72]


def test_the_image_moves_all_the_time(tmp_path: Path) -> None:
    images = decoded(made(tmp_path, prompt="x", duration=3, input_image=[RED]))
    assert all(difference(images[at], images[at + 12]) > 0.1 for at in range(0, 60, 12))


def test_a_request_without_images_gets_a_title_card(tmp_path: Path) -> None:
    images = decoded(made(tmp_path, prompt="A lighthouse in the storm", duration=3))
    for image in (images[0], images[-1]):
        low, high = image.convert("L").getextrema()
        assert low < 60
        assert high > 230
        assert ImageStat.Stat(image.convert("L")).stddev[0] > 20


def test_a_shot_shows_the_images_that_its_prompt_mentions() -> None:
    shown = Storyboard.of(
        {
            "multi_prompt": [
                {"prompt": "@Image2 and @Element1"},
                {"prompt": "no mention"},
                {"prompt": "@Element1"},
            ],
            "input_image": [RED, BLUE],
            "elements": [{"frontal_image_url": RED, "reference_image_urls": [BLUE]}],
        },
        PHOTOS,
    )
    assert [shot.images for shot in shown.shots] == [(PHOTOS[BLUE],), (PHOTOS[RED], PHOTOS[BLUE]), ()]
    assert [len(shot.elements) for shot in shown.shots] == [1, 1, 1]
    assert [shot.first_frame for shot in shown.shots] == [0, 120, 240]


def test_a_request_with_elements_only_can_be_drawn(tmp_path: Path) -> None:
    elements = [{"frontal_image_url": RED, "reference_image_urls": [BLUE] * 3}] * 4
    assert len(decoded(made(tmp_path, prompt="@Element1", duration=3, elements=elements))) == 72


def test_a_long_prompt_is_cut_off_with_an_ellipsis_within_its_width() -> None:
    font, lines = typography.fit("lantern " * 300, width=600, lines=3, sizes=range(36, 23, -2))
    assert len(lines) == 3
    assert lines[-1].endswith("…")
    assert all(font.getlength(line) <= 600 for line in lines)


@pytest.mark.parametrize("text", ["W" * 400, "清晨的梯田上,一位老人赶着水牛慢慢走过", "a\n\tb", "🙂 smile", ""])
def test_any_text_fits_its_width(text: str) -> None:
    font, lines = typography.fit(text or "…", width=500, lines=6, sizes=range(36, 23, -2))
    assert lines
    assert all(font.getlength(line) <= 500 for line in lines)


def test_an_image_has_the_requested_shape(tmp_path: Path) -> None:
    animatic.write_image(tmp_path / "a.png", {"prompt": "a teapot", "aspect_ratio": "1:1"}, {})
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (960, 960)


def test_transparent_and_rotated_images_become_opaque_and_upright() -> None:
    image = Image.new("RGBA", (400, 300), (255, 0, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    out = BytesIO()
    image.save(out, "PNG", exif=exif)
    upright = inputs.decode_image(out.getvalue(), "x")
    assert (upright.mode, upright.size) == ("RGB", (300, 400))


def _folders(home: Path, count: int) -> list[Path]:
    folders = [home / str(number) for number in range(count)]
    for folder in folders:
        folder.mkdir()
    return folders


# The number of samples beyond whole blocks of 1024 repeats after eight seconds.
@pytest.mark.parametrize("seconds", [*range(3, 11), 15])
def test_sound_can_be_muxed_at_every_length(tmp_path: Path, seconds: int) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=sound.RATE, layout="stereo")
        for piece in sound.frames_of(b"0" * 32, seconds, [1.0]):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    with av.open(str(tmp_path / "a.mp4")) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples / sound.RATE == pytest.approx(seconds, abs=0.05)


def test_an_edit_has_the_length_shape_and_order_of_its_source(tmp_path: Path) -> None:
    whole = {
        "prompt": "a",
        "multi_prompt": [{"prompt": "@Image1", "duration": 2}, {"prompt": "@Image2", "duration": 1}],
    }
    source = made(tmp_path, input_image=[RED, BLUE], aspect_ratio="9:16", **whole)
    edited, out = inputs.read_video(source), tmp_path / "edit.mp4"

    animatic.write_video(out, {"prompt": "at night", "input_video": "https://x/a.mp4"}, {}, size="180p", edited=edited)

    found, original = decoded(out), decoded(source)
    assert (len(found), found[0].size) == (len(original), original[0].size) == (72, (180, 320))
    middles = [ImageStat.Stat(found[at]).mean for at in (12, 36, 64)]
    assert [red > blue for red, _, blue in middles] == [True, True, False]


@pytest.mark.parametrize("data", [b"", b"not a video", image_bytes()], ids=["empty", "text", "image"])
def test_a_source_that_is_not_a_video_is_rejected(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(data)
    with pytest.raises(inputs.InputError, match="The input video cannot be read"):
        inputs.read_video(tmp_path / "a.mp4")
