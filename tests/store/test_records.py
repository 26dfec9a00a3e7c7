"""Records are saved, changed and read back, whichever database has the index."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from support.records import HUB, MODEL, make_record

from kling_nb.errors import ArgumentError, ArgumentTypeError, KlingError, LogError, NotSaved
from kling_nb.models.record import File, Record
from kling_nb.store import Log

from .conftest import POSTGRESQL, SQLITE

DATABASES = (SQLITE, POSTGRESQL)

CLIP = File(file="media/aa/a.mp4", digest="sha256:" + "a" * 64, size=1)


def sidecar_of(log: Log, record: Record) -> Path:
    return log.folder / "records" / "2026-11" / f"{record.id}.json"


def test_creating_and_reading_a_log_writes_nothing(log: Log) -> None:
    assert log.find() == log.unfinished() == log.verify() == log.values.names("draft") == []
    assert log.count() == 0
    assert log.durations(MODEL, HUB) == []
    assert not log.folder.exists()


@pytest.mark.folder
def test_a_saved_record_comes_back_equal_from_sidecar_and_index(log: Log) -> None:
    saved = log.save(make_record(prompt="naïve — 猫 \U0001f408"))
    assert saved.revision == 1
    assert log.get(saved.id) == saved == log.find()[0]
    assert Record.model_validate_json(sidecar_of(log, saved).read_bytes()) == saved


@pytest.mark.folder
def test_a_sidecar_is_readable_by_people_and_has_no_temporary_neighbour(log: Log) -> None:
    saved = log.save(make_record())
    path = sidecar_of(log, saved)
    assert json.loads(path.read_text())["id"] == saved.id
    assert path.read_text().count("\n") > 20
    assert list(path.parent.iterdir()) == [path]


def test_saving_leaves_tags_stars_and_note_unchanged(log: Log) -> None:
    held_by_engine = log.save(make_record())
    log.annotate(held_by_engine.id, tags=["best", " best ", ""], stars=4, note="keep")
    saved = log.save(held_by_engine.model_copy(update={"status": "queued"}))
    assert (saved.tags, saved.stars, saved.note, saved.status) == (("best",), 4, "keep", "queued")
    assert saved.revision == 3


def test_annotating_changes_only_the_given_fields(log: Log) -> None:
    log.save(make_record())
    log.annotate("job00000", tags="one", stars=5, note="n")
    assert log.annotate("job00000", stars=None).stars is None
    assert log.get("job00000").tags == ("one",)
    assert log.annotate("job00000", tags=None).tags == ()
    assert log.get("job00000").note == "n"


@pytest.mark.parametrize("stars", [0, 6, True, 2.5, "3"])
def test_stars_are_one_to_five(log: Log, stars: object) -> None:
    log.save(make_record())
    with pytest.raises(ArgumentError, match="stars must be"):
        log.annotate("job00000", stars=stars)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [({"tags": 5}, ArgumentTypeError), ({"tags": ["\ud800"]}, ArgumentError), ({"note": "a\ud800"}, ArgumentError)],
)
def test_tags_and_notes_that_cannot_be_stored_are_refused_and_nothing_is_lost(
    log: Log, wrong: dict[str, Any], error: type[KlingError]
) -> None:
    log.save(make_record(0))
    log.annotate("job00000", tags="one", note="n")
    with pytest.raises(error):
        log.annotate("job00000", **wrong)
    assert (log.get("job00000").tags, log.get("job00000").note) == (("one",), "n")


@pytest.mark.parametrize(
    ("stored", "late"),
    [
        ({"status": "succeeded", "clip": CLIP}, {"status": "processing"}),
        ({"status": "cancelled"}, {"status": "queued"}),
        ({"status": "succeeded", "clip": CLIP}, {"status": "failed"}),
        ({"status": "succeeded", "clip": CLIP}, {"status": "succeeded"}),
        ({"status": "queued", "generation_id": "paid"}, {"status": "uncertain"}),
        ({"status": "queued", "generation_id": "paid"}, {"status": "failed"}),
    ],
)
def test_a_kernel_that_is_behind_cannot_undo_what_another_one_found(log: Log, stored: dict, late: dict) -> None:
    first = log.save(make_record(**stored))
    assert log.save(make_record(**late)) == first
    assert log.get(first.id) == first


def test_a_failed_job_may_still_succeed(log: Log) -> None:
    log.save(make_record(status="failed", generation_id="g"))
    assert log.save(make_record(status="succeeded", generation_id="g", clip=CLIP)).clip == CLIP


def test_the_beginning_of_an_id_is_enough(log: Log) -> None:
    for number in (1, 2, 13):
        log.save(make_record(number))
    assert log.get("job00013").id == log.get("job0001").id == "job00013"
    with pytest.raises(NotSaved, match=r"begin with 'job0000': job00001, job00002"):
        log.get("job0000")
    with pytest.raises(NotSaved, match=r"no record 'job00031'.*Did you mean"):
        log.get("job00031")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a" * 101, "nul\0", "per%cent"])
def test_an_id_never_leaves_the_folder(log: Log, name: str) -> None:
    with pytest.raises(ArgumentError):
        log.save(make_record(id=name))
    with pytest.raises(ArgumentError):
        log.get(name)


def test_an_unwritable_folder_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file in the way")
    with pytest.raises(LogError, match=r"log.*cannot be written.*choose another folder"):
        Log(tmp_path / "log").save(make_record())


def test_many_threads_lose_no_change(log: Log) -> None:
    log.save(make_record())

    def work(number: int) -> None:
        for turn in range(8):
            log.annotate("job00000", note=f"{number}-{turn}")
            log.save(make_record(number * 100 + turn + 1))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.get("job00000").revision == 1 + 4 * 8
    assert log.count() == 1 + 4 * 8


def test_closing_is_not_the_end(log: Log) -> None:
    log.save(make_record())
    log.close()
    assert log.count() == 1
