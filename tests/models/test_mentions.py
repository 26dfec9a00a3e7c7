"""What a prompt calls its references."""

from __future__ import annotations

import pytest

from kling_nb.models.lint import lint
from kling_nb.models.request import OMNI

from .drafts import FACE

ANGLES = {"frontal_image_url": FACE, "reference_image_urls": [FACE]}


@pytest.mark.parametrize(
    "prompt",
    [
        "@Image1 turns",
        "Turn, @Image1!",
        "(@Image1)",
        "@Image1's hat",
        "让@Image1转身",
        "é@Image1",
        "@Image1-like",
    ],
)
def test_a_mention_is_found_whatever_stands_around_it(prompt: str) -> None:
    assert lint({"prompt": prompt, "input_image": [FACE]}) == []


@pytest.mark.parametrize("prompt", ["write to me@example.org", "a @ b", "100 % @", "@@"])
def test_what_only_looks_like_a_mention_is_left_alone(prompt: str) -> None:
    assert lint({"prompt": prompt}) == []


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("@Image2", "prompt: @Image2 is mentioned, but there is 1 picture – add the picture, or change the mention"),
        (
            "@Element1",
            "prompt: @Element1 is mentioned, but there are no elements – add the element, or change the mention",
        ),
        ("@Video1", "prompt: @Video1 is mentioned, but there are no videos – add the video, or change the mention"),
        ("@image1", "prompt: @image1 is no reference of this request – did you mean @Image1?"),
        ("@Imag1", "prompt: @Imag1 is no reference of this request – did you mean @Image1?"),
        ("@Image01", "prompt: @Image01 is mentioned, but there is 1 picture – add the picture, or change the mention"),
        ("@someone", "prompt: @someone is no reference of this request – it will be read as plain text"),
    ],
)
def test_a_mention_that_nothing_answers_to_is_told_why(prompt: str, said: str) -> None:
    found = lint({"prompt": f"{prompt} @Image1", "input_image": [FACE]})
    assert [str(problem) for problem in found] == [said]


def test_a_reference_that_no_prompt_mentions_is_told_of() -> None:
    found = lint({"prompt": "@Image2", "input_image": [FACE, FACE], "elements": [ANGLES]})
    assert [problem.field for problem in found] == ["input_image.0", "elements.0"]
    assert "@Image1" in found[0].message


def test_a_video_is_to_be_mentioned_where_it_is_a_reference_and_not_where_it_is_edited() -> None:
    video = {"model": OMNI, "prompt": "make it night", "input_video": "https://example.org/a.mp4"}
    assert lint(video) == lint({**video, "video_mode": "edit"}) == []
    assert [problem.field for problem in lint({**video, "video_mode": "reference"})] == ["input_video"]


def test_a_slip_of_case_is_said_once() -> None:
    [problem] = lint({"prompt": "@image1 turns", "input_image": [FACE]})
    assert problem.remedy == "did you mean @Image1?"


def test_a_mention_in_any_shot_counts() -> None:
    shots = [{"prompt": "@Image1"}, {"prompt": "@Image2"}]
    assert lint({"multi_prompt": shots, "input_image": [FACE, FACE]}) == []


def test_a_wrong_mention_in_a_shot_is_shown_at_that_shot() -> None:
    [problem] = lint({"multi_prompt": [{"prompt": "a"}, {"prompt": "@Image1"}]})
    assert problem.path == ("multi_prompt", 1, "prompt")
