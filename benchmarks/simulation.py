"""A team of 50 people with up to a million records: what each query takes as the log grows, and how large it gets.

`python -m benchmarks.simulation [RECORDS]` prints the tables of `docs/team-growth.md`: some minutes, and 5 GB of disk.
"""

from __future__ import annotations

import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from itertools import count
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import psycopg

from benchmarks import filling
from kling_nb.lab.overview import overview
from kling_nb.models.budget import Scope
from kling_nb.models.record import Record
from kling_nb.store.team import TeamLog, restore
from kling_nb.sweeps.spending import Spending
from tests.support import postgres

SIZES = (10_000, 100_000, 1_000_000)
#: A query is repeated until it has taken so many seconds, at least once and at most so often.
_SECONDS, _TIMES = 3.0, 15
_TABLES = ("records", "bodies", "words", "tags", "documents", "sums")


def main(most: int = SIZES[-1]) -> None:
    """Grow a log in steps, and print a table of the queries and one of the sizes, in Markdown."""
    sizes = [size for size in SIZES if size <= most]
    took: dict[str, list[float]] = {}
    large: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="kn-simulation-") as name, closing(postgres.Postgres()) as server:
        folder, url, media = Path(name), server.schema(), f"file://{name}/bucket"
        os.environ |= {"KLING_NB_DATABASE": url, "KLING_NB_MEDIA": media, "KLING_NB_USER": "person00"}
        real = filling.real_record(folder)
        there = 0
        with closing(TeamLog(folder / "cache", url, media, "person00")) as log:
            log.budget.change(lambda limits: limits.changed(**dict.fromkeys(("total", "day", "person"), "9000000.00")))
            for size in sizes:
                began = time.monotonic()
                filling.fill(url, real, size, there)
                there = size
                print(f"{size:,} records, filled in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
                for what, work in _queries(log, real):
                    took.setdefault(what, []).append(_median(work))
                    print(f"  {what}: {took[what][-1]:.1f} ms", file=sys.stderr, flush=True)
                for what, megabytes in _sizes(url):
                    large.setdefault(what, []).append(megabytes)
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}; others' load {os.getloadavg()[0]:.1f}")
    _print("| milliseconds", sizes, took)
    _print("| megabytes", sizes, large)
    print(f"\nThis process used {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:,.0f} MB at most.")


def _queries(log: TeamLog, real: Record) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what the team's kernels and pages ask, most frequent first."""
    numbers = count(int(time.monotonic() * 1000))
    saved: list[Record] = []

    def save() -> None:
        saved.append(log.save(filling.fresh(real, next(numbers), log)))

    def send() -> None:
        if not saved:
            save()
        assert log.spend([saved.pop().model_copy(update={"status": "submitting"})]) != [None]

    some = log.find(limit=filling.CELLS, status="succeeded")
    hashes = [record.request_hash for record in some]
    yield "save a new record", save
    yield "decide that it may be sent", send
    yield "the record of an ID", lambda: log.get(some[-1].id)
    yield "heartbeat of a kernel", log._team_lease.beat
    yield "news: the sidebar of the Jupyter extension", lambda: overview("log", log)
    yield "presence: `kn.team()`", log.team
    yield (
        "limits, with what counts against them",
        lambda: [
            log.budget.limits(),
            *(
                log.budget.counted(Scope(name, Decimal(0), of))
                for name, of in (("total", ""), ("day", ""), ("person", "person07"))
            ),
        ],
    )
    yield "jobs under way: `kn.resume()`", log.unfinished
    yield f"a plan of {filling.CELLS} cells: which have a clip", lambda: log.made(hashes, real.hub)
    yield "gallery: first page, with the number of all", lambda: (log.find(limit=24), log.count())
    yield "gallery: a page after 9,000 records", lambda: log.find(limit=24, offset=9_000)
    yield "gallery: the menus of models and tags", lambda: (log.models(), log.tags())
    yield "gallery: scores of a page", lambda: log.scores.of(some[:24])
    yield "search: 50 of a person with 3 stars", lambda: log.find(by="person07", stars=3, limit=50)
    yield "search: 50 with a tag", lambda: log.find(tag="best", limit=50)
    yield "search: 50 with a common word", lambda: log.find(text=filling.COMMON, limit=50)
    yield "search: 50 with a rare word", lambda: log.find(text=filling.RARE, limit=50)
    yield "search: number with a common word", lambda: log.count(text=filling.COMMON)
    yield "`kn.plans()`: the names", log.plans.ids
    yield '`kn.spending(by="person")`', lambda: Spending.of(log.budget.entries("person"), "person")
    yield '`kn.spending(by="day")`', lambda: Spending.of(log.budget.entries("day"), "day")
    yield "`verify()`, without listing the bucket", lambda: _verified(log)


def _verified(log: TeamLog) -> None:
    """Check the records against a bucket that has the object of each, without the time to list them."""
    store: Any = SimpleNamespace(address="a bucket", names=lambda _: iter(()))
    for _ in restore.findings(log._team_records, log._team_media, store):
        pass


def _median(work: Callable[[], object]) -> float:
    took: list[float] = []
    while len(took) < _TIMES and sum(took) < _SECONDS * 1000:
        began = time.perf_counter()
        work()
        took.append(1000 * (time.perf_counter() - began))
    return median(took)


def _sizes(url: str) -> Iterator[tuple[str, float]]:
    with psycopg.connect(url) as connection:
        for name in _TABLES:
            query = "SELECT pg_table_size(%(name)s::regclass) / 1e6, pg_indexes_size(%(name)s::regclass) / 1e6"
            table, indexes = connection.execute(query, {"name": name}).fetchone() or (0, 0)
            yield f"`{name}`", float(table)
            yield f"indexes of `{name}`", float(indexes)
        query = (
            "SELECT sum(pg_total_relation_size(oid)) / 1e6 FROM pg_class "
            "WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
        )
        yield "everything", float((connection.execute(query).fetchone() or (0,))[0])


def _print(head: str, sizes: list[int], rows: dict[str, list[float]]) -> None:
    print(
        "",
        head + " at" + "".join(f" | {size:,}" for size in sizes) + " records |",
        "|---" + "|--:" * len(sizes) + "|",
        sep="\n",
    )
    for what, figures in rows.items():
        print(f"| {what}", *(f"{one:,.{0 if one >= 10 else 1}f}" for one in figures), sep=" | ", end=" |\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
