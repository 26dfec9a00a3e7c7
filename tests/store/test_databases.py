"""SQLite and PostgreSQL answer alike: claims, cells, sums; and what only PostgreSQL does: it may be away."""

from __future__ import annotations

import datetime
import threading
from decimal import Decimal
from typing import get_args

import pytest
from support.records import HUB, MODEL, make_record, priced

from kling_nb.errors import BudgetError
from kling_nb.models.budget import Scope
from kling_nb.models.record import File, Times
from kling_nb.store import Log
from kling_nb.sweeps.spending import By, Spending

from .conftest import POSTGRESQL, SQLITE, OpenLog

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


def test_records_that_a_living_kernel_sends_are_found(log: Log, opened: OpenLog) -> None:
    other = opened(log.folder)
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


def test_sums_and_entries_count_the_money_spent(log: Log) -> None:
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


@pytest.mark.parametrize("by", get_args(By))
def test_the_database_adds_up_spending_as_one_by_one(log: Log, by: By) -> None:
    for number in range(6):
        price = {"estimate": priced(f"{number}.12")} if number else {}
        given = {"plan": "p" if number % 2 else None, "by": "ann" if number < 3 else "bob", "local": False}
        start = datetime.datetime(2026, 11, 1, 23, 50 + number, tzinfo=datetime.UTC)
        log.save(make_record(number, status="succeeded", times=Times(created=start), **given, **price))
    log.annotate("job00001", tags=["walk", "rain"])
    summed = Spending.of(log.budget.entries(by), by)
    assert {row.name: row for row in summed} == {row.name: row for row in Spending.of(log.budget.entries(), by)}
    assert summed.total == Spending.of(log.budget.entries(), by).total
    assert (summed.total.jobs, summed.total.unpriced) == (6, 1)


def test_a_rebuild_beside_a_writer_loses_nothing(log: Log, opened: OpenLog) -> None:
    log.save(make_record(0))
    other, done = opened(log.folder), threading.Event()

    def write() -> None:
        for number in range(1, 15):
            other.save(make_record(number))
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert log.rebuild() >= 1
    writer.join()
    assert log.count() == 15
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
