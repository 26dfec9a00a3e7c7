"""Whose is an entry of the hub's queue? Decided once, by a unique key, however many kernels ask at the same moment.

A claim lies in the index. Whoever dies before the record with the claimed id is saved finds it there again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from kling_nb.models.record import ENDED, Record, Status
from kling_nb.store.database import Database
from kling_nb.store.index import Index
from kling_nb.store.records import RecordStore
from kling_nb.store.tables import bodies, claims, records

#: How many ids one query asks for: SQLite takes so many parameters in every build.
_AT_ONCE = 500


@dataclass(frozen=True)
class Claims:
    """The claims of one log."""

    record_store: RecordStore

    def claim(self, record: Record) -> bool:
        """Claim the hub's generation that a record names; False when another record has it."""
        self.record_store.ready(writing=True)
        return self.record_store.ask(lambda index: _claim(index.database, record), nothing=False)

    def of_others(self, generation_ids: Sequence[str], record_ids: Sequence[str]) -> set[str]:
        """Return which of the hub's generations belong to records other than these."""
        return self.record_store.ask(lambda index: _of_others(index.database, generation_ids, record_ids), set[str]())

    def being_sent(self, record: Record, alive: Callable[[str], bool]) -> list[Record]:
        """Return the records of the same model whose POST is under way: an entry of the queue may be theirs."""
        asked = self.record_store.ask(lambda index: _being_sent(index, record), [])
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


T = TypeVar("T")

#: How many hashes one query asks for: SQLite takes so many parameters in every build.
_AT_ONCE_cells = 500


@dataclass(frozen=True, slots=True)
class RecordSummary:
    """A record that has, or may come to have, the clip of a request: where it can be found, and how it stands."""

    id: str
    request_hash: str
    cell: str | None
    status: Status

    @property
    def done(self) -> bool:
        """Whether the clip is there."""
        return self.status == "succeeded"


@dataclass(frozen=True)
class Cells:
    """The records of a log as plans look at them."""

    record_store: RecordStore

    def made(self, hashes: Sequence[str], hub: str) -> list[RecordSummary]:
        """Return the results at a hub for these requests, oldest first; what ended without a clip is left out."""
        return self.record_store.ask(lambda index: _made(index, list(dict.fromkeys(hashes)), hub), [])

    def imported(self, hashes: Sequence[str], hub: str) -> list[Record]:
        """Return those of the clips for these requests that were made elsewhere: their files may be there alone."""
        return self.record_store.ask(lambda index: _imported(index, list(dict.fromkeys(hashes)), hub), [])

    def alone(self, begin: Callable[[], T]) -> T:
        """Look and begin while no other kernel does: of two that miss the same clip, one begins it."""
        with self.record_store.alone("plans"):
            return begin()


def _made(index: Index, hashes: Sequence[str], hub: str) -> list[RecordSummary]:
    c, found = records.c, list[RecordSummary]()
    query = select(c.id, c.request_hash, c.cell, c.status).where(c.kind == "result", c.hub == hub)
    query = query.where(c.status.not_in(ENDED - {"succeeded"})).order_by(c.created, c.seq)
    with index.database.reading() as connection:
        for start in range(0, len(hashes), _AT_ONCE_cells):
            some = query.where(c.request_hash.in_(hashes[start : start + _AT_ONCE_cells]))
            found += [RecordSummary(*row) for row in connection.execute(some)]
    return found


def _imported(index: Index, hashes: Sequence[str], hub: str) -> list[Record]:
    c, found = records.c, list[Record]()
    query = select(bodies.c.json).join(records, c.seq == bodies.c.seq)
    # Of the free ones the text tells most of them apart, without that each is read.
    query = query.where(c.charge == "free", bodies.c.json.contains('"imported":true'))
    query = query.where(c.kind == "result", c.hub == hub, c.status == "succeeded")
    with index.database.reading() as connection:
        for start in range(0, len(hashes), _AT_ONCE_cells):
            some = query.where(c.request_hash.in_(hashes[start : start + _AT_ONCE_cells]))
            found += [Record.model_validate_json(body) for body in connection.scalars(some)]
    return [record for record in found if record.imported]
