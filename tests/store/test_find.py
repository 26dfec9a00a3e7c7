"""Records are found by their fields, their words and their order, whichever database has the index."""

from __future__ import annotations

import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from support.records import HUB, MODEL, START, make_record

from kling_nb.errors import ArgumentError, ArgumentTypeError
from kling_nb.models.record import Record, Times
from kling_nb.selection import Selection
from kling_nb.session import Session
from kling_nb.store import Log

from .conftest import POSTGRESQL, SQLITE

DATABASES = (SQLITE, POSTGRESQL)


def ids(records: list[Record]) -> list[str]:
    return [record.id for record in records]


def save(log: Log, *records: Record) -> None:
    for record in records:
        log.save(record)


def test_the_newest_come_first_and_pages_join(log: Log) -> None:
    save(log, *(make_record(number) for number in (2, 0, 1)))
    assert ids(log.find()) == ["job00002", "job00001", "job00000"]
    assert ids(log.find(newest_first=False)) == ["job00000", "job00001", "job00002"]
    assert ids(log.find(limit=2)) + ids(log.find(limit=2, offset=2)) == ids(log.find())
    assert ids(log.find(offset=1)) == ["job00001", "job00000"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, [0, 1]),
        ({"kind": None}, [0, 1, 2]),
        ({"kind": "preview"}, [2]),
        ({"model": "other"}, [1]),
        ({"status": "failed"}, [1]),
        ({"status": ["failed", "prepared"]}, [0, 1]),
        ({"status": []}, []),
        ({"hub": HUB, "local": True}, [0]),
        ({"local": False}, [1]),
        ({"batch": "other"}, [1]),
        ({"stars": 3}, [1]),
        ({"stars": 5}, []),
        ({"tag": "best"}, [1]),
        ({"tag": "%"}, []),
        ({"text": "DOG run"}, [1]),
        ({"text": "note"}, [1]),
        ({"text": "ugly", "model": MODEL}, [0]),
        ({"text": "job00001"}, [1]),
        ({"text": "og"}, []),
        ({"text": "犬"}, [1]),
        ({"text": "%"}, [0, 1]),
        ({"text": 'a" OR "b'}, []),
        ({"since": START + datetime.timedelta(minutes=1)}, [1]),
        ({"until": START}, [0]),
        ({"since": datetime.timedelta(days=1)}, []),
        ({"until": datetime.timedelta(days=-36500)}, [0, 1]),
        ({"since": datetime.timedelta(days=10**6)}, [0, 1]),
        ({"since": datetime.date(2026, 10, 31), "until": datetime.date(2026, 11, 2)}, [0, 1]),
        ({"until": datetime.date(2026, 10, 30)}, []),
    ],
    ids=str,
)
def test_filters(log: Log, filters: dict[str, Any], found: list[int]) -> None:
    ugly = {"model": MODEL, "prompt": "a cat jumps", "negative_prompt": "ugly"}
    save(log, make_record(0, canonical=ugly), make_record(2, kind="preview"))
    save(
        log,
        make_record(
            1, prompt="a dog runs; 大きな犬", status="failed", model="other", hub="h", local=False, batch="other"
        ),
    )
    log.annotate("job00001", tags=["best", "x"], stars=3, note="a Note")
    assert sorted(ids(log.find(**filters))) == [f"job{number:05}" for number in found]
    assert log.count(**filters) == len(found)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("kind", "draft", ArgumentError),
        ("status", "done", ArgumentError),
        ("status", ["failed", "lost"], ArgumentError),
        ("stars", 9, ArgumentError),
        ("stars", "5", ArgumentError),
        ("stars", True, ArgumentError),
        ("status", 5, ArgumentTypeError),
        ("text", 5, ArgumentTypeError),
        ("tag", ["a"], ArgumentTypeError),
        ("local", "yes", ArgumentTypeError),
        ("since", datetime.datetime(2026, 1, 1), ArgumentError),  # noqa: DTZ001 - what is refused
        ("until", "yesterday", ArgumentTypeError),
    ],
)
def test_a_wrong_filter_raises_even_while_the_log_is_empty(log: Log, name: str, value: Any, error: Any) -> None:
    for ask in (log.find, log.count):
        with pytest.raises(error, match=f"^{name} must "):
            ask(**{name: value})


@pytest.mark.parametrize(
    ("filters", "hints"),
    [
        ({"tags": "a"}, ["Unknown filter 'tags'. Did you mean tag?"]),
        (
            {"prompt": "x"},
            ["Unknown filter 'prompt'. Did you mean 'text'? text=\"camera\" searches prompts and notes."],
        ),
        ({"colour": 1}, ["Unknown filter 'colour'."]),
        (
            {"tags": "a", "star": 1},
            ["Unknown filter 'tags'. Did you mean tag?", "Unknown filter 'star'. Did you mean stars?"],
        ),
    ],
)
def test_an_unknown_filter_raises_with_a_hint_and_the_known_ones(log: Log, filters: Any, hints: list[str]) -> None:
    for ask in (log.find, log.count, lambda **unknown: select(log, **unknown)):
        with pytest.raises(ArgumentTypeError) as exc:
            ask(**filters)
        assert str(exc.value).splitlines()[:-1] == hints
        assert "model, status, text, tag, stars" in str(exc.value)


def select(log: Log, **filters: Any) -> Selection:
    session = SimpleNamespace(store=log, bind=lambda record: record)
    return Selection(cast("Session", session), filters)


def test_a_selection_takes_a_text_without_a_name_once(log: Log) -> None:
    save(log, make_record(0), make_record(1))
    log.annotate("job00001", note="the camera pans")
    assert ids(list(select(log)("camera"))) == ["job00001"]
    assert ids(list(select(log)("camera", stars=1))) == []
    assert len(select(log)(None)) == 2
    with pytest.raises(ArgumentTypeError, match="text was given twice"):
        select(log)("camera", text="pan")
    for name in ("limit", "offset"):
        with pytest.raises(ArgumentTypeError, match=r"Slice the result instead: kn\.log\(\)\[:5\]"):
            select(log, **{name: 5})


def test_an_object_with_an_id_selects_its_record(log: Log) -> None:
    save(log, make_record(0), make_record(1))
    found = select(log)
    record = found["job00000"]
    assert found[record].id == found[-1].id == "job00000"
    assert found.annotate(record, stars=5).stars == 5
    assert (log.get(record).stars, log.get("job00001").stars) == (5, None)


@pytest.mark.parametrize(
    ("wrong", "shown"), [(None, "None"), (True, "True"), (1.5, "1.5"), (object(), "object"), (["job00000"], "list")]
)
def test_an_object_without_an_id_raises(log: Log, wrong: Any, shown: str) -> None:
    save(log, make_record(0))
    found = select(log)
    for ask in (lambda: found[wrong], lambda: found.annotate(wrong, stars=5), lambda: log.get(wrong)):
        with pytest.raises(ArgumentTypeError, match=f"by its id, got {shown}"):
            ask()


def test_a_changed_note_is_found_and_the_old_one_is_not(log: Log) -> None:
    save(log, make_record())
    log.annotate("job00000", note="first")
    log.annotate("job00000", note="second", tags=["b"])
    assert (log.count(text="first"), log.count(text="second"), log.count(tag="b")) == (0, 1, 1)


WORDS = st.lists(st.sampled_from(["cat", "catalogue", "dog", "Ärger", "猫の手", "x", "10", "a_b"]), max_size=4)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prompts=st.lists(WORDS, min_size=1, max_size=5), wanted=WORDS)
def test_the_word_index_finds_the_same_as_reading_the_words(
    log: Log, prompts: list[list[str]], wanted: list[str]
) -> None:
    save(log, *(make_record(number, id=f"r{number}", prompt=" ".join(prompt)) for number, prompt in enumerate(prompts)))
    query = " ".join(wanted).upper()
    by_index = ids(log.find(text=query))
    # SQLite asks FTS whenever the words are rare; without it the words themselves are read.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kling_nb.store.index.has_fts5", lambda _: False)
        assert ids(log.find(text=query)) == by_index
        assert log.count(text=query) == len(by_index)


def test_common_words_are_found_too(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kling_nb.store.index._RARE", 2)
    save(log, *(make_record(number) for number in range(5)))
    assert len(log.find(text="cat")) == log.count(text="cat") == 5


def test_unfinished_jobs_come_oldest_first_from_one_hub(log: Log) -> None:
    save(log, make_record(3), make_record(1, status="uncertain"), make_record(2, status="failed"))
    save(log, make_record(0, hub="other"), make_record(4, kind="preview", status="processing"))
    assert ids(log.unfinished(HUB)) == ["job00001", "job00003", "job00004"]
    assert len(log.unfinished()) == 4


def test_durations_are_those_of_successes_newest_first(log: Log) -> None:
    for number, took in enumerate((60, 90)):
        begun = START + datetime.timedelta(hours=number)
        times = Times(created=begun, accepted=begun, completed=begun + datetime.timedelta(seconds=took))
        save(log, make_record(number, status="succeeded", times=times))
    save(log, make_record(7, status="failed", times=times), make_record(8, status="succeeded"))
    assert log.durations(MODEL, HUB) == [(5.0, 90.0), (5.0, 60.0)]
    assert log.durations(MODEL, HUB, limit=1) == [(5.0, 90.0)]
    assert log.durations("other", HUB) == []


def test_a_page_is_read_along_an_index_and_never_sorted(tmp_path: Path) -> None:
    log = Log(tmp_path / "sqlite")
    save(log, make_record())
    queries = ["1=1", "kind='result'", "model='m'", "status='failed'", "hub='h'"]
    with log._records.database.reading() as connection:
        for where in queries:
            query = f"EXPLAIN QUERY PLAN SELECT seq FROM records WHERE {where} ORDER BY created DESC, seq DESC LIMIT 9"  # noqa: S608 - our own words
            plan = " ".join(str(row) for row in connection.execute(text(query)))
            assert "TEMP B-TREE" not in plan, plan
            assert "INDEX records_" in plan, plan
    log.close()
