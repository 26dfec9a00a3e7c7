"""Damage that people, copies and crashes leave in a log's folder: it is named, the rest read, no cost forgotten."""

from __future__ import annotations

import copy
import json
import logging
import os
import shutil
import sqlite3
import threading
import tracemalloc
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.records import START, make_record, priced

from kling_nb.errors import ExchangeError, KlingError, LogError
from kling_nb.exchange.untrusted import parse_record
from kling_nb.models.budget import Scope
from kling_nb.models.judgements import Vote
from kling_nb.models.record import Record
from kling_nb.store import Log
from kling_nb.store.merge import merged

SPENT = Decimal("1.25")
BODY: dict[str, Any] = json.loads(
    make_record(7, status="succeeded", local=False, estimate=priced("1.25"), note="x").model_dump_json()
)


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the JSON of a valid record with another value at `path`, `times.created`."""
    body = copy.deepcopy(BODY)
    *way, last = path.split(".")
    place = body
    for name in way:
        place = place[name]
    place[last] = value
    return body


def write_sidecar(log: Log, body: dict[str, Any], name: str = "job00007") -> Path:
    """Write a sidecar as a person would, while the log is closed."""
    log.close()
    path = log.folder / "records" / "2026-11" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(body))
    return path


def kinds(log: Log) -> list[str]:
    return sorted(finding.kind for finding in log.verify())


INVALID = [
    ("times.created", "2026-11-27T11:27:48", "its time created, 2026-11-27T11:27:48, has no time zone"),
    ("times.ended", "2026-11-27T11:27:48", "has no time zone"),
    ("times.created", "0001-01-01T00:00:00+14:00", "is too far from now"),
    ("times.submitted", "9999-12-31T23:59:59-12:00", "is too far from now"),
    ("messages", ["2026-11-27T11:27:48 Queued"], "has no time zone"),
    ("revision", 10**19, "its revision is 10000000000000000000"),
    ("revision", -1, "its revision is -1"),
    ("stars", 10**20, "its stars are 100000000000000000000"),
    ("stars", 9, "its stars are 9"),
    ("estimate.each", "1e30", "its price is $1E+30"),
    ("estimate.each", "-5", "its price is $-5"),
    ("estimate.seconds", 10**400, "its seconds are 1000"),
    ("clip", {"file": "x", "digest": "xyz", "size": 1}, "its clip has the digest 'xyz'"),
]


@pytest.mark.parametrize(
    ("path", "value", "words"), INVALID, ids=[f"{path} {str(value)[:20]}" for path, value, _ in INVALID]
)
def test_a_record_with_an_invalid_value_is_left_out_and_named_and_the_rest_is_read(
    path: str, value: Any, words: str, log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    log.save(make_record(1, status="succeeded", local=False, estimate=priced("1.25")))
    invalid = write_sidecar(log, changed(path, value))
    with caplog.at_level(logging.WARNING, "kling_nb.store"):
        assert [record.id for record in log.find()] == ["job00001"]
    assert f"{invalid} holds invalid values" in caplog.text and words in caplog.text
    assert log.budget.counted(Scope("total", Decimal(9))) == SPENT
    (finding,) = log.verify()
    assert (finding.kind, finding.about) == ("sidecar unreadable", "records/2026-11/job00007.json")
    assert words in finding.message and "fix it" in finding.remedy
    assert log.rebuild() == 1


@pytest.mark.parametrize(
    ("path", "value", "words"), INVALID, ids=[f"{path} {str(value)[:20]}" for path, value, _ in INVALID]
)
def test_an_invalid_value_in_an_import_is_refused(path: str, value: Any, words: str) -> None:
    with pytest.raises(ExchangeError, match="what came is not a valid record") as refused:
        parse_record(json.dumps(changed(path, value)), "what came")
    assert words in str(refused.value)


def test_an_imported_record_replaces_neither_stars_nor_revision(log: Log) -> None:
    with pytest.raises(ExchangeError, match="its revision is 2147483000"):
        parse_record(json.dumps(changed("revision", 2147483000)), "what came")
    mine = make_record(7, status="succeeded", stars=5, note="mine", revision=3)
    theirs = mine.model_copy(update={"imported": True, "stars": 1, "note": "theirs", "revision": 900})
    assert merged(mine, theirs).stars == merged(theirs, mine).stars == 5
    log.save(mine)
    log._records.merge(theirs, merged)
    assert log.annotate(mine.id, stars=4).stars == 4
    log.close()
    assert log.get(mine.id).stars == 4
    assert log.verify() == []


def test_a_record_whose_id_cannot_be_a_file_name_is_left_out_and_named(log: Log) -> None:
    log.save(make_record(1))
    write_sidecar(log, changed("id", "a b"), "a b")
    assert [record.id for record in log.find()] == ["job00001"]
    assert [str(finding) for finding in log.verify()] == [
        "records/2026-11/a b.json: holds the invalid record id 'a b'; fix it, or move it away"
    ]


def test_an_index_found_damaged_at_its_opening_is_rebuilt(log: Log) -> None:
    for number in range(300):
        log.save(make_record(number))
    log.close()
    file = log.folder / "index.sqlite"
    with sqlite3.connect(file) as raw:
        page = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'records'").fetchone()[0]
    raw.close()
    with file.open("r+b") as stream:
        stream.seek((page - 1) * 4096)
        stream.write(b"\xff" * 4096)
    assert Log(log.folder).count() == 300
    assert log.count() == 300


def test_a_record_with_an_invalid_value_is_never_written(log: Log) -> None:
    with pytest.raises(LogError, match=r"job00001 is not written: its price is"):
        log.add(make_record(1, estimate=priced("1e30")))
    assert not list(log.folder.rglob("*.json"))


def test_while_the_sidecars_cannot_be_taken_in_nothing_counts_as_unspent(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.save(make_record(1, status="succeeded", local=False, estimate=priced("1.25")))
    log.close()
    for file in log.folder.glob("index.sqlite*"):
        file.unlink()

    def trouble(*_: object) -> None:
        raise OverflowError("Python int too large to convert to SQLite INTEGER")

    with monkeypatch.context() as patched:
        patched.setattr("kling_nb.store.index.row_of", trouble)
        for _ in range(3):  # it was the second that found the index open, and empty
            with pytest.raises(LogError, match=r"cannot add .*too large.*not known what was spent"):
                log.budget.counted(Scope("total", Decimal(9)))
    assert log.budget.counted(Scope("total", Decimal(9))) == SPENT


def test_a_saved_record_that_the_index_lacks_stops_the_spending_under_a_limit(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kling_nb.store.database._PATIENCE_MS", 50)
    log.save(make_record(0))
    log.close()
    assert log.count() == 1
    other = sqlite3.connect(log.folder / "index.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    log.save(make_record(1, status="succeeded", local=False, estimate=priced("1.25")))
    with pytest.raises(LogError, match=r"1 saved records are not yet in the index.*not known what was spent"):
        log.budget.counted(Scope("total", Decimal(9)))
    other.close()
    assert log.budget.counted(Scope("total", Decimal(9))) == SPENT


def paths(value: Any, way: tuple[str, ...] = ()) -> list[str]:
    """Every place in the JSON of a record, `times.created`."""
    if not isinstance(value, dict):
        return [".".join(way)]
    inside = [path for name, each in value.items() for path in paths(each, (*way, name))]
    return [*inside, *([".".join(way)] if way else [])]


numbers = st.integers() | st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**400]) | st.floats()
texts = st.text(max_size=8) | st.sampled_from(
    ["1e30", "-1", "NaN", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-27T11:27:48", "\u2028"]
)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(paths(BODY)), value=values)
def test_whatever_a_record_holds_the_log_is_read_and_searched_and_rebuilt(
    path: str, value: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = Log(tmp_path_factory.mktemp("odd") / "log")
    write_sidecar(log, changed(path, value))
    steps: list[Callable[[], object]] = [
        lambda: [json.dumps(record.model_dump(mode="json")) for record in log.find(kind=None, text="a")],
        log.find,
        log.rebuild,
        log.verify,
        log.budget.entries,
        lambda: log.budget.counted(Scope("day", Decimal(9))),
        lambda: log.annotate("job00007", stars=3, note="read"),
        lambda: log.trash("job00007"),
        log.budget.entries,
    ]
    for step in steps:
        try:
            step()
        except KlingError as exc:
            assert "job00007" in str(exc), exc  # the one that is odd, and nothing else, is refused
    log.close()


@settings(max_examples=25, deadline=None)
@given(path=st.sampled_from(paths(BODY)), value=values)
def test_whatever_an_import_holds_it_is_accepted_or_refused(path: str, value: Any) -> None:
    try:
        record = parse_record(json.dumps(changed(path, value)), "what came")
    except ExchangeError as exc:
        assert str(exc).startswith("what came is")
    else:
        assert Record.model_validate_json(record.model_dump_json()).id == record.id


def test_a_backup_beside_a_month_is_not_read_and_is_named(log: Log) -> None:
    log.save(make_record(1, status="failed"))
    month = log.folder / "records" / "2026-11"
    for name in ("2026-11-backup", "2026-13", "old"):
        shutil.copytree(month, month.with_name(name))
    (month.with_name("stray.json")).write_text("{}")

    log.annotate("job00001", tags=["good"])
    log.annotate("job00001", stars=5)

    assert (log.get("job00001").tags, log.get("job00001").stars) == (("good",), 5)
    log.close()
    assert (log.get("job00001").tags, log.get("job00001").stars) == (("good",), 5)
    found = {finding.about: str(finding) for finding in log.verify()}
    assert found.keys() == {f"records/{name}" for name in ("2026-11-backup", "2026-13", "old", "stray.json")}
    assert "is not read: only folders such as records/2026-11 are; move it out of the log" in found["records/old"]
    log.trash("job00001")
    log.close()
    assert log.count() == 0, "no copy takes its place"
    shutil.copytree(log.folder / "trash" / "records" / "2026-11", log.folder / "trash" / "records" / "2026-11 copy")
    assert "trash/records/2026-11 copy" in {finding.about for finding in log.verify()}


def test_an_editors_lock_and_a_systems_hidden_file_are_ignored(log: Log) -> None:
    log.save(make_record(1))
    month = log.folder / "records" / "2026-11"
    (month / ".#job00001.json").symlink_to("ann@host.123:45")
    (month / "._job00001.json").write_bytes(b"\0\5\x16\7")
    (month / "gone.json").symlink_to(month / "nowhere.json")
    log.close()
    assert log.count() == 1
    assert log.rebuild() == 1
    assert log.verify() == []


def test_a_record_that_another_kernel_trashes_while_the_log_is_read_stops_nothing(
    log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(4):
        log.save(make_record(number, status="failed", local=False))
    log.close()
    over = threading.Event()

    def throw() -> None:
        another = Log(log.folder)
        while not over.is_set():
            for number in range(3):
                another.trash(f"job{number:05}")
                another.restore(f"job{number:05}")
        another.close()

    thread = threading.Thread(target=throw)
    thread.start()
    try:
        with caplog.at_level(logging.WARNING, "kling_nb.store"):
            for _ in range(15):
                reader = Log(log.folder)
                assert reader.rebuild() >= 1
                reader.find()
                reader.budget.entries()
                reader.trashed()
                assert "sidecar unreadable" not in kinds(reader)
                reader.close()
    finally:
        over.set()
        thread.join()
    assert "readable" not in caplog.text
    assert log.count() == 4


def test_a_conflicted_copy_in_the_trash_is_left_out_and_named_and_stops_no_spending(
    log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    log.save(make_record(1, status="succeeded", local=False, estimate=priced("1.25")))
    log.trash("job00001")
    (path,) = log.folder.glob("trash/records/*/*.json")
    copied = shutil.copy(path, path.with_name("job00001 (Ann's conflicted copy).json"))

    with caplog.at_level(logging.WARNING, "kling_nb.store"):
        assert [entry.cost for entry in log.budget.entries()] == [SPENT]
        assert log.budget.counted(Scope("total", Decimal(9))) == SPENT
    assert caplog.text.count("conflicted copy") == 1
    assert log.trashed() == ["job00001"]
    (finding,) = log.verify()
    assert (finding.kind, finding.about) == ("sidecar unreadable", copied.relative_to(log.folder).as_posix())
    assert "holds the record job00001, as job00001.json does; compare the two, then delete this one" in str(finding)
    path.unlink()
    assert "rename it to job00001.json" in str(log.verify()[0])


def test_the_remedy_for_a_conflicted_copy_does_not_overwrite_the_record(log: Log) -> None:
    log.save(make_record(1))
    (path,) = log.folder.glob("records/*/*.json")
    shutil.copy(path, path.with_name("job00001 2.json"))
    log.close()
    assert log.count() == 1
    (finding,) = log.verify()
    assert "compare the two, then delete this one" in finding.remedy


def test_a_record_in_another_month_than_its_own_is_named(log: Log) -> None:
    log.save(make_record(1))
    month = log.folder / "records" / "2026-11"
    shutil.copytree(month, month.with_name("2026-12"))
    (finding,) = log.verify()
    assert (finding.kind, finding.about) == ("sidecar misplaced", "records/2026-12/job00001.json")
    assert "its place is records/2026-11/job00001.json; compare the two, then delete this one" in str(finding)
    shutil.rmtree(month)
    assert "move it there" in log.verify()[0].remedy


def vote(name: str, **changes: Any) -> Vote:
    given = {"at": START, "who": "ann", "left": "job00001", "right": "job00002", "outcome": "left", "seed": 1}
    return Vote.model_validate({"id": name, **given, **changes})


def test_a_damaged_vote_is_left_out_and_named_and_later_ones_start_on_a_line_of_their_own(
    log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    log.save(make_record(1))
    log.votes.add([vote("v1"), vote("v2")])
    (file,) = log.votes.folder.iterdir()
    file.write_bytes(file.read_bytes()[:-20])
    log.votes.add([vote("v3")])

    with caplog.at_level(logging.WARNING, "kling_nb.store"):
        assert [each.id for each in log.votes.all()] == ["v1", "v3"]
    assert f"Line 2 of {file} is not a vote" in caplog.text
    (finding,) = log.verify()
    assert (finding.kind, finding.about) == ("vote unreadable", "votes/2026-11.jsonl")
    assert "line 2 is not a vote; fix the line, or delete it" in str(finding)


def test_only_a_line_feed_ends_a_line(log: Log) -> None:
    who = "Ann\u2028Lee\x85\x0c"
    log.votes.add([vote("v1", who=who)])
    assert [each.who for each in log.votes.all()] == [who]


@pytest.mark.parametrize("line", ["{", "[]", "null", '{"id": "v9"}', "\udcff", vote("v9").model_dump_json()[:-10]])
def test_damaged_lines_among_votes_stop_neither_reading_nor_merging(line: str, log: Log, tmp_path: Path) -> None:
    other = Log(tmp_path / "other")
    other.save(make_record(1, status="failed"))
    other.votes.add([vote("v1")])
    (file,) = other.votes.folder.iterdir()
    odd = vote("v8").model_dump(mode="json")
    zoneless = json.dumps({**odd, "at": "2026-11-01T12:00:00"})
    far = json.dumps({**odd, "at": "0001-01-01T00:00:00+14:00"})
    whole = file.read_text() + "\n".join([line, "", zoneless, far, vote("v2").model_dump_json()]) + "\n"
    file.write_bytes(whole.encode(errors="surrogateescape"))
    (other.votes.folder / ".#2026-11.jsonl").symlink_to("ann@host")

    done = log.merge(other.folder)

    assert [each.id for each in log.votes.all()] == ["v1", "v2"]
    assert done.votes == 2
    assert [f"Line {number} of" in said for number, said in zip((2, 4, 5), done.problems, strict=True)] == [True] * 3
    assert [finding.kind for finding in other.verify()] == ["vote unreadable"] * 3


def test_a_copy_in_another_month_does_not_lock_the_log(log: Log) -> None:
    log.save(make_record(1, status="succeeded"))
    (path,) = log.folder.glob("records/*/job00001.json")
    (log.folder / "records" / "2025-01").mkdir()
    shutil.copy(path, log.folder / "records" / "2025-01")
    assert log.rebuild() == 1
    log.close()
    for file in log.folder.glob("index.sqlite*"):
        file.unlink()
    again = Log(log.folder)
    assert [record.id for record in again.find()] == ["job00001"]
    assert kinds(again) == ["sidecar misplaced"]
    again.close()


@pytest.mark.parametrize(
    "canonical", [{"prompt": 5}, {"multi_prompt": "abc"}, {"multi_prompt": ["abc", {"prompt": 1}]}]
)
def test_prompts_of_any_shape_are_searched(log: Log, canonical: dict[str, Any]) -> None:
    log.save(make_record(1, canonical={"model": "another", **canonical}))
    assert log.rebuild() == 1
    assert log.count(text="abc" if "multi_prompt" in canonical else "5") == 1
    assert log.verify() == [] or kinds(log) == ["request changed"]


def test_an_index_of_an_earlier_layout_is_rebuilt_from_the_files(log: Log) -> None:
    log.save(make_record(1, hub="https://hub.example"))
    log.annotate("job00001", stars=4)
    log.close()
    with sqlite3.connect(log.folder / "index.sqlite") as index:
        index.execute("UPDATE layout SET number = 0")
        index.execute("ALTER TABLE records RENAME COLUMN cost TO price")
    index.close()
    assert [record.stars for record in log.find(text="cat", hub="https://hub.example")] == [4]
    assert log.verify() == []


def test_a_hub_in_a_sidecar_is_found_by_its_normal_address(log: Log) -> None:
    log.save(make_record(1, hub="https://x"))
    (path,) = log.folder.glob("records/*/job00001.json")
    log.close()
    path.write_text(path.read_text().replace('"https://x"', '"HTTPS://Hub.Example:443"'))
    assert log.count(hub="https://hub.example") == 1
    assert log.get("job00001").hub == "https://hub.example"


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def _sparse(path: Path) -> None:
    os.truncate(path, 100_000_000)


#: Anything that another program, a full disk or a person may leave in place of a file of JSON.
ODD_FILES: Mapping[str, Callable[[Path], object]] = {
    "100 MB": _sparse,
    "a pipe": _pipe,
    "a link to itself": _link_to_itself,
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "nested deeply": lambda path: path.write_text('{"version": ' + "[" * 100_000),
    "an infinite version": lambda path: path.write_text('{"version": 1e999}'),
    "not text": lambda path: path.write_bytes(b"\xff\xfe\0" * 50),
    "empty": lambda path: path.write_bytes(b""),
    "one long line": lambda path: path.write_bytes(b'{"' + b"x" * 3_000_000),
}
#: One file of each kind.
FILES = (
    "records/2026-11/job00001.json",
    "saved/preset/walk*.json",
    "plans/0123456789ab.json",
    "votes/2026-11.jsonl",
    "scores/2026-11.jsonl",
)


@pytest.mark.parametrize("odd", ODD_FILES)
def test_odd_files_hide_nothing_else_are_named_and_take_little_memory(tmp_path: Path, odd: str) -> None:
    log = Log(tmp_path / "log")
    for number in range(2):
        log.save(make_record(number))
    for name in ("walk", "run"):
        log.values.save("preset", name, {"fields": {}})
    for name in ("plans/0123456789ab.json", "votes/2026-11.jsonl", "scores/2026-11.jsonl"):
        (log.folder / name).parent.mkdir()
        (log.folder / name).write_text("{}\n")
    log.close()
    damaged = [next(log.folder.glob(pattern)) for pattern in FILES]
    for file in damaged:
        ODD_FILES[odd](file)
    for index in log.folder.glob("index.sqlite*"):
        index.unlink()

    tracemalloc.start()
    try:
        again = Log(log.folder)
        assert [record.id for record in again.find()] == ["job00000"]
        assert again.values.names("preset") == ["run"]
        assert (again.votes.all(), again.scores.of(again.find()), list(again.plans.all())) == ([], {}, [])
        findings = again.verify()
        again.rebuild()
        again.budget.entries()
        again.close()
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()
    named = {finding.about for finding in findings}
    harmless = {file for file in damaged if odd == "empty" and file.suffix == ".jsonl"}
    assert named >= {file.relative_to(log.folder).as_posix() for file in {*damaged} - harmless}


def test_a_record_too_large_to_be_read_again_is_not_written(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    with pytest.raises(LogError, match="more than 8,000,000"):
        log.save(make_record(0, canonical={"prompt": "x" * 9_000_000}))
    assert log.find() == []
