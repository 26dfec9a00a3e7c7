"""An input video is checked before it is paid for: its length, size, rate, weight and kind."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hubside import HubSide
from PIL import Image
from support.images import image_file
from support.videos import video_file

from kling_nb.errors import LogError, RequestError
from kling_nb.models.asset import Asset
from kling_nb.models.canonical import hash_of
from kling_nb.models.lint import lint
from kling_nb.models.request import OMNI, Omni
from kling_nb.models.restore import request_of
from kling_nb.studio import Studio

EDIT, MOTION = "kling-video-o3-pro-video-to-video-edit", "kling-video-v3-pro-motion-control"
FRAME = "https://example.org/a.png"


def found(file: Path, **fields: Any) -> list[tuple[str, str]]:
    problems = lint({"model": OMNI, "prompt": "@Video1 at night", "input_video": file, **fields})
    return [(problem.severity, problem.remedy) for problem in problems if problem.field == "input_video"]


LENGTH, EDITED, SIDES, RATE = "3 to 10 s", "3 to 15 s", "720 to 2,160 px on each side", "24 to 60 frames per second"
VIDEOS: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    "4 s": ({}, [], []),
    "a little under 3 s": ({"seconds": 2.95, "fps": 60}, [], []),
    "2 s": ({"seconds": 2}, [LENGTH], [EDITED]),
    "10 s": ({"seconds": 10}, [], []),
    "11 s": ({"seconds": 11}, [LENGTH], []),
    "15 s": ({"seconds": 15}, [LENGTH], []),
    "16 s": ({"seconds": 16}, [LENGTH], [EDITED]),
    "portrait": ({"size": (720, 1280)}, [], []),
    "a phone's": ({"size": (1280, 720), "turned": 90}, [], []),
    "the largest": ({"size": (2160, 2160)}, [], []),
    "low": ({"size": (1280, 718)}, [SIDES], [SIDES]),
    "wide": ({"size": (2162, 1080)}, [SIDES], [SIDES]),
    "a film's rate": ({"fps": Fraction(24000, 1001)}, [], []),
    "60 fps": ({"fps": 60}, [], []),
    "20 fps": ({"fps": 20}, [RATE], [RATE]),
    "90 fps": ({"fps": 90}, [RATE], [RATE]),
    "one fault of each kind": (
        {"seconds": 1, "size": (640, 360), "fps": 10},
        [LENGTH, SIDES, RATE],
        [EDITED, SIDES, RATE],
    ),
}


@pytest.mark.parametrize(("options", "as_reference", "as_source"), VIDEOS.values(), ids=VIDEOS)
def test_a_video_outside_the_limits_is_an_error(
    tmp_path: Path, options: dict[str, Any], as_reference: list[str], as_source: list[str]
) -> None:
    file = video_file(tmp_path / "a.mp4", **options)
    assert found(file, video_mode="reference") == [("error", remedy) for remedy in as_reference]
    assert found(file) == found(file, model=EDIT) == [("error", remedy) for remedy in as_source]
    assert found(file, model=MOTION) == []


def test_the_kind_is_told_by_the_bytes(tmp_path: Path) -> None:
    assert found(video_file(tmp_path / "a.mov")) == []
    webm = video_file(tmp_path / "a.webm", codec="libvpx-vp9").rename(tmp_path / "b.mp4")
    assert found(webm) == [("error", "convert it to MP4")]


def test_a_video_of_more_than_200_mb_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = video_file(tmp_path / "a.mp4")
    monkeypatch.setattr("kling_nb.models.videos.MAX_BYTES", 2**20)
    with file.open("ab") as out:
        out.write(bytes(2**20))
    assert found(file) == [("error", "at most 1 MB")]


def test_the_facts_of_a_turned_video_are_upright(tmp_path: Path) -> None:
    for turned, size in ((90, (720, 1280)), (180, (1280, 720)), (270, (720, 1280))):
        facts = Asset.parse(video_file(tmp_path / "a.mp4", turned=turned), "video").video_facts
        assert facts and (facts.width, facts.height) == size


def test_a_video_with_uneven_times_has_its_length_and_mean_rate(tmp_path: Path) -> None:
    times = [at for at in range(144) if at % 3]  # every third frame is missing
    facts = Asset.parse(video_file(tmp_path / "a.mp4", fps=36, times=times), "video").video_facts
    assert facts and facts.seconds == pytest.approx(4, abs=0.1)
    assert facts.fps == pytest.approx(24, abs=0.5)


@pytest.mark.parametrize("name", ["start_image_url", "tail_image_url"])
def test_an_edit_takes_no_frames(name: str) -> None:
    fields = {
        "model": OMNI,
        "prompt": "a",
        "input_video": "https://example.org/a.mp4",
        "start_image_url": FRAME,
        name: FRAME,
    }
    problems = {problem.field: problem.severity for problem in lint(fields) if problem.severity == "error"}
    assert problems == dict.fromkeys(("start_image_url", name), "error")
    assert not [problem for problem in lint({**fields, "video_mode": "reference"}) if problem.severity == "error"]


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({}, True),
        ({"start_image_url": FRAME}, False),
        ({"start_image_url": FRAME, "tail_image_url": FRAME}, False),
        ({"start_image_url": FRAME, "input_image": [FRAME]}, True),
        ({"start_image_url": FRAME, "elements": [{"frontal_image_url": FRAME}]}, True),
        ({"input_image": [FRAME]}, True),
        ({"input_video": "https://example.org/a.mp4"}, False),
        ({"input_video": "https://example.org/a.mp4", "video_mode": "reference"}, True),
    ],
)
def test_omni_sends_a_shape_only_where_it_has_an_effect(fields: dict[str, Any], sent: bool) -> None:
    body = Omni(prompt="a", aspect_ratio="1:1", **fields).body(lambda asset: asset.identity)
    assert ("aspect_ratio" in body) is sent


def test_a_shape_that_an_edit_does_not_use_is_a_warning() -> None:
    fields = {"model": OMNI, "prompt": "a", "input_video": "https://example.org/a.mp4", "aspect_ratio": "9:16"}
    assert "aspect_ratio" in [problem.field for problem in lint(fields)]


def test_a_wrong_video_is_refused_before_anything_is_sent(studio: Studio, hub: HubSide, tmp_path: Path) -> None:
    for model in (OMNI, EDIT):
        with pytest.raises(RequestError) as caught:
            studio.generate("at night", model=model, input_video=video_file(tmp_path / "a.mp4", seconds=2))
        assert [problem.field for problem in caught.value.problems] == ["input_video"]
    assert (hub.posts, list(studio.log())) == (0, [])


def test_an_image_in_place_of_a_video_is_named() -> None:
    (problem, *_) = lint({"model": OMNI, "prompt": "a", "input_video": image_file()})
    assert (problem.field, "it is an image" in problem.message) == ("input_video", True)


def test_a_record_with_a_field_that_is_not_sent_any_more_can_be_repeated(studio: Studio, tmp_path: Path) -> None:
    job = studio.generate("a", model=OMNI, start_image_url=Image.new("RGB", (400, 400)))
    job.result(60)
    canonical = {**job.record.canonical, "aspect_ratio": "16:9"}
    older = job.record.model_copy(update={"canonical": canonical, "request_hash": hash_of(canonical)})
    assert request_of(older, studio.store.read) == job.record.request()
    with pytest.raises(LogError):
        request_of(older.model_copy(update={"canonical": {**canonical, "prompt": "b"}}), studio.store.read)
