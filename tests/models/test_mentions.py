"""Mentions of references in prompts."""

from __future__ import annotations

import pytest
from support.texts import assert_texts

from kling_nb.models.lint import lint
from kling_nb.models.request import OMNI

from .drafts import FACE

VIEWS = {"frontal_image_url": FACE, "reference_image_urls": [FACE]}


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
def test_a_mention_is_found_next_to_any_character(prompt: str) -> None:
    assert lint({"prompt": prompt, "input_image": [FACE]}) == []


@pytest.mark.parametrize("prompt", ["write to me@example.org", "a @ b", "100 % @", "@@"])
def test_text_that_only_resembles_a_mention_is_not_one(prompt: str) -> None:
    assert lint({"prompt": prompt}) == []


UNKNOWN = ["@Image2", "@Element1", "@Video1", "@image1", "@Imag1", "@Image01", "@someone"]


@pytest.mark.parametrize("prompt", UNKNOWN)
def test_an_unknown_mention_is_a_warning(prompt: str) -> None:
    [problem] = lint({"prompt": f"{prompt} @Image1", "input_image": [FACE]})
    assert (problem.path, problem.severity) == (("prompt",), "warning")
    assert prompt in problem.message


def test_the_texts_of_mentions() -> None:
    found = [lint({"prompt": f"{prompt} @Image1", "input_image": [FACE]}) for prompt in UNKNOWN]
    found.append(lint({"prompt": "@Image3 @Image1 @Image2", "input_image": [FACE] * 2}))
    assert_texts("mentions", [str(problem) for problems in found for problem in problems])


def test_a_reference_that_no_prompt_mentions_is_a_warning() -> None:
    found = lint({"prompt": "@Image2", "input_image": [FACE, FACE], "elements": [VIEWS]})
    assert [problem.field for problem in found] == ["input_image.0", "elements.0"]
    assert "@Image1" in found[0].message


def test_a_video_must_be_mentioned_as_a_reference_but_not_to_be_edited() -> None:
    video = {"model": OMNI, "prompt": "make it night", "input_video": "https://example.org/a.mp4"}
    assert lint(video) == lint({**video, "video_mode": "edit"}) == []
    assert [problem.field for problem in lint({**video, "video_mode": "reference"})] == ["input_video"]


def test_a_wrong_case_is_one_warning() -> None:
    [problem] = lint({"prompt": "@image1 turns", "input_image": [FACE]})
    assert problem.fix and problem.fix.changes == {"prompt": "@Image1 turns"}


def test_a_mention_in_any_shot_counts() -> None:
    shots = [{"prompt": "@Image1"}, {"prompt": "@Image2"}]
    assert lint({"multi_prompt": shots, "input_image": [FACE, FACE]}) == []


def test_an_unknown_mention_in_a_shot_is_at_that_shot() -> None:
    [problem] = lint({"multi_prompt": [{"prompt": "a"}, {"prompt": "@Image1"}]})
    assert problem.path == ("multi_prompt", 1, "prompt")


VIDEO = "https://example.org/a.mp4"


@pytest.mark.parametrize(
    ("fields", "prompt"),
    [
        ({"input_images": [FACE, FACE]}, "@Image1 and @Image2"),
        ({"input_image": FACE}, "@Image1"),
        ({"image_urls": [FACE]}, "@Image1"),
        ({"reference_images": [FACE]}, "@Image1"),
        ({"input_videos": [VIDEO, VIDEO]}, "@Video1 then @Video2"),
        ({"input_video": VIDEO}, "@Video1"),
        ({"video_url": VIDEO}, "@Video1"),
        ({"input_audios": [VIDEO]}, "@Audio1"),
        ({"audio_url": VIDEO, "image": FACE}, "@Audio1 speaks, @Image1 listens"),
    ],
)
def test_the_files_of_any_model_can_be_mentioned_and_need_not_be(fields: dict[str, object], prompt: str) -> None:
    model = {"model": "seedance-fast", **fields}
    assert lint({**model, "prompt": prompt}) == []
    assert lint({**model, "prompt": "a cat"}) == []


@pytest.mark.parametrize("prompt", ["@Image2", "@Video2", "@Audio1", "@Element1"])
def test_a_mention_beyond_the_files_is_a_warning(prompt: str) -> None:
    model = {"model": "seedance-fast", "input_images": [FACE], "input_video": VIDEO, "mask_image": FACE}
    assert [problem.path for problem in lint({**model, "prompt": prompt})] == [("prompt",)]
