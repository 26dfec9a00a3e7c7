"""The index: rows that make records findable. It can always be made again from the sidecars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)

from kling_nb.models.record import ENDED, Record
from kling_nb.store.database import Database
from kling_nb.store.filters import containing, matching
from kling_nb.store.migrations import has_fts5, words_in_bulk
from kling_nb.store.named import left_in
from kling_nb.store.sidecars import DIGESTS, FileVersion
from kling_nb.store.tables import bodies, records, row_of, tags, words, words_of

_CHUNK = 5_000
#: Up to so many hits, the word index is asked first; a commoner word is soon met when reading from the newest on.
_RARE = 2_000

#: A record and its sidecar's stamp; None for one that could not be read.
Stamped = tuple[Record, FileVersion] | None


Conditions = Sequence[ColumnElement[bool]]


@dataclass(frozen=True)
class Page:
    """Which part of the answer, and from which end."""

    limit: int | None = None
    offset: int = 0
    newest_first: bool = True

    def order(self, table: FromClause) -> list[ColumnElement[Any]]:
        """The order of creation, as columns of a table."""
        columns = (table.c.created, table.c.seq)
        return [column.desc() if self.newest_first else column.asc() for column in columns]


@dataclass(frozen=True)
class Index:
    """The records' rows in a database."""

    database: Database

    def put(self, record: Record, stamp: FileVersion) -> None:
        """Insert or replace one record's row."""
        with self.database.writing() as connection:
            put_row(connection, record, stamp)

    def put_many(self, many: Iterable[Stamped]) -> int:
        """Insert or replace many in one transaction; return how many."""
        with self.database.writing() as connection:
            return put_rows(connection, many)

    def replace_all(self, many: Iterable[Stamped]) -> int:
        """Make all rows anew in one transaction: a reader sees the old ones until the new ones are there."""
        with self.database.writing() as connection, words_in_bulk(connection):
            for table in (tags, words, bodies, records):
                connection.execute(delete(table))
            count = put_rows(connection, many, fresh=True)
        with self.database.writing() as connection:
            connection.execute(text("ANALYZE"))
        return count

    def find(self, conditions: Conditions, wanted: Sequence[str], page: Page) -> list[Record]:
        """Return the records that pass and have all the words, in the order of their creation."""
        with self.database.reading() as connection:
            query = _chosen(connection, conditions, wanted).order_by(*page.order(records))
            chosen = query.limit(page.limit).offset(page.offset or None).subquery("chosen")
            query = select(bodies.c.json).join(chosen, chosen.c.seq == bodies.c.seq).order_by(*page.order(chosen))
            return [Record.model_validate_json(body) for body in connection.scalars(query)]

    def count(self, conditions: Conditions, wanted: Sequence[str]) -> int:
        """Return how many records pass and have all the words."""
        with self.database.reading() as connection:
            chosen = _chosen(connection, conditions, wanted, all_of_them=True).subquery()
            return connection.scalar(select(func.count()).select_from(chosen)) or 0

    def starting_with(self, prefix: str, limit: int = 6) -> list[str]:
        """Return ids that begin like this."""
        query = select(records.c.id).where(records.c.id.startswith(prefix, autoescape=True)).limit(limit)
        with self.database.reading() as connection:
            return list(connection.scalars(query))

    def newest_ids(self, limit: int = 500) -> list[str]:
        """Return the ids of the newest records."""
        with self.database.reading() as connection:
            return list(connection.scalars(select(records.c.id).order_by(records.c.created.desc()).limit(limit)))

    def get(self, record_id: str) -> Record | None:
        """Return the record of this id."""
        query = select(bodies.c.json).join(records, records.c.seq == bodies.c.seq).where(records.c.id == record_id)
        with self.database.reading() as connection:
            body = connection.scalar(query)
        return Record.model_validate_json(body) if body else None

    def unfinished(self, hub: str | None) -> list[Record]:
        """Return what may still come to something, oldest first."""
        query = select(bodies.c.json).join(records, records.c.seq == bodies.c.seq)
        query = query.where(records.c.status.in_(_OPEN)).order_by(records.c.created, records.c.seq)
        query = query if hub is None else query.where(records.c.hub == hub)
        with self.database.reading() as connection:
            return [Record.model_validate_json(body) for body in connection.scalars(query)]

    def durations(self, model: str, hub: str, limit: int) -> list[tuple[float, float]]:
        """Return (seconds of clip, seconds it took) of the newest successes."""
        query = select(records.c.seconds, records.c.took)
        query = query.where(records.c.model == model, records.c.hub == hub, records.c.status == "succeeded")
        query = query.where(records.c.took.is_not(None)).order_by(records.c.created.desc(), records.c.seq.desc())
        with self.database.reading() as connection:
            return [(seconds, took) for seconds, took in connection.execute(query.limit(limit))]

    def revision(self, record_id: str) -> int | None:
        """Return the revision that the index knows of a record."""
        with self.database.reading() as connection:
            return connection.scalar(select(records.c.revision).where(records.c.id == record_id))

    def stamps(self) -> dict[str, tuple[int, FileVersion]]:
        """Return every id with the revision and the sidecar's stamp that the index knows."""
        columns = (records.c.id, records.c.revision, records.c.modified, records.c.size)
        with self.database.reading() as connection:
            return {
                id_: (revision, FileVersion(at, size))
                for id_, revision, at, size in connection.execute(select(*columns))
            }


_OPEN = ("prepared", "submitting", "uncertain", "queued", "processing", "downloading")
assert not ENDED & set(_OPEN)  # noqa: S101 - a status added to one list and not the other would strand paid jobs


def put_row(connection: Connection, record: Record, stamp: FileVersion) -> None:
    """Insert or replace one record's row; an older revision never replaces a newer one."""
    known = connection.execute(_KNOWN, {"of": record.id}).one_or_none()
    if known is None:
        _insert(connection, [_Entry.of(record, stamp)])
        return
    if known.revision > record.revision:
        return
    connection.execute(_NEW_ROW, {**row_of(record, stamp), "at": known.seq})
    connection.execute(_NEW_BODY, {"json": record.model_dump_json(), "at": known.seq})
    if (text_now := words_of(record)) != known.text:
        connection.execute(_NEW_WORDS, {"text": text_now, "at": known.seq})
    if known.tagged:
        connection.execute(_OLD_TAGS, {"at": known.seq})
    _insert_tags(connection, _tags(record.tags, known.seq))


# Made once: a job's record is replaced at each of its moves, and building a statement takes longer than running it.
_KNOWN = (
    select(records.c.seq, records.c.revision, words.c.text, exists().where(tags.c.seq == records.c.seq).label("tagged"))
    .join(words, words.c.seq == records.c.seq, isouter=True)
    .where(records.c.id == bindparam("of"))
)
_NEW_ROW = update(records).where(records.c.seq == bindparam("at"))
_NEW_BODY = update(bodies).where(bodies.c.seq == bindparam("at"))
_NEW_WORDS = update(words).where(words.c.seq == bindparam("at"))
_OLD_TAGS = delete(tags).where(tags.c.seq == bindparam("at"))
_ADD_ROW, _ADD_BODY, _ADD_WORDS, _ADD_TAGS = insert(records), insert(bodies), insert(words), insert(tags)
_SEQS = select(records.c.id, records.c.seq).where(records.c.id.in_(bindparam("ids", expanding=True)))


def put_rows(connection: Connection, many: Iterable[Stamped], *, fresh: bool = False) -> int:
    """Insert or replace many rows; `fresh` says that none of them is there yet."""
    if not fresh:
        pairs = [pair for pair in many if pair]
        for record, stamp in pairs:
            put_row(connection, record, stamp)
        return len(pairs)
    # Rows are a tenth of the size of the records that they are made from: all of them may well be held at once.
    entries = sorted((_Entry.of(*pair) for pair in many if pair), key=lambda entry: entry.order)
    for start in range(0, len(entries), _CHUNK):
        _insert(connection, entries[start : start + _CHUNK])
    return len(entries)


@dataclass(frozen=True, slots=True)
class _Entry:
    order: tuple[int, str, int]
    row: dict[str, Any]
    body: str
    text: str
    tags: tuple[str, ...]

    @classmethod
    def of(cls, record: Record, stamp: FileVersion) -> _Entry:
        row = row_of(record, stamp)
        order = (row["created"], record.batch, record.index)
        return cls(order, row, record.model_dump_json(), words_of(record), record.tags)


def _insert(connection: Connection, entries: Sequence[_Entry]) -> None:
    connection.execute(_ADD_ROW, [entry.row for entry in entries])
    known = connection.execute(_SEQS, {"ids": [entry.row["id"] for entry in entries]})
    seq_of: dict[str, int] = {row.id: row.seq for row in known}
    numbered = [(seq_of[entry.row["id"]], entry) for entry in entries]
    connection.execute(_ADD_BODY, [{"seq": seq, "json": entry.body} for seq, entry in numbered])
    connection.execute(_ADD_WORDS, [{"seq": seq, "text": entry.text} for seq, entry in numbered])
    _insert_tags(connection, [row for seq, entry in numbered for row in _tags(entry.tags, seq)])


def _insert_tags(connection: Connection, rows: list[dict[str, Any]]) -> None:
    if rows:  # an empty list would insert one row of defaults
        connection.execute(_ADD_TAGS, rows)


def _tags(given: Iterable[str], seq: int) -> list[dict[str, Any]]:
    return [{"seq": seq, "tag": tag} for tag in dict.fromkeys(given)]


def _chosen(
    connection: Connection, conditions: Conditions, wanted: Sequence[str], *, all_of_them: bool = False
) -> Select[Any, Any]:
    query = select(records.c.seq, records.c.created).where(*conditions)
    if not wanted:
        return query
    terms = matching(wanted) if has_fts5(connection) else ""
    if terms and (all_of_them or _is_rare(connection, terms)):
        return query.where(_by_word_index(terms))
    return query.join(words, words.c.seq == records.c.seq).where(containing(wanted))


def _is_rare(connection: Connection, terms: str) -> bool:
    hits = text("SELECT count(*) FROM (SELECT 1 FROM words_fts WHERE words_fts MATCH :terms LIMIT :most)")
    return (connection.scalar(hits, {"terms": terms, "most": _RARE + 1}) or 0) <= _RARE


def _by_word_index(terms: str) -> ColumnElement[bool]:
    hits = text("SELECT rowid FROM words_fts WHERE words_fts MATCH :terms").bindparams(terms=terms)
    return records.c.seq.in_(hits.columns(literal_column("rowid")).scalar_subquery())


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
