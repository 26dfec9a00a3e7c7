"""The records of a team: rows in PostgreSQL decide, and a sidecar of each revision follows into the bucket.

A change is one read and one statement that replaces exactly the revision that was read, so that no lock is held while
Python thinks. While the database is away, what a running job has to say is written to this machine's folder: the spool.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from kling_nb.errors import ArgumentError, LogError, NotSaved
from kling_nb.models.budget import COUNTED, charge_of, micros
from kling_nb.models.record import RECORD_VERSION, Record
from kling_nb.store.disk import written_in
from kling_nb.store.index import Index
from kling_nb.store.revisions import is_ahead, rank, with_user_fields, writable
from kling_nb.store.sidecars import LATER, UPDATE, FileVersion, Sidecars, checked_id, invalid_values, read_or_warn
from kling_nb.store.tables import charged_at, row_of, storable, words_of
from kling_nb.store.team import lease as leases
from kling_nb.store.team import tables
from kling_nb.store.team.postgres import Postgres

T = TypeVar("T")
_log = logging.getLogger(__name__)
_TRIES = 30
_NOWHERE = FileVersion(0, 0)


class TeamRecords:
    """The records of a team; `spool` has those that could not be written to the database.

    `opened` is called when the database was reached first, `wake` when something waits to be sent.
    """

    def __init__(self, folder: Path, database: Postgres, wake: Callable[[str], object]) -> None:
        self.folder, self.database, self.wake = folder, database, wake
        self.index = Index(database)  # pyright: ignore[reportArgumentType] -- it reads and writes like a `Database`
        self.sidecars = self.spool = Sidecars(folder / "records")

    # Changing a record

    def save(self, record: Record) -> Record:
        """Write a record, or return the stored one if that got further; see `RecordStore.save`.

        While the database is away a job that was sent is written to the spool. Raises `LogError` if it was not.
        """
        try:
            if record.revision == 0 and (new := self.add(record)):  # without reading first
                return new
            return self._replaced(record.id, lambda stored: _saved(record, stored)) or self._existing(record.id)
        except LogError as exc:
            if record.status == "prepared":
                raise
            return self._to_spool(record, exc)

    def add(self, record: Record) -> Record | None:
        """Write a new record; return None if there is one of that id."""
        new = with_user_fields(record, None)
        return new if self._write(new, None) else None

    def merge(self, record: Record, merged: Callable[[Record, Record], Record]) -> str | None:
        """Add a record of another log; see `RecordStore.merge`."""
        known: list[Record | None] = [None]

        def both(stored: Record | None) -> Record | None:
            known[0] = stored
            if stored is None:
                return writable(record)
            joined = merged(writable(stored), writable(record))
            # A revision of its own, also if only a tag was added: the bucket has one object for each.
            return None if joined == stored else joined.model_copy(update={"revision": joined.revision + 1})

        if self._replaced(record.id, both) is None:
            return None
        return "changed" if known[0] else "added"

    def change(self, record_id: str, changes: dict[str, Any]) -> Record:
        """Write a record with changes. Raises `NotSaved` if there is none."""

        def changed(stored: Record | None) -> Record:
            stored = writable(stored or self._existing(record_id))
            return stored.model_copy(update={**changes, "revision": stored.revision + 1})

        return self._replaced(record_id, changed) or self._existing(record_id)

    def take(self, record_id: str, holder: str) -> Record | None:
        """Make `holder` the kernel that runs a job; return None if the job has ended or its holder is alive."""
        given = {"id": record_id, "lease": leases.LEASE}
        for _ in range(_TRIES):
            row = self._run(lambda one: one.execute(tables.READ_WITH_HOLDER, given).fetchone())
            if row is None:
                return None
            stored, alive = Record.model_validate_json(row[0]), row[1]
            if stored.ended or (stored.holder != holder and alive):
                return None
            if stored.version > RECORD_VERSION:
                _log.warning("%s %s: %s to resume its job.", record_id, LATER, UPDATE)
                return None
            taken = stored.model_copy(update={"holder": holder, "revision": stored.revision + 1})
            if self._write(taken, stored, dead="" if stored.holder == holder else stored.holder or ""):
                return taken
        return None

    def remove(self, record_id: str, path: str) -> Record:
        """Replace a record by a document. Raises `ArgumentError` while its job runs, `NotSaved` if there is none."""
        for _ in range(_TRIES):
            stored = self._existing(record_id)
            if not stored.ended:
                said = f"Record {record_id} is still {stored.status}: wait for its end, or cancel it first."
                raise ArgumentError(said)
            last = writable(stored).model_copy(update={"revision": stored.revision + 1})
            given = {"id": record_id, "expected": stored.revision, "path": path, "revision": last.revision}
            given["text"] = last.model_dump_json()
            if self._run(lambda one, given=given: one.execute(tables.REMOVE_RECORD, given).fetchone()):
                self.wake(path)
                return last
        raise self._busy(record_id)

    def put_back(self, record: Record) -> Record | None:
        """Write a record that was removed: its cost counts already. Return None if there is one of its id."""
        back = writable(record).model_copy(update={"revision": record.revision + 1})
        return back if self._write(back, None, counted=True) else None

    def read(self, record_id: str) -> Record | None:
        """Return the record of an id, None if there is none."""
        row = self._run(lambda one: one.execute(tables.READ_RECORD, [checked_id(record_id)]).fetchone())
        return Record.model_validate_json(row[0]) if row else None

    def has(self, record_id: str) -> bool:
        """Return whether a record has this id."""
        return self.read(record_id) is not None

    def count(self, record: Record) -> None:
        """Add what a record cost to the sums."""
        for (scope, name), amount in _counted(record).items():
            given = {"scope": scope, "name": name, "amount": amount}
            self._run(lambda one, given=given: one.execute(tables.ADD_SUM, given))

    def _existing(self, record_id: str) -> Record:
        if (stored := self.read(record_id)) is None:
            raise NotSaved(f"The team's log has no record {record_id!r} ({self.database.name}).")
        return stored

    def _replaced(self, record_id: str, change: Callable[[Record | None], Record | None]) -> Record | None:
        """Replace a record by what `change` makes of it, or keep it if that is None. Others' changes are read first."""
        for _ in range(_TRIES):
            stored = self.read(record_id)
            wanted = change(stored)
            if wanted is None or self._write(wanted, stored):
                return wanted
        raise self._busy(record_id)

    def _write(self, record: Record, stored: Record | None, *, dead: str = "", counted: bool = False) -> bool:
        statement, given = statement_of(record, stored, dead=dead, counted=counted)
        done = self._run(lambda one: one.execute(statement, given).fetchone()) is not None
        self.wake(record.id)
        return done

    def _busy(self, record_id: str) -> LogError:
        return LogError(f"Record {record_id} is being changed by others: try again.")

    def _run(self, work: Callable[[Any], T]) -> T:
        self.ready(writing=True)
        return self.database.run(work)

    # The spool

    def _to_spool(self, record: Record, why: LogError) -> Record:
        _log.warning("record %s is saved in %s until the team's log can be reached: %s", record.id, self.folder, why)
        with self.lock("spool"):
            stored = self.sidecars.read(record.id)
            if stored is not None and _prevails(stored, record):
                return stored
            kept = with_user_fields(record, stored)
            with written_in(self.folder):
                self.sidecars.write(kept)
        self.wake(record.id)
        return kept

    def drain(self) -> int:
        """Write the records of the spool to the database, and return how many there were. Raises `LogError`."""
        count = 0
        for path, _ in list(self.sidecars.first()):
            with self.lock("spool"):
                record = read_or_warn(path)
                if record is None:
                    continue
                self._replaced(record.id, lambda stored, record=record: _joined(record, stored))
                with written_in(self.folder):
                    path.unlink(missing_ok=True)
                count += 1
        return count

    # The index

    def ask(self, question: Callable[[Index], T], default: T) -> T:
        """Return the index's answer, or `default` before there are tables."""
        return question(self.index) if self.ready() else default

    def ready(self, *, writing: bool = False) -> bool:
        """Open the database; return False if it has no tables and none should be created. Raises `LogError`."""
        return self.database.open(create=writing)

    def exists(self) -> bool:
        """Return whether the log exists, as far as is known without asking."""
        return self.database.is_open

    def close(self) -> None:
        """Close the database; the next use opens it again."""
        self.database.close()

    @contextlib.contextmanager
    def lock(self, name: str) -> Generator[None]:
        """Hold a lock of this machine's folder. Raises `LogError` after 30 s."""
        folder = self.folder / "locks"
        with written_in(self.folder):
            folder.mkdir(parents=True, exist_ok=True)
        file = FileLock(folder / f"{name}.lock", timeout=30, poll_interval=0.01)
        try:
            file.acquire()
        except Timeout as exc:
            raise LogError(f"Another kernel holds a lock of the folder {self.folder}: it may be hanging.") from exc
        try:
            yield
        finally:
            file.release()


def statement_of(
    record: Record, stored: Record | None, *, dead: str = "", counted: bool = False
) -> tuple[str, dict[str, Any]]:
    """Return the statement that writes a record in place of the `stored` revision, and its values.

    Args:
        dead: The holder that must not be alive for it.
        counted: Whether its cost is among the sums already.
    """
    if invalid := list(invalid_values(record)):
        raise LogError(f"Record {record.id} is not written: {'; '.join(invalid)}.")
    checked_id(record.id)
    change: dict[tuple[str, str], int] = {}
    for sign, one in ((-1, stored), (1, None if counted else record)):
        for key, amount in _counted(one).items() if one else ():
            change[key] = change.get(key, 0) + sign * amount
    keys = [key for key, amount in sorted(change.items()) if amount]
    given = {
        **row_of(record, _NOWHERE),
        "json": record.model_dump_json(),
        "words": words_of(record),
        "tags": list(dict.fromkeys(map(storable, record.tags))),
        "scopes": [scope for scope, _ in keys],
        "names": [name for _, name in keys],
        "amounts": [change[key] for key in keys],
        "expected": stored.revision if stored else 0,
        "dead": dead,
        "lease": leases.LEASE,
    }
    return (tables.UPDATE_RECORD if stored else tables.INSERT_RECORD), given


def sums_of(records: Sequence[Record]) -> Mapping[tuple[str, str], int]:
    """Return what records count against each limit, in millionths of a dollar."""
    found: dict[tuple[str, str], int] = {}
    for record in records:
        for key, amount in _counted(record).items():
            found[key] = found.get(key, 0) + amount
    return found


def scopes_of(record: Record) -> dict[str, str]:
    """Return each limit that a record counts against, with the name of its notebook, plan, person, or its UTC day."""
    scopes = {
        "total": "",
        "day": utc_day(charged_at(record)),
        "notebook": record.notebook or "",
        "person": record.by,
        "plan": record.plan or "",
    }
    return {scope: storable(name) for scope, name in scopes.items()}


def utc_day(when: datetime.datetime) -> str:
    """Return the day of a time, in UTC: the members of a team may be in several time zones."""
    return f"{when.astimezone(datetime.UTC):%Y-%m-%d}"


def _counted(record: Record) -> dict[tuple[str, str], int]:
    if charge_of(record) not in COUNTED or record.price is None:
        return {}
    return dict.fromkeys(scopes_of(record).items(), micros(record.price))


def _prevails(stored: Record, record: Record) -> bool:
    """Whether a stored record is not replaced. A kernel that has lost a job knows nothing of it but the hub's id."""
    return is_ahead(stored, record) or (stored.holder != record.holder and not record.generation_id)


def _saved(record: Record, stored: Record | None) -> Record | None:
    return None if stored is not None and _prevails(stored, record) else with_user_fields(record, stored)


def _joined(spooled: Record, stored: Record | None) -> Record | None:
    """Return the stored record with the changes of one in the spool; None if the stored one is as new."""
    if stored is None:
        return spooled
    if _prevails(stored, spooled) or (rank(stored) == rank(spooled) and stored.revision >= spooled.revision):
        return None
    return with_user_fields(spooled, stored)
