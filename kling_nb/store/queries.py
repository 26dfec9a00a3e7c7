"""Queries of the engine and the sweeps to the index: claims on the hub's generations, and the records of requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from kling_nb.models.record import ENDED, Record, Status
from kling_nb.store.index import Index, in_chunks
from kling_nb.store.records import RecordStore
from kling_nb.store.tables import bodies, claims, records

T = TypeVar("T")


@dataclass(frozen=True)
class Claims:
    """Which record has which of the hub's generations: decided once, by a unique key, for all kernels.

    A claim is in the index, where the next kernel finds it if this one ends before the record is saved.
    """

    store: RecordStore

    def claim(self, record: Record) -> bool:
        """Claim the generation that a record names; return False if another record has it."""
        self.store.ready(writing=True)
        return self.store.ask(lambda index: _claim(index, record), default=False)

    def of_others(self, generation_ids: Sequence[str], record_ids: Sequence[str]) -> set[str]:
        """Return the generations that belong to records other than these."""
        return self.store.ask(lambda index: _of_others(index, generation_ids, record_ids), set[str]())

    def being_sent(self, record: Record, alive: Callable[[str], bool]) -> list[Record]:
        """Return the records of the same model that are being sent: an entry of the queue may be theirs."""
        same_model = (records.c.model == record.model, records.c.id != record.id)
        sent = self.store.ask(lambda index: index.records(records.c.status == "submitting", *same_model), [])
        return [one for one in sent if one.holder and alive(one.holder)]


def _claim(index: Index, record: Record) -> bool:
    wanted = claims.c.generation_id == record.generation_id
    with index.database.writing() as connection:
        if _is_taken(connection, record):
            return False
        try:
            with connection.begin_nested():
                connection.execute(insert(claims).values(generation_id=record.generation_id, record=record.id))
        except IntegrityError:
            pass  # claimed already, perhaps by this record before its kernel ended
        return connection.scalar(select(claims.c.record).where(wanted)) == record.id


def _is_taken(connection: Connection, record: Record) -> bool:
    """Whether the hub's own answer gave the generation to another record."""
    query = select(records.c.id).where(records.c.generation_id == record.generation_id, records.c.id != record.id)
    return connection.scalar(query.limit(1)) is not None


def _of_others(index: Index, generation_ids: Sequence[str], record_ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    with index.database.reading() as connection:
        for some in in_chunks(generation_ids):
            for id_, owner in ((records.c.generation_id, records.c.id), (claims.c.generation_id, claims.c.record)):
                found.update(connection.scalars(select(id_).where(id_.in_(some), owner.not_in(record_ids))))
    return found


@dataclass(frozen=True, slots=True)
class RecordSummary:
    """A record that has the clip of a request, or may still get it."""

    id: str
    request_hash: str
    cell: str | None
    status: Status

    @property
    def done(self) -> bool:
        """Whether there is a clip."""
        return self.status == "succeeded"


@dataclass(frozen=True)
class Cells:
    """The records of requests, as plans need them."""

    store: RecordStore

    def made(self, hashes: Sequence[str], hub: str) -> list[RecordSummary]:
        """Return the records of these requests at a hub, oldest first, without those that ended without a clip."""
        return self.store.ask(lambda index: _made(index, list(dict.fromkeys(hashes)), hub), [])

    def imported(self, hashes: Sequence[str], hub: str) -> list[Record]:
        """Return those of these requests' records that were imported with a clip."""
        return self.store.ask(lambda index: _imported(index, list(dict.fromkeys(hashes)), hub), [])

    def alone(self, begin: Callable[[], T]) -> T:
        """Call `begin` while no other kernel does: of two that lack the same clip, one starts it."""
        with self.store.lock("plans"):
            return begin()


def _made(index: Index, hashes: Sequence[str], hub: str) -> list[RecordSummary]:
    c, found = records.c, list[RecordSummary]()
    query = select(c.id, c.request_hash, c.cell, c.status).where(c.kind == "result", c.hub == hub)
    query = query.where(c.status.not_in(ENDED - {"succeeded"})).order_by(c.created, c.seq)
    with index.database.reading() as connection:
        for some in in_chunks(hashes):
            found += [RecordSummary(*row) for row in connection.execute(query.where(c.request_hash.in_(some)))]
    return found


def _imported(index: Index, hashes: Sequence[str], hub: str) -> list[Record]:
    c = records.c
    # The text tells most of the others apart, without parsing each.
    imported = (c.charge == "free", bodies.c.json.contains('"imported":true'))
    clips = (c.kind == "result", c.hub == hub, c.status == "succeeded")
    found = (index.records(c.request_hash.in_(some), *imported, *clips) for some in in_chunks(hashes))
    return [record for some in found for record in some if record.imported]
