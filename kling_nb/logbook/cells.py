"""Which clips of a plan are in the log already, and the one moment when a missing one is begun."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select

from kling_nb.logbook.index import Index
from kling_nb.logbook.ledger import Ledger
from kling_nb.logbook.tables import bodies, records
from kling_nb.models.record import ENDED, Record, Status

T = TypeVar("T")

#: How many hashes one query asks for: SQLite takes so many parameters in every build.
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Made:
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

    ledger: Ledger

    def made(self, hashes: Sequence[str], hub: str) -> list[Made]:
        """Return the results at a hub for these requests, oldest first; what ended without a clip is left out."""
        return self.ledger.ask(lambda index: _made(index, list(dict.fromkeys(hashes)), hub), [])

    def imported(self, hashes: Sequence[str], hub: str) -> list[Record]:
        """Return those of the clips for these requests that were made elsewhere: their files may be there alone."""
        return self.ledger.ask(lambda index: _imported(index, list(dict.fromkeys(hashes)), hub), [])

    def alone(self, begin: Callable[[], T]) -> T:
        """Look and begin while no other kernel does: of two that miss the same clip, one begins it."""
        with self.ledger.alone("plans"):
            return begin()


def _made(index: Index, hashes: Sequence[str], hub: str) -> list[Made]:
    c, found = records.c, list[Made]()
    query = select(c.id, c.request_hash, c.cell, c.status).where(c.kind == "result", c.hub == hub)
    query = query.where(c.status.not_in(ENDED - {"succeeded"})).order_by(c.created, c.seq)
    with index.database.reading() as connection:
        for start in range(0, len(hashes), _AT_ONCE):
            some = query.where(c.request_hash.in_(hashes[start : start + _AT_ONCE]))
            found += [Made(*row) for row in connection.execute(some)]
    return found


def _imported(index: Index, hashes: Sequence[str], hub: str) -> list[Record]:
    c, found = records.c, list[Record]()
    query = select(bodies.c.json).join(records, c.seq == bodies.c.seq)
    # Of the free ones the text tells most of them apart, without that each is read.
    query = query.where(c.charge == "free", bodies.c.json.contains('"imported":true'))
    query = query.where(c.kind == "result", c.hub == hub, c.status == "succeeded")
    with index.database.reading() as connection:
        for start in range(0, len(hashes), _AT_ONCE):
            some = query.where(c.request_hash.in_(hashes[start : start + _AT_ONCE]))
            found += [Record.model_validate_json(body) for body in connection.scalars(some)]
    return [record for record in found if record.imported]
