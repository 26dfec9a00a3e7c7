"""The index's tables, and what a record looks like in them.

The narrow columns are for filters; the record's JSON and its words lie apart, so that a scan stays short.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from kling_nb.models.budget import charge_of, micros
from kling_nb.models.record import Record
from kling_nb.store.sidecars import FileVersion

metadata = MetaData()

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
#: Saved values of earlier versions.
kept = Table(
    "kept",
    metadata,
    Column("kind", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("json", Text, nullable=False),
    Column("carried", Boolean),
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


def row_of(record: Record, stamp: FileVersion) -> dict[str, Any]:
    """The record's row, without its `seq`."""
    return {
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
        "modified": stamp.modified,
        "size": stamp.size,
        **money_of(record),
    }


def money_of(record: Record) -> dict[str, Any]:
    """The part of a row that plans and budgets look at: `charged` in microseconds, `cost` in millionths of a dollar."""
    return {
        "plan": record.plan,
        "cell": record.cell,
        "notebook": record.notebook,
        "charge": charge_of(record),
        "charged": microseconds(charged_at(record)),
        "cost": None if record.price is None else micros(record.price),
    }


def charged_at(record: Record) -> datetime.datetime:
    """When its money went: as it was sent, or as it was asked for before that."""
    return record.times.submitted or record.times.created


def microseconds(when: datetime.datetime) -> int:
    """An aware time as whole microseconds since 1970, the same in every database."""
    return (when - _EPOCH) // datetime.timedelta(microseconds=1)


def words_of(record: Record) -> str:
    """What a search by text looks in: prompts, negative prompt, note and id, as words with a space before each."""
    parts = (record.id, record.prompt, str(record.canonical.get("negative_prompt") or ""), record.note)
    return "".join(f" {word}" for word in split(" ".join(parts)))


def split(text: str) -> list[str]:
    """Return the words of a text in lower case: runs of letters and digits."""
    return _WORD.findall(text.casefold())


_WORD = re.compile(r"[^\W_]+")
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
