"""A trashed record loses nothing: it moves to the trash with its own media, and is restored whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.images import jpeg
from support.records import make_record

from kling_nb.errors import ArgumentError, LogError, NotSaved
from kling_nb.models.asset import Asset
from kling_nb.models.record import Record
from kling_nb.models.urls import sha256
from kling_nb.store import Log

from .conftest import POSTGRESQL, SQLITE, OpenLog

DATABASES = (SQLITE, POSTGRESQL)

Make = Callable[..., Record]


@pytest.fixture
def finished(log: Log, film: Callable[..., Path]) -> Make:
    """Save a finished record with a reference of this size and a clip of so many frames."""

    def make(number: int = 0, *, reference: int = 40, frames: int = 6, **changes: object) -> Record:
        kept = log.add_reference(Asset.from_bytes(jpeg((reference, 30))), path="input_image.0")
        part = log.partial(f"job{number:05}")
        shutil.copy(film(f"{frames}.mp4", frames=frames), part)
        clip = log.add_clip(f"job{number:05}", part, sha256(part.read_bytes()))
        return log.save(make_record(number, status="succeeded", references=(kept,), clip=clip, **changes))

    return make


def files(log: Log, folder: str = "media") -> set[str]:
    return {path.name for path in (log.folder / folder).rglob("*") if path.is_file()}


@pytest.mark.folder
def test_a_trashed_record_is_not_found_and_the_log_is_sound(log: Log, finished: Make) -> None:
    record = finished(prompt="a red kite")

    log.trash(record.id)

    assert log.find() == [] and log.count(text="kite") == 0 and log.trashed() == [record.id]
    assert files(log) == set() and len(files(log, "trash/media")) == 4
    assert log.verify() == []
    assert log.rebuild() == 0
    with pytest.raises(NotSaved, match="no record"):
        log.get(record.id)


@pytest.mark.folder
def test_a_record_is_restored_with_its_media_tags_stars_and_note(log: Log, finished: Make) -> None:
    record = finished()
    log.annotate(record.id, stars=4, tags=["keep"], note="the good one")
    before = files(log)

    log.trash(record.id)
    back = log.restore(record.id)

    assert (back.stars, back.tags, back.note) == (4, ("keep",), "the good one")
    assert log.find(text="good", tag="keep") == [back]
    assert files(log) == before and log.trashed() == [] and files(log, "trash") == set()
    assert log.verify() == []


@pytest.mark.folder
def test_media_that_another_record_uses_stay(log: Log, finished: Make) -> None:
    first, second = finished(1, frames=6), finished(2, frames=7)  # the same reference, two clips

    log.trash(first.id)

    assert log.file(second.references[0].digest) and log.file(second.clip.digest)
    assert log.file(first.clip.digest) is None
    assert log.verify() == []


@pytest.mark.folder
def test_shared_media_move_with_the_last_record_and_return_with_either(log: Log, finished: Make) -> None:
    first, second = finished(1), finished(2)
    log.trash(first.id)
    log.trash(second.id)
    assert files(log) == set()

    log.restore(first.id)

    assert log.read(first.clip.digest) and log.verify() == []
    log.restore(second.id)
    assert log.count() == 2 and log.verify() == []


@pytest.mark.parametrize("status", ["prepared", "uncertain", "queued", "downloading"])
def test_a_running_job_cannot_be_trashed(log: Log, status: str) -> None:
    record = log.save(make_record(status=status))

    with pytest.raises(ArgumentError, match="cancel it first"):
        log.trash(record.id)

    assert log.get(record.id) == record


def test_a_record_that_is_not_in_the_trash_cannot_be_restored(log: Log, finished: Make) -> None:
    with pytest.raises(NotSaved, match="trash"):
        log.restore("job00009")


@pytest.mark.folder
def test_an_interrupted_move_leaves_the_record_in_the_log(
    log: Log, opened: OpenLog, finished: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = finished()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("kling_nb.store.sidecars.write_whole", full)
        with pytest.raises(LogError, match="free some space"):
            log.trash(record.id)
    log.close()

    assert opened(log.folder).find() == [record]  # opened again, as after a crash
    assert log.verify() == []


def test_models_and_tags_in_use_come_most_common_first(log: Log) -> None:
    for number, (model, tag) in enumerate([("b", "x"), ("a", "y"), ("b", "y")]):
        log.save(make_record(number, model=model))
        log.annotate(f"job{number:05}", tags=[tag])
    assert (log.models(), log.tags()) == (["b", "a"], ["y", "x"])


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["trash", "restore"]), st.integers(0, 2)), max_size=12))
def test_trashing_and_restoring_in_any_order_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, film: Callable[..., Path], steps: list[tuple[str, int]]
) -> None:
    log = Log(tmp_path_factory.mktemp("moves") / "log")
    shared = log.add_reference(Asset.from_bytes(jpeg()), path="input_image.0")
    own = [log.add_reference(Asset.from_bytes(jpeg((50 + i, 30))), path="input_image.1") for i in range(3)]
    for number in range(3):
        log.save(make_record(number, status="failed", references=(shared, own[number])))
    contents = files(log)
    gone: set[str] = set()
    for step, number in steps:
        record_id = f"job{number:05}"
        if step == "trash" and record_id not in gone:
            log.trash(record_id)
            gone.add(record_id)
        elif step == "restore" and record_id in gone:
            log.restore(record_id)
            gone.discard(record_id)
    assert set(log.trashed()) == gone and log.count() == 3 - len(gone)
    assert log.verify() == []
    assert files(log) | files(log, "trash/media") == contents
    log.close()
