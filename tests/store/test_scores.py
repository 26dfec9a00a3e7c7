"""Scores are stored by clip, scorer and version; kernels share them, and they outlive the index."""

from __future__ import annotations

import datetime
import logging
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nursery import Kernel
from pydantic import ValidationError
from support.images import jpeg
from support.records import make_record

from kling_nb.models.judgements import Score, format_number
from kling_nb.models.record import File, Record
from kling_nb.store import Log

from .conftest import POSTGRESQL, SQLITE, OpenLog

DATABASES = (SQLITE, POSTGRESQL)

NOW = datetime.datetime(2026, 11, 2, tzinfo=datetime.UTC)
CLIP = "sha256:" + "a" * 64


def score(value: float | None = 1.5, *, seconds: int = 0, **changes: object) -> Score:
    given = {"clip": CLIP, "name": "motion", "version": "1", "unit": "%", "value": value}
    return Score.model_validate({**given, "at": NOW + datetime.timedelta(seconds=seconds), **changes})


def scored(number: int = 0, clip: str = CLIP) -> Record:
    return make_record(number, status="succeeded", clip=File(file="", digest=clip, size=1))


def test_the_newest_version_of_each_scorer_counts_and_older_ones_stay(log: Log) -> None:
    record = scored()
    log.scores.add([score(1), score(2, version="2", seconds=1), score(3, name="black")])
    assert [(each.name, each.value) for each in log.scores.of([record])[record.id]] == [("black", 3), ("motion", 2)]
    assert len(log.scores.every([record])[record.id]) == 3


def test_records_of_one_clip_share_the_scores_of_the_file_but_not_of_the_request(log: Log) -> None:
    one, other = scored(1), scored(2).model_copy(update={"request_hash": "sha256:else"})
    log.scores.add([score(), score(0, name="cuts", request=one.request_hash)])
    found = log.scores.of([one, other])
    assert [each.name for each in found[one.id]] == ["cuts", "motion"]
    assert [each.name for each in found[other.id]] == ["motion"]
    assert log.scores.of([make_record(3), scored(4, "sha256:" + "b" * 64)]) == {}


def test_an_older_score_never_replaces_a_newer_one(log: Log) -> None:
    assert log.scores.add([score(2, seconds=5)]) == 1
    assert log.scores.add([score(1), score(2, seconds=5)]) == 0
    assert log.scores.of([scored()])["job00000"][0].value == 2


def test_reading_does_not_create_a_log(log: Log) -> None:
    assert log.scores.of([scored()]) == {}
    assert not log.folder.exists()


def test_a_rebuild_keeps_scores(log: Log) -> None:
    log.save(scored())
    log.scores.add([score()])
    log.rebuild()
    assert log.scores.of([scored()])["job00000"][0].value == 1.5


def test_scores_outlive_the_index(log: Log) -> None:
    log.save(scored())
    log.scores.add([score(1), score(2, seconds=1)])
    log.close()
    for file in log.folder.glob("index.sqlite*"):
        file.unlink()
    assert log.scores.of([scored()])["job00000"] == [score(2, seconds=1)]
    assert log.scores.add([score(1)]) == 0


@pytest.mark.folder
def test_a_line_of_another_kernel_is_found(log: Log, opened: OpenLog) -> None:
    log.scores.add([score(1)])
    log.scores.lines.append([score(2, seconds=1)])
    assert log.scores.of([scored()])["job00000"][0].value == 2
    log.scores.add([score(3, name="black")])
    assert [each.value for each in log.scores.of([scored()])["job00000"]] == [3, 2]
    log.scores.lines.append([score(4, seconds=2)])
    again = opened(log.folder)
    assert [each.value for each in again.scores.of([scored()])["job00000"]] == [3, 4]
    again.close()


@pytest.mark.folder
def test_a_damaged_line_is_left_out_and_named_and_later_ones_start_on_a_line_of_their_own(
    log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    log.save(scored())
    log.scores.add([score(1), score(2, name="black")])
    (file,) = (log.folder / "scores").iterdir()
    file.write_bytes(file.read_bytes()[:-20])
    with caplog.at_level(logging.WARNING, "kling_nb.store"):
        log.scores.add([score(3, name="cuts")])
    assert [each.name for each in log.scores.of([scored()])["job00000"]] == ["black", "cuts"]
    assert f"Line 2 of {file}" in caplog.text
    found = {finding.kind: finding for finding in log.verify()}
    assert found["score unreadable"].about == "scores/2026-11.jsonl"


values = st.builds(
    score,
    st.none() | st.floats(0, 9),
    seconds=st.integers(0, 2),
    name=st.sampled_from("ab"),
    version=st.sampled_from("12"),
)


@settings(max_examples=8)
@given(st.lists(values, max_size=6), st.lists(values, max_size=6))
def test_two_logs_agree_after_a_merge_whichever_took_the_other_in(
    tmp_path_factory: pytest.TempPathFactory, mine: list[Score], theirs: list[Score]
) -> None:
    folder, record = tmp_path_factory.mktemp("merge"), scored()
    one, other = Log(folder / "a"), Log(folder / "b")
    for log, given_scores in ((one, mine), (other, theirs)):
        log.save(record)
        log.scores.add(given_scores)
    try:
        one.merge(other.folder)
        other.merge(one.folder)
        assert one.merge(other.folder).scores == 0
        mine, theirs = (log.scores.every([record]).get(record.id, []) for log in (one, other))
        assert sorted(mine, key=Score.model_dump_json) == sorted(theirs, key=Score.model_dump_json)
    finally:
        one.close()
        other.close()


def test_a_log_without_scores_is_merged(log: Log, tmp_path: Path) -> None:
    other = Log(tmp_path / "other")
    other.add_media(jpeg(), ".jpg")
    other.save(make_record(status="failed"))
    other.close()
    (other.folder / "index.sqlite").unlink()
    merged = log.merge(other.folder)
    assert (merged.added, merged.scores, merged.problems) == (["job00000"], 0, [])


def test_the_scores_of_a_folder_are_merged_without_its_index(log: Log, tmp_path: Path) -> None:
    other = Log(tmp_path / "other")
    record = other.save(scored(clip=other.add_media(jpeg(), ".jpg")))
    assert record.clip is not None
    other.scores.add([score(2, clip=record.clip.digest)])
    other.close()
    (other.folder / "index.sqlite").unlink(missing_ok=True)
    assert log.merge(other.folder).scores == 1
    assert [each.value for each in log.scores.of([record])[record.id]] == [2]


WRITER = """
import sys
from store.test_scores import score
from kling_nb.store import Log
log = Log(sys.argv[1])
for number in range(20):
    log.scores.add([score(number, seconds=number), score(number, name=f"n{number}")])
log.close()
"""


@pytest.mark.folder
def test_kernels_that_share_a_log_do_not_trip_over_each_other(log: Log, tmp_path: Path) -> None:
    script = tmp_path / "writer.py"
    script.write_text(WRITER)
    kernels = [Kernel(script, log.folder) for _ in range(2)]
    assert [kernel.wait() for kernel in kernels] == [0, 0]
    found = {each.name: each.value for each in log.scores.of([scored()])["job00000"]}
    assert found == {"motion": 19, **{f"n{number}": number for number in range(20)}}


def test_a_score_is_a_number_or_none_and_says_itself() -> None:
    for wrong in (float("nan"), float("inf")):
        with pytest.raises(ValidationError):
            score(wrong)
    assert (score(None).text, score(12.345).text, score(3, unit="").text) == ("–", "12.3 %", "3")
    assert score().plain() == {
        "name": "motion",
        "version": "1",
        "unit": "%",
        "value": 1.5,
        "note": "",
        "parts": {},
        "at": "2026-11-02T00:00:00Z",
    }
    assert [format_number(x) for x in (0, 0.00123, -23.04, 123456, 7.0, 0.5)] == [
        "0",
        "0.00123",
        "-23",
        "123,456",
        "7",
        "0.5",
    ]
