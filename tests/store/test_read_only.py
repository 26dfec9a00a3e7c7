"""A log that can only be read is read, shown and exported; a write is one clear error."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.records import make_record

from kling_nb.errors import LogError
from kling_nb.models.judgements import Vote
from kling_nb.store import Log
from kling_nb.store.disk import network_of
from kling_nb.studio import Studio

UNPRIVILEGED = 65534
VOTE = Vote(id="v", at=make_record(0).times.created, who="x", outcome="tie", left="a", right="b", seed=1)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user can reach, unlike pytest's own."""
    place = Path(tempfile.mkdtemp(prefix="kling-nb-test-"))
    place.chmod(0o755)
    yield place / "log"
    os.seteuid(os.getuid())
    for path in (place, *place.rglob("*")):
        path.chmod(0o755)
    shutil.rmtree(place)


def only_readable(folder: Path) -> None:
    """Take away the permission to write, from root too."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    if os.geteuid() == 0:
        os.seteuid(UNPRIVILEGED)


@pytest.fixture
def log(folder: Path) -> Iterator[Log]:
    written = Log(folder)
    for number in range(3):
        written.save(make_record(number, status="succeeded", prompt=f"a kite {number}"))
    written.annotate("job00001", tags=["best"])
    written.values.save("preset", "walk", {"fields": {}})
    written.close()
    only_readable(folder)
    opened = Log(folder)
    yield opened
    opened.close()


READ: dict[str, Callable[[Log], Any]] = {
    "find": lambda log: [record.id for record in log.find()] == ["job00002", "job00001", "job00000"],
    "words": lambda log: log.count(text="kite") == 3 and log.count(tag="best") == 1,
    "get": lambda log: log.get("job00001").tags == ("best",),
    "values": lambda log: log.values.names("preset") == ["walk"],
    "limits": lambda log: log.budget.limits().total is None and log.budget.entries() == [],
    "votes": lambda log: log.votes.all() == [] and log.scores.of(log.find()) == {},
    "unfinished": lambda log: log.unfinished() == [] and log.durations("m", "h") == [],
    "verify": lambda log: log.verify() == [],
}


@pytest.mark.parametrize("question", READ)
def test_a_log_that_can_only_be_read_answers(log: Log, question: str) -> None:
    before = sorted(path.as_posix() for path in log.folder.rglob("*"))
    assert READ[question](log)
    assert sorted(path.as_posix() for path in log.folder.rglob("*")) == before


WRITE: dict[str, Callable[[Log], Any]] = {
    "save": lambda log: log.save(make_record(7)),
    "annotate": lambda log: log.annotate("job00000", stars=5),
    "trash": lambda log: log.trash("job00000"),
    "value": lambda log: log.values.save("preset", "run", 1),
    "vote": lambda log: log.votes.add([VOTE]),
    "rebuild": lambda log: log.rebuild(),
    "take": lambda log: log.holder(),
    "limits": lambda log: log.budget.change(lambda limits: limits),
}


@pytest.mark.parametrize("deed", WRITE)
@pytest.mark.parametrize("read_before", [False, True])
def test_writing_into_it_is_one_clear_error(log: Log, deed: str, read_before: bool) -> None:
    if read_before:
        log.find()
    with pytest.raises(LogError, match=rf"The log in {log.folder} cannot be written .*choose another folder"):
        WRITE[deed](log)
    assert log.count() == 3


def test_records_that_others_add_are_found_and_a_log_that_can_be_written_again_is(
    folder: Path, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert log.count() == 3
    os.seteuid(os.getuid())
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
    other = Log(folder)
    other.save(make_record(8))
    other.close()
    only_readable(folder)
    monkeypatch.setattr("kling_nb.store.records._LOOK_AGAIN", 0)
    assert log.count() == 4
    os.seteuid(os.getuid())
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
    assert log.annotate("job00008", stars=5).stars == 5
    assert log.get("job00008").stars == 5 and log.verify() == []


def test_a_studio_shows_and_exports_it_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = Log(tmp_path / "log")
    for number in range(3):
        written.save(make_record(number, status="succeeded", prompt=f"a kite {number}"))
    written.close()
    before = sorted(path.as_posix() for path in written.folder.rglob("*"))
    # Another user could not import everything that a studio needs.
    monkeypatch.setattr("kling_nb.store.records.can_write", lambda path: False)
    studio = Studio(hub="http://127.0.0.1:9", key="k", log=written.folder)
    assert "3 records" in studio.log()._repr_mimebundle_()["text/plain"]
    assert "kite" in studio.log()[0]._repr_mimebundle_()["text/html"]
    done = [studio.log().export(tmp_path / name) for name in ("a.jsonl", "a.html", "a.zip")]
    assert all(one.records == 3 for one in done)
    studio.close()
    assert sorted(path.as_posix() for path in written.folder.rglob("*")) == before


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:50 / /mnt/team rw,relatime shared:2 - nfs4 server:/export rw
41 22 0:51 / /mnt/team/local\\040disk rw - ext4 /dev/sdb1 rw
42 22 0:52 / /media/share rw master:3 - cifs //nas/share rw
broken line
"""


@pytest.mark.parametrize(
    ("folder_of", "kind"),
    [
        ("/home/me/log", ""),
        ("/mnt/team/log", "nfs4"),
        ("/mnt/teammate/log", ""),
        ("/mnt/team/local disk/log", ""),
        ("/media/share", "cifs"),
    ],
)
def test_a_network_drive_is_told_from_a_local_one(tmp_path: Path, folder_of: str, kind: str) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert network_of(Path(folder_of), mounts) == kind
    assert network_of(Path(folder_of), tmp_path / "missing") == ""


def test_a_log_on_a_network_drive_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("kling_nb.store.disk.network_of", lambda folder: "nfs4")
    log = Log(tmp_path / "log")
    log.save(make_record(0))
    log.save(make_record(1))
    log.close()
    log.find()
    said = [record.getMessage() for record in caplog.records if "network drive" in record.getMessage()]
    assert len(said) == 1 and str(tmp_path / "log") in said[0] and "nfs4" in said[0]


# A log that is read as it is, by a process that must not change it


def test_a_log_is_read_as_it_is_beside_its_writer_and_not_a_byte_changes(tmp_path: Path) -> None:
    writer = Log(tmp_path / "log")
    writer.save(make_record(0))
    reader = Log(tmp_path / "log", as_it_is=True)
    assert [record.id for record in reader.find()] == ["job00000"]
    writer.save(make_record(1, status="succeeded"))
    assert [record.status for record in reader.find()] == ["succeeded", "prepared"]
    writer.close()
    before = contents_of(tmp_path)
    assert (reader.count(), len(reader.unfinished()), reader.budget.limits().day) == (2, 1, None)
    reader.close()
    reader = Log(tmp_path / "log", as_it_is=True)
    assert reader.count() == 2
    reader.close()
    assert contents_of(tmp_path) == before


@pytest.mark.parametrize(
    "write",
    [
        lambda log: log.save(make_record(5)),
        lambda log: log.annotate("job00000", stars=3),
        lambda log: log.trash("job00000"),
        lambda log: log.rebuild(),
        lambda log: log.budget.change(lambda limits: limits),
    ],
)
def test_nothing_is_saved_in_a_log_that_is_read_as_it_is(tmp_path: Path, write: Callable[[Log], Any]) -> None:
    with_record(tmp_path)
    reader, before = Log(tmp_path / "log", as_it_is=True), contents_of(tmp_path)
    with pytest.raises(LogError):
        write(reader)
    reader.close()
    assert contents_of(tmp_path) == before


def test_an_index_of_another_layout_is_not_migrated(tmp_path: Path) -> None:
    with_record(tmp_path)
    with sqlite3.connect(tmp_path / "log" / "index.sqlite") as index:
        index.execute("UPDATE layout SET number = 0")
    index.close()
    reader, before = Log(tmp_path / "log", as_it_is=True), contents_of(tmp_path)
    with pytest.raises(LogError, match="another version"):
        reader.find()
    assert contents_of(tmp_path) == before


def test_a_log_without_an_index_is_not_given_one(tmp_path: Path) -> None:
    with_record(tmp_path)
    (tmp_path / "log" / "index.sqlite").unlink()
    with pytest.raises(LogError):
        Log(tmp_path / "log", as_it_is=True).find()
    assert not (tmp_path / "log" / "index.sqlite").exists()


def with_record(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    log.save(make_record(0, status="failed"))
    log.close()


def contents_of(folder: Path) -> dict[str, bytes]:
    """Return every file that holds something; SQLite leaves empty ones beside an index that was read."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: data for name, file in files.items() if not name.endswith("-shm") and (data := file.read_bytes())}
