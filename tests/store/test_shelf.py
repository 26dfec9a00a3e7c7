"""Small values: uploads in the index, and what is kept by name, in files that outlive it."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kling_nb.errors import LogError
from kling_nb.models.record import Reference
from kling_nb.store import Log

from .samples import jpeg, make_record


def test_an_upload_is_remembered_without_its_signature(log: Log) -> None:
    assert log.upload_of("https://hub.example", "sha256:a") is None
    address = {"url": "https://hub.example/f.png?sig=secret", "namespace": "me", "size": 3}
    log.remember_upload("https://hub.example", "sha256:a", address)
    kept = {"url": "https://hub.example/f.png", "namespace": "me", "size": 3}
    assert log.upload_of("https://hub.example", "sha256:a") == kept
    assert log.upload_of("https://other.example", "sha256:a") is None
    assert b"secret" not in b"".join(path.read_bytes() for path in log.folder.glob("index.sqlite*"))
    log.forget_upload("https://hub.example", "sha256:a")
    assert log.upload_of("https://hub.example", "sha256:a") is None


def test_kept_values_are_replaced_listed_and_dropped(log: Log) -> None:
    log.save_value("draft", "b", {"prompt": "é"})
    log.save_value("draft", "a", None)
    log.save_value("draft", "b", [1, 2.5])
    log.save_value("preset", "c", 1)
    assert log.load_value("draft", "b") == [1, 2.5]
    assert log.value_names("draft") == ["a", "b"]
    log.delete_value("draft", "b")
    log.delete_value("draft", "b")
    assert log.load_value("draft", "b") is None
    assert log.value_names("draft") == ["a"]


@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}])
def test_what_is_no_json_is_refused(log: Log, value: object) -> None:
    with pytest.raises(LogError, match="cannot be kept"):
        log.save_value("draft", "x", value)
    assert log.value_names("draft") == []


# --- files


def without_index(log: Log) -> Log:
    """The same log in another kernel, after its index was deleted, or as git brings it elsewhere."""
    log.close()
    for file in log.folder.glob("index*"):
        file.unlink()
    shutil.rmtree(log.folder / "locks", ignore_errors=True)
    return Log(log.folder)


def pictured(log: Log, **fields: Any) -> dict[str, Any]:
    """A preset as `kn.presets` keeps it, with a picture."""
    digest = log.add_media(jpeg(), ".jpg")
    reference = Reference(path="p", identity=digest, given="face.jpg", digest=digest).model_dump(mode="json")
    return {"fields": fields, "references": [reference], "at": "2026-01-01T00:00:00+00:00"}


def test_kept_values_and_their_pictures_outlive_the_index(log: Log) -> None:
    log.save_value("preset", "walk", pictured(log, prompt="a kite"))
    log.save_value("option", "confirm_above", "5.00")
    again = without_index(log)
    assert again.load_value("option", "confirm_above") == "5.00"
    assert again.load_value("preset", "walk")["fields"] == {"prompt": "a kite"}
    assert again.verify() == []
    again.rebuild()
    assert again.value_names("preset") == ["walk"]
    again.close()


def test_a_kept_value_is_a_file_that_a_person_can_read(log: Log) -> None:
    log.save_value("preset", "Über/den Wolken", {"prompt": "風"})
    (file,) = (log.folder / "saved" / "preset").iterdir()
    assert file.name.startswith("uber-den-wolken-")
    assert json.loads(file.read_text("utf-8")) == {
        "kind": "preset",
        "name": "Über/den Wolken",
        "value": {"prompt": "風"},
    }
    assert "風" in file.read_text("utf-8")


ODD = [
    "a",
    "A",
    "a ",
    "a/b",
    "../../a",
    "é",
    "e\u0301",
    "",
    ".",
    "con",
    "測試",
    "x" * 300,
    "x" * 301,
    "bad\udcff",
    "\0",
]


def test_any_name_has_a_file_of_its_own_on_any_disk(log: Log) -> None:
    for number, name in enumerate(ODD):
        log.save_value("draft", name, number)
    files = [path.name for path in (log.folder / "saved" / "draft").iterdir()]
    assert len({name.lower() for name in files}) == len(ODD)
    assert all(name.isascii() and len(name) < 80 for name in files)
    assert {name: log.load_value("draft", name) for name in log.value_names("draft")} == dict(
        zip(ODD, range(len(ODD)), strict=True)
    )
    assert log.verify() == []


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec=None), max_size=90), st.sampled_from(["preset", "My Kind", "..", "A/B"]))
@example("\ud83d", "preset")
def test_whatever_a_name_is_it_comes_back(log: Log, name: str, kind: str) -> None:
    log.save_value(kind, name, [name])
    assert log.load_value(kind, name) == [name]
    assert log.value_names(kind) == [name]
    assert all(log.folder / "saved" in path.parents for path in log.folder.rglob("*.json"))
    log.delete_value(kind, name)
    assert log.value_names(kind) == []


def file_of(log: Log, kind: str, name: str) -> Path:
    return log._kept.path(kind, name)


TORN: Mapping[str, Callable[[Path], object]] = {
    "empty": lambda file: file.write_bytes(b""),
    "torn": lambda file: file.write_bytes(file.read_bytes()[:-40]),
    "no text": lambda file: file.write_bytes(b"\xff\xfe\x00"),
    "a list": lambda file: file.write_text("[]"),
    "no name": lambda file: file.write_text('{"kind": "preset", "value": 1}'),
    "a conflict": lambda file: file.write_text(f"<<<<<<< HEAD\n{file.read_text()}"),
    "deep": lambda file: file.write_text("[" * 100_000),
    "another's": lambda file: file.write_text(file.read_text().replace('"walk"', '"run"')),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
}


@pytest.mark.parametrize("harm", TORN)
def test_a_file_that_cannot_be_read_is_left_out_and_named(
    log: Log, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    log.save_value("preset", "walk", pictured(log, prompt="a kite"))
    log.save_value("preset", "boat", {"fields": {}, "references": []})
    file = file_of(log, "preset", "walk")
    TORN[harm](file)
    assert log.value_names("preset") == ["boat"] == log.value_names("preset")
    assert caplog.text.count(str(file)) == 1, "it is said once"
    with pytest.raises(LogError, match=r"restore it from a copy|move it to"):
        log.load_value("preset", "walk")
    found = {finding.kind: finding for finding in log.verify()}
    assert found["kept unreadable"].about == file.relative_to(log.folder).as_posix()
    if "media orphaned" in found:
        assert found["media orphaned"].remedy.startswith("mend what is unreadable first")
    if file.is_file():
        log.save_value("preset", "walk", 1)
        assert log.value_names("preset") == ["boat", "walk"]


def test_what_is_no_kept_value_is_not_looked_at(log: Log) -> None:
    log.save_value("preset", "walk", 1)
    folder = log.folder / "saved"
    (folder / ".DS_Store").touch()
    (folder / "README.md").touch()
    for name in ("._walk.json", "walk.json.x.new", "walk.json~"):
        (folder / "preset" / name).write_text("{")
    assert log.value_names("preset") == ["walk"]
    assert log.verify() == []


def test_a_file_in_the_folders_place_is_one_clear_error(log: Log) -> None:
    log.save(make_record(0))
    (log.folder / "saved").touch()
    for use in (
        lambda: log.save_value("preset", "a", 1),
        lambda: log.load_value("preset", "a"),
        lambda: log.value_names("preset"),
    ):
        with pytest.raises(LogError, match=r"saved|log in"):
            use()
    assert [finding.about for finding in log.verify()] == ["saved"]


def test_writers_of_one_name_leave_one_whole_value(log: Log) -> None:
    other = Log(log.folder)

    def write(store: Log, letter: str) -> None:
        for _ in range(20):
            store.save_value("preset", "walk", letter * 5000)
            assert set(store.load_value("preset", "walk") or "") in ({"a"}, {"b"})
            store.value_names("preset")

    threads = [threading.Thread(target=write, args=one) for one in ((log, "a"), (other, "b"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list((log.folder / "saved" / "preset").iterdir())) == 1
    assert log.verify() == []
    other.close()


# --- an index of before


def written_before(log: Log, *rows: tuple[str, str, Any], earlier: bool = True) -> None:
    """Let an earlier version keep values in the index: before this one came, or while it runs beside."""
    log.rebuild()
    log.close()
    with sqlite3.connect(log.folder / "index.sqlite") as old:
        if earlier:
            old.execute("ALTER TABLE kept DROP COLUMN carried")
            old.execute("DELETE FROM migrations WHERE name = 'kept_in_files'")
        for kind, name, value in rows:
            old.execute("DELETE FROM kept WHERE kind = ? AND name = ?", (kind, name))
            old.execute("INSERT INTO kept (kind, name, json) VALUES (?, ?, ?)", (kind, name, json.dumps(value)))
    old.close()


def test_what_an_earlier_version_kept_is_carried_over_once(log: Log) -> None:
    walk = pictured(log, prompt="a kite")
    written_before(log, ("preset", "walk", walk), ("draft", "a.ipynb/one", {"at": "1"}), ("option", "embed", 5))
    assert log.load_value("preset", "walk") == walk
    assert log.value_names("draft") == ["a.ipynb/one"]
    assert log.verify() == []
    log.delete_value("preset", "walk")
    log.close()
    assert log.value_names("preset") == [], "what was dropped stays so"
    again = without_index(log)
    assert again.load_value("option", "embed") == 5
    again.close()


def test_kernels_that_open_an_index_of_before_at_once_lose_nothing(log: Log) -> None:
    written_before(log, *(("preset", f"p{number}", {"n": number}) for number in range(30)))
    kernels = [Log(log.folder) for _ in range(4)]
    seen: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda store=store: seen.append(store.value_names("preset"))) for store in kernels
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(names) for names in seen] == [30] * 4
    for kernel in kernels:
        kernel.close()


def test_a_carrying_over_that_was_cut_short_is_done_again(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    written_before(log, *(("preset", f"p{number}", {"n": number}) for number in range(3)))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("kling_nb.store.named.write_whole", full)
        for _ in range(2):
            with pytest.raises(LogError, match="free some space"):
                log.value_names("preset")
    assert log.value_names("preset") == ["p0", "p1", "p2"]


def test_what_an_earlier_version_writes_beside_comes_along_at_the_next_opening(log: Log) -> None:
    log.save_value("preset", "walk", {"n": 1})
    log.save_value("draft", "old", {"at": "2026-01-02"})
    log.save_value("draft", "new", {"at": "2026-01-01"})
    beside = {"at": "2026-01-01T12:00", "by": "an earlier version"}
    rows = [("preset", "walk", {"n": 2}), ("preset", "run", 3), ("draft", "old", beside), ("draft", "new", beside)]
    written_before(log, *rows, earlier=False)
    assert sorted(log.load_value("preset", name)["n"] for name in log.value_names("preset") if name != "run") == [1, 2]
    assert log.load_value("preset", "run") == 3
    assert log.load_value("draft", "old") == {"at": "2026-01-02"}
    assert log.load_value("draft", "new") == beside
    names = log.value_names("preset")
    log.close()
    assert log.value_names("preset") == names


def test_a_row_waits_for_the_file_that_is_in_its_way_to_be_mended(log: Log) -> None:
    log.save_value("preset", "walk", {"n": 1})
    file = file_of(log, "preset", "walk")
    whole = file.read_bytes()
    file.write_bytes(b"{")
    written_before(log, ("preset", "walk", {"n": 2}), earlier=False)
    assert log.value_names("preset") == []
    assert file.read_bytes() == b"{"
    file.write_bytes(whole)
    log.close()
    assert sorted(log.load_value("preset", name)["n"] for name in log.value_names("preset")) == [1, 2]


def test_a_damaged_row_is_left_out_and_said(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    written_before(log, ("preset", "walk", 1), ("preset", "run", 2))
    with sqlite3.connect(log.folder / "index.sqlite") as old:
        old.execute("UPDATE kept SET json = '{' WHERE name = 'walk'")
    old.close()
    assert log.value_names("preset") == ["run"]
    assert "The preset 'walk' in the log's index cannot be read" in caplog.text


def test_an_index_of_before_is_rescued_when_it_is_damaged(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(200):
        log.save(make_record(number))
    written_before(log, ("preset", "walk", {"n": 1}))
    file = log.folder / "index.sqlite"
    with sqlite3.connect(file) as raw:
        pages = [row[0] for row in raw.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name = 'migrations'")]
    raw.close()
    data = bytearray(file.read_bytes())
    for page in pages:
        data[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    file.write_bytes(data)
    with caplog.at_level(logging.WARNING, "kling_nb.store"):
        assert log.load_value("preset", "walk") == {"n": 1}
    assert "damaged" in caplog.text
    assert log.count() == 200


def test_presets_of_a_log_of_before_and_of_one_without_an_index_come_along(log: Log, tmp_path: Path) -> None:
    other = Log(tmp_path / "other")
    other.save_value("preset", "new", {"fields": {"prompt": "new"}, "references": []})
    written_before(other, ("preset", "old", pictured(other, prompt="old")), ("draft", "x", {}))
    done = log.merge(other.folder)
    assert (done.kept, done.media, done.problems) == (2, 1, [])
    assert log.value_names("preset") == ["new", "old"]
    assert log.value_names("draft") == []
    assert log.merge(other.folder).kept == 0
    assert not file_of(other, "preset", "old").exists(), "the other log is only read"
    bare = without_index(other)
    bare.close()
    file_of(other, "preset", "new").write_bytes(b"{")
    (third := Log(tmp_path / "third")).merge(log.folder)
    assert third.value_names("preset") == ["new", "old"]
    assert "restore it from a copy" in third.merge(other.folder).problems[0]
    third.close()
