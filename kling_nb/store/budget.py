"""The money in a log: limits kept beside the records, sums of what was spent, and the one moment when it is spent.

The records themselves are the account: one whose POST is about to be made is written, as such, under the same lock
under which the sums were read, so that two kernels that would each just fit do not both spend.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, func, select

from kling_nb.errors import LogError
from kling_nb.models.budget import COUNTED, Charge, Limits, Scope, charge_of, enforce, from_micros
from kling_nb.models.record import Record
from kling_nb.store.disk import write_whole, written_in
from kling_nb.store.index import Index
from kling_nb.store.records import RecordStore
from kling_nb.store.sidecars import FileVersion, MissingSidecar, Sidecars, UnreadableRecord, read_sidecar
from kling_nb.store.tables import charged_at, microseconds, records, tags

_log = logging.getLogger(__name__)
_LOCK = "money"


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as `kn.spending()` adds it up; `cost` is None when nobody gave a price."""

    day: datetime.date
    model: str
    notebook: str | None
    plan: str | None
    charge: Charge
    cost: Decimal | None
    tags: tuple[str, ...] = ()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@dataclass(frozen=True)
class BudgetStore:
    """The limits and sums of one log."""

    record_store: RecordStore
    trash: Sidecars
    now: Callable[[], datetime.datetime] = _now
    _thrown: dict[str, tuple[FileVersion, Record | None]] = field(
        default_factory=dict[str, tuple[FileVersion, Record | None]]
    )

    @property
    def file(self) -> Path:
        """Where the limits are kept: a file of its own, since the index may be made anew."""
        return self.record_store.folder / "budget.json"

    def limits(self) -> Limits:
        """Return the limits. Raises `LogError` when they cannot be read: then nothing may be spent."""
        self.record_store.exists()
        try:
            return Limits.model_validate_json(self.file.read_bytes())
        except (FileNotFoundError, NotADirectoryError):  # no log yet, or none possible: the first write says so
            return Limits()
        except (OSError, ValidationError) as exc:
            why = "not what it should be" if isinstance(exc, ValidationError) else str(exc)
            raise LogError(
                f"{self.file} is {why}: mend it, or remove it and set the limits again by kn.budget()."
            ) from exc

    def change(self, change: Callable[[Limits], Limits]) -> Limits:
        """Replace the limits by what `change` makes of them, alone in this log, and return them."""
        with self.record_store.alone(_LOCK):
            changed = change(self.limits())
            with written_in(self.record_store.folder):
                write_whole(self.file, changed.model_dump_json(indent=2).encode() + b"\n")
            return changed

    def afford(self, asking: Sequence[Record]) -> None:
        """Raise `BudgetError` when a limit refuses these records, as far as can be known before they are sent."""
        limits = self.limits()
        ids = [record.id for record in asking]
        enforce(limits, asking, lambda scope: self.counted(scope, without=ids))

    def spend(self, asking: Sequence[Record]) -> list[Record | None]:
        """Write records that are about to be sent; see `RecordStore.send`. Raises `BudgetError`."""
        limited = any(self.limits().any_for(record) for record in asking)
        with self.record_store.alone(_LOCK) if limited else contextlib.nullcontext():
            if limited:
                self.afford(asking)
            return [self.record_store.send(record) for record in asking]

    def counted(self, scope: Scope, *, without: Sequence[str] = ()) -> Decimal:
        """Return what counts against a limit so far: spent, set aside for jobs under way, or uncertain.

        Raises `LogError` when it cannot be told.
        """
        self.record_store.settled()
        query = select(func.coalesce(func.sum(records.c.cost), 0)).where(
            records.c.charge.in_(COUNTED), *self._within(scope), records.c.id.not_in(without)
        )
        thrown = (record.price or Decimal(0) for record in self._in_the_trash() if self._is_within(scope, record))
        return from_micros(int(self.record_store.ask(lambda index: _scalar(index, query), 0))) + sum(thrown, Decimal(0))

    def entries(self) -> list[Entry]:
        """Return every record that cost, may have cost or would have cost something, the thrown away too."""
        thrown = [_entry_of(record) for record in self._in_the_trash()]
        return [*self.record_store.ask(lambda index: list(_entries(index)), []), *thrown]

    def _in_the_trash(self) -> list[Record]:
        """Return what was paid for and then thrown away: the money is not back. What cannot be read is left out."""
        there: set[str] = set()
        for path, stamp in self.trash.all():
            there.add(path.stem)
            if path.stem not in self._thrown or self._thrown[path.stem][0] != stamp:
                self._thrown[path.stem] = stamp, _readable(path)
        found = (record for name, (_, record) in self._thrown.items() if name in there)
        return [record for record in found if record and charge_of(record) in COUNTED]

    def _is_within(self, scope: Scope, record: Record) -> bool:
        match scope.name:
            case "notebook":
                return record.notebook == scope.of
            case "plan":
                return record.plan == scope.of
            case "day":
                return charged_at(record) >= self._midnight()
            case _:
                return True

    def _midnight(self) -> datetime.datetime:
        return datetime.datetime.combine(self.now().astimezone().date(), datetime.time.min).astimezone()

    def _within(self, scope: Scope) -> Iterator[ColumnElement[bool]]:
        match scope.name:
            case "notebook":
                yield records.c.notebook == scope.of if scope.of else records.c.notebook.is_(None)
            case "plan":
                yield records.c.plan == scope.of
            case "day":
                yield records.c.charged >= microseconds(self._midnight())
            case _:
                return


def _readable(path: Path) -> Record | None:
    try:
        return read_sidecar(path)
    except MissingSidecar:  # another kernel has brought it back
        return None
    except UnreadableRecord as exc:
        _log.warning("%s", exc)
        return None


def _scalar(index: Index, query: Any) -> int:
    with index.database.reading() as connection:
        return connection.scalar(query) or 0


def _entry_of(record: Record) -> Entry:
    when = charged_at(record).astimezone().date()
    charge = charge_of(record)
    return Entry(when, record.model, record.notebook, record.plan, charge, record.price, record.tags)


def _entries(index: Index) -> Iterator[Entry]:
    c = records.c
    paid = c.charge.in_((*COUNTED, "planned"))
    query = select(c.seq, c.charged, c.model, c.notebook, c.plan, c.charge, c.cost).where(paid).order_by(c.charged)
    tagged = select(tags.c.seq, tags.c.tag).join(records, c.seq == tags.c.seq).where(paid)
    with index.database.reading() as connection:
        words: dict[int, list[str]] = {}
        for seq, tag in connection.execute(tagged):
            words.setdefault(seq, []).append(tag)
        for seq, charged, model, notebook, plan, charge, cost in connection.execute(query):
            when = datetime.datetime.fromtimestamp(charged / 1e6, datetime.UTC).astimezone()
            amount = None if cost is None else from_micros(cost)
            yield Entry(when.date(), model, notebook, plan, charge, amount, tuple(words.get(seq, ())))
