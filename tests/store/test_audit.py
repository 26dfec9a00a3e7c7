"""Verify finds what disagrees in a log, and a rebuild fixes the index."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from support.images import jpeg
from support.records import make_record

from kling_nb.errors import LogError
from kling_nb.models.asset import Asset
from kling_nb.models.record import Record
from kling_nb.models.urls import sha256
from kling_nb.store import Log


def sidecar_of(log: Log, record_id: str) -> Path:
    return next(log.folder.glob(f"records/*/{record_id}.json"))


def kinds(log: Log) -> list[str]:
    return sorted(finding.kind for finding in log.verify())


@pytest.fixture
def finished(log: Log, film: Callable[..., Path]) -> Record:
    """A finished record with a reference and a clip."""
    reference = log.add_reference(Asset.from_bytes(jpeg()), path="input_image.0")
    path = log.partial("job00000")
    shutil.copy(film(), path)
    clip = log.add_clip("job00000", path, sha256(path.read_bytes()))
    return log.save(make_record(status="succeeded", references=(reference,), clip=clip))


def test_a_sound_log_has_no_findings(log: Log, finished: Record) -> None:
    assert log.verify() == []


def test_missing_and_changed_and_orphaned_media_are_found(log: Log, finished: Record) -> None:
    (log.folder / finished.clip.file).unlink()
    log.file(finished.references[0].digest).write_bytes(b"edited")
    log.add_media(b"unused", ".bin")
    assert kinds(log) == ["media changed", "media missing", "media orphaned"]
    missing = next(finding for finding in log.verify() if finding.kind == "media missing")
    assert missing.about == finished.id
    assert "its clip is missing" in missing.message


def test_an_edited_request_is_found(log: Log, finished: Record) -> None:
    path = sidecar_of(log, finished.id)
    body = json.loads(path.read_text())
    body["canonical"]["duration"] = 15
    path.write_text(json.dumps(body))
    assert kinds(log) == ["request changed"]


def test_missing_damaged_and_renamed_sidecars_are_found_and_left_out_of_a_rebuild(
    log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(4):
        log.save(make_record(number))
    sidecar_of(log, "job00000").unlink()
    damaged = sidecar_of(log, "job00001")
    damaged.write_bytes(damaged.read_bytes()[:200])
    sidecar_of(log, "job00002").rename(damaged.with_name("another.json"))
    assert kinds(log) == ["sidecar missing", "sidecar missing", "sidecar unreadable", "sidecar unreadable"]
    with caplog.at_level(logging.WARNING, "kling_nb.store"):
        assert log.rebuild() == 1
    assert "job00001.json is not a readable record" in caplog.text
    assert [record.id for record in log.find()] == ["job00003"]
    assert kinds(log) == ["sidecar unreadable", "sidecar unreadable"]


def test_an_old_copy_and_a_record_from_elsewhere_are_found_and_a_rebuild_takes_them(log: Log, tmp_path: Path) -> None:
    log.save(make_record())
    old = sidecar_of(log, "job00000").read_bytes()
    log.annotate("job00000", stars=5)
    sidecar_of(log, "job00000").write_bytes(old)
    other = Log(tmp_path / "other")
    other.save(make_record(1))
    other.close()
    shutil.copy(sidecar_of(other, "job00001"), sidecar_of(log, "job00000").parent)
    assert kinds(log) == ["sidecar not in index", "sidecar older"]
    assert log.rebuild() == 2
    assert log.verify() == []
    assert log.get("job00000").stars is None


def test_a_partial_download_of_an_ended_job_is_found_and_that_of_a_running_one_is_not(log: Log) -> None:
    log.save(make_record(0, status="downloading"))
    log.save(make_record(1, status="failed"))
    for job in ("job00000", "job00001", "unknown"):
        log.partial(job).write_bytes(b"half")
    assert [finding.about for finding in log.verify()] == ["partial/job00001.part", "partial/unknown.part"]


def test_a_missing_index_is_rebuilt(log: Log) -> None:
    log.save(make_record(0))
    log.annotate("job00000", tags=["t"], note="hello")
    log.close()
    for path in log.folder.glob("index.sqlite*"):
        path.unlink()
    assert log.find(tag="t", text="hello")[0].revision == 2


def test_an_index_deleted_under_an_open_log_is_rebuilt(log: Log) -> None:
    log.save(make_record(0))
    for path in log.folder.glob("index.sqlite*"):
        path.unlink()
    log.save(make_record(1))
    assert log.count() == 2
    assert log.verify() == []


@pytest.mark.parametrize("junk", [b"no database at all" * 500, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_index_is_rebuilt_with_a_warning(log: Log, junk: bytes, caplog: pytest.LogCaptureFixture) -> None:
    log.save(make_record(0))
    log.close()
    (log.folder / "index.sqlite").write_bytes(junk)
    with caplog.at_level(logging.WARNING, "kling_nb.store"):
        assert log.count() == 1
    assert "damaged" in caplog.text
    assert (log.folder / "index.damaged.sqlite").exists()


def test_damage_to_an_open_index_is_repaired_and_saved_values_stay(log: Log) -> None:
    for number in range(300):
        log.save(make_record(number))
    log.values.save("preset", "mine", {"a": 1})
    log.close()
    file = log.folder / "index.sqlite"
    with sqlite3.connect(file) as raw:
        page = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'bodies'").fetchone()[0]
    raw.close()
    assert log.count() == 300
    data = bytearray(file.read_bytes())
    data[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    log._records.database._engine.dispose()
    with file.open("r+b") as stream:
        stream.write(data)
    assert len(log.find()) == 300
    assert log.values.load("preset", "mine") == {"a": 1}


def test_a_record_saved_while_the_index_was_locked_is_found_again(
    log: Log, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("kling_nb.store.database._PATIENCE_MS", 50)
    log.save(make_record(0))
    other = sqlite3.connect(log.folder / "index.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    log.close()
    late = Log(log.folder)
    with caplog.at_level(logging.WARNING, "kling_nb.store"):
        saved = late.save(make_record(1))
    assert "not yet in the index" in caplog.text
    other.close()
    assert late.get(saved.id) == saved
    assert late.verify() == []
    late.close()


def test_a_sidecar_written_by_a_kernel_that_was_killed_before_the_index_is_found_at_the_next_opening(log: Log) -> None:
    log.save(make_record(0))
    log._records.sidecars.write(make_record(1, revision=1))
    assert log.count() == 1
    again = Log(log.folder)
    assert again.count() == 2
    again.close()


def test_a_full_disk_raises_and_leaves_the_old_record(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = log.save(make_record())

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LogError, match=r"No space left on device\): free some space"):
        log.save(saved)
    with pytest.raises(LogError, match="free some space"):
        log.add_media(b"hello", ".bin")
    monkeypatch.undo()
    assert log.get(saved.id) == saved
    assert log.verify() == []
    assert not list(log.folder.rglob("*.new"))
