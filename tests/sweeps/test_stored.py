"""A plan outlives its kernel: the log keeps it from its first run, and `kn.plan` goes on with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hubside import HubSide, picture

from kling_nb import errors
from kling_nb.store.plans import Plans
from kling_nb.studio import Studio


@pytest.fixture
def face(tmp_path: Path) -> Path:
    (tmp_path / "face.png").write_bytes(picture())
    return tmp_path / "face.png"


def test_a_plan_goes_on_without_the_notebook_that_made_it(
    studio: Studio, studio_at: Callable[..., Studio], hub: HubSide, face: Path
) -> None:
    base = {"prompt": "@Image1 {mood}", "input_image": [face]}
    plan = studio.sweep(base, mood=["waves", "sleeps"], duration=[3, 2], repeat=2)
    assert list(studio.store.plans.ids()) == [], "what was only looked at is not kept"
    with pytest.raises(errors.BudgetError):
        plan.run(budget="1.50", skip_invalid=True).result(40)
    face.unlink()

    later = studio_at(hub).plan(plan.id[:4])
    assert (later.id, len(later.cells), later.errors) == (plan.id, 8, plan.errors)
    assert (len(later.records()), len(later.missing)) == (2, 2)
    assert later.price == plan.price
    later.run(budget="3.00", skip_invalid=True).result(40)
    assert hub.posts == 4
    assert sorted(later.labels("mood").values()) == ["sleeps", "sleeps", "waves", "waves"]
    assert later.rows() == plan.rows()
    assert studio.store.verify() == []
    # What a plan needs stays when a clip of it is thrown away.
    for record in later.records():
        studio.store.trash(record.id)
    assert len(studio_at(hub).plan(plan.id).missing) == 4


def test_a_plan_whose_picture_is_lost_still_finds_its_clips(studio: Studio, hub: HubSide, face: Path) -> None:
    plan = studio.sweep("@Image1 {mood}", mood=["waves", "sleeps"], duration=3, input_image=[[face]])
    plan.run(limit=1, budget="0.70").wait(40)
    for one in plan.to_stored().references:
        (studio.store.file(one.digest or "") or face).unlink()
    later = studio.plan(plan.id)
    assert [row["state"] for row in later.rows()] == ["existing", "invalid"]
    assert "lost the bytes of face.png" in later.rows()[1]["problems"]
    run = later.run()
    with pytest.raises(errors.LogError, match="lost the bytes"):
        run.result(40)
    assert hub.posts == 1


def test_which_plans_there_are_is_said(studio: Studio) -> None:
    with pytest.raises(errors.LogError, match="Plans in this log: none"):
        studio.plan("abc")
    plan = studio.sweep("a boat", duration=[3])
    plan.run().result(40)
    with pytest.raises(errors.LogError, match=plan.id):
        studio.plan("zz")


def test_a_plan_that_was_edited_is_found_by_verify(studio: Studio) -> None:
    plan = studio.sweep("a boat", duration=[3])
    plan.run().result(40)
    file = Plans(studio.store.folder).folder / f"{plan.id}.json"
    file.write_text(file.read_text().replace("a boat", "a yacht"))
    (finding,) = studio.store.verify()
    assert (finding.kind, finding.about) == ("plan unreadable", f"plans/{plan.id}.json")
    with pytest.raises(errors.LogError, match="was edited"):
        studio.plan(plan.id)
