"""The budget of a log: its limits, the money spent, and the moment of spending.

The records themselves are the account. A record that is about to be sent is written as such under the same lock under
which the sums were read, so that two kernels cannot both spend what is left for one.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Select, func, select

from kling_nb.errors import LogError
from kling_nb.models.budget import COUNTED, Charge, Limits, Scope, charge_of, enforce, from_micros
from kling_nb.models.record import Record
from kling_nb.store.disk import read_whole, write_whole, written_in
from kling_nb.store.index import Index
from kling_nb.store.records import RecordStore
from kling_nb.store.sidecars import FileVersion, Sidecars, read_or_warn
from kling_nb.store.tables import charged_at, microseconds, records, tags

_LOCK = "money"


@dataclass(frozen=True, slots=True)
class Entry:
    """A record in the sums of `kn.spending()`, or `jobs` records of one group; `cost` is None if no price is known."""

    day: datetime.date
    model: str
    notebook: str | None
    plan: str | None
    charge: Charge
    cost: Decimal | None
    tags: tuple[str, ...] = ()
    by: str = ""
    jobs: int = 1
    priced: int | None = None
    """The number of jobs with a known price; None for a single job, whose cost tells."""

    @property
    def unpriced(self) -> int:
        """The number of jobs without a known price."""
        return self.jobs - (self.priced if self.priced is not None else self.cost is not None)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@dataclass(frozen=True)
class BudgetStore:
    """The limits and sums of one log."""

    store: RecordStore
    trash: Sidecars
    now: Callable[[], datetime.datetime] = _now
    _trashed: dict[str, tuple[FileVersion, Record | None]] = field(
        default_factory=dict[str, tuple[FileVersion, Record | None]]
    )

    @property
    def file(self) -> Path:
        """The file of the limits; not in the index, which may be rebuilt."""
        return self.store.folder / "budget.json"

    def limits(self) -> Limits:
        """Return the limits. Raises `LogError` if they cannot be read: then nothing may be spent."""
        self.store.exists()
        try:
            return Limits.model_validate_json(read_whole(self.file))
        except (FileNotFoundError, NotADirectoryError):  # no log yet, or none possible: the first write says so
            return Limits()
        except (OSError, ValidationError) as exc:
            why = "does not hold valid limits" if isinstance(exc, ValidationError) else f"cannot be read ({exc})"
            raise LogError(f"{self.file} {why}: fix it, or remove it and set the limits again by kn.budget().") from exc

    def change(self, change: Callable[[Limits], Limits]) -> Limits:
        """Replace the limits by what `change` returns for them, while no other process does, and return them."""
        with self.store.lock(_LOCK):
            changed = change(self.limits())
            unset = {"person"} if changed.person is None else None  # earlier versions do not know it
            with written_in(self.store.folder):
                write_whole(self.file, changed.model_dump_json(indent=2, exclude=unset).encode() + b"\n")
            return changed

    def afford(self, asked: Sequence[Record]) -> None:
        """Raise `BudgetError` if a limit refuses these records, as far as is known before they are sent."""
        ids = [record.id for record in asked]
        enforce(self.limits(), asked, lambda scope: self.counted(scope, without=ids))

    def spend(self, asked: Sequence[Record]) -> list[Record | None]:
        """Write records that are about to be sent; see `RecordStore.send`. Raises `BudgetError`."""
        limited = any(self.limits().any_for(record) for record in asked)
        with self.store.lock(_LOCK) if limited else contextlib.nullcontext():
            if limited:
                self.afford(asked)
            return [self.store.send(record) for record in asked]

    def counted(self, scope: Scope, *, without: Sequence[str] = ()) -> Decimal:
        """Return what counts against a limit: spent, reserved for running jobs, or uncertain.

        Raises `LogError` if it is not known.
        """
        self.store.check_complete()
        query = select(func.coalesce(func.sum(records.c.cost), 0)).where(
            records.c.charge.in_(COUNTED), *self._conditions(scope), records.c.id.not_in(without)
        )
        trashed = (record.price or Decimal(0) for record in self._paid_in_trash() if self._is_within(scope, record))
        return from_micros(self.store.ask(lambda index: _sum(index, query), 0)) + sum(trashed, Decimal(0))

    def entries(self, by: str = "") -> list[Entry]:
        """Return every record that cost something, or may have, or would have; those in the trash too.

        With `by`, the database adds up: one entry for each group and charge, with only the fields of that grouping.
        """
        trashed = [entry_of(record) for record in self._paid_in_trash()]
        return [*self.store.ask(lambda index: list(entries_in(index, by)), []), *trashed]

    def _paid_in_trash(self) -> list[Record]:
        """Return the paid records in the trash, since the money is still spent; unreadable ones are left out."""
        present: set[str] = set()
        for path, version in self.trash.all():
            present.add(path.stem)
            if path.stem not in self._trashed or self._trashed[path.stem][0] != version:
                self._trashed[path.stem] = version, read_or_warn(path)
        found = (record for name, (_, record) in self._trashed.items() if name in present)
        return [record for record in found if record and charge_of(record) in COUNTED]

    def _is_within(self, scope: Scope, record: Record) -> bool:
        match scope.name:
            case "notebook":
                return record.notebook == scope.of
            case "plan":
                return record.plan == scope.of
            case "person":
                return record.by == scope.of
            case "day":
                return charged_at(record) >= self._midnight()
            case _:
                return True

    def _midnight(self) -> datetime.datetime:
        return datetime.datetime.combine(self.now().astimezone().date(), datetime.time.min).astimezone()

    def _conditions(self, scope: Scope) -> Iterator[ColumnElement[bool]]:
        match scope.name:
            case "notebook":
                yield records.c.notebook == scope.of if scope.of else records.c.notebook.is_(None)
            case "plan":
                yield records.c.plan == scope.of
            case "person":
                yield records.c.by == scope.of
            case "day":
                yield records.c.charged >= microseconds(self._midnight())
            case _:
                return


def _sum(index: Index, query: Select[int]) -> int:
    with index.database.reading() as connection:
        return int(connection.scalar(query) or 0)


def entry_of(record: Record) -> Entry:
    """Return the entry of one record."""
    when = charged_at(record).astimezone().date()
    charge = charge_of(record)
    return Entry(when, record.model, record.notebook, record.plan, charge, record.price, record.tags, record.by)


def entries_in(index: Index, by: str = "") -> Iterator[Entry]:
    """Yield the entries of an index, oldest first, or the sums of its groups; see `BudgetStore.entries`."""
    paid = records.c.charge.in_((*COUNTED, "planned"))
    if by in _GROUPS:
        yield from _groups_in(index, by, paid)
        return
    c = records.c
    query = (
        select(c.seq, c.charged, c.model, c.notebook, c.plan, c.charge, c.cost, c.by).where(paid).order_by(c.charged)
    )
    tagged = select(tags.c.seq, tags.c.tag).join(records, c.seq == tags.c.seq).where(paid)
    with index.database.reading() as connection:
        words: dict[int, list[str]] = {}
        for seq, tag in connection.execute(tagged):
            words.setdefault(seq, []).append(tag)
        for seq, charged, model, notebook, plan, charge, cost, by in connection.execute(query):
            amount = None if cost is None else from_micros(cost)
            yield Entry(_day_of(charged), model, notebook, plan, charge, amount, tuple(words.get(seq, ())), by or "")


#: Microseconds of a quarter of an hour, of which the days of every time zone consist.
_QUARTER = 900_000_000
#: What the rows of a grouping have in common. A record has several tags, so those are not here.
_GROUPS: dict[str, ColumnElement[Any]] = {
    "day": records.c.charged // _QUARTER,
    "model": records.c.model,
    "notebook": records.c.notebook,
    "plan": records.c.plan,
    "person": records.c.by,
}


def _groups_in(index: Index, by: str, paid: ColumnElement[bool]) -> Iterator[Entry]:
    group, c = _GROUPS[by].label("common"), records.c
    query = select(group, c.charge, func.count(), func.count(c.cost), func.coalesce(func.sum(c.cost), 0)).where(paid)
    sums: dict[tuple[Any, Charge], tuple[int, int, int]] = {}
    with index.database.reading() as connection:
        for common, charge, *counts in connection.execute(query.group_by(group, c.charge).order_by(group)):
            key = _day_of(int(common) * _QUARTER) if by == "day" else common, charge
            jobs, priced, cost = sums.get(key, (0, 0, 0))
            sums[key] = jobs + counts[0], priced + counts[1], cost + int(counts[2])
    nothing = Entry(_day_of(0), "", None, None, "free", None)
    for (common, charge), (jobs, priced, cost) in sums.items():
        given = {"by": common or ""} if by == "person" else {by: common}
        amount = from_micros(cost) if priced else None
        yield replace(nothing, charge=charge, cost=amount, jobs=jobs, priced=priced, **given)


def _day_of(charged: int) -> datetime.date:
    return datetime.datetime.fromtimestamp(charged / 1e6, datetime.UTC).astimezone().date()
