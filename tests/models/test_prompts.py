"""Prompts as people write and paste them: the mentions that are recognised, the warnings, and the fixes."""

from __future__ import annotations

import time
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.texts import assert_texts

from kling_nb.models.lint import lint
from kling_nb.models.problem import Problem
from kling_nb.models.prompts import is_blank, latest_time, mentions_in, speech_in, without_no
from kling_nb.models.request import OMNI, TARGET
from kling_nb.models.storyboard.board import read_storyboard

from .drafts import FACE

VIEWS = {"frontal_image_url": FACE, "reference_image_urls": [FACE]}
REFERENCES = {"input_image": [FACE, FACE], "elements": [VIEWS]}


def at(problems: list[Problem], *path: str | int) -> list[Problem]:
    return [problem for problem in problems if problem.path == path]


def after_fix(fields: dict[str, Any], problem: Problem) -> dict[str, Any]:
    assert problem.fix
    return {**fields, **problem.fix.changes}


SPELLINGS = {
    "<<<image_1>>>": "@Image1",
    "<<<element_1>>>": "@Element1",
    "<<< Image 2 >>>": "@Image2",
    "@image_1": "@Image1",
    "@element_1": "@Element1",
    "＠Image1": "@Image1",
    "﹫Image1": "@Image1",
    "@Image１": "@Image1",
    "@Image 1": "@Image1",
    "@image1": "@Image1",
    "@IMAGE1": "@Image1",
    "@image-1": "@Image1",
    "@img2": "@Image2",
    "@Image01": "@Image1",
    "[Image1]": "@Image1",
    "[@Image1]": "@Image1",
    "{{image2}}": "@Image2",
}


@pytest.mark.parametrize("written", SPELLINGS)
@pytest.mark.parametrize("text", ["{} runs to @Image1, @Image2 and @Element1.", "让{}转身 @Image1 @Image2 @Element1"])
def test_another_spelling_is_recognised_and_a_rewrite_is_offered(written: str, text: str) -> None:
    fields = {"prompt": text.format(written), **REFERENCES}
    [problem] = lint(fields)
    assert (problem.path, problem.severity) == (("prompt",), "warning")
    assert written in problem.message and SPELLINGS[written] in problem.remedy
    fixed = after_fix(fields, problem)
    assert fixed["prompt"] == text.format(SPELLINGS[written])
    assert lint(fixed) == []


def test_one_warning_and_one_fix_cover_every_spelling_in_a_prompt() -> None:
    fields = {"prompt": "<<<image_1>>> meets ＠Image2 and @element_1", **REFERENCES}
    [problem] = lint(fields)
    assert after_fix(fields, problem)["prompt"] == "@Image1 meets @Image2 and @Element1"


def test_the_fix_of_a_shot_changes_that_shot() -> None:
    fields = {"multi_prompt": [{"prompt": "a"}, {"prompt": "<<<image_1>>> waves"}], "input_image": [FACE]}
    [problem] = lint(fields)
    assert problem.path == ("multi_prompt", 1, "prompt")
    fixed = after_fix(fields, problem)
    assert [shot["prompt"] for shot in fixed["multi_prompt"]] == ["a", "@Image1 waves"]
    assert lint(fixed) == []


@pytest.mark.parametrize("written", ["<<<image_3>>>", "@image_3", "＠Image3", "@Image 3"])
def test_another_spelling_of_a_missing_reference_is_named(written: str) -> None:
    [problem] = lint({"prompt": f"{written} @Image1 @Image2", "input_image": [FACE, FACE]})
    assert written in problem.message and problem.fix is None


@pytest.mark.parametrize(
    "prompt", ["@Image1@Image2@Element1", "a@Image1 b@Image2 c@Element1", "@Image1,@Image2;@Element1"]
)
def test_mentions_stuck_to_letters_and_to_each_other_are_mentions(prompt: str) -> None:
    assert lint({"prompt": prompt, **REFERENCES}) == []


@pytest.mark.parametrize("prompt", ["@Image1runs", "a@Image1runs", "@Image1_runs"])
def test_a_mention_followed_by_letters_is_named_and_can_be_split(prompt: str) -> None:
    fields = {"prompt": prompt, "input_image": [FACE]}
    [problem] = lint(fields)
    fixed = after_fix(fields, problem)
    assert "@Image1 " in fixed["prompt"]
    assert lint(fixed) == []


@given(st.text(st.sampled_from("@＠<>[]{}_ -imageIMGelntvdo123.a\n"), max_size=30))
def test_every_rewrite_reads_back_as_the_same_references(prompt: str) -> None:
    fields = {"prompt": prompt, **REFERENCES}
    found = [problem for problem in at(lint(fields), "prompt") if problem.fix]
    if found:
        before = {mention.name for mention in mentions_in(prompt)} & {"Image1", "Image2", "Element1"}
        after = {mention.name for mention in mentions_in(after_fix(fields, found[0])["prompt"]) if mention.exact}
        assert before <= after


SPOKEN = [
    'He says "I am home."',
    "She whispers: “come here”",
    "男人说：“你好”",
    "彼は「こんにちは」と言う。 He says 「こんにちは」",
    '"Hello!" he shouts',
    'The man: "Where are you?"',
    "She says «bonjour»",
    "He whispers 'come with me' softly",
    'He looks at the screen and says "no"',
    'Narrator (voice-over): "It was a long night."',
]
WRITTEN = [
    'a neon sign that says "OPEN"',
    'a sign reading "NO EXIT TODAY HERE"',
    'a book titled "The long way home"',
    'a cafe called "Luna"',
    'Style: "film noir"',
    "the dog's tail isn't still",
    'a 12" record',
]


@pytest.mark.parametrize("prompt", SPOKEN)
def test_speech_without_audio_is_warned_of_before_it_is_paid(prompt: str) -> None:
    fields = {"prompt": prompt}
    [problem] = lint(fields)
    assert (problem.path, problem.severity) == (("prompt",), "warning")
    assert lint(after_fix(fields, problem)) == []
    assert lint({**fields, "generate_audio": True}) == []


@pytest.mark.parametrize("prompt", WRITTEN)
def test_text_to_be_seen_is_not_speech(prompt: str) -> None:
    assert speech_in(prompt) == []
    assert lint({"prompt": prompt}) == []


def test_speech_in_a_shot_is_warned_of_at_that_shot_and_an_edited_video_has_its_own_sound() -> None:
    [problem] = lint({"multi_prompt": [{"prompt": "a"}, {"prompt": 'He says "go home".'}]})
    assert problem.path == ("multi_prompt", 1, "prompt")
    video = {"model": OMNI, "prompt": 'He says "go home".', "input_video": "https://example.org/a.mp4"}
    assert lint(video) == []


@pytest.mark.parametrize("speech", ["GET OUT OF HERE", "NEVER", "WHERE AM I?"])
def test_speech_in_capitals_is_warned_of(speech: str) -> None:
    fields = {"prompt": f'He shouts "{speech}"', "generate_audio": True}
    [problem] = lint(fields)
    assert speech in problem.message
    assert lint(after_fix(fields, problem)) == []


@pytest.mark.parametrize("speech", ["NASA calls", "Get out", "OK", "I am", "你好"])
def test_other_speech_may_have_capitals(speech: str) -> None:
    assert lint({"prompt": f'He shouts "{speech}"', "generate_audio": True}) == []


LISTS = {
    "Shot 1: a cat. Shot 2: a dog.": [3, 3],
    "Shot 1 (3s): a cat; Shot 2 (4s): a dog": [3, 4],
    "Scene 1 - a cat. Scene 2 - a dog": [3, 3],
    "**Shot 1:** a cat\n**Shot 2:** a dog": [3, 3],
    "[0-3s] a cat [3-7s] a dog": [3, 4],
    "(0s-2s) a cat (2s-5s) a dog": [2, 3],
    "0:00-0:03 a cat\n0:03 – 0:08 a dog": [3, 5],
    "0-3 seconds: a cat, 3-5 seconds: a dog": [3, 2],
    "Shot 1 (0-3s): a cat Shot 2 (3-6s): a dog": [3, 3],
    "1. a cat\n2. a dog\n3. a cow": [3, 3, 3],
    "镜头1：a cat 镜头2：a dog": [3, 3],
    "0-3秒：a cat，3-5秒：a dog": [3, 2],
    "[0-8s] a cat [8-20s] a dog": [6, 9],
}


@pytest.mark.parametrize("prompt", LISTS)
def test_a_list_of_shots_in_a_prompt_is_warned_of_and_becomes_a_storyboard(prompt: str) -> None:
    fields = {"prompt": prompt}
    problem = next(problem for problem in lint(fields) if problem.fix)
    fixed = after_fix(fields, problem)
    assert [shot["duration"] for shot in fixed["multi_prompt"]] == LISTS[prompt]
    assert "a cat" in fixed["multi_prompt"][0]["prompt"] and "a dog" in fixed["multi_prompt"][1]["prompt"]
    assert not any(mark in fixed["multi_prompt"][0]["prompt"] for mark in ("Shot", "镜头", "0-3", "0:00", "*"))
    assert lint(fixed) == []


def test_the_shots_of_a_prompt_are_those_of_the_storyboard() -> None:
    prompt = "Film noir.\nAspect ratio: 9:16\nShot 1: a cat\nShot 2 (4s): a dog"
    [problem] = [problem for problem in lint({"prompt": prompt}) if problem.fix]
    fixed = after_fix({"prompt": prompt}, problem)
    read = read_storyboard(prompt).fields
    assert read["aspect_ratio"] == "9:16"
    assert {name: fixed[name] for name in read} == read


@pytest.mark.parametrize(
    "prompt",
    [
        "5-10 people and 2-3 cats",
        "a close-up shot of 3 cats",
        "He waits 2-3 s",
        "Shot 1: only one",
        "Scene 2: first, Scene 1: second",
        "ISO 100-200, f/2-4",
        "A street at night. Cut to a face.",
    ],
)
def test_other_numbers_are_not_a_list_of_shots(prompt: str) -> None:
    assert not any("shots" in problem.message for problem in lint({"prompt": prompt}))


def test_a_shot_that_is_too_long_is_warned_of_without_a_fix() -> None:
    long = f"Shot 1: {'a' * 600}\nShot 2: b"
    assert [problem.fix for problem in at(lint({"prompt": long}), "prompt") if "shots" in problem.message] == [None]
    assert lint({"model": OMNI, "prompt": "Shot 1: a cat. Shot 2: a dog."}) == []  # it has no storyboard


TIMES = {
    "at 8s he jumps": 8,
    "for 8 seconds": 8,
    "0:08 he jumps": 8,
    "after 12 sec": 12,
    "from 3s to 9s": 9,
    "he waits 10 seconds": 10,
    "第8秒他跳": 8,
    "[0-3s] a [3-6.5s] b": 6.5,
    "in the 80s": 0,
    "at 7:30 pm": 0,
    "a 1950s car, 8K, 24fps": 0,
    "a 30-second timer": 0,
    "60 second-hand books": 0,
}


@pytest.mark.parametrize("prompt", TIMES)
def test_times_in_a_prompt(prompt: str) -> None:
    assert latest_time(prompt) == TIMES[prompt]


def test_a_time_after_the_end_is_warned_of() -> None:
    assert [problem.path for problem in lint({"prompt": "at 8s he jumps"})] == [("prompt",)]
    assert lint({"prompt": "at 8s he jumps", "duration": 8}) == []
    late = {"multi_prompt": [{"prompt": "at 2s he jumps", "duration": 3}, {"prompt": "at 4s he jumps", "duration": 3}]}
    assert [problem.path for problem in lint(late)] == [("multi_prompt", 1, "prompt")]
    edit = {"model": OMNI, "prompt": "at 8s he jumps", "input_video": "https://example.org/a.mp4"}
    assert lint(edit) == []  # the clip is as long as the video


NEGATIVES = {
    "no blur, no text": "blur, text",
    "without people; not dark": "people; dark",
    "don't show hands, nose": "hands, nose",
    "不要模糊，无文字": "模糊，文字",
    "No\nno blur": "\nblur",
}


@pytest.mark.parametrize("negative", NEGATIVES)
def test_no_in_a_negative_prompt_is_warned_of(negative: str) -> None:
    assert without_no(negative) == NEGATIVES[negative]
    fields = {"model": "kling-video-v2-6-pro-text-to-video", "prompt": "a cat", "negative_prompt": negative}
    [problem] = at(lint(fields), "negative_prompt")
    assert at(lint(after_fix(fields, problem)), "negative_prompt") == []


@pytest.mark.parametrize("negative", ["blur, text", "notes, noise, nothing", "a knot"])
def test_a_plain_negative_prompt_is_not_warned_of(negative: str) -> None:
    fields = {"model": "kling-video-v2-6-pro-text-to-video", "prompt": "a cat", "negative_prompt": negative}
    assert lint(fields) == []


@pytest.mark.parametrize("model", [TARGET, "kling-video-o3-pro-text-to-video"])
def test_a_negative_prompt_on_an_o3_model_is_warned_of(model: str) -> None:
    [problem] = lint({"model": model, "prompt": "a cat", "negative_prompt": "blur"})
    assert (problem.path, problem.severity) == (("negative_prompt",), "warning")


CONTROLS = [chr(code) for code in range(0xA0) if unicodedata.category(chr(code)) == "Cc" and chr(code) not in "\t\n\r"]


@pytest.mark.parametrize("model", [TARGET, OMNI, "kling-video-v2-6-pro-text-to-video"])
@pytest.mark.parametrize("letter", CONTROLS)
def test_a_control_character_is_refused_at_its_field_and_can_be_removed(letter: str, model: str) -> None:
    fields: dict[str, Any] = {"model": model, "prompt": f"a{letter}cat"}
    [problem] = lint(fields)
    assert (problem.path, problem.severity) == (("prompt",), "error")
    assert f"U+{ord(letter):04X}" in problem.message
    assert after_fix(fields, problem)["prompt"] == "acat"
    assert lint(after_fix(fields, problem)) == []


def test_a_control_character_in_a_shot_or_in_another_text_is_refused_too() -> None:
    [problem] = lint({"multi_prompt": [{"prompt": "a"}, {"prompt": "b\0"}]})
    assert (problem.path, problem.severity) == (("multi_prompt", 1, "prompt"), "error")
    assert [problem.severity for problem in at(lint({"prompt": "a", "negative_prompt": "b\0"}), "negative_prompt")] == [
        "error",
        "warning",
    ]


@pytest.mark.parametrize("model", [TARGET, OMNI])
@pytest.mark.parametrize(
    "prompt", ["\u200b", "\u2060\ufeff", "\u200d \u200c", "\u00ad", "\u3164", "\u2800", "\ufe0f", "\u202e\n"]
)
def test_characters_that_show_nothing_are_an_empty_prompt(prompt: str, model: str) -> None:
    [problem] = lint({"model": model, "prompt": prompt})
    assert (problem.path, problem.severity) == (("prompt",), "error")
    [shot] = lint({"multi_prompt": [{"prompt": "a"}, {"prompt": prompt}]})
    assert shot.path == ("multi_prompt", 1, "prompt")


@pytest.mark.parametrize("part", [" ", "\n", "1", '"a ', "[0 ", "0:00-", "shot 1", "@", "no, ", "\u200b", "<<<"])
def test_the_longest_prompt_is_read_immediately(part: str) -> None:
    began = time.process_time()
    lint({"prompt": "a" + part * 20_000, "negative_prompt": part * 20_000, "generate_audio": False})
    assert time.process_time() - began < 3


@given(st.text(st.characters(categories=["L", "N", "P"], exclude_characters="\u115f\u1160\u3164\uffa0"), min_size=1))
def test_letters_are_never_blank(text: str) -> None:
    assert not is_blank(text)


def test_emoji_with_joiners_are_text() -> None:
    assert lint({"prompt": "👩‍👩‍👧 \u200dwave"}) == []


def test_the_texts_of_warnings_about_prompts() -> None:
    fields = [
        {"prompt": "<<<image_1>>> and @image_2", "input_image": [FACE, FACE]},
        {"prompt": "@Image1runs", "input_image": [FACE]},
        {"prompt": SPOKEN[0]},
        {"prompt": 'He shouts "GET OUT"', "generate_audio": True},
        {"prompt": "[0-3s] a cat [3-7s] a dog"},
        {"prompt": "a", "negative_prompt": "no blur"},
        {"prompt": "a\0b"},
        {"multi_prompt": [{"prompt": "at 8 s he jumps"}]},
    ]
    found = [problem for each in fields for problem in lint(each)]
    assert_texts("prompt-warnings", [f"{problem} [{problem.fix.label if problem.fix else ''}]" for problem in found])
