"""A paid job survives a failing index of the log, and a log's folder may have any name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hubside import HubSide

from kling_nb.studio import Studio


def test_a_failing_index_does_not_lose_a_paid_jobs_id(
    hub: HubSide, studio_at: Callable[..., Studio], tmp_path: Path
) -> None:
    (tmp_path / "log" / "index.sqlite").mkdir(parents=True)  # it can be neither read nor written
    studio = studio_at(hub)
    job = studio.generate("a paper boat", duration=3)
    assert job.result(60).path.exists()
    kept = studio.store._records.sidecars.read(job.id)
    assert kept is not None
    assert (kept.status, bool(kept.generation_id), hub.posts) == ("succeeded", True, 1)
    (tmp_path / "log" / "index.sqlite").rmdir()
    assert [record.id for record in studio.log()] == [job.id]


@pytest.mark.parametrize(
    "name", ["a b", "測試", "per%41cent", "what?mode=ro", "ha#sh", "file:x", os.fsdecode(b"bad\xff")]
)
def test_a_log_may_be_in_a_folder_of_any_name(name: str, tmp_path: Path) -> None:
    from kling_nb.store.log import Log

    log = Log(tmp_path / name)
    log.values.save("preset", "walk", {"prompt": "a boat"})
    assert log.find() == []
    log.close()
    assert (tmp_path / name / "index.sqlite").is_file()
    again = Log(tmp_path / name)
    assert again.values.load("preset", "walk") == {"prompt": "a boat"}
    again.close()
