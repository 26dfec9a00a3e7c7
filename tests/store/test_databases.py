"""SQLite and PostgreSQL answer alike: claims, cells, sums; and what only PostgreSQL does: it may be away."""

from __future__ import annotations

import logging
import sys
import threading
from decimal import Decimal
from pathlib import Path

import pytest
from support.postgres import Postgres
from support.records import HUB, MODEL, make_record, priced

from kling_nb.errors import ArgumentError, BudgetError, LogError, MissingExtra
from kling_nb.models.budget import Scope
from kling_nb.models.record import File
from kling_nb.store import Log

from .conftest import POSTGRESQL, SQLITE

DATABASES = (SQLITE, POSTGRESQL)
TOTAL = Scope("total", Decimal(9))


def test_one_of_two_records_gets_a_generation(log: Log) -> None:
    first, second = (log.save(make_record(number, status="uncertain")) for number in range(2))
    claim = {"generation_id": "g1", "status": "queued"}
    assert log.claim(first.model_copy(update=claim)) is not None
    assert log.claim(second.model_copy(update=claim)) is None
    assert log.claim(log.get(first.id)) is not None, "its own claim holds"
    assert log.claimed(["g1", "g2"]) == {"g1"}
    assert log.claimed(["g1"], by_others_than=[first.id]) == set()


def test_records_that_a_living_kernel_sends_are_found(log: Log, database: str | None) -> None:
    other = Log(log.folder, database)
    other.save(make_record(1, status="submitting", holder=other.holder()))
    mine = log.save(make_record(0, status="uncertain"))
    assert [record.id for record in log.being_sent(mine)] == ["job00001"]
    other.close()
    assert log.being_sent(mine) == []


def test_the_records_of_requests_are_found_for_a_plan(log: Log) -> None:
    clip = File(file="", digest="sha256:" + "a" * 64, size=1)
    done = log.save(make_record(0, status="succeeded", cell="c", clip=clip))
    log.save(make_record(1, status="failed"))
    running = log.save(make_record(2))
    log.save(make_record(3, prompt="another request"))
    imported = log.save(make_record(4, status="succeeded", imported=True, clip=clip))
    hashes = [done.request_hash] * 2 + [f"sha256:{number:064}" for number in range(600)]
    made = log.made(hashes, HUB)
    assert [(one.id, one.cell, one.done) for one in made] == [
        (done.id, "c", True),
        (running.id, None, False),
        (imported.id, None, True),
    ]
    assert [record.id for record in log.imported(hashes, HUB)] == [imported.id]
    assert log.made(hashes, "https://another.example") == []


def test_sums_and_entries_count_what_was_spent(log: Log) -> None:
    for number, status in enumerate(["succeeded", "uncertain", "failed"]):
        log.save(make_record(number, status=status, local=False, estimate=priced("1.12"), plan="p"))
    log.annotate("job00000", tags=["walk"])
    log.trash("job00000")
    assert log.budget.counted(TOTAL) == log.budget.counted(Scope("plan", Decimal(9), "p")) == Decimal("2.24")
    assert log.budget.counted(TOTAL, without=["job00001"]) == Decimal("1.12")
    assert sorted((entry.charge, entry.cost, entry.tags) for entry in log.budget.entries()) == [
        ("spent", Decimal("1.12"), ("walk",)),
        ("uncertain", Decimal("1.12"), ()),
    ]
    log.budget.change(lambda limits: limits.changed(total="3.00"))
    asked = make_record(3, local=False, estimate=priced("1.12"), status="submitting")
    with pytest.raises(BudgetError) as refused:
        log.spend([asked])
    assert (refused.value.limit, refused.value.left) == ("total", Decimal("0.76"))


def test_a_rebuild_beside_a_writer_loses_nothing(log: Log, database: str | None) -> None:
    log.save(make_record(0))
    other, done = Log(log.folder, database), threading.Event()

    def write() -> None:
        for number in range(1, 40):
            other.save(make_record(number))
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert log.rebuild() >= 1
    writer.join()
    assert log.count() == 40
    assert log.verify() == []
    other.close()


def test_a_nul_in_a_record_stops_neither_the_index_nor_the_sums(log: Log) -> None:
    log.save(make_record(0, status="succeeded", local=False, estimate=priced("1.12"), model="a\0b", note="x\0y"))
    log.annotate("job00000", tags=["t\0u"])
    assert log.budget.counted(TOTAL) == Decimal("1.12")
    assert log.get("job00000").tags == ("t\0u",)
    assert log.count(text="y") == 1
    assert log.verify() == []


def test_an_upload_is_remembered_and_forgotten(log: Log) -> None:
    log.remember_upload(HUB, "sha256:a", {"url": "https://hub.example/f.png?sig=secret", "size": 3})
    assert log.upload_of(HUB, "sha256:a") == {"url": "https://hub.example/f.png", "size": 3}
    log.forget_upload(HUB, "sha256:a")
    assert log.upload_of(HUB, "sha256:a") is None


def test_durations_and_prefixes(log: Log) -> None:
    log.save(make_record(0, status="succeeded"))
    assert log.durations(MODEL, HUB) == []
    assert log.get("job0").id == "job00000"


# PostgreSQL only


def test_reading_creates_no_folder_and_no_tables(tmp_path: Path, server: Postgres) -> None:
    log = Log(tmp_path / "log", server.schema())
    assert (log.find(), log.count(), log.verify()) == ([], 0, [])
    assert not log.folder.exists()
    assert not log._records.database.is_open


def test_a_restart_of_the_server_is_not_noticed(tmp_path: Path, own_server: Postgres) -> None:
    log = Log(tmp_path / "log", own_server.schema())
    log.save(make_record(0))
    own_server.stop()
    own_server.start()
    assert log.count() == 1
    log.close()


def test_while_the_server_is_away_records_are_saved_and_no_limited_cost_is_incurred(
    tmp_path: Path, own_server: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    log = Log(tmp_path / "log", own_server.schema())
    log.save(make_record(0))
    own_server.stop()
    with caplog.at_level(logging.WARNING, "kling_nb.store"):
        log.save(make_record(1, status="succeeded", local=False, estimate=priced("1.12")))
    assert "job00001 is saved, but not yet in the index" in caplog.text
    with pytest.raises(LogError):
        log.budget.counted(TOTAL)
    with pytest.raises(LogError):
        log.find()
    own_server.start()
    assert log.budget.counted(TOTAL) == Decimal("1.12")
    assert {record.id for record in log.find()} == {"job00000", "job00001"}
    log.close()


@pytest.fixture
def own_server(server: Postgres) -> Postgres:
    """The server, for a test that stops it: it is running again afterwards."""
    return server


def test_the_index_is_rebuilt_when_its_tables_are_of_an_earlier_layout(tmp_path: Path, server: Postgres) -> None:
    log = Log(tmp_path / "log", server.schema())
    log.save(make_record(0))
    with log._records.database.writing() as connection:
        connection.exec_driver_sql("UPDATE layout SET number = 0")
        connection.exec_driver_sql("ALTER TABLE records DROP COLUMN cost")
    log.close()
    assert log.count(text="cat") == 1
    log.close()


def test_a_password_is_in_no_representation_and_no_message(tmp_path: Path, server: Postgres) -> None:
    url = server.schema()
    log = Log(tmp_path / "log", url.replace("/postgres?", "/missing?"))
    with pytest.raises(LogError) as exc:
        log._records.ready(writing=True)
    shown = (repr(log), repr(log._records), repr(log.budget), str(exc.value), repr(exc.value.__cause__))
    assert "s3cret" in url
    assert not [text for text in shown if "s3cret" in text]


@pytest.mark.parametrize("wrong", ["", "mysql://user:s3cret@host/name", "sqlite:///x.sqlite", "host/name", "\0"])
def test_a_url_of_another_database_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ArgumentError) as exc:
        Log(tmp_path / "log", wrong)
    assert "s3cret" not in str(exc.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_any_postgresql_scheme_is_accepted(tmp_path: Path, server: Postgres, scheme: str) -> None:
    log = Log(tmp_path / "log", server.schema().replace("postgresql", scheme, 1))
    log.save(make_record(0))
    assert log.count() == 1
    log.close()


def test_without_psycopg_the_message_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"kling-nb\[postgres\]"):
        Log(tmp_path / "log", "postgresql://nowhere/log").rebuild()
