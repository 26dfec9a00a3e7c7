"""A log's folder that disappears under a kernel: nothing is spent, and no new log is started in its place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hubside import HubSide, png_image

from kling_nb.errors import LogError
from kling_nb.store import Log
from kling_nb.studio import Studio

GONE = r"is missing: .*Restore it; or call kn\.configure\(log="


@pytest.mark.parametrize("how", ["renamed", "unmounted"])
def test_no_job_is_billed_while_the_log_is_missing_and_all_works_when_it_is_back(
    studio: Studio, hub: HubSide, tmp_path: Path, how: str
) -> None:
    studio.generate("a paper boat", duration=3).result(60)
    studio.budget(total="9.00")
    folder = studio.store.folder
    folder.rename(tmp_path / "elsewhere")
    if how == "unmounted":
        folder.mkdir()

    for use in (
        lambda: studio.log(),
        lambda: studio.budget(),
        lambda: studio.budget(total="1.00"),
        lambda: studio.spending(),
        lambda: studio.generate("a kite", duration=3),
        lambda: studio.generate("@Image1", input_image=[png_image()], duration=3),
        lambda: studio.sweep("{s} walks", s=["a cat"]).run(),
        lambda: studio.presets.update(walk={"prompt": "x"}),
        lambda: studio.preview("a kite", duration=3),
        lambda: studio.resume(),
    ):
        with pytest.raises(LogError, match=GONE):
            len(repr(use()))
    assert hub.posts == 1
    assert how == "unmounted" or not folder.exists()
    assert not folder.exists() or list(folder.iterdir()) == []

    shutil.rmtree(folder, ignore_errors=True)
    (tmp_path / "elsewhere").rename(folder)
    assert studio.generate("a kite", duration=3).result(60).path.exists()
    assert str(studio.budget().limits.total) == "9.00"
    assert studio.store.verify() == []


def test_another_studio_starts_a_new_log_after_it_was_deleted_on_purpose(
    studio: Studio, studio_at: Callable[..., Studio], hub: HubSide
) -> None:
    studio.presets["walk"] = {"prompt": "x"}
    shutil.rmtree(studio.store.folder)
    with pytest.raises(LogError, match=GONE):
        studio.generate("a kite", duration=3)

    again = studio_at(hub)

    assert again.generate("a kite", duration=3).result(60).path.exists()
    assert studio.log()[0].prompt == "a kite", "there is a log again"


def test_a_new_log_is_created_by_its_first_record_and_not_by_reading(tmp_path: Path) -> None:
    log = Log(tmp_path / "a" / "log")
    assert (log.find(), log.values.load("preset", "x"), log.budget.limits().total, log.plans.ids()) == (
        [],
        None,
        None,
        [],
    )
    assert not log.folder.exists()
    log.values.save("preset", "x", 1)
    for file in log.folder.glob("index*"):
        file.unlink()
    assert log.values.load("preset", "x") == 1, "a log without its index is not gone"
    log.close()
