"""The connection to the index, a SQLite file in the log's folder."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import weakref
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool

from kling_nb.errors import LogError
from kling_nb.store.tables import LAYOUT, layout_number, prepare

_PATIENCE_MS = 15_000
#: Taken as needed; with the default of 2 MiB, a rebuild of 100,000 rows takes twice as long.
_CACHE_KIB = 65_536
#: A rebuild makes the write-ahead file as long as the index; afterwards it is truncated to this.
_WAL_BYTES = 16 * 1024 * 1024


class DamagedIndex(LogError):
    """The index's file does not hold what was written to it."""


@dataclass
class Database:
    """A database that is opened at its first use; `file` is its file."""

    file: Path
    _engine: Engine | None = None
    _inode: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def at(cls, file: Path) -> Database:
        """Return the database in a file."""
        return cls(file)

    def use(self, file: Path) -> None:
        """Close the database, and use another SQLite file from now on."""
        self.close()
        self.file = file

    @property
    def is_open(self) -> bool:
        """Whether the database is open and its file still the one that was opened."""
        return self._engine is not None and self._inode == self._inode_now()

    def open(self) -> None:
        """Open the database and prepare its tables. Raises `LogError`, or `DamagedIndex`."""
        self.close()
        with self._errors():
            self._engine = _engine(self.file)
        try:
            with self.writing() as connection:
                prepare(connection)
        except BaseException:
            self.close()
            raise
        self._inode = self._inode_now()
        weakref.finalize(self, _dispose, self._engine, os.getpid())  # for a log that is never closed

    def open_as_it_is(self) -> None:
        """Open the SQLite index for reading only, unless it is open. It is neither created nor migrated.

        Raises:
            LogError: There is none, or another version of the package made it.
        """
        with self._lock:
            if not self.is_open:
                self._open_as_it_is()

    def _open_as_it_is(self) -> None:
        self.close()
        file = self.file
        if not file.is_file():
            raise LogError(f"The index {file} does not exist.")
        with self._errors():
            self._engine = create_engine("sqlite+pysqlite://", creator=partial(_reader, file), poolclass=QueuePool)
            event.listen(self._engine, "begin", _begin)
            self._inode = self._inode_now()
        with self.reading() as connection:
            number = layout_number(connection)
        if number != LAYOUT:
            self.close()
            raise LogError(f"The index {file} was made by another version of kling_nb. Update the older one.")
        weakref.finalize(self, _dispose, self._engine, os.getpid())

    def close(self) -> None:
        """Close every connection; the next `open` opens them again."""
        engine, self._engine = self._engine, None
        if engine:
            engine.dispose()

    def set_aside(self) -> None:
        """Close the database and rename its file, so that a new one can be created."""
        self.close()
        if not self.file.exists():
            return
        aside = self.file.with_name("index.damaged.sqlite")
        for ending in ("", "-wal", "-shm"):
            part = self.file.with_name(self.file.name + ending)
            aside.with_name(aside.name + ending).unlink(missing_ok=True)
            if part.exists():
                part.replace(aside.with_name(aside.name + ending))

    @contextlib.contextmanager
    def reading(self) -> Generator[Connection]:
        """Return a connection that sees one state of the index. Raises `LogError`."""
        with self._errors(), self._opened().connect() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Generator[Connection]:
        """Return the only writing transaction; it commits at the end. Raises `LogError`."""
        with (
            self._errors(),
            self._opened().connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    def _opened(self) -> Engine:
        if self._engine is None:
            raise LogError("The log's index is closed.")
        return self._engine

    @contextlib.contextmanager
    def _errors(self) -> Generator[None]:
        try:
            yield
        except DatabaseError as exc:
            if type(exc) is DatabaseError:  # its subclasses are locks, full disks, wrong statements
                raise DamagedIndex(f"The log's index {self.file} is damaged: {exc.orig}.") from exc
            raise LogError(
                f"The log's index {self.file} cannot be used: {exc.orig}. Try again, or rebuild it."
            ) from exc

    def _inode_now(self) -> int:
        try:
            return self.file.stat().st_ino
        except FileNotFoundError:
            return -1


def _dispose(engine: Engine, pid: int) -> None:
    if os.getpid() == pid:  # SQLite must not close in a forked process what its parent opened
        engine.dispose()


def _engine(file: Path) -> Engine:
    # Not as a text: `?` and `%` in the folder's name would have a meaning.
    engine = create_engine(URL.create("sqlite+pysqlite", database=str(file)))
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _reader(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, check_same_thread=False)
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={_PATIENCE_MS}").close()
    return connection


def _set_up(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # `_begin` says BEGIN; the driver must not add its own
    settings = (f"busy_timeout={_PATIENCE_MS}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")
    for pragma in (*settings, f"cache_size=-{_CACHE_KIB}", f"journal_size_limit={_WAL_BYTES}"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    # A reader that becomes a writer cannot wait for another writer, but fails: so writers announce themselves.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
