"""Each built-in scorer on clips with known scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from support.clips import FPS, SIZE, frozen, grey, pan, texture, tone, write_clip

from kling_nb.errors import KlingError, NotApplicable
from kling_nb.scoring.footage import Footage, ReferenceImage, RequestInfo
from kling_nb.scoring.measure import Measure
from kling_nb.scoring.registry import scorers


@pytest.fixture
def score(tmp_path: Path) -> Any:
    """Score frames and sound: `score("motion", frames, sound, multi_prompt=[...])`."""

    def measure(name: str, frames: list[Any], sound: Any = None, *, images: Any = (), **request: Any) -> Measure:
        clip = write_clip(tmp_path / "clip.mp4", frames, sound)
        scorer = scorers[name]
        return scorer.function(Footage(clip, RequestInfo(request, tuple(images)) if scorer.request else None))

    return measure


@pytest.mark.parametrize("pixels", [1, 3])
def test_motion_is_the_speed_of_a_pan(score: Any, pixels: int) -> None:
    assert score("motion", pan(1, pixels)).value == pytest.approx(100 * pixels / SIZE[0] * FPS, rel=0.12)


def test_a_frozen_clip_and_a_cut_have_no_motion(score: Any) -> None:
    assert score("motion", frozen(1, texture(1))).value < 0.5
    assert score("motion", frozen(1, texture(1)) + frozen(1, texture(2))).value < 0.5


def test_flicker_is_the_deviation_of_the_brightness_and_a_fade_has_none(score: Any) -> None:
    swing = [grey(128 + (13 if number % 2 else -13)) for number in range(24)]
    assert score("flicker", swing).value == pytest.approx(100 * 13 / 255, rel=0.1)
    assert score("flicker", [grey(60 + 4 * number) for number in range(24)]).value < 0.3
    assert score("flicker", frozen(1, grey(40)) + frozen(1, grey(200))).value < 0.3, "a cut is not flicker"


def test_a_blurred_clip_is_less_sharp_than_the_same_clip_in_focus(score: Any) -> None:
    sharp = texture(1)
    values = [score("sharpness", frozen(0.5, cv2.GaussianBlur(sharp, (0, 0), blur))).value for blur in (0.1, 2, 5)]
    assert values[0] > 3 * values[1] > 6 * values[2]


TWO_CUTS = [*pan(1, 1, seed=1), *pan(1, 1, seed=2), *pan(1, 1, seed=3)]


@pytest.mark.parametrize(
    ("lengths", "off"), [((1, 1, 1), 0), ((2, 1), 1), ((1, 2), 1), ((), 2), ((1, 1, 1, 5), 1)], ids=str
)
def test_cuts_are_compared_with_the_plan(score: Any, lengths: tuple[int, ...], off: int) -> None:
    shots = [{"prompt": "a", "duration": length} for length in lengths]
    found = score("cuts", TWO_CUTS, **({"multi_prompt": shots} if shots else {}))
    assert found.value == off
    assert found.note.endswith("found at 1.00, 2.00 s")


def test_fast_motion_and_flicker_are_not_cuts(score: Any) -> None:
    assert score("cuts", pan(2, 6)).value == 0
    assert score("cuts", [grey(100 + 20 * (number % 2)) for number in range(30)]).value == 0


def test_black_is_measured_in_seconds_and_a_dark_scene_is_not_black(score: Any) -> None:
    found = score("black", [*pan(0.75, 1), *frozen(0.5, grey(0)), *pan(0.75, 1)])
    assert found.value == pytest.approx(0.5, abs=0.02)
    assert found.note == "0.75 to 1.25 s"
    assert score("black", frozen(0.5, grey(40))).value == 0
    assert score("black", frozen(1 / FPS, grey(0)) + pan(0.5, 1)).value == 0, "one black frame is not a stretch"


def test_a_frozen_stretch_is_found_at_its_time(score: Any) -> None:
    moving = pan(0.75, 2)
    found = score("frozen", [*moving, *frozen(1, texture(9)), *pan(0.75, 2, seed=4)])
    assert found.value == pytest.approx(1, abs=0.05)
    assert found.note == "0.75 to 1.75 s"
    assert score("frozen", moving).value == 0
    assert score("frozen", frozen(1, texture(1))).value == pytest.approx(1, abs=0.01)


def test_loudness_of_the_test_tone_is_the_standard_value(score: Any) -> None:
    """EBU Tech 3341, case 1: a stereo sine of 1 kHz at -23 dBFS reads -23.0 LUFS."""
    images = frozen(0.2, grey(90))
    assert score("loudness", images, tone(2, -23)).value == pytest.approx(-23, abs=0.2)
    assert score("loudness", images, tone(2, -33)).value == pytest.approx(-33, abs=0.2)


def test_silence_is_the_part_without_the_tone(score: Any) -> None:
    sound = np.concatenate([tone(1, -20), tone(1, -np.inf), tone(0.5, -20)], axis=1)
    found = score("silence", frozen(0.2, grey(90)), sound)
    assert found.value == pytest.approx(1, abs=0.1)
    assert score("silence", frozen(0.2, grey(90)), tone(1, -20)).value == 0


@pytest.mark.parametrize("name", ["loudness", "silence"])
def test_sound_scorers_do_not_apply_to_a_clip_without_sound(score: Any, name: str) -> None:
    with pytest.raises(NotApplicable, match="no sound"):
        score(name, frozen(0.2, grey(90)))


@pytest.mark.parametrize("sound", [tone(1, -np.inf), tone(0.3, -20)], ids=["silent", "short"])
def test_a_silent_or_very_short_track_has_no_loudness(score: Any, sound: Any) -> None:
    with pytest.raises(NotApplicable, match="silent or shorter"):
        score("loudness", frozen(0.2, grey(90)), sound)


def test_likeness_is_high_for_a_reference_that_appears_in_the_clip(score: Any, tmp_path: Path) -> None:
    def saved(number: int) -> ReferenceImage:
        file = tmp_path / f"{number}.png"
        Image.fromarray(texture(number)).save(file)
        return ReferenceImage(f"input_image.{number}", file.name, file)

    frames = [*pan(0.5, 1, seed=1), *frozen(0.25, texture(7))]
    assert score("likeness", frames, images=[saved(7)]).value >= 0.9
    both = score("likeness", frames, images=[saved(7), saved(8)])
    assert both.value == both.parts["input_image.8"] < 0.6 < both.parts["input_image.7"]
    assert "the lowest of 2: 8.png" in both.note
    with pytest.raises(NotApplicable, match="no reference"):
        score("likeness", frames)


def test_every_built_in_scorer_documents_its_range_source_and_limits() -> None:
    built_in = [scorer for scorer in scorers.values() if scorer.built_in]
    assert {scorer.name for scorer in built_in} == {
        *("motion", "flicker", "sharpness", "cuts", "black", "frozen", "loudness", "silence", "likeness")
    }
    for scorer in built_in:
        docs = " ".join((scorer.function.__doc__ or "").split())
        assert "Range: " in docs, scorer.name
        assert "Source: " in docs, scorer.name
        assert " not " in docs or "only" in docs, scorer.name


def test_frames_are_decoded_once_for_all_scorers_and_never_enlarged(tmp_path: Path) -> None:
    clip = Footage(write_clip(tmp_path / "clip.mp4", pan(0.5, 1)))
    first = list(clip.frames())
    assert [frame.rgb.shape for frame in first] == [(SIZE[1], SIZE[0], 3)] * 12
    assert [round(frame.at * FPS) for frame in clip.frames(64, every=5)] == [0, 5, 10]
    assert next(clip.frames(64)).rgb.shape == (38, 64, 3)
    clip.path.unlink()
    again = list(clip.frames(every=3))
    assert [(one.at, one.rgb.tobytes()) for one in again] == [(one.at, one.rgb.tobytes()) for one in first[::3]]
    assert len(clip.grey()) == len(clip.times()) == 12
    assert len(clip.details()) == 2


def test_the_request_is_closed_to_a_scorer_without_request_true(tmp_path: Path) -> None:
    with pytest.raises(KlingError, match="request=True"):
        _ = Footage(tmp_path / "clip.mp4").planned_cuts
