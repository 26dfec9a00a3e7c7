"""The connection to the index: SQLite beside the sidecars, or any database that SQLAlchemy speaks to."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, inspect
from sqlalchemy.exc import DatabaseError

from kling_nb.errors import LogError
from kling_nb.store.migrations import migrate

_PATIENCE_MS = 15_000
#: Taken as needed; with the default of 2 MiB, making 100,000 rows anew takes twice as long.
_CACHE_KIB = 65_536
#: A rebuild makes the write-ahead file as long as the index; afterwards it is cut to this.
_WAL_BYTES = 16 * 1024 * 1024


class DamagedIndex(LogError):
    """The index's file holds something else than what was written."""


@dataclass
class Database:
    """A database that is opened at its first use. `file` is the SQLite file, or None when `url` names another.

    `settle` is called within the transaction that brings the schema up to date, before anybody else sees the index.
    """

    url: str | URL
    file: Path | None
    settle: Callable[[Connection], None]
    _engine: Engine | None = None
    _inode: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def at(cls, file: Path, url: str | None, settle: Callable[[Connection], None]) -> Database:
        """The database of this address; by default the SQLite file."""
        return cls(url, None, settle) if url else cls(sqlite_at(file), file, settle)

    @property
    def is_open(self) -> bool:
        """Whether it is open, and its file still the one that was opened."""
        return self._engine is not None and self._inode == self._inode_now()

    def open(self) -> None:
        """Open it and bring its schema up to date. Raises `LogError`, or `DamagedIndex`."""
        self.close()
        engine = _engine(self.url)
        try:
            with (
                self._trouble(),
                engine.connect().execution_options(writes=True) as connection,
                connection.begin(),
            ):
                migrate(connection)
                self.settle(connection)
        except BaseException:
            engine.dispose()
            raise
        self._engine, self._inode = engine, self._inode_now()
        weakref.finalize(self, _let_go, engine, os.getpid())  # a log that nobody closed, and the end of the process

    def close(self) -> None:
        """Close every connection; it opens again by itself."""
        engine, self._engine = self._engine, None
        if engine:
            engine.dispose()

    def set_aside(self) -> Path | None:
        """Close it and give its file another name, so that a new one can be made. None when there is no file."""
        self.close()
        if self.file is None or not self.file.exists():
            return None
        aside = self.file.with_name("index.damaged.sqlite")
        for ending in ("", "-wal", "-shm"):
            part = self.file.with_name(self.file.name + ending)
            aside.with_name(aside.name + ending).unlink(missing_ok=True)
            if part.exists():
                part.replace(aside.with_name(aside.name + ending))
        return aside

    @contextlib.contextmanager
    def reading(self) -> Generator[Connection]:
        """A connection that sees one state of the index. Raises `LogError`."""
        with self._trouble(), self._opened().connect() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Generator[Connection]:
        """A transaction that commits at the end. Raises `LogError`."""
        with (
            self._trouble(),
            self._opened().connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    def _opened(self) -> Engine:
        if self._engine is None:
            raise LogError("The log's index is closed.")
        return self._engine

    @contextlib.contextmanager
    def _trouble(self) -> Generator[None]:
        try:
            yield
        except DatabaseError as exc:
            where = f"The log's index {self.file or 'in the database'}"
            if type(exc) is DatabaseError and self.file:  # its subclasses are locks, full disks, wrong statements
                raise DamagedIndex(f"{where} is damaged ({exc.orig}).") from exc
            raise LogError(f"{where} does not answer ({exc.orig}): try again, or rebuild() it.") from exc

    def _inode_now(self) -> int | None:
        if self.file is None:
            return None
        try:
            return self.file.stat().st_ino
        except FileNotFoundError:
            return -1


@contextlib.contextmanager
def read_only(file: Path) -> Generator[Connection]:
    """A connection to another log's index: its disk may not be writable, and its own kernel may be at work."""
    address = f"{file.resolve().as_uri()}?mode=ro"
    engine = create_engine("sqlite+pysqlite://", creator=lambda: sqlite3.connect(address, uri=True))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def has(connection: Connection, table: Table) -> bool:
    """Whether a table is there: an index of before has not all of them."""
    return inspect(connection).has_table(table.name)


def _let_go(engine: Engine, pid: int) -> None:
    if os.getpid() == pid:  # SQLite must not close in a forked process what its parent opened
        engine.dispose()


def sqlite_at(file: Path) -> URL:
    """The address of a SQLite file, whatever its folder is called: in a text `?` and `%` would have a meaning."""
    return URL.create("sqlite+pysqlite", database=str(file))


def _engine(url: str | URL) -> Engine:
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # `_begin` says BEGIN; the driver must not add its own
    settings = (f"busy_timeout={_PATIENCE_MS}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")
    for pragma in (*settings, f"cache_size=-{_CACHE_KIB}", f"journal_size_limit={_WAL_BYTES}"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    # A reader that becomes a writer cannot wait for another writer: it fails at once. So writers say so at first.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
