"""The index's tables, and the row of a record.

The narrow columns of `records` are for filters; a record's JSON and its words have tables of their own, so that a scan
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
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    insert,
    inspect,
    select,
    text,
)

from kling_nb.errors import LogError
from kling_nb.models.budget import charge_of, micros
from kling_nb.models.record import Record
from kling_nb.store.sidecars import FileVersion

#: The number of this layout; another one in an index means that the index must be rebuilt.
LAYOUT = 1

metadata = MetaData()
layout = Table("layout", metadata, Column("number", Integer, primary_key=True))
records = Table(
    "records",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("batch", String, nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("hub", String, nullable=False),
    Column("local", Boolean, nullable=False),
    Column("model", String, nullable=False),
    Column("status", String, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("request_hash", String, nullable=False, index=True),
    Column("generation_id", String, index=True),
    Column("stars", Integer),
    Column("seconds", Float, nullable=False),
    Column("took", Float),
    Column("revision", Integer, nullable=False),
    Column("modified", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("plan", String),
    Column("cell", String),
    Column("notebook", String),
    Column("charge", String),
    Column("charged", BigInteger),
    Column("cost", BigInteger),
    *(Index(f"records_{name}", name, "created", "seq") for name in ("kind", "hub", "model", "status", "stars")),
    Index("records_created", "created", "seq"),
    # Covers the sums that a limit asks for before each job.
    Index("records_money", "charge", "charged", "notebook", "plan", "cost"),
)
_SEQ = "records.seq"
bodies = Table(
    "bodies",
    metadata,
    Column("seq", ForeignKey(_SEQ, ondelete="CASCADE"), primary_key=True),
    Column("json", Text, nullable=False),
)
words = Table(
    "words",
    metadata,
    Column("seq", ForeignKey(_SEQ, ondelete="CASCADE"), primary_key=True),
    Column("text", Text, nullable=False),
)
tags = Table(
    "tags",
    metadata,
    Column("tag", String, primary_key=True),
    Column("seq", ForeignKey(_SEQ, ondelete="CASCADE"), primary_key=True, index=True),
)
claims = Table(
    "claims",
    metadata,
    Column("generation_id", String, primary_key=True),
    Column("record", String, nullable=False),
)
uploads = Table(
    "uploads",
    metadata,
    Column("origin", String, primary_key=True),
    Column("digest", String, primary_key=True),
    Column("json", Text, nullable=False),
)
scores = Table(
    "scores",
    metadata,
    Column("clip", String, primary_key=True),
    Column("request", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("version", String, primary_key=True),
    Column("json", Text, nullable=False),
)
#: The score files that `scores` was made from, as they were when it was.
score_files = Table(
    "score_files",
    metadata,
    Column("name", String, primary_key=True),
    Column("modified", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
)


def prepare(connection: Connection) -> None:
    """Create the tables, or replace those of an earlier layout. Raises `LogError` for a later one.

    Two versions of the package that replaced each other's tables would rebuild the index in turns.
    """
    number = connection.scalar(select(layout.c.number)) if inspect(connection).has_table(layout.name) else None
    if number == LAYOUT:
        return
    if number is not None and number > LAYOUT:
        raise LogError("A later version of kling_nb made the log's index. Update this one.")
    metadata.drop_all(connection)
    metadata.create_all(connection)
    connection.execute(insert(layout).values(number=LAYOUT))
    if has_fts5(connection):
        connection.execute(text("DROP TABLE IF EXISTS words_fts"))
        connection.execute(text(_FTS))
        for statement in _TRIGGERS.values():
            connection.execute(text(statement))


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
    row = {
        "id": record.id,
        "batch": record.batch,
        "kind": record.kind,
        "hub": record.hub,
        "local": record.local,
        "model": record.model,
        "status": record.status,
        "created": microseconds(record.times.created),
        "request_hash": record.request_hash,
        "generation_id": record.generation_id,
        "stars": record.stars,
        "seconds": float(record.estimate.seconds),
        "took": record.seconds,
        "revision": record.revision,
        "modified": version.modified,
        "size": version.size,
        "plan": record.plan,
        "cell": record.cell,
        "notebook": record.notebook,
        "charge": charge_of(record),
        "charged": microseconds(charged_at(record)),
        "cost": None if record.price is None else micros(record.price),
    }
    return {name: without_nul(value) if isinstance(value, str) else value for name, value in row.items()}


def without_nul(value: str) -> str:
    """Return a text without NUL characters, which PostgreSQL cannot store."""
    return value.replace("\0", "")


def charged_at(record: Record) -> datetime.datetime:
    """Return when a record's cost was incurred: when it was sent, or else created."""
    return record.times.submitted or record.times.created


def microseconds(when: datetime.datetime) -> int:
    """Return an aware time as whole microseconds since 1970, the same in every database."""
    return (when - _EPOCH) // datetime.timedelta(microseconds=1)


def words_of(record: Record) -> str:
    """Return the words that a search by text looks in, each after a space: prompts, negative prompt, note and id."""
    parts = (record.id, record.prompt, str(record.canonical.get("negative_prompt") or ""), record.note)
    return "".join(f" {word}" for word in split(" ".join(parts)))


def split(text: str) -> list[str]:
    """Return the words of a text in lower case: runs of letters and digits."""
    return _WORD.findall(text.casefold())


_WORD = re.compile(r"[^\W_]+")
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
