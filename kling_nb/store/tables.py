"""The index's tables, and the row of a record.

The narrow columns of `records` are for filters; a record's JSON and its words have their own tables, so that a scan
stays short. Everything here can be rebuilt from the files, so a changed layout needs no migration: raise `LAYOUT`.
"""

from __future__ import annotations

import contextlib
import datetime
import re
from collections.abc import Generator
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
    insert,
    inspect,
    select,
    text,
)

from kling_nb.errors import LogError
from kling_nb.models.budget import charge_of, micros
from kling_nb.models.record import Record
from kling_nb.models.urls import printable
from kling_nb.store.sidecars import FileVersion

#: The number of this layout; another one in an index means that the index must be rebuilt.
LAYOUT = 2

metadata = MetaData()


class _Name(TypeDecorator[str]):
    """A text as databases can hold it, also when it is looked for: without NUL and halves of surrogate pairs."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


def _text(name: str, **more: Any) -> Column[str]:
    return Column(name, _Name, nullable=False, **more)


def _key(name: str) -> Column[str]:
    return Column(name, _Name, primary_key=True)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _of_record(**more: Any) -> Column[int]:
    return Column("seq", ForeignKey("records.seq", ondelete="CASCADE"), primary_key=True, **more)


layout = Table("layout", metadata, Column("number", Integer, primary_key=True))
records = Table(
    "records",
    metadata,
    Column("seq", Integer, primary_key=True),
    _text("id", unique=True),
    _text("batch", index=True),
    *map(_text, ("kind", "hub", "model", "status")),
    Column("local", Boolean, nullable=False),
    _number("created"),
    _text("request_hash", index=True),
    Column("generation_id", _Name, index=True),
    Column("stars", Integer),
    Column("seconds", Float, nullable=False),
    Column("took", Float),
    Column("revision", Integer, nullable=False),
    *map(_number, ("modified", "size")),
    *(Column(name, _Name) for name in ("plan", "cell", "notebook", "charge", "by")),
    *(Column(name, BigInteger) for name in ("charged", "cost")),
    # Of a team: the revision that its bucket has.
    Column("arrived", Integer, nullable=False, server_default="0"),
    *(Index(f"records_{name}", name, "created", "seq") for name in ("kind", "hub", "model", "status", "stars")),
    Index("records_created", "created", "seq"),
    # Covers the sums that a limit asks for before each job.
    Index("records_money", "charge", "charged", "notebook", "plan", "by", "cost"),
)
bodies = Table("bodies", metadata, _of_record(), _text("json"))
words = Table("words", metadata, _of_record(), _text("text"))
tags = Table("tags", metadata, _key("tag"), _of_record(index=True))
claims = Table("claims", metadata, _key("generation_id"), _text("record"))
uploads = Table("uploads", metadata, _key("origin"), _key("digest"), _text("json"))


def prepare(connection: Connection) -> None:
    """Create the tables, or replace those of an earlier layout. Raises `LogError` for a later one.

    Two versions of the package that replaced each other's tables would rebuild the index in turns.
    """
    number = layout_number(connection)
    if number == LAYOUT:
        return
    if number is not None and number > LAYOUT:
        raise LogError("A later version of kling_nb made the log's index. Update this one.")
    if inspect(connection).get_table_names():
        metadata.drop_all(connection)
    metadata.create_all(connection, checkfirst=False)
    connection.execute(insert(layout).values(number=LAYOUT))
    if has_fts5(connection):
        connection.execute(text("DROP TABLE IF EXISTS words_fts"))
        connection.execute(text(_FTS))
        for statement in _TRIGGERS.values():
            connection.execute(text(statement))


def layout_number(connection: Connection) -> int | None:
    """Return the number of the layout in a database, None if it is empty."""
    return connection.scalar(select(layout.c.number)) if inspect(connection).has_table(layout.name) else None


@contextlib.contextmanager
def words_in_bulk(connection: Connection) -> Generator[None]:
    """Build the word index once at the end instead of word by word, within the caller's transaction."""
    if not has_fts5(connection):
        yield
        return
    for name in _TRIGGERS:
        connection.execute(text(f"DROP TRIGGER {name}"))
    yield
    connection.execute(text("INSERT INTO words_fts(words_fts) VALUES ('rebuild')"))
    for statement in _TRIGGERS.values():
        connection.execute(text(statement))


def has_fts5(connection: Connection) -> bool:
    """Return whether the database is a SQLite built with FTS5; elsewhere a search reads `words` itself."""
    if connection.dialect.name != "sqlite":
        return False
    return bool(connection.scalar(text("SELECT sqlite_compileoption_used('ENABLE_FTS5')")))


# The text is stored once, in `words`; triggers keep the word index up to date. Letters keep their accents, as in LIKE.
_FTS = (
    "CREATE VIRTUAL TABLE words_fts USING fts5("
    "text, content='words', content_rowid='seq', tokenize='unicode61 remove_diacritics 0')"
)
_ADD = "INSERT INTO words_fts(rowid, text) VALUES (new.seq, new.text);"
_REMOVE = "INSERT INTO words_fts(words_fts, rowid, text) VALUES ('delete', old.seq, old.text);"
_TRIGGERS = {
    "words_added": f"CREATE TRIGGER words_added AFTER INSERT ON words BEGIN {_ADD} END",
    "words_gone": f"CREATE TRIGGER words_gone AFTER DELETE ON words BEGIN {_REMOVE} END",
    "words_changed": "CREATE TRIGGER words_changed AFTER UPDATE OF text ON words "
    f"WHEN old.text IS NOT new.text BEGIN {_REMOVE} {_ADD} END",
}


def row_of(record: Record, version: FileVersion) -> dict[str, Any]:
    """Return a record's row without its `seq`; `charged` is in microseconds, `cost` in millionths of a dollar."""
    values: dict[str, Any] = {
        "created": microseconds(record.times.created),
        "seconds": float(record.estimate.seconds),
        "took": record.seconds,
        "modified": version.modified,
        "size": version.size,
        "charge": charge_of(record),
        "charged": microseconds(charged_at(record)),
        "cost": None if record.price is None else micros(record.price),
    }
    row = {name: values[name] if name in values else getattr(record, name) for name in ROW}
    return {name: storable(value) if isinstance(value, str) else value for name, value in row.items()}


def storable(value: str) -> str:
    """Return a text as databases can hold it: without NUL characters and halves of surrogate pairs."""
    return printable(value.replace("\0", ""))


def charged_at(record: Record) -> datetime.datetime:
    """Return when a record's cost was incurred: when it was sent, or else created."""
    return record.times.submitted or record.times.created


def microseconds(when: datetime.datetime) -> int:
    """Return an aware time as whole microseconds since 1970, the same in every database."""
    return (when - _EPOCH) // datetime.timedelta(microseconds=1)


def words_of(record: Record) -> str:
    """Return the words that a search by text looks in, each after a space: prompts, negative prompt, note and id."""
    parts = (record.id, record.prompt, str(record.canonical.get("negative_prompt") or ""), record.note)
    return storable("".join(f" {word}" for word in split(" ".join(parts))))


def split(text: str) -> list[str]:
    """Return the words of a text in lower case: runs of letters and digits."""
    return _WORD.findall(text.casefold())


ROW = [column.name for column in records.columns if column.name not in ("seq", "arrived")]
_WORD = re.compile(r"[^\W_]+")
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
