"""Common mistakes of notebooks work, or get one line that says what to write."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import kling_nb as kn
from kling_nb import errors
from kling_nb.models.request import OMNI
from kling_nb.studio import Studio
from tests.support.images import jpeg


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    file = tmp_path / "a.jpg"
    file.write_bytes(jpeg((640, 360)))
    return file


def test_one_reference_image_needs_no_list(studio: Studio, picture: Path) -> None:
    one = kn.ReferenceToVideo(prompt="@Image1 waves", input_image=picture)
    assert one == kn.ReferenceToVideo(prompt="@Image1 waves", input_image=[picture])
    element = kn.Element(frontal_image_url=picture, reference_image_urls=picture)
    assert len(element.reference_image_urls) == 1
    assert not studio.lint("@Image1 waves", input_image=str(picture))
    assert studio.lint("@Image1 waves", input_image=picture.read_bytes(), duration=99)[0].field == "duration"


@pytest.mark.parametrize("wrong", [5, {"a.jpg"}, {"a": "b"}, "missing.jpg"], ids=str)
def test_what_is_not_an_image_is_an_error_at_its_field(studio: Studio, wrong: object) -> None:
    problems = studio.lint("a boat", input_image=wrong)  # type: ignore[arg-type]
    assert [problem.path[0] for problem in problems if problem.severity == "error"] == ["input_image"]


def test_a_second_value_without_a_name_says_how_to_name_it() -> None:
    with pytest.raises(errors.ArgumentTypeError, match=r"'b\.jpg'.*input_image="):
        kn.generate("a boat", "b.jpg")  # type: ignore[call-overload]
    with pytest.raises(errors.ArgumentTypeError, match="day="):
        kn.spending("day", "day=")  # type: ignore[call-arg]


def test_a_misspelt_argument_has_a_hint() -> None:
    with pytest.raises(errors.ArgumentTypeError, match="Did you mean source"):
        kn.panel(sorce="a boat")  # type: ignore[call-arg]


def test_a_plan_is_not_taken_apart(studio: Studio) -> None:
    plan = studio.sweep("a boat", duration=[3, 5])
    with pytest.raises(errors.ArgumentTypeError, match=r"kn\.compare\(plan\)"):
        studio.compare(*plan)


def test_a_job_says_how_to_get_its_clip(studio: Studio) -> None:
    job = studio.generate("a boat", duration=3)
    for name in ("path", "frame", "width"):
        with pytest.raises(AttributeError, match=rf"job\.result\(\)\.{name}"):
            getattr(job, name)
    assert not hasattr(job, "no_such_name")
    with pytest.raises(ValueError, match=r"job\.result\(\)"):
        asyncio.run(job)  # type: ignore[arg-type]
    job.result(60)


def test_a_misspelt_model_has_the_nearest_one(studio: Studio) -> None:
    with pytest.raises(errors.ModelNotFound, match=f"Did you mean '{OMNI}'"):
        studio.generate("a boat", model="kling-video-o3-omin")
    (problem, *_) = studio.lint("a boat", model="kling-vidoe-o3-omni")
    assert OMNI in problem.remedy
