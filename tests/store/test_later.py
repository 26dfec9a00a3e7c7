"""A log in which a later version has written: nothing it wrote is lost, and the user is told to update."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from support.records import make_record

from kling_nb.errors import LogError
from kling_nb.store import Log


def written_later(log: Log, record_id: str, **more: object) -> Path:
    """Let a later version add to a sidecar."""
    path = log._records.sidecars.find(record_id)
    assert path is not None
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 99, "mood": "calm", **more}))
    log.close()
    return path


def test_a_record_of_a_later_version_is_read_and_never_written_with_fields_missing(log: Log) -> None:
    log.save(make_record(0, status="failed"))
    path = written_later(log, "job00000")
    before = path.read_bytes()
    assert log.get("job00000").version == 99
    for change in (lambda: log.annotate("job00000", stars=5), lambda: log.trash("job00000")):
        with pytest.raises(LogError, match=r"later version of kling_nb: update"):
            change()
    assert path.read_bytes() == before


def test_a_later_job_is_left_to_the_later_version(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    log.save(make_record(0))
    path = written_later(log, "job00000")
    assert log.take("job00000") is None
    assert "later version" in caplog.text
    assert json.loads(path.read_text())["mood"] == "calm"


def test_a_later_record_that_cannot_be_read_says_why(log: Log) -> None:
    log.save(make_record(0))
    written_later(log, "job00000", status="dreaming")
    (finding,) = log.verify()
    assert "later version" in finding.message


def test_a_later_index_is_left_alone_and_paid_work_is_still_written(log: Log) -> None:
    log.save(make_record(0))
    log.close()
    with sqlite3.connect(log.folder / "index.sqlite") as later:
        later.execute("UPDATE layout SET number = 99")
        later.execute("ALTER TABLE records RENAME COLUMN model TO film")
    later.close()
    with pytest.raises(LogError, match=r"later version of kling_nb"):
        log.find()
    log.save(make_record(1))
    assert log._records.sidecars.read("job00001") is not None


def test_a_merge_leaves_out_records_of_a_later_version_and_reports_them(log: Log, tmp_path: Path) -> None:
    other = Log(tmp_path / "other")
    for number in range(4):
        other.save(make_record(number, status="failed"))
    other.trash("job00003")
    (thrown,) = (other.folder / "trash" / "records").glob("*/*.json")
    thrown.write_text(json.dumps({**json.loads(thrown.read_text()), "version": 99, "mood": "calm"}))
    written_later(other, "job00000")
    log.save(make_record(1, status="failed"))
    mine = written_later(log, "job00001").read_bytes()

    done = log.merge(other.folder)

    assert (done.added, done.changed, done.same, log.trashed()) == (["job00002"], [], 0, [])
    assert [problem.split()[0] for problem in done.problems] == ["job00000", "job00001", "job00003"]
    assert all("later version of kling_nb: update this one" in problem for problem in done.problems)
    assert next(log.folder.glob("records/*/job00001.json")).read_bytes() == mine
    assert not list(log.folder.rglob("job00000.json"))


def test_a_merge_continues_past_a_record_here_that_cannot_be_read(log: Log, tmp_path: Path) -> None:
    other = Log(tmp_path / "other")
    for number in range(2):
        other.save(make_record(number, status="failed"))
    log.save(make_record(0, status="failed"))
    (torn,) = log.folder.glob("records/*/job00000.json")
    torn.write_text("{")
    done = log.merge(other.folder)
    assert (done.added, torn.read_text()) == (["job00001"], "{")
    assert "job00000.json is not a readable record" in done.problems[0]
