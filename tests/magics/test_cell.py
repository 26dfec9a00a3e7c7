"""A `%%kling` cell becomes the fields of a request, or an error that names everything wrong with it."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling_nb.errors import ArgumentError, RequestError
from kling_nb.magics import KlingMagics
from kling_nb.magics.cell import FILTERS, FLAGS, SHORT, CellRequest, option_names, read_cell, read_command
from kling_nb.models.lint import parse

NAMES: dict[str, Any] = {"n": 7, "who": "a fox", "face": b"png", "nothing": None, "words": ["x y", "z"], "ratio": 2.456}


def read(line: str, body: str = "a kite") -> CellRequest:
    return read_cell(line, body, lambda expression: eval(expression, {}, dict(NAMES)))  # noqa: S307 - expressions of this file


def errors(line: str, body: str = "a kite") -> list[str]:
    with pytest.raises(RequestError) as refused:
        read(line, body)
    return [str(problem) for problem in refused.value.problems]


def test_options_are_short_names_or_wire_names() -> None:
    cell = read("duration=5 image=face.png input_image=b.png audio=on aspect=9:16 tag=walk tag='day one' --dry")
    assert cell.fields == {
        "prompt": "a kite",
        "duration": 5,
        "input_image": ["face.png", "b.png"],
        "generate_audio": True,
        "aspect_ratio": "9:16",
    }
    assert (cell.tags, cell.dry, cell.preview, cell.wait, cell.into) == (
        ("walk", "day one"),
        True,
        False,
        False,
        None,
    )


def test_dashes_start_the_next_shot_with_its_own_length() -> None:
    shots = read("duration=4", "A fox wakes.\n\n--- 3\nIt looks\nup.\n---\nIt runs.\n").fields
    assert shots["multi_prompt"] == [
        {"prompt": "A fox wakes.", "duration": 4},
        {"prompt": "It looks\nup.", "duration": 3},
        {"prompt": "It runs.", "duration": 4},
    ]
    assert "duration" not in shots
    first = read("", "--- 6\nA fox wakes.\n---{n}s\nIt runs.").fields["multi_prompt"]
    assert [shot["duration"] for shot in first] == [6, 7]


def test_python_values_are_filled_into_options_and_text() -> None:
    cell = read("image={face} duration=$n tag='{who} {n + 1}' tag={words}", "{who} at $n, {{n}}, $$n, {so it goes}, $5")
    assert cell.fields["input_image"] == [b"png"]
    assert cell.fields["duration"] == 7
    assert cell.fields["prompt"] == "a fox at 7, {n}, $n, {so it goes}, $5"
    assert cell.tags == ("a fox 8", "x y", "z")


def test_a_value_is_formatted_as_in_an_f_string() -> None:
    cell = read(
        "tag={ratio:.1f} duration={ratio:.0f}",
        "{who!r} {n:>3} {ratio:.1f} {words[1]!s:_^5} {n:0{n}d} {ratio:{n}.2f} $n:3",
    )
    assert cell.fields["prompt"] == "'a fox'   7 2.5 __z__ 0000007    2.46 7:3"
    assert (cell.tags, cell.fields["duration"], cell.warnings) == (("2.5",), 2, ())
    assert errors("", "{seconds:.1f} {other!r} {n:{other}}") == [
        "prompt: {seconds:.1f} is not defined – define it, or write {{seconds:.1f}} to keep it as text"
    ]
    assert errors("", "{who:.1f}")[0].startswith("prompt: {who:.1f} raised ValueError: Unknown format code 'f'")


@pytest.mark.parametrize(
    "text", ["{so it goes}", "{note: a fox}", "{5:30}", '{"a": 1}', "{}", "{ }", "{n!x}", "{wow! great}", "{n = }"]
)
def test_braces_without_an_expression_stay_as_text_with_a_warning(text: str) -> None:
    cell = read("", f"{text} and {{n}}")
    assert cell.fields["prompt"] == f"{text} and 7"
    assert [str(problem) for problem in cell.warnings] == [
        f"prompt: {text} is not a Python expression and stays as text – fix it, or write {{{text}}} to keep it as text"
    ]
    assert [problem.severity for problem in cell.warnings] == ["warning"]
    escaped = read("", f"{{{text}}} and {{n}}")
    assert (escaped.fields["prompt"], escaped.warnings) == (f"{text} and 7", ())


def test_one_error_names_everything_that_is_wrong() -> None:
    found = errors(
        "duraton=5 duration=long audio=maybe --dri wait prompt=x count=1 count=2 tag={none} into=2x",
        "{lens} walks\n--- soon\nIt rests.",
    )
    assert found == [
        "--dri: unknown flag – did you mean --dry?",
        "wait: the option has no value – write wait=...; the prompt goes below this line",
        "duraton: unknown option – did you mean duration?",
        "duration: must be a whole number, got 'long' – for example duration=5",
        "audio: must be on or off, got 'maybe' – write on or off",
        "prompt: the prompt is the text of the cell – write it below this line; --- starts the next shot",
        "count: the option is given twice – remove one of them",
        "tag: {none} is not defined – define it, or write {{none}} to keep it as text",
        "into: must be the name of a variable, got '2x' – write a name, such as into=job",
        "multi_prompt.0.prompt: {lens} is not defined – define it, or write {{lens}} to keep it as text",
        "multi_prompt.1: the length after --- must be a number of seconds, got 'soon' – "
        "write --- or --- 3, and the prompt below it",
    ]
    assert errors("--dry --preview tag='x") == [
        "--dry: cannot be combined with --preview – remove one of them",
        "tag: the quotation mark is not closed in 'x – close it",
    ]
    assert errors("tag={1/0}") == ["tag: {1/0} raised ZeroDivisionError: division by zero – fix the expression"]


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
    assert "unknown option – the options are image" in errors("resolution=4k")[0]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="{}$\r")))
def test_text_without_values_and_dashes_is_the_prompt_unchanged(text: str) -> None:
    if not any(line.strip().startswith("---") for line in text.splitlines()):
        assert read("", text).fields.get("prompt", "") == text.strip()


@given(st.text(), st.text())
def test_any_text_is_read_or_refused_with_problems(line: str, body: str) -> None:
    try:
        cell = read_cell(line, body, lambda expression: NAMES[expression])
    except RequestError as exc:
        assert exc.problems
    else:
        parse(cell.fields)


def test_a_line_is_a_command_with_filters() -> None:
    assert read_command("") == ("", {})
    assert read_command("log tag=walk stars=4 since=7d lantern 'paper boat'") == (
        "log",
        {"tag": "walk", "stars": 4, "since": datetime.timedelta(days=7), "text": "lantern paper boat"},
    )
    assert read_command("log until=2026-11-24") == ("log", {"until": datetime.date(2026, 11, 24)})
    assert read_command("spending tag") == ("spending", {"by": "tag"})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("lgo", "%kling lgo: unknown command – did you mean log?"),
        (
            "log sars=9 stars=9 since=soon",
            "%kling log: invalid filters\n"
            "  ✗ sars: unknown filter – did you mean stars?\n"
            "  ✗ stars: must be 1 to 5, got '9'\n"
            "  ✗ since: must be a date (2026-11-24) or an age (7d, 12h, 30m), got 'soon'",
        ),
        ("hub twice", "%kling hub takes no arguments, got 'twice'."),
        ("log 'open", "%kling log 'open: No closing quotation. Write text in a pair of quotation marks."),
    ],
)
def test_a_line_that_cannot_be_read_is_refused(line: str, message: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        read_command(line)
    assert str(refused.value) == message


def test_the_help_page_names_every_option_flag_and_filter() -> None:
    page = KlingMagics.kling.__doc__ or ""

    assert [name for name in (*SHORT, "duration", "model", "tag", "into") if f"{name}=" not in page] == []
    assert [name for name in (*FLAGS, *FILTERS) if name not in page] == []
