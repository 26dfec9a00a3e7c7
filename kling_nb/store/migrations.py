"""The index's schema, step by step. A step and the row that says it was done are committed together."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, inspect, select, text, update

from kling_nb.errors import LogError
from kling_nb.models.record import Record
from kling_nb.models.urls import normalize_url
from kling_nb.store import tables

_metadata = MetaData()
_done = Table("migrations", _metadata, Column("name", String, primary_key=True))


def migrate(connection: Connection) -> list[str]:
    """Bring the schema up to date inside the caller's transaction; return the steps that were taken.

    Raises `LogError` for a schema of a later version, which rows of ours might not fit.
    """
    _metadata.create_all(connection)
    done = set(connection.scalars(select(_done.c.name)))
    if later := done - {step.__name__ for step in STEPS}:
        raise LogError(f"The log's index was made by a later version of kling_nb ({min(later)}): update this one.")
    due = [step for step in STEPS if step.__name__ not in done]
    for step in due:
        step(connection)
        connection.execute(insert(_done).values(name=step.__name__))
    return [step.__name__ for step in due]


def first_tables(connection: Connection) -> None:
    """Records with their JSON, words and tags; uploads; kept values."""
    tables.metadata.create_all(connection)


def word_index(connection: Connection) -> None:
    """FTS5 over the words, where SQLite was built with it; elsewhere a search reads the words themselves."""
    if has_fts5(connection):
        connection.execute(text(_FTS))
        for statement in _TRIGGERS.values():
            connection.execute(text(statement))


def money_columns(connection: Connection) -> None:
    """Plans, notebooks and costs of the records, which an index of before does not have."""
    there = {column["name"] for column in inspect(connection).get_columns("records")}
    if "cost" in there:
        return
    for column in ("plan", "cell", "notebook", "charge", "charged", "cost"):
        kind = tables.records.c[column].type.compile(connection.dialect)
        connection.execute(text(f"ALTER TABLE records ADD COLUMN {column} {kind}"))
    rows = connection.execute(select(tables.bodies.c.seq, tables.bodies.c.json)).all()
    for seq, body in rows:
        money = tables.money_of(Record.model_validate_json(body))
        connection.execute(update(tables.records).where(tables.records.c.seq == seq).values(**money))
    next(index for index in tables.records.indexes if index.name == "records_money").create(connection)


def score_table(connection: Connection) -> None:
    """Scores of clips, which an index of before does not have."""
    tables.scores.create(connection, checkfirst=True)


def claimed_generations(connection: Connection) -> None:
    """Whose an entry of the hub's queue is, after a lost answer."""
    tables.claims.create(connection, checkfirst=True)


def kept_in_files(connection: Connection) -> None:
    """NamedValues values lie in files. Earlier versions are kept out: they would take pictures of those for orphans."""
    if "carried" not in {column["name"] for column in inspect(connection).get_columns("kept")}:
        kind = tables.kept.c.carried.type.compile(connection.dialect)
        connection.execute(text(f"ALTER TABLE kept ADD COLUMN carried {kind}"))


def hubs_of_one_name(connection: Connection) -> None:
    """One hub has one name, however its address was written."""
    column = tables.records.c.hub
    for (hub,) in connection.execute(select(column).distinct()).all():
        if normalize_url(hub) != hub:
            connection.execute(update(tables.records).where(column == hub).values(hub=normalize_url(hub)))


@contextlib.contextmanager
def words_in_bulk(connection: Connection) -> Generator[None]:
    """Build the word index once in the end instead of word by word; all within the caller's transaction."""
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
    """Whether this database is a SQLite that can search words."""
    if connection.dialect.name != "sqlite":
        return False
    return bool(connection.scalar(text("SELECT sqlite_compileoption_used('ENABLE_FTS5')")))


# The text is stored once, in `words`: triggers keep the two alike. Letters keep their accents, as in LIKE.
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


STEPS: tuple[Callable[[Connection], None], ...] = (
    first_tables,
    word_index,
    money_columns,
    score_table,
    claimed_generations,
    kept_in_files,
    hubs_of_one_name,
)
