"""Planning is pure: how many cells, which clips, in which order, and what would fail."""

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

from kling_nb.errors import RequestError, RequestWarning
from kling_nb.models.lint import parse
from kling_nb.models.request import ReferenceToVideo, Shot
from kling_nb.studio import Studio
from kling_nb.sweeps.axes import points
from kling_nb.sweeps.design import Design, Drafting

lists = st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True)
axes = st.dictionaries(st.sampled_from("abcd"), lists, max_size=4)
#: Durations from 1 to 17 s: some would fail; two prompts of which one may come twice.
sweeps = st.fixed_dictionaries(
    {
        "duration": st.lists(st.integers(1, 17), min_size=1, max_size=4),
        "prompt": st.lists(st.sampled_from(["a cat", "a dog"]), max_size=3).map(lambda some: ["a {n}", *some]),
        "n": st.lists(st.sampled_from(["cat", "cow"]), min_size=1, max_size=2),
    }
)


def design(given_axes: Any, base: Any = None, *, repeat: int = 1, **how: Any) -> Design:
    return Drafting(base or {}, parse).design(points(given_axes, **how), repeat=repeat)


@given(axes)
def test_a_grid_has_every_combination_once_the_last_axis_fastest(given_axes: dict[str, list[int]]) -> None:
    found = points(given_axes)
    assert len(found) == math.prod(map(len, given_axes.values()))
    assert len({tuple(point.items()) for point in found}) == len(found)
    indices = [[given_axes[name].index(value) for name, value in point.items()] for point in found]
    assert indices == sorted(indices)


@given(axes, st.integers(1, 300), st.integers())
def test_draws_are_combinations_of_the_grid_none_twice_and_the_seed_decides(
    given_axes: dict[str, list[int]], draws: int, seed: int
) -> None:
    found = points(given_axes, how="random", draws=draws, seed=seed)
    grid = [tuple(point.items()) for point in points(given_axes)]
    drawn = [tuple(point.items()) for point in found]
    assert len(drawn) == min(draws, len(grid)) == len(set(drawn))
    assert set(drawn) <= set(grid)
    assert found == points(given_axes, how="random", draws=draws, seed=seed)


def test_draws_from_a_grid_too_large_to_write_down_take_no_time() -> None:
    huge = {name: list(range(1000)) for name in "abcdefgh"}
    assert len(points(huge, how="random", draws=20)) == 20
    with pytest.raises(RequestError, match="more than 100,000"):
        points(huge)


@given(sweeps, st.integers(1, 3))
def test_each_clip_is_wanted_once_and_each_fault_is_listed(sweep: dict[str, Any], repeat: int) -> None:
    plan = design(sweep, repeat=repeat)
    sound = {
        (prompt.replace("{n}", n), seconds)
        for prompt in sweep["prompt"]
        for n in sweep["n"]
        for seconds in sweep["duration"]
        if 3 <= seconds <= 15
    }
    assert len(plan.cells) == math.prod(map(len, sweep.values())) * repeat
    assert len(plan.unique_cells) == len(sound) * repeat == len({cell.id for cell in plan.unique_cells})
    assert [cell.problems for cell in plan.invalid if not cell.problems] == []
    assert all(int(cell.at["duration"]) not in range(3, 16) for cell in plan.invalid)
    assert plan.id == design(sweep, repeat=repeat).id


@dataclass(frozen=True)
class One:
    id: str
    request_hash: str
    cell: str | None
    done: bool


@given(st.data(), st.integers(1, 3))
def test_a_record_fills_one_cell_its_own_first_and_as_many_as_can_be(data: st.DataObject, repeat: int) -> None:
    plan = design({"prompt": ["a cat", "a dog"]}, repeat=repeat)
    cells = st.sampled_from([None, *(cell.id for cell in plan.unique_cells)])
    hashes = st.sampled_from([*plan.cells_by_hash, "sha256:other"])
    made = [
        One(str(number), key, cell if cell in {c.id for c in plan.cells_by_hash.get(key, ())} else None, done)
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


def test_a_label_leaves_out_what_all_cells_have() -> None:
    plan = design({"prompt": ["a cat", "a dog"], "duration": [5]}, repeat=2)
    assert [cell.label for cell in plan.cells] == [
        "a cat · repeat 1",
        "a cat · repeat 2",
        "a dog · repeat 1",
        "a dog · repeat 2",
    ]
    assert [cell.label for cell in design({"prompt": ["a cat"], "duration": [5]}).cells] == ["a cat · 5"]


def test_a_label_says_what_tells_cells_apart_and_what_a_bare_figure_means() -> None:
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


def test_zip_takes_values_together_and_says_when_they_are_not_equally_many() -> None:
    assert points({"a": [1, 2], "b": [3, 4], "c": 5}, how="zip") == [{"c": 5, "a": 1, "b": 3}, {"c": 5, "a": 2, "b": 4}]
    with pytest.raises(RequestError, match="a has 2, b has 1"):
        points({"a": [1, 2], "b": [3]}, how="zip")


def test_rows_of_a_dataframe_are_points_and_what_is_missing_there_is_left_to_the_base() -> None:
    frame = pd.DataFrame({"prompt": ["a cat", "a dog"], "duration": [4, None], "generate_audio": [True, False]})
    frame["duration"] = frame["duration"].astype("Int64")
    plan = design({}, {"duration": 7}, rows=frame)
    requests = [cell.request for cell in plan.cells]
    assert [(r.prompt, r.duration, r.generate_audio) for r in requests if isinstance(r, ReferenceToVideo)] == [
        ("a cat", 4, True),
        ("a dog", 7, False),
    ]


def test_a_gap_in_a_column_of_whole_numbers_leaves_the_others_whole() -> None:
    frame = pd.DataFrame({"s": ["a cat", "a dog", "a cow"], "duration": [5, None, 8]})
    plan = design({}, {"prompt": "{s} walks", "duration": 7}, rows=frame)
    assert [cell.request and cell.request.draft()["duration"] for cell in plan.cells] == [5, 7, 8]


@pytest.mark.parametrize(
    "held",
    [np.array, pd.Series, pd.Index, deque, iter, tuple, dict.fromkeys],
    ids=["array", "series", "index", "deque", "iterator", "tuple", "keys"],
)
def test_whatever_holds_its_values_in_order_is_an_axis(held: Callable[[list[Any]], Any]) -> None:
    words, seconds = held(["cat", "dog"]), held([3, 4])
    if isinstance(words, dict):
        words, seconds = words.keys(), seconds.keys()
    plan = design({"s": words, "duration": seconds}, {"prompt": "{s} walks"})
    assert [cell.label for cell in plan.unique_cells] == [f"{s} · duration {n}" for s in ("cat", "dog") for n in (3, 4)]
    assert plan.cells[0].request and plan.cells[0].request.draft()["prompt"] == "cat walks"


def test_a_set_is_no_axis_for_it_has_no_order() -> None:
    with pytest.raises(RequestError, match=r"s: \{'cat'\} has no order – give a list"):
        design({"s": {"cat"}}, {"prompt": "{s} walks"})


@pytest.mark.parametrize("value", [float("nan"), None, {"cat": 1}, np.zeros((2, 2)), ["cat", "dog"], math.inf])
def test_what_is_neither_text_nor_a_number_stands_in_no_prompt(value: Any) -> None:
    plan = design({"s": ["a cat", value]}, {"prompt": "{s} walks"})
    assert [cell.label for cell in plan.unique_cells] == ["a cat"]
    (problem,) = plan.invalid[0].problems
    assert problem.field == "s"
    assert str(problem).endswith("cannot stand in a prompt – give a list of texts or numbers: s=[...]")


@pytest.mark.parametrize("rows", [5, "a cat", {"s": "a cat"}, ["a cat"], pd.Series(["a cat"])], ids=repr)
def test_rows_that_are_none_are_said(rows: Any) -> None:
    with pytest.raises(RequestError, match="give mappings of field to value, or a DataFrame"):
        points({}, rows=rows)


@pytest.mark.parametrize("draws", ["3", 2.5, -1, True])
def test_draws_that_are_no_number_are_said(draws: Any) -> None:
    with pytest.raises(RequestError, match="is no number of points"):
        points({"a": [1, 2]}, how="random", draws=draws)
    assert len(points({"a": [1, 2]}, how="random", draws=np.int64(1))) == 1  # pyright: ignore[reportArgumentType]


def test_slots_are_filled_in_prompts_and_in_shots_and_doubled_braces_are_text() -> None:
    base = {"multi_prompt": [Shot(prompt="{who} runs {{fast}}", duration=3), Shot(prompt="{who} rests {x.y}")]}
    plan = design({"who": ["a cat"], "multi_prompt.0.duration": [2, 3]}, base)
    shots = [cell.request.draft()["multi_prompt"] for cell in plan.cells if cell.request]
    assert [(shot[0]["prompt"], shot[0]["duration"], shot[1]["prompt"]) for shot in shots] == [
        ("a cat runs {fast}", 2, "a cat rests {x.y}"),
        ("a cat runs {fast}", 3, "a cat rests {x.y}"),
    ]


def test_spaces_in_a_slot_do_not_matter_and_doubled_braces_are_text_without_a_slot_too() -> None:
    plan = design({"s": ["cat"]}, {"prompt": "{ s } walks {s}"})
    assert plan.cells[0].request and plan.cells[0].request.draft()["prompt"] == "cat walks cat"
    plan = design({"duration": [3]}, {"prompt": "{{s}} walks, {{x.y}}"})
    assert plan.cells[0].request and plan.cells[0].request.draft()["prompt"] == "{s} walks, {x.y}"
    assert plan.warnings == ()


@pytest.mark.parametrize("text", ["{s:.1f}", "{s!r}", "{x.y}", "{}", "{so it goes}"])
def test_what_looks_like_a_slot_and_is_none_stays_and_is_a_doubt(text: str, studio: Studio) -> None:
    plan = design({"s": ["cat"]}, {"prompt": f"{{s}} walks {text}"})
    assert plan.cells[0].request and plan.cells[0].request.draft()["prompt"] == f"cat walks {text}"
    assert [str(doubt) for doubt in plan.warnings] == [
        f"prompt: {text} is no slot, and stays as it is written – write a name alone for a slot, {{place}}, or "
        f"{{{text}}} for the text itself"
    ]
    with pytest.warns(RequestWarning, match="is no slot") as warned:
        studio.sweep(f"{{s}} walks {text}", s=["cat"])
    assert [one.filename for one in warned] == [__file__]


def test_a_word_that_looks_like_a_slot_stays_a_word() -> None:
    plan = design({"who": ["{place}"], "place": ["here"]}, {"prompt": "{who} at {place}"})
    assert plan.cells[0].request and plan.cells[0].request.draft()["prompt"] == "{place} at here"


def test_a_slot_that_nothing_fills_is_a_fault_and_not_a_clip() -> None:
    plan = design({"who": ["a cat"]}, {"prompt": "{who} at {place}"})
    assert [str(problem) for cell in plan.invalid for problem in cell.problems] == [
        "prompt: nothing fills {place} – give place=[...], or write {{place}} for the text itself"
    ]


@pytest.mark.parametrize(
    ("axis", "said"),
    [
        ({"multi_prompt.3.duration": [2]}, "leads nowhere: it has 1 entries"),
        ({"prompt.0": ["x"]}, "nothing inside a str"),
        ({"durration": [5]}, "durration"),
        ({"num_generations": [2]}, "use repeat="),
    ],
)
def test_an_axis_that_fits_nothing_is_said(axis: dict[str, Any], said: str) -> None:
    base = (
        {"multi_prompt": [{"prompt": "a cat", "duration": 4}]} if "multi_prompt.3.duration" in axis else {"prompt": "x"}
    )
    plan = design(axis, base)
    assert plan.unique_cells == ()
    assert said in " ".join(str(problem) for cell in plan.invalid for problem in cell.problems)


def test_references_are_an_axis_and_one_picture_is_a_list_of_one() -> None:
    addresses = ["https://example.org/a.png", ["https://example.org/b.png", "https://example.org/a.png"]]
    plan = design({"input_image": addresses}, {"prompt": "@Image1 waves"})
    assert plan.axes["input_image"] == ("a.png", "b.png + a.png")
    assert len(plan.unique_cells) == 2


def test_shots_and_elements_are_axes_whole_or_one_by_one() -> None:
    wide, close = Shot(prompt="wide", duration=3), Shot(prompt="close", duration=4)
    plan = design({"multi_prompt": [[wide, close], [close]], "generate_audio": [False, True]})
    assert plan.axes["multi_prompt"] == ("wide (3 s) + close (4 s)", "close (4 s)")
    assert [len(cell.request.draft()["multi_prompt"]) for cell in plan.cells if cell.request] == [2, 2, 1, 1]
    mara, boat = ({"frontal_image_url": f"https://example.org/{name}.png"} for name in ("mara", "boat"))
    plan = design({"elements": [mara, [mara, boat]]}, {"prompt": "@Element1 waves"})
    assert [len(cell.request.draft()["elements"]) for cell in plan.cells if cell.request] == [1, 2]


def test_two_values_of_one_name_are_told_apart() -> None:
    plan = design(
        {"input_image": ["https://example.org/1/a.png", "https://example.org/2/a.png"]}, {"prompt": "@Image1"}
    )
    assert plan.axes["input_image"] == ("a.png", "a.png (2)")


@pytest.mark.parametrize("repeat", [0, -1, 1.5, True])
def test_a_repeat_that_is_no_number_of_clips_is_refused(repeat: Any) -> None:
    with pytest.raises(RequestError, match="repeat"):
        design({"prompt": ["x"]}, repeat=repeat)
