"""Two logs become one: nothing is lost, nothing is there twice, in whichever order and however often."""

from __future__ import annotations

import datetime
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.images import jpeg
from support.records import make_record, priced

from kling_nb.errors import ArgumentError
from kling_nb.models.budget import Scope
from kling_nb.models.record import File, Record, Reference
from kling_nb.store import Log
from kling_nb.store.merge import merged
from kling_nb.store.sidecars import Sidecars

copies = st.builds(
    make_record,
    status=st.sampled_from(["succeeded", "failed", "cancelled"]),
    generation_id=st.none() | st.sampled_from(["g1", "g2"]),
    revision=st.integers(0, 2),
    tags=st.lists(st.sampled_from("abc"), max_size=2, unique=True).map(tuple),
    stars=st.none() | st.integers(1, 5),
    note=st.sampled_from(["", "one", "two", "one\ntwo", "two\none"]),
)


@given(copies, copies)
def test_two_copies_of_a_record_become_one_in_either_order_and_only_once(one: Record, other: Record) -> None:
    both = merged(one, other)
    assert both == merged(other, one)
    assert merged(both, one) == merged(both, other) == merged(both, both) == both
    assert set(both.tags) == {*one.tags, *other.tags}
    assert set(both.note.splitlines()) == {*one.note.splitlines(), *other.note.splitlines()}
    assert (both.stars is None) == (one.stars is other.stars is None)
    assert (both.status == "succeeded") == ("succeeded" in (one.status, other.status))


def filled(folder: Path, numbers: range, *, note: str) -> Log:
    log = Log(folder)
    for number in numbers:
        poster, clip = jpeg((30, 30 + number)), jpeg((50, 30 + number))
        digest = log.add_media(clip, ".jpg")
        kept = File(
            file=log.file(digest).relative_to(log.folder).as_posix(),
            digest=digest,
            size=len(clip),
            poster=log.add_media(poster, ".jpg"),
        )
        log.save(make_record(number, status="succeeded", clip=kept))
        log.annotate(f"job{number:05}", note=note, tags=[note])
    return log


def contents(log: Log) -> tuple[dict[str, Any], set[str]]:
    records = {record.id: record.model_dump(mode="json") for record in log.find(kind=None)}
    return records, {path.name for path in (log.folder / "media").rglob("*.jpg")}


def test_a_merge_is_the_same_in_both_directions_and_done_twice_changes_nothing(tmp_path: Path) -> None:
    one, other = filled(tmp_path / "a", range(4), note="here"), filled(tmp_path / "b", range(2, 6), note="there")
    before = contents(other)
    done = one.merge(other.folder)
    assert (len(done.added), len(done.changed), done.same, done.problems) == (2, 2, 0, [])
    assert contents(other) == before, "the other log is only read"
    again = one.merge(other.folder)
    assert (again.added, again.changed, again.same, again.media) == ([], [], 4, 0)
    other.merge(one.folder)
    assert contents(one) == contents(other)
    assert one.get("job00003").note.splitlines() == ["here", "there"]
    assert one.verify() == other.verify() == []
    assert one.rebuild() == 6


def test_damaged_files_are_reported_and_the_rest_is_merged(tmp_path: Path) -> None:
    one, other = Log(tmp_path / "a"), filled(tmp_path / "b", range(3), note="there")
    clip = other.get("job00001").clip
    assert clip is not None
    (other.folder / clip.file).write_bytes(b"damaged")
    (other.folder / "records" / "2026-11" / "job00002.json").write_text("{")
    done = one.merge(other.folder)
    assert done.added == ["job00000", "job00001"]
    assert len(done.problems) == 2
    assert "damaged" in str(done.problems)
    assert {finding.kind for finding in one.verify()} == {"media missing"}


def test_a_record_trashed_in_one_log_and_not_in_the_other_stays_once(tmp_path: Path) -> None:
    one, other = filled(tmp_path / "a", range(2), note="x"), filled(tmp_path / "b", range(2), note="x")
    one.trash("job00000")
    other.trash("job00001")
    one.merge(other.folder)
    assert {record.id for record in one.find()} == {"job00000", "job00001"}
    assert one.trashed() == []
    assert one.verify() == []


def as_imported(log: Log, folder: Path, record_id: str, **changes: Any) -> Path:
    """Write a record as an import does: marked as imported, with changes."""
    folder.mkdir()
    theirs = log.get(record_id).model_copy(update={"imported": True, **changes})
    Sidecars(folder / "records").write(theirs)
    return folder


def test_a_trashed_record_is_merged_with_an_imported_one_and_not_replaced(tmp_path: Path) -> None:
    log = filled(tmp_path / "a", range(1), note="mine")
    paid = log.save(make_record(1, local=False, status="succeeded", estimate=priced("2.24"), note="paid"))
    export = as_imported(
        log, tmp_path / "x", paid.id, canonical={"prompt": "theirs"}, status="failed", revision=900, note="from there"
    )
    later = log.annotate(paid.id, tags=["keep"], stars=5, note="my words, later")
    log.trash(paid.id)

    done = log.merge(export)

    back = log.get(paid.id)
    assert (back.imported, back.canonical, back.status) == (False, paid.canonical, "succeeded")
    assert (back.stars, back.tags) == (5, ("keep",))
    assert set(back.note.splitlines()) == {later.note, "from there"}
    assert log.trashed() == []
    assert log.budget.counted(Scope("total", Decimal(9))) == Decimal("2.24")
    assert (done.added, done.changed, done.restored) == ([], [paid.id], [paid.id])
    assert "1 of the changed records were restored from the trash" in repr(done)


def test_a_restored_record_gets_its_clip_back_and_the_later_stars_win(tmp_path: Path) -> None:
    log = filled(tmp_path / "a", range(2), note="x")
    clip = log.get("job00000").clip
    shutil.copytree(log.folder, tmp_path / "b")
    log.annotate("job00000", stars=1, note="later words")
    log.trash("job00000")
    log.merge(tmp_path / "b")
    assert clip is not None
    assert log.read(clip.digest)
    assert (log.get("job00000").stars, "later words" in log.get("job00000").note) == (1, True)
    assert log.verify() == []


def test_an_unreadable_record_in_the_trash_is_reported_and_not_replaced(tmp_path: Path) -> None:
    one, other = filled(tmp_path / "a", range(2), note="x"), filled(tmp_path / "b", range(2), note="x")
    one.trash("job00000")
    (torn,) = (one.folder / "trash" / "records").glob("*/*.json")
    torn.write_text("{")
    done = one.merge(other.folder)
    assert (torn.read_text(), one.count(), done.same) == ("{", 1, 1)
    assert "job00000.json is not a readable record" in done.problems[0]


def test_two_presets_of_one_name_both_stay(tmp_path: Path) -> None:
    one, other = filled(tmp_path / "a", range(1), note="x"), filled(tmp_path / "b", range(1), note="x")
    digest = other.add_media(jpeg(), ".jpg")
    reference = Reference(path="p", identity=digest, given="face.jpg", digest=digest).model_dump(mode="json")
    for log, words, pictures in ((one, "mine", []), (other, "theirs", [reference])):
        log.values.save("preset", "walk", {"fields": {"prompt": words}, "references": pictures})
        log.values.save("draft", "a.ipynb", {"fields": {"prompt": words}, "references": []})
    assert one.merge(other.folder).saved == 1
    other.merge(one.folder)
    kept = {name: one.values.load("preset", name) for name in one.values.names("preset")}
    assert sorted(value["fields"]["prompt"] for value in kept.values()) == ["mine", "theirs"]
    assert kept == {name: other.values.load("preset", name) for name in other.values.names("preset")}
    assert one.file(digest) is not None
    assert one.values.load("draft", "a.ipynb")["fields"]["prompt"] == "mine"


def test_a_running_job_of_the_other_log_stays_there(tmp_path: Path) -> None:
    one, other = Log(tmp_path / "a"), Log(tmp_path / "b")
    other.save(make_record(1, status="prepared"))
    done = one.merge(other.folder)
    assert (done.added, one.unfinished()) == ([], [])
    assert "resume it there" in done.problems[0]


def test_a_folder_that_is_not_another_log_is_refused(tmp_path: Path) -> None:
    log = filled(tmp_path / "a", range(1), note="x")
    with pytest.raises(ArgumentError, match="is not a log: give the folder"):
        log.merge(tmp_path / "nowhere")
    with pytest.raises(ArgumentError, match="this log itself"):
        log.merge(log.folder)
    (tmp_path / "export.zip").touch()
    (tmp_path / "crate").mkdir()
    (tmp_path / "crate" / "ro-crate-metadata.json").write_text("{}")
    for exported in ("export.zip", "crate"):
        with pytest.raises(ArgumentError, match=r"use kn\.import_log"):
            log.merge(tmp_path / exported)


def test_records_of_a_log_without_an_index_are_merged(tmp_path: Path) -> None:
    other = filled(tmp_path / "b", range(2), note="x")
    other.close()
    for file in other.folder.glob("index.sqlite*"):
        file.unlink()
    log = Log(tmp_path / "a")
    log.save(make_record(9, times={"created": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)}))
    assert len(log.merge(other.folder).added) == 2
    assert log.count() == 3
