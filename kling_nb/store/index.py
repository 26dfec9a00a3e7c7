"""The index: rows that make records findable. It can always be rebuilt from their sidecars."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError

from kling_nb.models.record import ENDED, Record, Status
from kling_nb.models.refusals import MODERATION
from kling_nb.store.database import Database
from kling_nb.store.filters import containing, matching
from kling_nb.store.sidecars import FileVersion
from kling_nb.store.tables import (
    ROW,
    bodies,
    claims,
    has_fts5,
    records,
    row_of,
    storable,
    tags,
    uploads,
    words,
    words_in_bulk,
    words_of,
)

_CHUNK = 5_000
#: With at most this many hits the word index is asked first; a more common word is soon met when reading newest first.
_RARE = 2_000
#: How many values one query names; SQLite takes only so many parameters.
AT_ONCE = 500

#: A record with its sidecar's version; None for a sidecar that cannot be read.
Versioned = tuple[Record, FileVersion] | None
Conditions = Sequence[ColumnElement[bool]]
T = TypeVar("T")


@dataclass(frozen=True)
class Page:
    """Which part of the records to return, and from which end."""

    limit: int | None = None
    offset: int = 0
    newest_first: bool = True

    def order(self, table: FromClause) -> list[ColumnElement[Any]]:
        """Return the order of creation, as columns of a table."""
        columns = (table.c.created, table.c.seq)
        return [column.desc() if self.newest_first else column.asc() for column in columns]


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
class Index:
    """The rows of records and upload addresses in a database."""

    database: Database

    # Records

    def put(self, *many: Versioned) -> None:
        """Insert or replace the rows of records in one transaction; an older revision never replaces a newer one."""
        with self.database.writing() as connection:
            for some in in_chunks([pair for pair in many if pair], _CHUNK):
                _put(connection, some)

    def replace_all(self, many: Iterable[Versioned]) -> int:
        """Replace all rows in one transaction, so that a reader sees the old ones until the new ones are complete."""
        with self.database.writing() as connection, words_in_bulk(connection):
            for table in (tags, words, bodies, records):
                connection.execute(delete(table))
            pairs = sorted((pair for pair in many if pair), key=_order)
            for some in in_chunks(pairs, _CHUNK):
                _put(connection, some)
        with self.database.writing() as connection:
            for table in (records, bodies, words, tags):
                connection.execute(text(f"ANALYZE {table.name}"))
        return len(pairs)

    def remove(self, record_id: str) -> None:
        """Remove a record's row, if there is one."""
        mine = select(records.c.seq).where(records.c.id == record_id).scalar_subquery()
        with self.database.writing() as connection:
            for table in (tags, words, bodies):  # one by one: the word index's triggers need not rely on a cascade
                connection.execute(delete(table).where(table.c.seq == mine))
            connection.execute(delete(records).where(records.c.id == record_id))

    def find(self, conditions: Conditions, wanted: Sequence[str], page: Page) -> list[Record]:
        """Return the records that match and have all the words, in the order of their creation."""
        with self.database.reading() as connection:
            query = _matching(connection, conditions, wanted).order_by(*page.order(records))
            chosen = query.limit(page.limit).offset(page.offset or None).subquery("chosen")
            query = select(bodies.c.json).join(chosen, chosen.c.seq == bodies.c.seq).order_by(*page.order(chosen))
            return [Record.model_validate_json(body) for body in connection.scalars(query)]

    def count(self, conditions: Conditions, wanted: Sequence[str]) -> int:
        """Return how many records match and have all the words."""
        with self.database.reading() as connection:
            chosen = _matching(connection, conditions, wanted, count=True).subquery()
            return connection.scalar(select(func.count()).select_from(chosen)) or 0

    def get(self, record_id: str) -> Record | None:
        """Return the record of this id."""
        return next(iter(self.records(records.c.id == record_id)), None)

    def records(self, *conditions: ColumnElement[bool]) -> list[Record]:
        """Return the records that match, oldest first."""
        query = select(bodies.c.json).join(records, records.c.seq == bodies.c.seq).where(*conditions)
        with self.database.reading() as connection:
            found = connection.scalars(query.order_by(records.c.created, records.c.seq))
            return [Record.model_validate_json(body) for body in found]

    def every(self) -> Iterator[Record]:
        """Yield every record, a part at a time: all of them may need more memory than there is."""
        last = -1
        query = select(bodies.c.seq, bodies.c.json).order_by(bodies.c.seq).limit(_CHUNK)
        while True:
            with self.database.reading() as connection:
                rows = connection.execute(query.where(bodies.c.seq > last)).all()
            if not rows:
                return
            yield from (Record.model_validate_json(body) for _, body in rows)
            last = rows[-1].seq

    def unfinished(self, hub: str | None) -> list[Record]:
        """Return the records of jobs that have not ended, oldest first."""
        return self.records(records.c.status.in_(_OPEN), *([] if hub is None else [records.c.hub == hub]))

    def ids_starting_with(self, prefix: str) -> list[str]:
        """Return up to six ids that begin with a prefix."""
        return self._column(select(records.c.id).where(records.c.id.startswith(prefix, autoescape=True)).limit(6))

    def newest_ids(self, limit: int = 500) -> list[str]:
        """Return the ids of the newest records."""
        return self._column(select(records.c.id).order_by(records.c.created.desc()).limit(limit))

    def models(self, kind: str) -> list[str]:
        """Return the models of the records of a kind, the most common first."""
        query = select(records.c.model).where(records.c.kind == kind).group_by(records.c.model)
        return self._column(query.order_by(func.count().desc(), records.c.model))

    def tags(self) -> list[str]:
        """Return every tag in use, the most common first."""
        return self._column(select(tags.c.tag).group_by(tags.c.tag).order_by(func.count().desc(), tags.c.tag))

    def durations(self, model: str, hub: str, limit: int) -> list[tuple[float, float]]:
        """Return (seconds of clip, seconds it took) of the newest successes."""
        query = select(records.c.seconds, records.c.took)
        query = query.where(records.c.model == model, records.c.hub == hub, records.c.status == "succeeded")
        query = query.where(records.c.took.is_not(None)).order_by(records.c.created.desc(), records.c.seq.desc())
        with self.database.reading() as connection:
            return [(seconds, took) for seconds, took in connection.execute(query.limit(limit))]

    def referenced(self, digests: Iterable[str]) -> set[str]:
        """Return those digests that a record names, as its clip, its poster or a reference."""
        found: set[str] = set()
        with self.database.reading() as connection:
            for digest in digests:
                query = select(bodies.c.seq).where(bodies.c.json.contains(digest, autoescape=True)).limit(1)
                if connection.scalar(query) is not None:
                    found.add(digest)
        return found

    def revision(self, record_id: str) -> int | None:
        """Return the revision that the index has of a record."""
        return next(iter(self._column(select(records.c.revision).where(records.c.id == record_id))), None)

    def versions(self) -> dict[str, FileVersion]:
        """Return the version of every record's sidecar, by id."""
        query = select(records.c.id, records.c.modified, records.c.size)
        with self.database.reading() as connection:
            return {id_: FileVersion(at, size) for id_, at, size in connection.execute(query)}

    # Claims on the hub's generations: decided once, by a unique key, for all kernels. A claim is in the index, where
    # the next kernel finds it if this one ends before the record is saved.

    def claim(self, record: Record) -> bool:
        """Claim the generation that a record names; return False if another record has it."""
        mine = records.c.generation_id == record.generation_id
        answered = select(records.c.id).where(mine, records.c.id != record.id).limit(1)
        with self.database.writing() as connection:
            if connection.scalar(answered) is not None:  # the hub's own answer gave it to another record
                return False
            try:
                with connection.begin_nested():
                    connection.execute(insert(claims).values(generation_id=record.generation_id, record=record.id))
            except IntegrityError:
                pass  # claimed already, perhaps by this record before its kernel ended
            owner = select(claims.c.record).where(claims.c.generation_id == record.generation_id)
            return connection.scalar(owner) == record.id

    def claimed(self, generation_ids: Sequence[str], by_others_than: Sequence[str]) -> set[str]:
        """Return the generations that belong to records other than these."""
        found: set[str] = set()
        with self.database.reading() as connection:
            for some in in_chunks(generation_ids):
                for id_, owner in ((records.c.generation_id, records.c.id), (claims.c.generation_id, claims.c.record)):
                    found.update(connection.scalars(select(id_).where(id_.in_(some), owner.not_in(by_others_than))))
        return found

    def being_sent(self, record: Record) -> list[Record]:
        """Return the other records of the same model that are being sent: an entry may belong to one of them."""
        return self.records(
            records.c.status == "submitting", records.c.model == record.model, records.c.id != record.id
        )

    # The records of requests, as plans need them

    def made(self, hashes: Sequence[str], hub: str) -> list[RecordSummary]:
        """Return the records of these requests at a hub, oldest first, without those that ended without a clip."""
        c, found = records.c, list[RecordSummary]()
        query = select(c.id, c.request_hash, c.cell, c.status).where(c.kind == "result", c.hub == hub)
        query = query.where(c.status.not_in(ENDED - {"succeeded"})).order_by(c.created, c.seq)
        with self.database.reading() as connection:
            for some in in_chunks(list(dict.fromkeys(hashes))):
                found += [RecordSummary(*row) for row in connection.execute(query.where(c.request_hash.in_(some)))]
        return found

    def imported(self, hashes: Sequence[str], hub: str) -> list[Record]:
        """Return those of these requests' records that were imported with a clip."""
        c = records.c
        # The text tells most of the others apart, without parsing each.
        imported = (c.charge == "free", bodies.c.json.contains('"imported":true'))
        clips = (c.kind == "result", c.hub == hub, c.status == "succeeded")
        chunks = in_chunks(list(dict.fromkeys(hashes)))
        found = (self.records(c.request_hash.in_(some), *imported, *clips) for some in chunks)
        return [record for some in found for record in some if record.imported]

    def refused(self, hashes: Sequence[str], hub: str) -> set[str]:
        """Return those of these requests that the hub has refused for their content, and of which there is no clip."""
        c = records.c
        refusals = (bodies.c.json.contains(MODERATION), c.kind == "result", c.hub == hub, c.status == "failed")
        chunks = in_chunks(list(dict.fromkeys(hashes)))
        found = [record for some in chunks for record in self.records(c.request_hash.in_(some), *refusals)]
        refused = {each.request_hash for each in found if each.failure and each.failure.kind == MODERATION}
        return refused - {each.request_hash for each in self.made(list(refused), hub)} if refused else refused

    # Upload addresses: a cache

    def upload(self, origin: str, digest: str) -> dict[str, Any] | None:
        """Return the address of uploaded content, None if it is unknown."""
        body = next(iter(self._column(select(uploads.c.json).where(_upload(origin, digest)))), None)
        return None if body is None else json.loads(body)

    def put_upload(self, origin: str, digest: str, address: dict[str, Any] | None) -> None:
        """Insert or replace the address of uploaded content; None removes it."""
        with self.database.writing() as connection:
            connection.execute(delete(uploads).where(_upload(origin, digest)))
            if address is not None:
                row = {"origin": origin, "digest": digest, "json": json.dumps(address)}
                connection.execute(insert(uploads).values(row))

    def _column(self, query: Select[Any]) -> list[Any]:
        with self.database.reading() as connection:
            return list(connection.scalars(query))


_OPEN = ("prepared", "submitting", "uncertain", "queued", "processing", "downloading")
assert not ENDED & set(_OPEN)  # noqa: S101 - a status in one list and not in the other would strand paid jobs


def in_chunks(values: Sequence[T], size: int = AT_ONCE) -> Iterator[Sequence[T]]:
    """Yield the values in chunks, by default as many at a time as one query can name."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _upload(origin: str, digest: str) -> ColumnElement[bool]:
    return and_(uploads.c.origin == origin, uploads.c.digest == digest)


def _order(pair: tuple[Record, FileVersion]) -> tuple[datetime.datetime, str, int]:
    record = pair[0]
    return record.times.created, record.batch, record.index


def _put(connection: Connection, pairs: Sequence[tuple[Record, FileVersion]]) -> None:
    def run(name: str, rows: list[dict[str, Any]]) -> None:
        connection.exec_driver_sql(_STATEMENTS[name], rows)

    run("records", [row_of(record, version) for record, version in pairs])
    marks = ", ".join("?" * len(pairs))
    query = f"SELECT id, revision, seq FROM records WHERE id IN ({marks})"  # noqa: S608 - nothing but question marks
    stored = connection.exec_driver_sql(query, tuple(record.id for record, _ in pairs))
    seq_of = {(id_, revision): seq for id_, revision, seq in stored}
    written = [(seq, record) for record, _ in pairs if (seq := seq_of.get((record.id, record.revision))) is not None]
    if not written:
        return
    run("bodies", [{"seq": seq, "json": record.model_dump_json()} for seq, record in written])
    run("words", [{"seq": seq, "text": words_of(record)} for seq, record in written])
    run("old_tags", [{"at": seq} for seq, _ in written])
    rows = [{"seq": seq, "tag": tag} for seq, record in written for tag in dict.fromkeys(map(storable, record.tags))]
    if rows:  # an empty list would insert one row of defaults
        run("tags", rows)


def _statements() -> dict[str, str]:
    """Return the statements that insert or replace rows, as text."""
    row, body, said = sqlite.insert(records), sqlite.insert(bodies), sqlite.insert(words)
    changes = {column.name: column for column in row.excluded if column.name not in ("seq", "id", "arrived")}
    newer = row.excluded.revision >= records.c.revision
    statements = {
        "records": (row.on_conflict_do_update(index_elements=["id"], set_=changes, where=newer), ROW),
        "bodies": (body.on_conflict_do_update(index_elements=["seq"], set_={"json": body.excluded.json}), None),
        "words": (said.on_conflict_do_update(index_elements=["seq"], set_={"text": said.excluded.text}), None),
        "old_tags": (delete(tags).where(tags.c.seq == bindparam("at")), None),
        "tags": (insert(tags), None),
    }
    named = sqlite.dialect(paramstyle="named")
    return {name: str(one.compile(dialect=named, column_keys=keys)) for name, (one, keys) in statements.items()}


# As text: a job's record is replaced at each of its moves, and SQLAlchemy takes longer to prepare a statement than
# SQLite to run it.
_STATEMENTS = _statements()


def _matching(
    connection: Connection, conditions: Conditions, wanted: Sequence[str], *, count: bool = False
) -> Select[Any, Any]:
    query = select(records.c.seq, records.c.created).where(*conditions)
    if not wanted:
        return query
    has_index = has_fts5(connection)
    if not has_index and not count:  # a scan of the words alone; it is short for a common word, and left unused
        found = connection.scalars(select(words.c.seq).where(containing(wanted)).limit(AT_ONCE + 1)).all()
        if len(found) <= AT_ONCE:
            return query.where(records.c.seq.in_(found))
    terms = matching(wanted) if has_index else ""
    if terms and (count or _is_rare(connection, terms)):
        hits = text("SELECT rowid FROM words_fts WHERE words_fts MATCH :terms").bindparams(terms=terms)
        return query.where(records.c.seq.in_(hits.columns(literal_column("rowid")).scalar_subquery()))
    return query.join(words, words.c.seq == records.c.seq).where(containing(wanted))


def _is_rare(connection: Connection, terms: str) -> bool:
    hits = text("SELECT count(*) FROM (SELECT 1 FROM words_fts WHERE words_fts MATCH :terms LIMIT :most)")
    return (connection.scalar(hits, {"terms": terms, "most": _RARE + 1}) or 0) <= _RARE
