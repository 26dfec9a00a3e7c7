"""A sample before the whole plan, requests that were refused, and plans as CSV files."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hubside import HubSide, png_image
from support.records import make_record

from kling_nb import errors
from kling_nb.models.canonical import canonical_request
from kling_nb.models.record import Failure
from kling_nb.studio import Studio
from kling_nb.sweeps.plan import Plan
from kling_nb.sweeps.sample import covering


@pytest.fixture
def plan(studio: Studio) -> Plan:
    """Six clips over two axes; their prompts belong to this log."""
    return studio.sweep(
        f"a {{thing}} in {{light}} at {studio.store.folder.parent.name}",
        thing=["boat", "kite", "dog"],
        light=["sun", "rain"],
        duration=3,
    )


def test_a_sample_shows_each_value_as_early_as_possible(plan: Plan) -> None:
    three = [cell.values for cell in covering(plan.cells, 3)]
    assert {values["thing"] for values in three} == {"boat", "kite", "dog"}
    assert {values["light"] for values in three} == {"sun", "rain"}
    two = [cell.label for cell in covering(plan.cells, 2)]
    assert set(two) <= {cell.label for cell in covering(plan.cells, 3)}, "a larger sample has the smaller one"
    assert len(covering(plan.cells, 99)) == 6


def test_the_whole_plan_continues_after_a_sample_and_pays_for_none_of_it_again(plan: Plan, hub: HubSide) -> None:
    run = plan.sample(3)
    assert "$2.016" in run.sheet().rest and "3 clips" in run.sheet().rest
    sampled = run.result(60)
    assert (len(sampled), hub.posts, plan.price) == (3, 3, Decimal("2.016"))
    assert plan.sample(3).result(60) == sampled and hub.posts == 3
    assert {record.id for record in sampled} < {record.id for record in plan.run().result(60)}
    assert hub.posts == 6 and plan.sample(6).sheet().rest == ""


@pytest.mark.parametrize("count", [0, -1, 1.5, "3"])
def test_a_sample_needs_a_number_of_clips(plan: Plan, count: Any) -> None:
    with pytest.raises((errors.ArgumentError, errors.ArgumentTypeError)):
        plan.sample(count)


def _refuse(studio: Studio, plan: Plan, hub: HubSide) -> None:
    """Save a record of the first cell whose content the hub has refused."""
    cell = plan.cells[0]
    assert cell.request is not None
    failure = Failure(kind="moderation", message="the content was flagged")
    saved = make_record(1, hub=hub.url, status="failed", failure=failure, request=canonical_request(cell.request))
    studio.store.save(saved.model_copy(update={"request_hash": cell.request_hash}))


def test_a_request_that_was_refused_for_its_content_is_sent_again_only_if_asked(
    studio: Studio, plan: Plan, hub: HubSide
) -> None:
    _refuse(studio, plan, hub)
    assert len(plan.missing) == 5 and plan.price == Decimal("3.36")
    assert "1 refused before" in plan.sheet().summary
    with pytest.warns(errors.RequestWarning, match="1 clip"):
        run = plan.run()
    assert len(run.result(60)) == 5 and hub.posts == 5
    assert [status.state for status in run.statuses].count("refused") == 1
    assert len(plan.run(retry_refused=True).result(60)) == 6 and hub.posts == 6
    assert len(plan.run().result(60)) == 6, "there is a clip now"


def test_a_sample_leaves_out_refused_cells(studio: Studio, plan: Plan, hub: HubSide) -> None:
    _refuse(studio, plan, hub)
    run = plan.sample(6)
    chosen = [status.cell for status in run.statuses]
    run.result(60)
    assert len(chosen) == 5 and plan.cells[0] not in chosen


def test_a_plan_is_written_as_csv_and_read_again_with_the_same_requests(studio: Studio, tmp_path: Path) -> None:
    picture = tmp_path / "red.png"
    picture.write_bytes(png_image())
    shots = [{"prompt": '@Image1, "still"', "duration": 3}, {"prompt": "1984", "duration": 2}]
    plan = studio.sweep(
        {"multi_prompt": shots, "input_image": [str(picture), png_image("blue")]}, generate_audio=[True, False]
    )
    text = plan.to_csv(tmp_path / "plan.csv")
    head = text.splitlines()[0].split(",")
    assert {"multi_prompt.0.prompt", "multi_prompt.1.duration", "input_image.0", "input_image.1"} < set(head)
    again = studio.sweep(rows=tmp_path / "plan.csv")
    assert [cell.request_hash for cell in again.cells] == [cell.request_hash for cell in plan.cells]
    assert again.errors == []


def test_columns_of_a_csv_file_are_placeholders_or_slots_of_the_base(studio: Studio, tmp_path: Path) -> None:
    file = tmp_path / "moods.csv"
    file.write_text("\ufeffmood;multi_prompt.0.duration\n007;3\ncalm;\n", "utf-8")
    base = {"multi_prompt": [{"prompt": "a {mood} boat", "duration": 5}, {"prompt": "a dog", "duration": 2}]}
    first, second = (cell.request for cell in studio.sweep(base, rows=str(file)).cells)
    assert first and second
    assert [shot["prompt"] for shot in first.draft()["multi_prompt"]] == ["a 007 boat", "a dog"]
    assert [shot["duration"] for shot in second.draft()["multi_prompt"]] == [5, 2]


@pytest.mark.parametrize(
    "text",
    ["", "prompt\n", "prompt,prompt\na,b\n", "prompt\na,b,c\n", "prompt,input_image.1\na,b.png\n", "a,\n1,2\n"],
)
def test_a_csv_file_that_is_not_a_table_is_refused(studio: Studio, tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.csv").write_text(text, "utf-8")
    with pytest.raises(errors.ArgumentError):
        studio.sweep(rows=tmp_path / "bad.csv")
    with pytest.raises(errors.ArgumentError):
        studio.sweep(rows=tmp_path / "missing.csv")
