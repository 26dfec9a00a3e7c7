"""The rules that span fields: at each limit, on both sides of it."""

from __future__ import annotations

from typing import Any

import pytest

from kling_nb.models.mentions import mentionable
from kling_nb.models.problem import Problem
from kling_nb.models.request import OMNI, TARGET
from kling_nb.models.rules import OMNI as OMNI_RULES
from kling_nb.models.rules import (
    REFERENCE_TO_VIDEO,
    check_rules,
    edits_video,
    references_of,
    seconds_of,
)

VIDEO = "https://example.org/a.mp4"
FACE = "https://example.org/face.png"


def problems(draft: dict[str, Any], **skip: Any) -> list[tuple[str, str]]:
    """The field and the severity of each problem, except for those of mentions."""
    rules = OMNI_RULES if draft.get("model") == OMNI else REFERENCE_TO_VIDEO
    found: list[Problem] = check_rules(rules, {"prompt": "a", **draft}, **skip)
    return [(problem.field, problem.severity) for problem in found if "mention" not in problem.message]


def images(count: int, elements: int = 0, **fields: Any) -> dict[str, Any]:
    views = [{"frontal_image_url": FACE, "reference_image_urls": [FACE]}] * elements
    return {"input_image": [FACE] * count, "elements": views, **fields}


def shots(*seconds: int, **fields: Any) -> dict[str, Any]:
    return {"prompt": None, "multi_prompt": [{"prompt": "a", "duration": length} for length in seconds], **fields}


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        # the length of the prompt
        ({"prompt": "x" * 512}, []),
        ({"prompt": "x" * 513}, [("prompt", "warning")]),
        ({"prompt": "x" * 2500}, [("prompt", "warning")]),
        ({"prompt": "x" * 2501}, []),  # an error of the field itself
        # the number of references
        (images(4), []),
        (images(5), [("input_image", "warning")]),
        (images(7), [("input_image", "warning")]),
        (images(8), [("input_image", "error")]),
        (images(2, 2), []),
        (images(2, 3), [("elements", "warning")]),
        (images(3, 2), [("input_image", "warning")]),
        (images(4, 4), [("input_image", "error")]),
        (images(3, 5), [("elements", "error")]),
        (images(4, model=OMNI, input_video=VIDEO), []),
        (images(5, model=OMNI, input_video=VIDEO), [("input_image", "error")]),
        (images(7, model=OMNI), []),
        (images(8, model=OMNI), [("input_image", "error")]),
        # the length of the shots
        (shots(2), [("multi_prompt", "error")]),
        (shots(3), []),
        (shots(1, 1, 1), []),
        (shots(8, 7), []),
        (shots(8, 8), [("multi_prompt", "error")]),
        # a prompt or shots
        ({"prompt": ""}, [("prompt", "error")]),
        ({"prompt": " \n"}, [("prompt", "error")]),
        ({"prompt": "", "model": OMNI}, [("prompt", "error")]),
        ({"prompt": "", "multi_prompt": []}, [("prompt", "error")]),
        (shots(5, prompt="a"), [("multi_prompt", "error")]),
        (shots(5, prompt=" "), []),
        ({"prompt": None, "multi_prompt": [{"prompt": " "}]}, [("multi_prompt.0.prompt", "error")]),
        ({"prompt": None, "multi_prompt": [{"prompt": "a"}, {}]}, [("multi_prompt.1.prompt", "error")]),
        # durations that are not used
        (shots(5, duration=5), []),
        (shots(5, duration=6), [("duration", "warning")]),
        ({"duration": 6}, []),
        ({"model": OMNI, "input_video": VIDEO, "duration": 5}, []),
        ({"model": OMNI, "input_video": VIDEO, "duration": 6}, [("duration", "warning")]),
        ({"model": OMNI, "input_video": VIDEO, "video_mode": "reference", "duration": 6}, []),
        ({"model": OMNI, "duration": 6}, []),
        # frames
        ({"tail_image_url": FACE}, [("tail_image_url", "error")]),
        ({"tail_image_url": FACE, "start_image_url": FACE}, []),
        ({"start_image_url": FACE}, []),
        ({"start_image_url": FACE, "aspect_ratio": "16:9"}, []),
        ({"start_image_url": FACE, "aspect_ratio": "1:1"}, [("aspect_ratio", "warning")]),
        ({"aspect_ratio": "1:1"}, []),
        # elements
        ({"elements": [{"frontal_image_url": FACE}]}, [("elements.0.reference_image_urls", "warning")]),
        ({"elements": [{"reference_image_urls": []}]}, [("elements.0.reference_image_urls", "warning")]),
        ({"elements": [{"reference_image_urls": [FACE]}]}, []),
        # videos
        ({"model": OMNI, "input_video": VIDEO, "generate_audio": True}, [("generate_audio", "error")]),
        ({"model": OMNI, "input_video": VIDEO, "generate_audio": False}, []),
        ({"model": OMNI, "generate_audio": True}, []),
        ({"model": OMNI, "video_mode": "reference"}, [("video_mode", "warning")]),
        ({"model": OMNI, "video_mode": "edit"}, []),
        ({"model": OMNI, "video_mode": "reference", "input_video": VIDEO}, []),
        # the ID of a record
        ({"prompt": " 20261127-112847-dde8ca-0 "}, [("prompt", "error")]),
        ({"prompt": "20261127-112847-dde8ca-0 again"}, []),
    ],
)
def test_each_limit_holds_on_both_sides(draft: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert problems({"model": TARGET, **draft}) == expected


def test_a_rule_about_a_field_with_an_error_is_skipped() -> None:
    draft = {"model": TARGET, "tail_image_url": FACE, "prompt": "x" * 600}
    assert problems(draft) == [("tail_image_url", "error"), ("prompt", "warning")]
    assert problems(draft, skip={"tail_image_url"}) == [("prompt", "warning")]
    assert problems(draft, skip={"prompt"}) == [("tail_image_url", "error")]


@pytest.mark.parametrize(
    ("draft", "seconds"),
    [({}, 5), ({"duration": 7}, 7), (shots(3, 4, duration=9), 7), ({"multi_prompt": [{"prompt": "a"}] * 2}, 10)],
)
def test_the_length_is_that_of_the_shots_or_the_duration(draft: dict[str, Any], seconds: int) -> None:
    assert seconds_of(draft) == seconds


def test_images_and_elements_are_references() -> None:
    assert (references_of({}), references_of(images(2, 3))) == (0, 5)


@pytest.mark.parametrize(
    ("draft", "edits"),
    [
        ({}, False),
        ({"video_mode": "edit"}, False),
        ({"input_video": VIDEO}, True),
        ({"input_video": VIDEO, "video_mode": "edit"}, True),
        ({"input_video": VIDEO, "video_mode": "reference"}, False),
    ],
)
def test_a_video_is_edited_by_default(draft: dict[str, Any], edits: bool) -> None:
    assert edits_video(draft) is edits


def test_references_can_be_mentioned_by_number() -> None:
    assert mentionable({**images(2, 1), "input_video": VIDEO}) == {
        "Image1": ("input_image", 0),
        "Image2": ("input_image", 1),
        "Element1": ("elements", 0),
        "Video1": ("input_video",),
    }
    assert mentionable({"input_image": "a.png"}) == {"Image1": ("input_image",)}
    assert mentionable({"input_image": 5, "elements": "no list", "video": True, "audio": {}}) == {}
