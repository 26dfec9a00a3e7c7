"""Plans in the log: a plan is saved at its first run, and `kn.plan` continues it in another kernel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hubside import HubSide, png_image

from kling_nb import errors
from kling_nb.store.plans import Plans
from kling_nb.studio import Studio


@pytest.fixture
def face(tmp_path: Path) -> Path:
    (tmp_path / "face.png").write_bytes(png_image())
    return tmp_path / "face.png"


def test_a_plan_continues_without_its_notebook(
    studio: Studio, studio_at: Callable[..., Studio], hub: HubSide, face: Path
) -> None:
    base = {"prompt": "@Image1 {mood}", "input_image": [face]}
    plan = studio.sweep(base, mood=["waves", "sleeps"], duration=[3, 2], repeat=2)
    assert list(studio.store.plans.ids()) == [], "a plan that was not run is not saved"
    with pytest.raises(errors.BudgetError):
        plan.run(budget="1.50", skip_invalid=True).result(60)
    face.unlink()

    later = studio_at(hub).plan(plan.id[:4])
    assert (later.id, len(later.cells), later.errors) == (plan.id, 8, plan.errors)
    assert (len(later.records()), len(later.missing)) == (2, 2)
    assert later.price == plan.price
    later.run(budget="3.00", skip_invalid=True).result(60)
    assert hub.posts == 4
    assert sorted(later.labels("mood").values()) == ["sleeps", "sleeps", "waves", "waves"]
    assert later.rows() == plan.rows()
    assert studio.store.verify() == []
    # The images of a plan stay when its clips are deleted.
    for record in later.records():
        studio.store.trash(record.id)
    assert len(studio_at(hub).plan(plan.id).missing) == 4


def test_a_plan_whose_image_is_missing_still_has_its_clips(studio: Studio, hub: HubSide, face: Path) -> None:
    plan = studio.sweep("@Image1 {mood}", mood=["waves", "sleeps"], duration=3, input_image=[[face]])
    plan.run(limit=1, budget="0.70").wait(60)
    for one in plan.to_stored().references:
        (studio.store.file(one.digest or "") or face).unlink()
    later = studio.plan(plan.id)
    assert [row["state"] for row in later.rows()] == ["existing", "invalid"]
    assert "face.png" in later.rows()[1]["problems"]
    run = later.run()
    with pytest.raises(errors.LogError, match=r"face\.png"):
        run.result(60)
    assert hub.posts == 1


def test_an_unknown_plan_id_lists_the_plans(studio: Studio) -> None:
    with pytest.raises(errors.LogError, match="abc"):
        studio.plan("abc")
    plan = studio.sweep("a boat", duration=[3])
    plan.run().result(60)
    with pytest.raises(errors.LogError, match=plan.id):
        studio.plan("zz")


def test_an_edited_plan_is_reported_by_verify(studio: Studio) -> None:
    plan = studio.sweep("a boat", duration=[3])
    plan.run().result(60)
    file = Plans(studio.store.folder).folder / f"{plan.id}.json"
    file.write_text(file.read_text().replace("a boat", "a yacht"))
    (finding,) = studio.store.verify()
    assert (finding.kind, finding.about) == ("plan unreadable", f"plans/{plan.id}.json")
    with pytest.raises(errors.LogError, match=plan.id):
        studio.plan(plan.id)
