"""Upload addresses in the index, and values saved by name in files that outlive it."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.images import jpeg
from support.records import make_record

from kling_nb.errors import ArgumentError, LogError
from kling_nb.models.record import Reference
from kling_nb.store import Log


def test_an_upload_is_remembered_without_its_signature(log: Log) -> None:
    assert log.upload_of("https://hub.example", "sha256:a") is None
    address = {"url": "https://hub.example/f.png?sig=secret", "namespace": "me", "size": 3}
    log.remember_upload("https://hub.example", "sha256:a", address)
    public = {"url": "https://hub.example/f.png", "namespace": "me", "size": 3}
    assert log.upload_of("https://hub.example", "sha256:a") == public
    assert log.upload_of("https://other.example", "sha256:a") is None
    assert b"secret" not in b"".join(path.read_bytes() for path in log.folder.glob("index.sqlite*"))
    log.forget_upload("https://hub.example", "sha256:a")
    assert log.upload_of("https://hub.example", "sha256:a") is None


def test_saved_values_are_replaced_listed_and_deleted(log: Log) -> None:
    log.values.save("draft", "b", {"prompt": "é"})
    log.values.save("draft", "a", None)
    log.values.save("draft", "b", [1, 2.5])
    log.values.save("preset", "c", 1)
    assert log.values.load("draft", "b") == [1, 2.5]
    assert log.values.names("draft") == ["a", "b"]
    log.values.delete("draft", "b")
    log.values.delete("draft", "b")
    assert log.values.load("draft", "b") is None
    assert log.values.names("draft") == ["a"]


@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}])
def test_a_value_that_is_not_json_is_refused(log: Log, value: object) -> None:
    with pytest.raises(ArgumentError):
        log.values.save("draft", "x", value)
    assert log.values.names("draft") == []


def without_index(log: Log) -> Log:
    """Return the log as another kernel finds it after its index was deleted, or after a git clone."""
    log.close()
    for file in log.folder.glob("index*"):
        file.unlink()
    shutil.rmtree(log.folder / "locks", ignore_errors=True)
    return Log(log.folder)


def pictured(log: Log, **fields: Any) -> dict[str, Any]:
    """Return a preset as `kn.presets` saves it, with an image."""
    digest = log.add_media(jpeg(), ".jpg")
    reference = Reference(path="p", identity=digest, given="face.jpg", digest=digest).model_dump(mode="json")
    return {"fields": fields, "references": [reference], "at": "2026-01-01T00:00:00+00:00"}


def test_saved_values_and_their_images_outlive_the_index(log: Log) -> None:
    log.values.save("preset", "walk", pictured(log, prompt="a kite"))
    log.values.save("option", "confirm_above", "5.00")
    again = without_index(log)
    assert again.values.load("option", "confirm_above") == "5.00"
    assert again.values.load("preset", "walk")["fields"] == {"prompt": "a kite"}
    assert again.verify() == []
    again.rebuild()
    assert again.values.names("preset") == ["walk"]
    again.close()


def test_a_saved_value_is_a_readable_file(log: Log) -> None:
    log.values.save("preset", "Über/den Wolken", {"prompt": "風"})
    (file,) = (log.folder / "saved" / "preset").iterdir()
    assert file.name.startswith("uber-den-wolken-")
    assert json.loads(file.read_text("utf-8")) == {
        "kind": "preset",
        "name": "Über/den Wolken",
        "value": {"prompt": "風"},
    }
    assert "風" in file.read_text("utf-8")


NAMES = [
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


def test_any_name_has_its_own_file_on_any_disk(log: Log) -> None:
    for number, name in enumerate(NAMES):
        log.values.save("draft", name, number)
    files = [path.name for path in (log.folder / "saved" / "draft").iterdir()]
    assert len({name.lower() for name in files}) == len(NAMES)
    assert all(name.isascii() and len(name) < 80 for name in files)
    assert {name: log.values.load("draft", name) for name in log.values.names("draft")} == dict(
        zip(NAMES, range(len(NAMES)), strict=True)
    )
    assert log.verify() == []


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec=None), max_size=90), st.sampled_from(["preset", "My Kind", "..", "A/B"]))
@example("\ud83d", "preset")
def test_any_name_can_be_saved_and_loaded(log: Log, name: str, kind: str) -> None:
    log.values.save(kind, name, [name])
    assert log.values.load(kind, name) == [name]
    assert log.values.names(kind) == [name]
    assert all(log.folder / "saved" in path.parents for path in log.folder.rglob("*.json"))
    log.values.delete(kind, name)
    assert log.values.names(kind) == []


def file_of(log: Log, kind: str, name: str) -> Path:
    return log._records.named.path(kind, name)


DAMAGE: Mapping[str, Callable[[Path], object]] = {
    "empty": lambda file: file.write_bytes(b""),
    "truncated": lambda file: file.write_bytes(file.read_bytes()[:-40]),
    "not text": lambda file: file.write_bytes(b"\xff\xfe\x00"),
    "a list": lambda file: file.write_text("[]"),
    "no name": lambda file: file.write_text('{"kind": "preset", "value": 1}'),
    "a conflict": lambda file: file.write_text(f"<<<<<<< HEAD\n{file.read_text()}"),
    "deep": lambda file: file.write_text("[" * 100_000),
    "another name": lambda file: file.write_text(file.read_text().replace('"walk"', '"run"')),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_file_that_cannot_be_read_is_left_out_and_named(
    log: Log, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    log.values.save("preset", "walk", pictured(log, prompt="a kite"))
    log.values.save("preset", "boat", {"fields": {}, "references": []})
    file = file_of(log, "preset", "walk")
    DAMAGE[damage](file)
    assert log.values.names("preset") == ["boat"] == log.values.names("preset")
    assert caplog.text.count(str(file)) == 1, "one warning"
    with pytest.raises(LogError, match=r"restore it from a copy|move it to"):
        log.values.load("preset", "walk")
    found = {finding.kind: finding for finding in log.verify()}
    assert found["value unreadable"].about == file.relative_to(log.folder).as_posix()
    if "media orphaned" in found:
        assert found["media orphaned"].remedy == "fix the unreadable files first"
    if file.is_file():
        log.values.save("preset", "walk", 1)
        assert log.values.names("preset") == ["boat", "walk"]


def test_other_files_in_the_folder_are_ignored(log: Log) -> None:
    log.values.save("preset", "walk", 1)
    folder = log.folder / "saved"
    (folder / ".DS_Store").touch()
    (folder / "README.md").touch()
    for name in ("._walk.json", "walk.json.x.new", "walk.json~"):
        (folder / "preset" / name).write_text("{")
    assert log.values.names("preset") == ["walk"]
    assert log.verify() == []


def test_a_file_in_place_of_the_folder_is_one_clear_error(log: Log) -> None:
    log.save(make_record(0))
    (log.folder / "saved").touch()
    for use in (
        lambda: log.values.save("preset", "a", 1),
        lambda: log.values.load("preset", "a"),
        lambda: log.values.names("preset"),
    ):
        with pytest.raises(LogError, match=r"saved|log in"):
            use()
    assert [finding.about for finding in log.verify()] == ["saved"]


def test_writers_of_one_name_leave_one_whole_value(log: Log) -> None:
    other = Log(log.folder)

    def write(store: Log, letter: str) -> None:
        for _ in range(20):
            store.values.save("preset", "walk", letter * 5000)
            assert set(store.values.load("preset", "walk") or "") in ({"a"}, {"b"})
            store.values.names("preset")

    threads = [threading.Thread(target=write, args=one) for one in ((log, "a"), (other, "b"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list((log.folder / "saved" / "preset").iterdir())) == 1
    assert log.verify() == []
    other.close()


def test_presets_of_a_log_without_an_index_are_merged(log: Log, tmp_path: Path) -> None:
    other = Log(tmp_path / "other")
    other.values.save("preset", "new", pictured(other, prompt="new"))
    other.values.save("draft", "x", {})
    without_index(other).close()
    done = log.merge(other.folder)
    assert (done.saved, done.media, done.problems) == (1, 1, [])
    assert (log.values.names("preset"), log.values.names("draft")) == (["new"], [])
    assert log.merge(other.folder).saved == 0
    file_of(other, "preset", "new").write_bytes(b"{")
    (problem,) = log.merge(other.folder).problems
    assert str(file_of(other, "preset", "new")) in problem
    assert log.values.names("preset") == ["new"]
