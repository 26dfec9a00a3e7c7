"""Small values beside the records: where content lies on a hub, and what other parts ask to be kept by name."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Table, and_, create_engine, delete, insert, select
from sqlalchemy.exc import DatabaseError

from kling_nb.errors import LogError
from kling_nb.logbook.database import Database, sqlite_at
from kling_nb.logbook.tables import kept, scores, uploads


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

    def names(self, first: str) -> list[str]:
        """Return every second word under the first, sorted."""
        one, two = self.table.primary_key.columns
        with self.database.reading() as connection:
            return list(connection.scalars(select(two).where(one == first).order_by(two)))

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


def salvage(aside: Path, database: Database) -> None:
    """Copy what can still be read of the small values out of a damaged file: no sidecar has them."""
    old = create_engine(sqlite_at(aside))
    try:
        for table in (uploads, kept, scores):
            with contextlib.suppress(DatabaseError), old.connect() as connection:
                rows = [dict(row) for row in connection.execute(select(table)).mappings()]
                with database.writing() as target:
                    for row in rows:
                        target.execute(insert(table).values(row))
    finally:
        old.dispose()
