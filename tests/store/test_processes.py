"""Kernels that share a folder, and kernels that are killed, whichever database has the index."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from nursery import Kernel
from support.records import make_record

from kling_nb.models.record import Record
from kling_nb.store import Log

from .conftest import POSTGRESQL, SQLITE, OpenLog

DATABASES = (SQLITE, POSTGRESQL)

WRITER = Path(__file__).with_name("writer.py")
Writer = Callable[[str, int], Kernel]


@pytest.fixture
def writer(log: Log, database: str | None, tmp_path: Path) -> Callable[[str, int], Kernel]:
    """Start a process that writes to the log under a name, so many times."""
    team = (database, f"file://{tmp_path}/bucket") if database else ()
    return lambda name, turns: Kernel(WRITER, log.folder, name, turns, *team)


def troubles(log: Log) -> list[str]:
    return [str(finding) for finding in log.verify() if finding.kind != "media orphaned"]


def test_kernels_that_write_at_once_lose_nothing(log: Log, writer: Writer) -> None:
    log.save(make_record(id="shared"))
    turns, names = 12, ("red", "green", "blue")
    writers = [writer(name, turns) for name in names]
    for _ in range(5):
        assert log.find(limit=5)  # a reader never sees an empty or incomplete index
        log.rebuild()
    assert [each.wait() for each in writers] == [0, 0, 0]
    assert log.get("shared").revision == 1 + turns * len(names)
    assert log.count() == 1 + turns * len(names)
    assert all(log.count(text=f"seen {name}") == turns for name in names)
    assert sorted(filter(None, (record.generation_id for record in log.find()))) == sorted(
        f"wanted-by-all-{turn}" for turn in range(turns)
    )  # each of the hub's generations has become one record's
    assert troubles(log) == []


def test_kernels_that_open_a_new_log_at_once_all_succeed(log: Log, writer: Writer, opened: OpenLog) -> None:
    first = opened(log.folder)
    first.save(make_record(id="shared"))
    first.close()
    for path in log.folder.glob("index.sqlite*"):
        path.unlink()
    writers = [writer(name, 2) for name in ("a", "b", "c", "d")]
    assert [each.wait() for each in writers] == [0, 0, 0, 0]
    assert log.count() == 9


@pytest.mark.folder
@pytest.mark.parametrize("turns", [1, 4, 9])
def test_a_killed_writer_leaves_only_whole_records(log: Log, writer: Writer, opened: OpenLog, turns: int) -> None:
    log.save(make_record(id="shared"))
    with writer("killed", 10_000) as killed:
        for _ in range(turns):
            killed.stdout.readline()
    saved = [Record.model_validate_json(path.read_bytes()) for path in log.folder.glob("records/*/*.json")]
    assert len(saved) >= turns + 1
    again = opened(log.folder)  # the next kernel does not wait for the dead one's lock
    assert {record.id for record in again.find()} == {record.id for record in saved}
    again.annotate("shared", note="alive")
    again.rebuild()
    assert troubles(again) == []
    again.close()
