"""Whose is an entry of the hub's queue? Decided once, by a unique key, however many kernels ask at the same moment.

A claim lies in the index. Whoever dies before the record with the claimed id is saved finds it there again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from kling_nb.logbook.database import Database
from kling_nb.logbook.index import Index
from kling_nb.logbook.ledger import Ledger
from kling_nb.logbook.tables import bodies, claims, records
from kling_nb.models.record import Record

#: How many ids one query asks for: SQLite takes so many parameters in every build.
_AT_ONCE = 500


@dataclass(frozen=True)
class Claims:
    """The claims of one log."""

    ledger: Ledger

    def claim(self, record: Record) -> bool:
        """Claim the hub's generation that a record names; False when another record has it."""
        self.ledger.ready(writing=True)
        return self.ledger.ask(lambda index: _claim(index.database, record), nothing=False)

    def of_others(self, generation_ids: Sequence[str], record_ids: Sequence[str]) -> set[str]:
        """Return which of the hub's generations belong to records other than these."""
        return self.ledger.ask(lambda index: _of_others(index.database, generation_ids, record_ids), set[str]())

    def being_sent(self, record: Record, alive: Callable[[str], bool]) -> list[Record]:
        """Return the records of the same model whose POST is under way: an entry of the queue may be theirs."""
        asked = self.ledger.ask(lambda index: _being_sent(index, record), [])
        return [one for one in asked if one.holder and alive(one.holder)]


def _claim(database: Database, record: Record) -> bool:
    wanted = claims.c.generation_id == record.generation_id
    with database.writing() as connection:
        if _elsewhere(connection, record):
            return False
        try:
            with connection.begin_nested():
                connection.execute(insert(claims).values(generation_id=record.generation_id, record=record.id))
        except IntegrityError:
            pass  # it is claimed already: perhaps by this record, before its kernel died
        return connection.scalar(select(claims.c.record).where(wanted)) == record.id


def _elsewhere(connection: Connection, record: Record) -> bool:
    """Whether another record got it in the usual way, from the hub's own answer."""
    query = select(records.c.id).where(records.c.generation_id == record.generation_id, records.c.id != record.id)
    return connection.scalar(query.limit(1)) is not None


def _of_others(database: Database, generation_ids: Sequence[str], record_ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    with database.reading() as connection:
        for start in range(0, len(generation_ids), _AT_ONCE):
            some = generation_ids[start : start + _AT_ONCE]
            for id_, owner in ((records.c.generation_id, records.c.id), (claims.c.generation_id, claims.c.record)):
                found.update(connection.scalars(select(id_).where(id_.in_(some), owner.not_in(record_ids))))
    return found


def _being_sent(index: Index, record: Record) -> list[Record]:
    query = select(bodies.c.json).join(records, records.c.seq == bodies.c.seq)
    query = query.where(records.c.status == "submitting", records.c.model == record.model, records.c.id != record.id)
    with index.database.reading() as connection:
        return [Record.model_validate_json(body) for body in connection.scalars(query)]
