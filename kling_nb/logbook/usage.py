"""What the rows of the index have in common: the words in use for filters, and who points to which content."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, func, select

from kling_nb.logbook.database import Database
from kling_nb.logbook.pointers import DIGESTS
from kling_nb.logbook.shelf import left_in
from kling_nb.logbook.tables import bodies, records, tags, words


def models_in(database: Database, kind: str) -> list[str]:
    """Return the models of the records of a kind, the commonest first."""
    query = select(records.c.model).where(records.c.kind == kind).group_by(records.c.model)
    with database.reading() as connection:
        return list(connection.scalars(query.order_by(func.count().desc(), records.c.model)))


def tags_in(database: Database) -> list[str]:
    """Return every tag in use, the commonest first."""
    query = select(tags.c.tag).group_by(tags.c.tag).order_by(func.count().desc(), tags.c.tag)
    with database.reading() as connection:
        return list(connection.scalars(query))


def pointed_to(database: Database, digests: Iterable[str]) -> set[str]:
    """Return which of these digests some record's JSON names: its clip, its poster, a reference."""
    found: set[str] = set()
    with database.reading() as connection:
        for digest in digests:
            query = select(bodies.c.seq).where(bodies.c.json.contains(digest, autoescape=True)).limit(1)
            if connection.scalar(query) is not None:
                found.add(digest)
    return found


def named_by_kept(database: Database) -> dict[str, str]:
    """Return each digest that a kept value names which an earlier version left in the index, with which one it is."""
    with database.reading() as connection:
        rows = left_in(connection)
    return {
        digest: f"{kind} {name!r}".removesuffix(" ''") for kind, name, json in rows for digest in DIGESTS.findall(json)
    }


def remove_row(database: Database, record_id: str) -> None:
    """Take a record out of the index; it may be gone already."""
    mine = select(records.c.seq).where(records.c.id == record_id).scalar_subquery()
    with database.writing() as connection:
        for table in (tags, words, bodies):  # one by one: the word index's triggers need not rely on a cascade
            connection.execute(delete(table).where(table.c.seq == mine))
        connection.execute(delete(records).where(records.c.id == record_id))
