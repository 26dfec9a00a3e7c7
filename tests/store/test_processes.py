"""Kernels that share a folder, and kernels that are killed."""

from __future__ import annotations

from pathlib import Path

import pytest
from nursery import Kernel

from kling_nb.models.record import Record
from kling_nb.store import Log

from .samples import make_record

WRITER = Path(__file__).with_name("writer.py")


def writer(log: Log, name: str, turns: int) -> Kernel:
    return Kernel(WRITER, log.folder, name, turns)


def troubles(log: Log) -> list[str]:
    return [str(finding) for finding in log.verify() if finding.kind != "media orphaned"]


def test_kernels_that_write_at_once_lose_nothing(log: Log) -> None:
    log.save(make_record(id="shared"))
    turns, names = 12, ("red", "green", "blue")
    writers = [writer(log, name, turns) for name in names]
    for _ in range(5):
        assert log.find(limit=5)  # a reader never sees an empty or torn log
        log.rebuild()
    assert [each.wait() for each in writers] == [0, 0, 0]
    assert log.get("shared").revision == 1 + turns * len(names)
    assert log.count() == 1 + turns * len(names)
    assert all(log.count(text=f"seen {name}") == turns for name in names)
    assert sorted(filter(None, (record.generation_id for record in log.find()))) == sorted(
        f"wanted-by-all-{turn}" for turn in range(turns)
    )  # each of the hub's generations has become one record's
    assert troubles(log) == []


def test_kernels_that_open_a_new_log_at_once_all_get_in(log: Log) -> None:
    Log(log.folder).save(make_record(id="shared"))
    for path in log.folder.glob("index.sqlite*"):
        path.unlink()
    writers = [writer(log, name, 2) for name in ("a", "b", "c", "d")]
    assert [each.wait() for each in writers] == [0, 0, 0, 0]
    assert log.count() == 9


@pytest.mark.parametrize("turns", [1, 4, 9])
def test_a_killed_writer_leaves_nothing_torn(log: Log, turns: int) -> None:
    log.save(make_record(id="shared"))
    with writer(log, "killed", 10_000) as killed:
        for _ in range(turns):
            killed.stdout.readline()
    saved = [Record.model_validate_json(path.read_bytes()) for path in log.folder.glob("records/*/*.json")]
    assert len(saved) >= turns + 1
    again = Log(log.folder)  # the next kernel: nothing waits for the dead one's lock
    assert {record.id for record in again.find()} == {record.id for record in saved}
    again.annotate("shared", note="alive")
    again.rebuild()
    assert troubles(again) == []
    again.close()
