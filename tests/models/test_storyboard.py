"""`kn.storyboard`: pasted texts of every kind become shots with seconds, speech and references, and no word is lost."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kling_nb.errors import ArgumentError, ArgumentTypeError
from kling_nb.models.lint import lint
from kling_nb.models.request import OMNI, TARGET
from kling_nb.models.specs import form_of, storyboard_limits
from kling_nb.models.storyboard.board import Limits, Reading, read_storyboard
from kling_nb.models.storyboard.times import allot
from kling_nb.studio import Studio

SCREENPLAY = """Title: Rain
Author: A. Writer

INT. KITCHEN - NIGHT

MARA (30s, tired) waits by the window. Rain on the glass.

MARA
(whispering)
It never stops.

JON (O.S.)
What doesn't?

CUT TO:

EXT. STREET - NIGHT

A dog crosses the empty road. It looks back.

FADE OUT.
"""

#: A text, the seconds of its shots, and the words that must be in each shot's prompt.
LISTS: dict[str, tuple[str, list[int], list[str]]] = {
    "screenplay": (SCREENPLAY, [3, 3], ['Mara says (whispering): "It never stops."', "A dog crosses"]),
    "screenplay, one scene": (
        "INT. OFFICE - DAY\n\nANNA, 40, types.\n\nShe stops.\n\nANNA\nDid you hear that?\n\nThe door opens.\n\n"
        "BEN\nOnly the wind.\n(beat)\nOr is it?\n",
        [3, 3, 3],
        ["Office", 'Anna says: "Did you hear that?"', 'Ben says: "Only the wind." A pause. Ben says: "Or is it?"'],
    ),
    "screenplay, numbered scenes": (
        "1. EXT. DESERT - DAY\nA rider.\n\n2. INT. TENT - NIGHT\nA lamp burns.",
        [3, 3],
        ["Exterior: Desert - Day. A rider", "Interior: Tent - Night. A lamp"],
    ),
    "scenes with headings": (
        "SCENE 1 - EXT. DESERT - DAY (4 seconds)\nA rider.\n\nSCENE 2 - INT. TENT - NIGHT (5 seconds)\nRIDER: We"
        " ride at dawn.\nOLD WOMAN (softly): You will not come back.",
        [4, 5],
        ["A rider", 'Old Woman says (softly): "You will not come back."'],
    ),
    "numbered": (
        "1. Wide shot of the harbour (3s)\n2. Close-up: @Image1 wakes. (2 sec)\n3. She runs, camera tracks left - 4s",
        [3, 2, 4],
        ["harbour", "@Image1", "camera tracks left"],
    ),
    "numbered with brackets": (
        "1) ECU – eye opens – 2s\n2) WS – skyline – 3s\n3) CU – phone – 1s",
        [2, 3, 1],
        ["eye", "skyline", "phone"],
    ),
    "numbered without times": (
        "Total duration: 12 seconds\n1. boat\n2. storm\n3. shore",
        [4, 4, 4],
        ["boat", "storm", "shore"],
    ),
    "duration at the end": ("1. boat\n2. storm\n\nDuration: 8s", [4, 4], ["boat", "storm"]),
    "labels": (
        "Style: 35mm film.\n\nShot 1 (3s): a cat\nShot 2, 4s, a dog\n**Shot 3** — 2 seconds — a cow",
        [3, 4, 2],
        ["35mm film. a cat", "35mm film. a dog", "35mm film. a cow"],
    ),
    "labels in one line": ("Shot 1: a cat. Shot 2: a dog.", [3, 3], ["a cat", "a dog"]),
    "labels as words": ("Shot one: bridge\nShot two: river\nShot three: sea", [3, 3, 3], ["bridge", "river", "sea"]),
    "first shot, second shot": ("First shot: a boat. Second shot: a storm.", [3, 3], ["a boat", "a storm"]),
    "labels in brackets": ("[Scene 1] A fox.\n[Scene 2] An owl.", [3, 3], ["A fox", "An owl"]),
    "scenes above shots": (
        "Scene 1: Kitchen.\nShot 1: Mara enters (3s)\nShot 2: She sits (2s)\nScene 2: Street.\nShot 1: A dog (4s)",
        [3, 2, 4],
        ["Kitchen. Mara enters", "She sits", "Street. A dog"],
    ),
    "columns of a list": (
        "Shot 1 | 0:00–0:04 | Wide | Drone over the bay\nShot 2 | 0:04–0:10 | Close | @Image1 smiles",
        [4, 6],
        ["Wide | Drone over the bay", "Close | @Image1 smiles"],
    ),
    "fields of each shot": (
        "**Shot 1 (0:00–0:05)**\nCamera: slow push in\nAction: the door opens\n\n"
        "**Shot 2 (0:05–0:09)**\nCamera: static\nDuration: 9s",
        [5, 4],
        ["Camera: slow push in. Action: the door opens", "Camera: static"],
    ),
    "ranges in one line": (
        "[0-3s] A cat sits. [3-7s] It jumps; [7-10s] it walks away.",
        [3, 4, 3],
        ["sits", "jumps", "walks away"],
    ),
    "ranges in lines": ("00:00 - 00:03 | The desert.\n00:03 - 00:05 | A lizard.", [3, 2], ["The desert", "A lizard"]),
    "ranges, written out": (
        "From 0 to 3 seconds: a kite. From 3 to 6 seconds: it loops.",
        [3, 3],
        ["a kite", "it loops"],
    ),
    "seconds before ranges": ("Second 0-2: coffee.\nSecond 2-5: steam.", [2, 3], ["coffee", "steam"]),
    "ranges in Markdown": ("- **0–3s:** Hands.\n- **3–6s:** Flour.", [3, 3], ["Hands", "Flour"]),
    "a gap": ("(0:00-0:02) A title\n(0:04-0:07) Black.", [2, 3], ["A title", "Black"]),
    "subtitles": (
        "1\n00:00:00,000 --> 00:00:02,500\nA boat.\n\n2\n00:00:02,500 --> 00:00:05,000\nIt returns.",
        [3, 2],
        ["A boat.", "It returns."],
    ),
    "start times": ("0:00 A man wakes.\n0:03 He looks out.\n0:06 Rain.", [3, 3, 3], ["wakes", "looks out", "Rain"]),
    "start times in brackets": ("[00:00] fox\n[00:04] owl", [4, 3], ["fox", "owl"]),
    "lengths": ("3s: wide shot of the sea\n4s: a gull", [3, 4], ["the sea", "a gull"]),
    "lengths in brackets": ("[3s] fox runs\n[2s] owl watches", [3, 2], ["fox runs", "owl watches"]),
    "bullets": ("- a cat wakes\n- it stretches\n- it leaves", [3, 3, 3], ["wakes", "stretches", "leaves"]),
    "cuts": (
        "A man opens the door. Cut to a close-up of his hand. Then cut to: the street.",
        [3, 3, 3],
        ["door", "hand", "street"],
    ),
    "a table in Markdown": (
        "| Shot | Duration | Description | Dialogue |\n|---|---|---|---|\n"
        "| 1 | 3s | A boat | Mara: Where are we? |\n| 2 | 4 | Mara | - |",
        [3, 4],
        ['A boat. Mara says: "Where are we?"', "Mara"],
    ),
    "a spreadsheet": (
        "Shot\tTime\tCamera\tAction\n1\t0-3s\tDolly in\tA man sits\n2\t3-7s\tStatic\tHe stands",
        [3, 4],
        ["Camera: Dolly in. A man sits", "He stands"],
    ),
    "CSV": ('shot,seconds,prompt\n1,3,"A boat, alone"\n2,2,A storm', [3, 2], ["A boat, alone", "A storm"]),
    "JSON": (
        '[{"index":1,"prompt":"a cat","duration":"3"},{"index":2,"prompt":"a dog","duration":"4"}]',
        [3, 4],
        ["a cat", "a dog"],
    ),
    "Chinese": ("镜头1（3s）：女人走进房间\n镜头2（4s）：她说：“你好，我回来了”", [3, 4], ["女人走进房间", "她说"]),
    "Chinese, time at the end": ("镜头一：雪山全景，3秒\n镜头二：女孩回头，5秒", [3, 5], ["雪山全景", "女孩回头"]),
    "Chinese ordinals": ("第1个镜头：雪山\n第2个镜头：女孩", [3, 3], ["雪山", "女孩"]),
}


@pytest.mark.parametrize("name", LISTS)
def test_each_kind_of_list_becomes_shots(name: str) -> None:
    text, seconds, words = LISTS[name]
    shots = read_storyboard(text).fields["multi_prompt"]
    assert [shot["duration"] for shot in shots] == seconds
    assert all(part in shot["prompt"] for shot, part in zip(shots, words, strict=True))


PROMPTS = {
    "A woman crosses a street in the rain, slow dolly in.": {},
    '[Agent, hoarse voice]: "Don\'t move, or I shoot." <<<image_1>>> raises both hands.': {"generate_audio": True},
    "5-10 people and 2-3 cats, ISO 100-200, f/2-4": {},
    'A sign that reads: "OPEN". A close-up shot of 3 cats, he waits 2-3 s': {},
    "Shot 1: only one": {},
    "The first shot I saw was in scene 2, he said.": {},
    "[0-8s] One long take through the house.": {"duration": 8},
    "A fox --ar 9:16 --no text, blur": {"aspect_ratio": "9:16", "negative_prompt": "text, blur"},
    "A fox in the snow.\nAspect ratio: 1:1\nDuration: 7 seconds": {"aspect_ratio": "1:1", "duration": 7},
}


@pytest.mark.parametrize("text", PROMPTS)
def test_any_other_text_is_one_prompt_with_its_settings(text: str) -> None:
    fields = read_storyboard(text).fields
    assert "multi_prompt" not in fields
    assert {name: value for name, value in fields.items() if name != "prompt"} == PROMPTS[text]


def _words(text: object) -> set[str]:
    return set(re.findall(r"[^\W\d_]{2,}", str(text).lower()))


#: Words that mark a shot, a time or a column, or have become a number, a mention or a setting.
_MARKS = _words(
    "shot scene sec second seconds from to first one two three duration total time description dialogue action"
    " prompt index seconds"
    " int ext beat int ratio aspect ar no length 镜头 镜头一 镜头二 第 个镜头 秒 image seconds cut"
)


@pytest.mark.parametrize("text", [*(text for text, *_ in LISTS.values()), *PROMPTS])
def test_no_word_of_a_text_is_lost_without_a_note(text: str) -> None:
    reading = read_storyboard(text)
    assert _words(text) - _words((reading.fields, reading.notes)) <= _MARKS


@pytest.mark.parametrize("text", [text for text, *_ in LISTS.values()])
@pytest.mark.parametrize("duration", [3, 7, 15])
def test_the_seconds_add_up_to_the_duration(text: str, duration: int) -> None:
    shots = read_storyboard(text, duration=duration).fields["multi_prompt"]
    assert sum(shot["duration"] for shot in shots) == max(duration, len(shots), 3)
    assert all(shot["duration"] >= 1 for shot in shots)


@settings(max_examples=20)
@given(
    st.lists(st.none() | st.floats(0.2, 40), min_size=1, max_size=6),
    st.lists(st.floats(3, 9), min_size=6, max_size=6),
    st.integers(6, 15),
)
def test_lengths_are_whole_seconds_with_the_sum_that_was_asked_for(
    given_: list[float | None], natural: list[float], total: int
) -> None:
    lengths = allot(given_, natural, total)
    assert sum(lengths) == total and min(lengths) >= 1 and len(lengths) == len(given_)


def test_lengths_that_fit_are_kept() -> None:
    assert allot([3, None, 2], [3, 3, 3], 10) == [3, 5, 2]
    assert allot([4, 4], [3, 3], 8) == [4, 4]


def test_mentions_in_any_spelling_and_names_become_references() -> None:
    text = "Mara = @Image1\nElement 1: Jon\n\nShot 1: MARA waits for <<<image_2>>>.\nShot 2: Jon's boat. Mara waves."
    first, second = (shot["prompt"] for shot in read_storyboard(text).fields["multi_prompt"])
    assert "MARA (@Image1) waits for @Image2" in first
    assert "Jon's (@Element1) boat. Mara (@Image1) waves" in second


def test_a_reference_with_a_description_keeps_it_in_every_shot() -> None:
    text = "@Image1: Mara, a woman in red\n\nShot 1: Mara sits.\nShot 2: Mara stands."
    shots = read_storyboard(text).fields["multi_prompt"]
    assert all("a woman in red" in shot["prompt"] and "@Image1" in shot["prompt"] for shot in shots)


@pytest.mark.parametrize(
    ("line", "speech"),
    [
        ("MARA: Come in.", 'Mara says: "Come in."'),
        ('Mara: "Come in."', 'Mara says: "Come in."'),
        ("MARA (softly): Come in.", 'Mara says (softly): "Come in."'),
        ("NARRATOR: Long ago.", 'Narrator says in voice-over: "Long ago."'),
        ("JON (V.O.): Long ago.", 'Jon says in voice-over: "Long ago."'),
        ("Dialogue: Come in.", 'Dialogue: "Come in."'),
        ("Dialogue: MARA: Come in.", 'Mara says: "Come in."'),
        ("Camera: slow pan", "Camera: slow pan"),
        ('A sign reads: "OPEN"', 'A sign reads: "OPEN"'),
        ('She says: "Hi there."', 'She says: "Hi there."'),
    ],
)
def test_lines_of_speech_say_who_speaks(line: str, speech: str) -> None:
    assert speech in read_storyboard(f"Shot 1: a room\n{line}\nShot 2: a door").fields["multi_prompt"][0]["prompt"]


def _many(count: int, words: int = 5) -> str:
    return "\n".join(f"Shot {number}: view{number} {'word ' * words}" for number in range(1, count + 1))


def test_too_many_shots_are_joined_in_order() -> None:
    reading = read_storyboard(_many(9))
    shots = reading.fields["multi_prompt"]
    assert len(shots) == 6 and sum(shot["duration"] for shot in shots) <= 15
    assert re.findall(r"view\d", " ".join(shot["prompt"] for shot in shots)) == [f"view{n}" for n in range(1, 10)]
    assert any("9 shots" in note for note in reading.notes)


def test_a_shot_that_is_too_long_becomes_two_at_a_sentence() -> None:
    long = " ".join(f"Sentence number {number} goes on for a while." for number in range(18))
    reading = read_storyboard(f"Shot 1 (6s): {long}\nShot 2 (4s): the end")
    shots = reading.fields["multi_prompt"]
    assert [shot["duration"] for shot in shots] == [3, 3, 4]
    assert all(len(shot["prompt"]) <= 512 for shot in shots)


@pytest.mark.parametrize("text", [text for text, *_ in LISTS.values()])
def test_what_is_read_is_a_request_without_errors(text: str) -> None:
    problems = lint(read_storyboard(text).fields | {"input_image": ["https://example.com/a.png"] * 2})
    assert [problem for problem in problems if problem.severity == "error"] == []


def test_times_beyond_the_longest_clip_are_scaled_and_noted() -> None:
    reading = read_storyboard("Shot 1 (10s): a\nShot 2 (20s): b")
    assert [shot["duration"] for shot in reading.fields["multi_prompt"]] == [5, 10]
    assert any("30 s" in note and "15 s" in note for note in reading.notes)


def test_a_model_without_shots_gets_one_prompt_with_the_times_and_a_length_that_it_has() -> None:
    omni = read_storyboard("[0-3s] a cat [3-7s] a dog", storyboard_limits(form_of(OMNI))).fields
    assert omni == {"prompt": "Shot 1 (3 s): a cat\nShot 2 (4 s): a dog", "duration": 7}
    fixed = Limits(shots=0, characters=2500, seconds=(5, 10), aspects=(), audio=False, negative=False)
    reading = read_storyboard("[0-3s] a cat [3-7s] a dog\n\nAspect ratio: 9:16\nNegative prompt: blur", fixed)
    assert reading.fields["duration"] == 5 and set(reading.fields) == {"prompt", "duration"}
    assert any("9:16" in note for note in reading.notes) and any("blur" in note for note in reading.notes)


def test_the_limits_of_the_headline_model_are_those_of_its_form() -> None:
    assert storyboard_limits(form_of(TARGET)) == Limits()


@pytest.mark.parametrize("text", ["", "   ", "\n\n", "Shot 1:\nShot 2:", "```\n```"])
def test_a_text_of_nothing_gives_no_fields_and_a_note(text: str) -> None:
    reading: Reading = read_storyboard(text)
    assert "multi_prompt" not in reading.fields and reading.notes


@settings(max_examples=20)
@given(st.text(alphabet='shotSHOT1234:.-[]()0s \nA"|,、：', max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    assert read_storyboard(text).notes


@pytest.mark.parametrize(
    "piece", ["Shot 1 ", "0:00-", "(", "A: ", "INT. ", "a\n\n", "- ", "| ", "1. ", "Mara = @Image1 ", "cut to "]
)
def test_a_long_text_is_read_in_time(piece: str) -> None:
    assert read_storyboard(piece * (6000 // len(piece))).notes


def test_a_storyboard_is_a_request_for_the_other_verbs(studio: Studio) -> None:
    board = studio.storyboard("[0-3s] @Image1 wakes. [3-7s] <b>She</b> opens the window.")
    assert [shot["duration"] for shot in board.shots] == [3, 4]
    assert studio.price(board, input_image=["https://example.com/a.png"]).seconds == 7
    assert "&lt;b&gt;" in board._repr_mimebundle_()["text/html"] and board.notes[0] in repr(board)
    assert studio.storyboard("a cat", model=OMNI, duration=8).fields == {
        "prompt": "a cat",
        "duration": 8,
        "model": OMNI,
    }


@pytest.mark.parametrize("given_", [{"text": None}, {"text": "a" * 30_000}, {"text": "a", "duration": 0}])
def test_a_value_that_is_not_a_text_or_a_length_is_refused(studio: Studio, given_: dict[str, Any]) -> None:
    with pytest.raises((ArgumentError, ArgumentTypeError)):
        studio.storyboard(**given_)
