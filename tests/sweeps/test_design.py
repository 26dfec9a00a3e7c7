"""The pure part of sweeps: their points, cells, labels and errors, and which records belong to which cells."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling_nb.errors import ArgumentError, ArgumentTypeError, RequestWarning
from kling_nb.models.lint import parse
from kling_nb.models.request import ReferenceToVideo, Shot
from kling_nb.studio import Studio
from kling_nb.sweeps.axes import MAX_POINTS, points
from kling_nb.sweeps.design import Design, build_design

lists = st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True)
axes = st.dictionaries(st.sampled_from("abcd"), lists, max_size=4)
#: Durations from 1 to 17 s, some of them invalid, and prompts that may come twice.
sweeps = st.fixed_dictionaries(
    {
        "duration": st.lists(st.integers(1, 17), min_size=1, max_size=4),
        "prompt": st.lists(st.sampled_from(["a cat", "a dog"]), max_size=3).map(lambda some: ["a {n}", *some]),
        "n": st.lists(st.sampled_from(["cat", "cow"]), min_size=1, max_size=2),
    }
)


def prompts(plan: Design) -> list[str]:
    return [cell.request.draft()["prompt"] for cell in plan.cells if cell.request]


def design(given_axes: Any, base: Any = None, *, repeat: int = 1, **how: Any) -> Design:
    return build_design(base or {}, points(given_axes, **how), parse, repeat=repeat)


@given(axes)
def test_a_grid_has_every_combination_once_with_the_last_axis_fastest(given_axes: dict[str, list[int]]) -> None:
    found = points(given_axes)
    assert len(found) == math.prod(map(len, given_axes.values()))
    assert len({tuple(point.items()) for point in found}) == len(found)
    indices = [[given_axes[name].index(value) for name, value in point.items()] for point in found]
    assert indices == sorted(indices)


@given(axes, st.integers(1, 300), st.integers())
def test_draws_are_different_combinations_of_the_grid_chosen_by_the_seed(
    given_axes: dict[str, list[int]], draws: int, seed: int
) -> None:
    found = points(given_axes, how="random", draws=draws, seed=seed)
    grid = [tuple(point.items()) for point in points(given_axes)]
    drawn = [tuple(point.items()) for point in found]
    assert len(drawn) == min(draws, len(grid)) == len(set(drawn))
    assert set(drawn) <= set(grid)
    assert found == points(given_axes, how="random", draws=draws, seed=seed)


def test_draws_from_a_huge_grid_take_no_time() -> None:
    huge = {name: list(range(1000)) for name in "abcdefgh"}
    assert len(points(huge, how="random", draws=20)) == 20
    with pytest.raises(ArgumentError, match=f"{MAX_POINTS:,}"):
        points(huge)


@given(sweeps, st.integers(1, 3))
def test_each_clip_has_one_unique_cell_and_each_invalid_cell_is_listed(sweep: dict[str, Any], repeat: int) -> None:
    plan = design(sweep, repeat=repeat)
    valid = {
        (prompt.replace("{n}", n), seconds)
        for prompt in sweep["prompt"]
        for n in sweep["n"]
        for seconds in sweep["duration"]
        if 3 <= seconds <= 15
    }
    assert len(plan.cells) == math.prod(map(len, sweep.values())) * repeat
    assert len(plan.unique_cells) == len(valid) * repeat == len({cell.id for cell in plan.unique_cells})
    assert [cell.problems for cell in plan.invalid if not cell.problems] == []
    assert all(int(cell.values["duration"]) not in range(3, 16) for cell in plan.invalid)
    assert plan.id == design(sweep, repeat=repeat).id


@dataclass(frozen=True)
class Summary:
    id: str
    request_hash: str
    cell: str | None
    done: bool


@given(st.data(), st.integers(1, 3))
def test_each_record_is_assigned_to_one_cell_its_own_first_and_as_many_cells_as_possible_have_one(
    data: st.DataObject, repeat: int
) -> None:
    plan = design({"prompt": ["a cat", "a dog"]}, repeat=repeat)
    cells = st.sampled_from([None, *(cell.id for cell in plan.unique_cells)])
    hashes = st.sampled_from([*plan.cells_by_hash, "sha256:other"])
    made = [
        Summary(str(number), key, cell if cell in {c.id for c in plan.cells_by_hash.get(key, ())} else None, done)
        for number, (key, cell, done) in enumerate(
            data.draw(st.lists(st.tuples(hashes, cells, st.booleans()), max_size=8))
        )
    ]
    fill = plan.assign(made)

    assert len({one.id for one in fill.values()}) == len(fill)
    for key, alike in plan.cells_by_hash.items():
        records = [one for one in made if one.request_hash == key]
        filled = {cell.id: fill[cell.id] for cell in alike if cell.id in fill}
        assert len(filled) == min(len(alike), len(records))
        assert all(one.request_hash == key for one in filled.values())
        for cell in alike:
            own = [one for one in records if one.cell == cell.id]
            assert not own or fill[cell.id] in own
            assert not any(one.done for one in own) or fill[cell.id].done


def test_a_label_leaves_out_values_that_all_cells_have() -> None:
    plan = design({"prompt": ["a cat", "a dog"], "duration": [5]}, repeat=2)
    assert [cell.label for cell in plan.cells] == [
        "a cat · repeat 1",
        "a cat · repeat 2",
        "a dog · repeat 1",
        "a dog · repeat 2",
    ]
    assert [cell.label for cell in design({"prompt": ["a cat"], "duration": [5]}).cells] == ["a cat · 5"]


def test_a_label_shows_what_differs_and_names_the_field_of_a_bare_number() -> None:
    prompts = ["@Image1 turns round, candle light", "@Image1 turns round, hard neon light"]
    plan = design({"prompt": prompts, "multi_prompt.0.duration": [2, 3], "aspect_ratio": ["16:9", "1:1"]})
    assert [cell.label for cell in plan.cells][::3] == [
        "… candle light · duration 2 · 16:9",
        "… candle light · duration 3 · 1:1",
        "… hard neon light · duration 3 · 16:9",
    ]
    assert list(plan.axes["prompt"]) == prompts
    plan = design({"prompt": ["boat at {hour}"], "hour": [3, 4]})
    assert [cell.label for cell in plan.cells] == ["3", "4"]


def test_zip_combines_values_in_order_and_refuses_different_lengths() -> None:
    assert points({"a": [1, 2], "b": [3, 4], "c": 5}, how="zip") == [{"c": 5, "a": 1, "b": 3}, {"c": 5, "a": 2, "b": 4}]
    with pytest.raises(ArgumentError, match="a has 2, b has 1"):
        points({"a": [1, 2], "b": [3]}, how="zip")


def test_rows_of_a_dataframe_are_points_and_missing_values_come_from_the_base() -> None:
    frame = pd.DataFrame({"prompt": ["a cat", "a dog"], "duration": [4, None], "generate_audio": [True, False]})
    frame["duration"] = frame["duration"].astype("Int64")
    plan = design({}, {"duration": 7}, rows=frame)
    requests = [cell.request for cell in plan.cells]
    assert [(r.prompt, r.duration, r.generate_audio) for r in requests if isinstance(r, ReferenceToVideo)] == [
        ("a cat", 4, True),
        ("a dog", 7, False),
    ]


def test_a_missing_value_in_a_column_of_whole_numbers_leaves_the_others_whole() -> None:
    frame = pd.DataFrame({"s": ["a cat", "a dog", "a cow"], "duration": [5, None, 8]})
    plan = design({}, {"prompt": "{s} walks", "duration": 7}, rows=frame)
    assert [cell.request and cell.request.draft()["duration"] for cell in plan.cells] == [5, 7, 8]


@pytest.mark.parametrize(
    "held",
    [np.array, pd.Series, pd.Index, deque, iter, tuple, dict.fromkeys],
    ids=["array", "series", "index", "deque", "iterator", "tuple", "keys"],
)
def test_every_ordered_collection_is_an_axis(held: Callable[[list[Any]], Any]) -> None:
    words, seconds = held(["cat", "dog"]), held([3, 4])
    if isinstance(words, dict):
        words, seconds = words.keys(), seconds.keys()
    plan = design({"s": words, "duration": seconds}, {"prompt": "{s} walks"})
    assert [cell.label for cell in plan.unique_cells] == [f"{s} · duration {n}" for s in ("cat", "dog") for n in (3, 4)]
    assert prompts(plan)[0] == "cat walks"


def test_a_set_is_not_an_axis() -> None:
    with pytest.raises(ArgumentTypeError, match=r"s must be a list, got \{'cat'\}"):
        design({"s": {"cat"}}, {"prompt": "{s} walks"})


@pytest.mark.parametrize("value", [float("nan"), None, {"cat": 1}, np.zeros((2, 2)), ["cat", "dog"], math.inf])
def test_a_placeholder_takes_only_text_and_numbers(value: Any) -> None:
    plan = design({"s": ["a cat", value]}, {"prompt": "{s} walks"})
    assert [cell.label for cell in plan.unique_cells] == ["a cat"]
    (problem,) = plan.invalid[0].problems
    assert (problem.field, problem.severity, problem.remedy) == ("s", "error", "give a list of them: s=[...]")


@pytest.mark.parametrize("rows", [5, "a cat", {"s": "a cat"}, ["a cat"], pd.Series(["a cat"])], ids=repr)
def test_rows_must_be_mappings_or_a_dataframe(rows: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="rows must be a list of mappings or a DataFrame"):
        points({}, rows=rows)


@pytest.mark.parametrize(
    ("given_axes", "options"),
    [
        ({"a": []}, {}),
        ({}, {"rows": []}),
        ({"a": [1]}, {"how": "gird"}),
        ({"a": [1]}, {"draws": 3}),
        ({"a": [1]}, {"how": "random"}),
    ],
    ids=str,
)
def test_arguments_that_make_no_sweep_are_argument_errors(given_axes: dict[str, Any], options: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError):
        points(given_axes, **options)


@pytest.mark.parametrize(
    ("draws", "error"),
    [("3", ArgumentTypeError), (2.5, ArgumentTypeError), (True, ArgumentTypeError), (-1, ArgumentError)],
)
def test_draws_must_be_a_whole_number(draws: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="draws must be"):
        points({"a": [1, 2]}, how="random", draws=draws)
    assert len(points({"a": [1, 2]}, how="random", draws=np.int64(1))) == 1  # pyright: ignore[reportArgumentType]


def test_placeholders_are_replaced_in_prompts_and_shots_and_doubled_braces_are_literal() -> None:
    base = {"multi_prompt": [Shot(prompt="{who} runs {{fast}}", duration=3), Shot(prompt="{who} rests {x.y}")]}
    plan = design({"who": ["a cat"], "multi_prompt.0.duration": [2, 3]}, base)
    shots = [cell.request.draft()["multi_prompt"] for cell in plan.cells if cell.request]
    assert [(shot[0]["prompt"], shot[0]["duration"], shot[1]["prompt"]) for shot in shots] == [
        ("a cat runs {fast}", 2, "a cat rests {x.y}"),
        ("a cat runs {fast}", 3, "a cat rests {x.y}"),
    ]


def test_spaces_in_a_placeholder_do_not_matter_and_doubled_braces_are_literal_without_one_too() -> None:
    plan = design({"s": ["cat"]}, {"prompt": "{ s } walks {s}"})
    assert prompts(plan) == ["cat walks cat"]
    plan = design({"duration": [3]}, {"prompt": "{{s}} walks, {{x.y}}"})
    assert prompts(plan) == ["{s} walks, {x.y}"]
    assert plan.warnings == ()


@pytest.mark.parametrize("text", ["{s:.1f}", "{s!r}", "{x.y}", "{}", "{so it goes}"])
def test_braces_without_a_name_stay_and_are_a_warning(text: str, studio: Studio) -> None:
    plan = design({"s": ["cat"]}, {"prompt": f"{{s}} walks {text}"})
    assert prompts(plan) == [f"cat walks {text}"]
    assert [(warning.field, warning.severity) for warning in plan.warnings] == [("prompt", "warning")]
    assert f"write {{name}} for a placeholder, or {{{text}}} for the text itself" in str(plan.warnings[0])
    with pytest.warns(RequestWarning, match="is not a placeholder") as warned:
        studio.sweep(f"{{s}} walks {text}", s=["cat"])
    assert [one.filename for one in warned] == [__file__]


def test_a_value_that_looks_like_a_placeholder_is_not_replaced() -> None:
    plan = design({"who": ["{place}"], "place": ["here"]}, {"prompt": "{who} at {place}"})
    assert prompts(plan) == ["{place} at here"]


def test_a_placeholder_without_a_value_is_an_error() -> None:
    plan = design({"who": ["a cat"]}, {"prompt": "{who} at {place}"})
    assert [(problem.field, problem.remedy) for cell in plan.invalid for problem in cell.problems] == [
        ("prompt", "give place=[...], or write {{place}} for the text itself")
    ]


@pytest.mark.parametrize(
    ("axis", "field"),
    [
        ({"multi_prompt.3.duration": [2]}, "multi_prompt.3.duration"),
        ({"prompt.0": ["x"]}, "prompt.0"),
        ({"durration": [5]}, "durration"),
        ({"num_generations": [2]}, "num_generations"),
    ],
)
def test_an_axis_that_is_not_in_the_request_is_an_error(axis: dict[str, Any], field: str) -> None:
    shots = {"multi_prompt": [{"prompt": "a cat", "duration": 4}]}
    plan = design(axis, shots if "multi_prompt.3.duration" in axis else {"prompt": "x"})
    assert plan.unique_cells == ()
    assert [problem.field for cell in plan.invalid for problem in cell.problems] == [field]


def test_reference_images_are_an_axis_and_a_single_image_is_a_list_of_one() -> None:
    urls = ["https://example.org/a.png", ["https://example.org/b.png", "https://example.org/a.png"]]
    plan = design({"input_image": urls}, {"prompt": "@Image1 waves"})
    assert plan.axes["input_image"] == ("a.png", "b.png + a.png")
    assert len(plan.unique_cells) == 2


def test_lists_of_shots_and_elements_are_axes_and_a_single_one_is_a_list_of_one() -> None:
    wide, close = Shot(prompt="wide", duration=3), Shot(prompt="close", duration=4)
    plan = design({"multi_prompt": [[wide, close], [close]], "generate_audio": [False, True]})
    assert plan.axes["multi_prompt"] == ("wide (3 s) + close (4 s)", "close (4 s)")
    assert [len(cell.request.draft()["multi_prompt"]) for cell in plan.cells if cell.request] == [2, 2, 1, 1]
    mara, boat = ({"frontal_image_url": f"https://example.org/{name}.png"} for name in ("mara", "boat"))
    plan = design({"elements": [mara, [mara, boat]]}, {"prompt": "@Element1 waves"})
    assert [len(cell.request.draft()["elements"]) for cell in plan.cells if cell.request] == [1, 2]


def test_two_images_of_the_same_name_have_different_texts() -> None:
    plan = design(
        {"input_image": ["https://example.org/1/a.png", "https://example.org/2/a.png"]}, {"prompt": "@Image1"}
    )
    assert plan.axes["input_image"] == ("a.png", "a.png (2)")


@pytest.mark.parametrize(
    ("repeat", "error"),
    [(0, ArgumentError), (-1, ArgumentError), (1.5, ArgumentTypeError), (True, ArgumentTypeError)],
)
def test_repeat_must_be_a_whole_number_of_at_least_one(repeat: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="repeat must be"):
        design({"prompt": ["x"]}, repeat=repeat)
