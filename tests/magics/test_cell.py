"""A `%%kling` cell is read into the fields of a request, or refused with everything that is wrong with it."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling_nb.errors import KlingError, RequestError
from kling_nb.magics.cell import Ordered, option_names, read_cell
from kling_nb.magics.question import read_question
from kling_nb.models.lint import parse

NAMES: dict[str, Any] = {"n": 7, "who": "a fox", "face": b"png", "nothing": None, "words": ["x y", "z"], "ratio": 2.456}


def read(line: str, body: str = "a kite") -> Ordered:
    return read_cell(line, body, lambda expression: eval(expression, {}, dict(NAMES)))  # noqa: S307 - ours alone


def faults(line: str, body: str = "a kite") -> list[str]:
    with pytest.raises(RequestError) as refused:
        read(line, body)
    return [str(problem) for problem in refused.value.problems]


def test_the_line_gives_the_fields_by_short_names_or_the_wires_own() -> None:
    order = read("duration=5 image=face.png input_image=b.png audio=on aspect=9:16 tag=walk tag='day one' --dry")
    assert order.fields == {
        "prompt": "a kite",
        "duration": 5,
        "input_image": ["face.png", "b.png"],
        "generate_audio": True,
        "aspect_ratio": "9:16",
    }
    assert (order.tags, order.dry, order.preview, order.wait, order.into) == (
        ("walk", "day one"),
        True,
        False,
        False,
        None,
    )


def test_a_line_of_dashes_starts_the_next_shot_with_its_own_seconds() -> None:
    shots = read("duration=4", "A fox wakes.\n\n--- 3\nIt looks\nup.\n---\nIt runs.\n").fields
    assert shots["multi_prompt"] == [
        {"prompt": "A fox wakes.", "duration": 4},
        {"prompt": "It looks\nup.", "duration": 3},
        {"prompt": "It runs.", "duration": 4},
    ]
    assert "duration" not in shots
    first = read("", "--- 6\nA fox wakes.\n---{n}s\nIt runs.").fields["multi_prompt"]
    assert [shot["duration"] for shot in first] == [6, 7]


def test_python_values_stand_for_themselves_and_in_texts() -> None:
    order = read(
        "image={face} duration=$n tag='{who} {n + 1}' tag={words}", "{who} at $n, {{n}}, $$n, {so it goes}, $5"
    )
    assert order.fields["input_image"] == [b"png"]
    assert order.fields["duration"] == 7
    assert order.fields["prompt"] == "a fox at 7, {n}, $n, {so it goes}, $5"
    assert order.tags == ("a fox 8", "x y", "z")


def test_a_value_is_formatted_as_in_an_f_string() -> None:
    order = read(
        "tag={ratio:.1f} duration={ratio:.0f}",
        "{who!r} {n:>3} {ratio:.1f} {words[1]!s:_^5} {n:0{n}d} {ratio:{n}.2f} $n:3",
    )
    assert order.fields["prompt"] == "'a fox'   7 2.5 __z__ 0000007    2.46 7:3"
    assert (order.tags, order.fields["duration"], order.doubts) == (("2.5",), 2, ())
    assert faults("", "{seconds:.1f} {other!r} {n:{other}}") == [
        "prompt: nothing fills {seconds:.1f} – define it, or write {{seconds:.1f}} for the text itself"
    ]
    assert faults("", "{who:.1f}")[0].startswith("prompt: {who:.1f} fails: ValueError: Unknown format code 'f'")


@pytest.mark.parametrize(
    "text", ["{so it goes}", "{note: a fox}", "{5:30}", '{"a": 1}', "{}", "{ }", "{n!x}", "{wow! great}", "{n = }"]
)
def test_what_looks_like_a_value_and_is_none_stays_and_is_a_doubt(text: str) -> None:
    order = read("", f"{text} and {{n}}")
    assert order.fields["prompt"] == f"{text} and 7"
    assert [str(doubt) for doubt in order.doubts] == [
        f"prompt: {text} is no expression of Python, and stays as it is written – mend it, or write {{{text}}} for the "
        "text itself"
    ]
    assert [doubt.severity for doubt in order.doubts] == ["warning"]
    meant = read("", f"{{{text}}} and {{n}}")
    assert (meant.fields["prompt"], meant.doubts) == (f"{text} and 7", ())


def test_everything_that_is_wrong_is_said_at_once() -> None:
    said = faults(
        "duraton=5 duration=long audio=maybe --dri wait prompt=x count=1 count=2 tag={none} into=2x",
        "{lens} walks\n--- soon\nIt rests.",
    )
    assert said == [
        "--dri: there is no such flag – did you mean --dry?",
        "wait: it has no value – write wait=...; the prompt stands below the line",
        "duraton: there is no such option – did you mean duration?",
        "duration: 'long' is not a whole number – give a whole number: duration=5",
        "audio: 'maybe' is neither on nor off – give on or off",
        "prompt: the prompt is the cell's body – write it below the line; --- starts the next shot",
        "count: it is given twice – keep one",
        "tag: nothing fills {none} – define it, or write {{none}} for the text itself",
        "into: '2x' is no name of a variable – give a name such as into=job",
        "multi_prompt.0.prompt: nothing fills {lens} – define it, or write {{lens}} for the text itself",
        "multi_prompt.1: 'soon' after --- is no number of seconds – write --- or --- 3, the prompt below it",
    ]
    assert faults("--dry --preview tag='x") == [
        "--dry: --dry starts nothing, and --preview does – keep one",
        "tag: 'x has no closing quotation mark – write it in a pair of quotation marks",
    ]
    assert faults("tag={1/0}") == ["tag: {1/0} fails: ZeroDivisionError: division by zero – mend the expression"]


def test_another_model_takes_its_own_options() -> None:
    fields = read("cfg_scale=0.5 model=kling-video-v3-pro style='5' loop=true name=plain", "x").fields
    assert fields == {
        "model": "kling-video-v3-pro",
        "cfg_scale": 0.5,
        "style": "5",
        "loop": True,
        "name": "plain",
        "prompt": "x",
    }
    assert "resolution" in option_names("kling-video-o3-omni")
    assert "there is no such option – there are image" in faults("resolution=4k")[0]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="{}$\r")))
def test_a_text_without_values_and_dashes_is_the_prompt_as_it_is(text: str) -> None:
    if not any(line.strip().startswith("---") for line in text.splitlines()):
        assert read("", text).fields.get("prompt", "") == text.strip()


@given(st.text(), st.text())
def test_whatever_is_written_is_read_or_refused_in_words(line: str, body: str) -> None:
    try:
        order = read_cell(line, body, lambda expression: NAMES[expression])
    except RequestError as exc:
        assert exc.problems
    else:
        parse(order.fields)


def test_a_question_to_the_log() -> None:
    assert read_question("") == ("", {})
    assert read_question("log tag=walk stars=4 since=7d lantern 'paper boat'") == (
        "log",
        {"tag": "walk", "stars": 4, "since": datetime.timedelta(days=7), "text": "lantern paper boat"},
    )
    assert read_question("log until=2026-11-24") == ("log", {"until": datetime.date(2026, 11, 24)})
    assert read_question("spending tag") == ("spending", {"by": "tag"})


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("lgo", "did you mean log"),
        ("log sars=9 stars=9 since=soon", "(?s)did you mean stars.*'9' is no number of stars.*'soon' is no day"),
        ("hub twice", "takes no twice"),
        ("log 'open", "quotation marks"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(line: str, said: str) -> None:
    with pytest.raises(KlingError, match=said):
        read_question(line)
