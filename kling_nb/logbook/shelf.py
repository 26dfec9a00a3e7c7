"""Small values beside the records: where content lies on a hub; and what indexes of before kept by name."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, and_, create_engine, delete, insert, inspect, select, update
from sqlalchemy.exc import DatabaseError

from kling_nb.errors import LogError
from kling_nb.logbook.database import Database, has, sqlite_at
from kling_nb.logbook.kept import SHARED, Keepsake, Kept, Torn
from kling_nb.logbook.tables import kept, scores, uploads

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shelf:
    """One table of JSON values, each under two words."""

    database: Database
    table: Table

    def put(self, first: str, second: str, value: Any) -> None:
        """Keep a JSON value. Raises `LogError` for what is no JSON."""
        try:
            body = json.dumps(value, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError) as exc:
            raise LogError(f"{second!r} cannot be kept: {exc}.") from exc
        with self.database.writing() as connection:
            connection.execute(delete(self.table).where(self._is(first, second)))
            connection.execute(insert(self.table).values({**self._names(first, second), "json": body}))

    def get(self, first: str, second: str) -> Any | None:
        """Return the value, None when there is none."""
        with self.database.reading() as connection:
            body = connection.scalar(select(self.table.c.json).where(self._is(first, second)))
        return None if body is None else json.loads(body)

    def drop(self, first: str, second: str) -> None:
        """Forget a value; it may be gone already."""
        with self.database.writing() as connection:
            connection.execute(delete(self.table).where(self._is(first, second)))

    def _names(self, first: str, second: str) -> Mapping[str, str]:
        one, two = self.table.primary_key.columns
        return {one.name: first, two.name: second}

    def _is(self, first: str, second: str) -> Any:
        one, two = self.table.primary_key.columns
        return and_(one == first, two == second)


def carry(connection: Connection, files: Kept) -> None:
    """Write what an earlier version kept by name in the index into files; each row once.

    The rows stay as they are: a kernel of an earlier version that still runs reads them, and does not take pictures
    of theirs for orphans. What it writes is a new row, and comes along at the next opening.
    """
    for kind, name, body in left_in(connection):
        if _taken_in(files, kind, name, body):
            mine = and_(kept.c.kind == kind, kept.c.name == name)
            connection.execute(update(kept).where(mine).values(carried=True))


def left_in(connection: Connection) -> list[tuple[str, str, str]]:
    """Return the kept values (kind, name, JSON) of an index that no file has yet."""
    if not has(connection, kept):
        return []
    query = select(kept.c.kind, kept.c.name, kept.c.json).order_by(kept.c.kind, kept.c.name)
    if any(column["name"] == kept.c.carried.name for column in inspect(connection).get_columns(kept.name)):
        query = query.where(kept.c.carried.is_(None))
    return [(kind, name, body) for kind, name, body in connection.execute(query)]


def read_row(kind: str, name: str, body: str) -> Keepsake:
    """Return a row's value. Raises `Torn`."""
    try:
        return Keepsake(kind, name, json.loads(body))
    except ValueError as exc:
        raise Torn(f"The {kind} {name!r} in the log's index cannot be read ({exc}): it is left out.") from exc


def _taken_in(files: Kept, kind: str, name: str, body: str) -> bool:
    """Whether a row has nothing that is not in files now. A file that differs is of later, or else both stay."""
    try:
        value = read_row(kind, name, body).value
        if kind in SHARED:
            files.join(kind, name, value)
        elif (mine := files.get(kind, name)) is None or _at(value) > _at(mine):
            files.put(kind, name, value)
        elif mine != value:
            _log.info("the %s %r of an earlier version is left in the index: the log has a later one", kind, name)
    except Torn as exc:  # the row stays until the file is mended
        _log.warning("%s", exc)
        return False
    return True


def _at(value: Any) -> str:
    return str(value.get("at", "")) if isinstance(value, dict) else ""


def salvage(aside: Path, database: Database, files: Kept) -> None:
    """Copy what can still be read of the small values out of a damaged file: no sidecar has them."""
    old = create_engine(sqlite_at(aside))
    try:
        for table in (uploads, scores):
            with contextlib.suppress(DatabaseError), old.connect() as connection:
                rows = [dict(row) for row in connection.execute(select(table)).mappings()]
                with database.writing() as target:
                    for row in rows:
                        target.execute(insert(table).values(row))
        with contextlib.suppress(DatabaseError), old.connect() as connection:
            for row in left_in(connection):
                _taken_in(files, *row)
    finally:
        old.dispose()
