"""The connection to a team's database. Reads and single statements commit by themselves, in one round trip each."""

from __future__ import annotations

import contextlib
import os
import selectors
import threading
import time
import weakref
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, select, text
from sqlalchemy.exc import ArgumentError as BadURL
from sqlalchemy.exc import DBAPIError, DisconnectionError

from kling_nb.errors import ArgumentError, KlingError, LogError, MissingExtra
from kling_nb.store.tables import layout
from kling_nb.store.tables import metadata as index_tables
from kling_nb.store.team import tables

T = TypeVar("T")
#: The pause after a failed attempt, as a multiple of the time that it took, and its limit in seconds.
_PAUSE, _LONGEST_PAUSE = 3.0, 15.0
_TRIES = 4
#: The seconds after which the server itself ends a statement, and those after which it is taken to be hanging.
_STATEMENT, PATIENCE = 60, 65.0
#: A stopped kernel must not hold a lock for longer, and a broken network must be noticed.
_LIMITS = f"-c idle_in_transaction_session_timeout=15s -c lock_timeout=30s -c statement_timeout={_STATEMENT}s"
_NETWORK = {
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


class DatabaseUnreachable(LogError):
    """The team's database cannot be reached."""


@dataclass
class Postgres:
    """A team's database, opened at its first use."""

    url: URL
    _engine: Engine | None = None
    _ready: bool = False
    """Whether the tables are known to exist."""
    _away: tuple[float, str] = (0.0, "")
    """The time until which no attempt is made, and the reason."""
    _failed: list[float] = field(default_factory=lambda: [0.0])
    """When the database was away last: connections that are older may lead to a server that hangs."""
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def at(cls, address: str) -> Postgres:
        """Return the database of a URL, `postgresql://host/name`. Raises `ArgumentError`."""
        return cls(database_url(address))

    @property
    def name(self) -> str:
        """The address without its password and options."""
        return self.url.set(drivername="postgresql", query={}).render_as_string().replace(":***@", "@")

    @property
    def is_open(self) -> bool:
        """Whether the tables exist and the database was reached."""
        return self._ready

    def open(self, *, create: bool) -> bool:
        """Connect, and create the tables if `create`; return whether there are tables. Raises `LogError`."""
        if self._ready:
            return True
        with self.reading() as connection:
            number = connection.scalar(select(layout.c.number)) if inspect(connection).has_table(layout.name) else None
        if number is None and create:
            with self.writing() as connection:
                if not inspect(connection).has_table(layout.name):  # another kernel may have been first
                    index_tables.create_all(connection)
                    tables.metadata.create_all(connection)
                    for statement in tables.MORE:
                        connection.execute(text(statement))
                    _index_words(connection)
                    connection.execute(layout.insert().values(number=tables.LAYOUT))
            number = tables.LAYOUT
        if number not in (None, tables.LAYOUT):
            raise LogError(
                f"Another version of kling_nb made the tables of {self.name}: use the same version in the whole team."
            )
        self._ready = number is not None
        return self._ready

    def close(self) -> None:
        """Close every connection; the next use opens them again."""
        engine, self._engine, self._ready = self._engine, None, False
        if engine:
            engine.dispose()

    @contextlib.contextmanager
    def reading(self) -> Generator[Connection]:
        """Return a connection whose statements commit by themselves. Raises `LogError`."""
        with self._errors(), self._opened().connect() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Generator[Connection]:
        """Return a transaction, for rare work only: creating tables, bulk uploads, a rebuild. Raises `LogError`."""
        with (
            self._errors(),
            self._opened().connect().execution_options(isolation_level="READ COMMITTED") as connection,
            connection.begin(),
        ):
            connection.execute(text(tables.LOCK))
            yield connection

    def run(self, work: Callable[[Any], T]) -> T:
        """Return what `work` returns for a psycopg connection in autocommit mode. Raises `LogError`.

        Called again if the database has ended its transaction, such as after a deadlock: `work` must allow that.
        """
        for _ in range(_TRIES):
            with contextlib.suppress(_Ended), self._errors():
                proxy = self._opened().raw_connection()
                try:
                    return work(proxy.driver_connection)
                except KlingError:  # its own decision, after which the connection is sound
                    raise
                except BaseException:
                    proxy.invalidate()
                    raise
                finally:
                    proxy.close()
        raise LogError(f"The team's database {self.name} is too busy. Try again.")

    def _opened(self) -> Engine:
        until, why = self._away
        if time.monotonic() < until:
            raise DatabaseUnreachable(why)
        with self._guard:
            if self._engine is None:
                self._engine = _engine(self.url, self._failed)
                weakref.finalize(self, _dispose, self._engine, os.getpid())
            return self._engine

    @contextlib.contextmanager
    def _errors(self) -> Generator[None]:
        failed: KlingError | None = None
        began = time.monotonic()
        try:
            yield
        except ModuleNotFoundError as exc:
            raise MissingExtra("A team's log needs psycopg and obstore: pip install 'kling-nb[team]'.") from exc
        except DBAPIError as exc:
            failed = self._error(exc.orig or exc, began)
        except Exception as exc:
            if not type(exc).__module__.startswith("psycopg"):
                raise
            failed = self._error(exc, began)
        if failed:  # outside the handler: the frames below have the password in their variables
            raise failed from None

    def _error(self, exc: BaseException, began: float) -> KlingError:
        state, said = getattr(exc, "sqlstate", None) or "", _short(str(exc))
        if state in ("40P01", "25P03"):  # 25P03: this machine slept during a transaction
            return _Ended(said)
        if state == "3F000" or (state == "42501" and "for schema" in said):
            return LogError(
                f"Your user may not create the tables of a team's log in {self.name} ({said}). Ask its owner to "
                "create them, by kn.sync(), or for CREATE on the schema."
            )
        if state == "42501":
            return LogError(
                f"Your user may not change the team's log in {self.name} ({said}). You can read it; to make clips, ask "
                "its owner for SELECT, INSERT, UPDATE and DELETE on its tables."
            )
        if not state and type(exc).__name__ == "DataError":  # PostgreSQL has no NUL in a text
            return ArgumentError(f"A text must not have the character NUL ({said}).")
        if not state or state.startswith(("08", "57P", "53", "28", "3D")):  # 28: password, 3D: no such database
            why = f"The team's database {self.name} cannot be reached: {said}. Nothing is sent without it."
            now = time.monotonic()
            self._away = now + min(_LONGEST_PAUSE, _PAUSE * (now - began)), why
            self._failed[0] = now
            return DatabaseUnreachable(why)
        return LogError(f"The team's database {self.name} cannot be used: {said}. Try again.")


class _Ended(LogError):
    """The database ended this transaction: it and another waited for each other, or it took too long."""


def database_url(address: str) -> URL:
    """Return the URL of a PostgreSQL database. Raises `ArgumentError`, which does not show a password."""
    try:
        url = make_url(address)
    except (BadURL, ValueError):  # ValueError: an invalid port
        url = None
    if url is None or url.get_backend_name() not in ("postgresql", "postgres"):
        given = f"{url.drivername}://…" if url else "a text that is not a URL"
        raise ArgumentError(f"database must be a URL such as 'postgresql://host/name', got {given}.")
    if "password" in url.query:  # moved to where it is masked
        url = url.set(password=str(url.query["password"])).difference_update_query(["password"])
    return url.set(drivername="postgresql+psycopg")


def _index_words(connection: Connection) -> None:
    with contextlib.suppress(DBAPIError), connection.begin_nested():
        connection.execute(text(tables.TRIGRAMS))
        schema = connection.scalar(text(tables.TRIGRAMS_SCHEMA))
        connection.execute(text(tables.WORDS_INDEX.format(schema=schema)))


def _short(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith(("LINE", "DETAIL"))]
    return " ".join(lines)[:300].removeprefix("connection failed: ").removeprefix("ERROR: ").strip().rstrip(".?")


def _dispose(engine: Engine, pid: int) -> None:
    if os.getpid() == pid:
        engine.dispose()


def _engine(url: URL, failed: list[float]) -> Engine:
    query = dict(url.query)
    options = f"{query.pop('options', '')} {_LIMITS}".strip()
    # A server, or a pooler before it, may put its statements elsewhere: none is prepared under a name.
    arguments = {**_NETWORK, "options": options, "prepare_threshold": None}
    engine = create_engine(
        url.set(query=query), connect_args=arguments, isolation_level="AUTOCOMMIT", pool_size=8, max_overflow=32
    )

    def connect(_dialect: Any, _record: Any, given: Any, named: Any) -> Any:
        return _connection_type().connect(*given, **named)

    def connected(_connection: Any, record: Any) -> None:
        record.info["since"] = time.monotonic()

    def check_out(connection: Any, record: Any, _proxy: Any) -> None:
        if record.info["since"] <= failed[0]:
            raise DisconnectionError
        _check_out(connection)

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "connect", connected)
    event.listen(engine, "checkout", check_out)
    return engine


@cache
def _connection_type() -> Any:
    import psycopg

    class Connection(psycopg.Connection[Any]):
        """A connection that ends when no answer comes: a server that hangs, and its network, report no error."""

        def wait(self, gen: Any, *given: Any, **named: Any) -> Any:
            return super().wait(self._limited(gen), *given, **named)

        def _limited(self, work: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
            until = time.monotonic() + PATIENCE
            try:
                wanted = next(work)
                while True:
                    ready = yield wanted
                    if ready:
                        until = time.monotonic() + PATIENCE
                    elif time.monotonic() > until:
                        self.pgconn.finish()
                        raise psycopg.OperationalError(f"it has not answered for {PATIENCE:g} s")
                    wanted = work.send(ready)
            except StopIteration as done:
                return done.value

    return Connection


def _check_out(connection: Any) -> None:
    """Replace a connection that its server has closed. Unlike `pool_pre_ping`, the check costs no round trip."""
    driver = getattr(connection, "driver_connection", connection)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(driver.fileno(), selectors.EVENT_READ)
            if not selector.select(0):
                return
        driver.execute("SELECT 1")  # something has arrived: its end, or a notice
    except Exception as exc:
        raise DisconnectionError from exc
