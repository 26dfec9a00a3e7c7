"""The records in their two places, sidecar and index, and the rules by which one may replace another."""

from __future__ import annotations

import contextlib
import logging
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError

from kling_nb.errors import ArgumentError, LogError, NotSaved
from kling_nb.models.record import RECORD_VERSION, Record
from kling_nb.store.database import DamagedIndex, Database
from kling_nb.store.disk import can_write, on_network, written_in
from kling_nb.store.index import Index, Versioned
from kling_nb.store.named import NamedValues
from kling_nb.store.plans import Plans
from kling_nb.store.revisions import is_ahead, with_user_fields, writable
from kling_nb.store.sidecars import (
    LATER,
    UPDATE,
    FileVersion,
    Sidecars,
    checked_id,
    read_or_warn,
    version_of,
)

T = TypeVar("T")
_log = logging.getLogger(__name__)
_PATIENCE, _STEP = 30.0, 0.005
_STRIPES = 64
#: An index without rows takes so many records as usual; more are added in bulk.
_FEW = 100
#: Seconds after which a process that can only read a log looks for new records.
_LOOK_AGAIN = 2.0
#: The parts of a log's folder; each may outlive the others.
_PARTS = ("index.sqlite", "records", "saved", "budget.json", "plans", "votes", "scores", "trash")


class RecordStore:
    """The records of one folder; nothing is opened at first.

    `opened` is called with the folder whenever its index was opened. With `as_it_is`, nothing is written.
    """

    def __init__(self, folder: Path, opened: Callable[[Path], object], as_it_is: bool) -> None:
        self.folder, self._opened, self._as_it_is = folder, opened, as_it_is
        self.database = Database.at(folder / "index.sqlite")
        self.sidecars = Sidecars(folder / "records")
        self.index = Index(self.database)
        self.named = NamedValues(folder, self.exists)
        self._parts = [folder / part for part in _PARTS]
        self._locks: dict[str, tuple[threading.Lock, FileLock]] = {}
        self._guard = threading.RLock()
        self._private: tempfile.TemporaryDirectory[str] | None = None
        """The folder of an index of this process's own, while the log can only be read."""
        self._unindexed: set[str] = set()
        """Ids whose sidecar is newer than the index, because the index could not be written."""
        self._seen = False
        """Whether this process has found a log here."""
        self._looked, self._warned = 0.0, False
        self._caught_up = False
        """Whether the index has all that the files hold; an incomplete one must not be asked what was spent."""

    # Changing a record

    def save(self, record: Record) -> Record:
        """Write a record, or return the stored one if that got further. Raises `LogError`."""
        with self._lock_record(record.id):
            stored = self.sidecars.read(record.id)
            if stored is not None and is_ahead(stored, record):
                return stored
            return self._write(with_user_fields(record, stored))

    def add(self, record: Record) -> Record | None:
        """Write a new record; return None if there is one of that id."""
        with self._lock_record(record.id):
            return None if self.sidecars.find(record.id) else self._write(record)

    def send(self, record: Record) -> Record | None:
        """Write a record that is about to be sent; return None if it was sent, has ended, or has another holder."""
        with self._lock_record(record.id):
            stored = self.sidecars.read(record.id)
            if stored is None or stored.status != "prepared" or stored.holder != record.holder:
                return None
            return self._write(with_user_fields(record, stored))

    def has(self, record_id: str) -> bool:
        """Return whether there is a record of this id."""
        return self.sidecars.find(record_id) is not None

    def merge(self, record: Record, merged: Callable[[Record, Record], Record]) -> str | None:
        """Add a record of another log; return `added`, `changed`, or None if nothing was new.

        Raises `UnreadableRecord` if a later version wrote either copy, or the one here is damaged.
        """
        with self._lock_record(record.id):
            stored = self.sidecars.read(record.id)
            both = merged(writable(stored), writable(record)) if stored else writable(record)
            if both == stored:
                return None
            self._write(both)
            return "changed" if stored else "added"

    def change(self, record_id: str, changes: dict[str, Any]) -> Record:
        """Write a record with changes. Raises `NotSaved` if there is none."""
        with self._lock_record(record_id):
            stored = writable(self._existing(record_id))
            return self._write(stored.model_copy(update={**changes, "revision": stored.revision + 1}))

    def take(self, record_id: str, holder: str, alive: Callable[[str], bool]) -> Record | None:
        """Make `holder` the process that runs a job; return None if the job has ended or its holder is alive."""
        with self._lock_record(record_id):
            stored = self.sidecars.read(record_id)
            if stored is None or stored.ended or (stored.holder and stored.holder != holder and alive(stored.holder)):
                return None
            if stored.version > RECORD_VERSION:
                _log.warning("%s %s: %s to resume its job.", record_id, LATER, UPDATE)
                return None
            return self._write(stored.model_copy(update={"holder": holder, "revision": stored.revision + 1}))

    def move_out(self, record_id: str, target: Sidecars) -> Record:
        """Move a record's sidecar to another folder and remove its row. Raises `ArgumentError` while its job runs."""
        with self._lock_record(record_id):
            stored = self._existing(record_id)
            if not stored.ended:
                said = f"Record {record_id} is still {stored.status}: wait for its end, or cancel it first."
                raise ArgumentError(said)
            writable(stored)
            # The row first: if the sidecar stays after all, the index adds it again by itself.
            self.ask(lambda index: index.remove(record_id), None)
            self._unindexed.discard(record_id)
            with written_in(self.folder):
                target.write(stored)
                self.sidecars.path(stored).unlink(missing_ok=True)
            return stored

    def move_in(self, record_id: str, source: Sidecars) -> Record:
        """Move a sidecar back and add its row. Raises `NotSaved` if it is not in the source, or is here already."""
        with self._lock_record(record_id):
            stored = source.read(record_id)
            if stored is None or self.sidecars.find(record_id):
                where = "in the log already" if stored else "not in the trash"
                raise NotSaved(f"Record {record_id} cannot be restored: it is {where}.")
            record = self._write(writable(stored).model_copy(update={"revision": stored.revision + 1}))
            with written_in(self.folder):
                source.path(stored).unlink(missing_ok=True)
            return record

    def _existing(self, record_id: str) -> Record:
        stored = self.sidecars.read(record_id)
        if stored is None:
            raise NotSaved(f"There is no record {record_id!r} in {self.folder}.")
        return stored

    def _write(self, record: Record) -> Record:
        with written_in(self.folder):
            version = self.sidecars.write(record)
        try:
            self.ready(writing=True)
            self.ask(lambda index: index.put((record, version)), None)
        except LogError as exc:  # the sidecar is the truth and it is written: nothing is lost
            _log.warning("record %s is saved, but not yet in the index: %s", record.id, exc)
            self._unindexed.add(record.id)
        return record

    # Comparing files and index

    def rebuild(self) -> int:
        """Rebuild the index from the files; unreadable ones are logged and left out. Return how many records it has."""
        self.ready(writing=True)
        with self._reading_files():
            return self.ask(lambda index: index.replace_all(map(_versioned, self.sidecars.first())), 0)

    def revisions(self, record_id: str) -> tuple[int | None, int | None]:
        """Return the revisions in the sidecar and in the index, read while no other process writes."""
        with contextlib.nullcontext() if self._private else self._lock_record(record_id):
            stored = self.sidecars.read(record_id)
            return stored.revision if stored else None, self.index.revision(record_id)

    def other_digests(self) -> dict[str, str]:
        """Return each digest that a saved value or a plan names, with which of them does."""
        return {**self.named.digests(), **Plans(self.folder).digests()}

    # The index

    def ask(self, question: Callable[[Index], T], default: T) -> T:
        """Return the index's answer, or `default` while there is no log. A damaged index is rebuilt."""
        if not self.ready():
            return default
        try:
            return question(self.index)
        except DamagedIndex as exc:
            self._heal(exc)
            return question(self.index)

    def ready(self, *, writing: bool = False) -> bool:
        """Open the index if need be and bring it up to date; return False if there is no log and none is wanted."""
        if not (self.exists() or writing):
            return False
        if self._as_it_is:
            self.database.open_as_it_is()
        elif not writing and self._is_read_only():
            self._open_privately()
        elif self._private or self._is_behind():
            with self.lock("index"), self._guard:
                if self._private or self._is_behind():
                    self._close_private()
                    self._open()
                    self.exists()  # from now on
                    self._opened(self.folder)
        if self._unindexed:
            self._index_late_records()
        return True

    def exists(self) -> bool:
        """Return whether there is a log. Raises `LogError` if this process has found one here and it is missing now.

        Called before anything is written: a new log there would know neither the limits nor the payments.
        """
        seen = self._seen  # read first: another thread may be creating the log
        with written_in(self.folder):  # an unreachable disk gives the same error
            here = any(part.exists() for part in self._parts)
        if seen and not here:
            raise LogError(
                f"The log in {self.folder} is missing: its folder was moved, renamed or deleted while this kernel used "
                "it, or its disk was removed. Nothing is written or spent in its place. Restore it; or call "
                f"kn.configure(log={str(self.folder)!r}) to start a new log there, or give another folder."
            )
        self._seen = seen or here
        return here

    def check_complete(self) -> None:
        """Raise `LogError` while the index lacks a saved record, since the sums of spending are unknown then."""
        if self.ready() and self._unindexed:
            raise LogError(
                f"{len(self._unindexed)} saved records are not yet in the index of {self.folder}, which cannot be "
                "written, so it is not known what was spent. Try again."
            )

    def close(self) -> None:
        """Close the index; the next use opens it again."""
        self.database.close()
        self._close_private()

    def _is_read_only(self) -> bool:
        return not all(can_write(path) for path in (self.folder, self.folder / "index.sqlite") if path.exists())

    def _open_privately(self) -> None:
        """Open an index in a temporary folder, and check now and then for records that writers have added."""
        with self._guard:
            if self._private is None:
                self._private = tempfile.TemporaryDirectory(prefix="kling-nb-index-", ignore_cleanup_errors=True)
                self.database.use(Path(self._private.name) / "index.sqlite")
            if self._is_behind():
                self._open()
                self._opened(self.folder)
            elif time.monotonic() - self._looked > _LOOK_AGAIN:
                self._catch_up()
            else:
                return
            self._looked = time.monotonic()

    def _close_private(self) -> None:
        if self._private:
            self.database.use(self.folder / "index.sqlite")
            self._private.cleanup()
            self._private = None

    def _is_behind(self) -> bool:
        return not (self._caught_up and self.database.is_open)

    def _open(self) -> None:
        self._caught_up = False
        if not self._private and not self._warned and (warning := on_network(self.folder)):
            self._warned = True
            _log.warning(warning)
        try:
            self.database.open()
            self._catch_up()
        except DamagedIndex as exc:
            _log.warning("%s It is rebuilt from the files.", exc)
            self._open_new()

    def _open_new(self) -> None:
        self._caught_up = False
        self.database.set_aside()
        self.database.open()
        self._catch_up()

    def _heal(self, damage: DamagedIndex) -> None:
        _log.warning("%s It is rebuilt from the files.", damage)
        with self.lock("index"):
            # Another process may have found the damage first: then the file is a new one, and need only be opened.
            self._open_new() if self.database.is_open else self._open()

    def _catch_up(self) -> None:
        with self._reading_files():
            known = self.index.versions()
            changed = [(path, version) for path, version in self.sidecars.first() if known.get(path.stem) != version]
            if changed:
                _log.info("the log's index adds %d records from their sidecars", len(changed))
                many = map(_versioned, changed)
                self.index.put(*many) if known or len(changed) <= _FEW else self.index.replace_all(many)
        self._caught_up = True

    @contextlib.contextmanager
    def _reading_files(self) -> Generator[None]:
        try:
            yield
        except (OSError, TypeError, ValueError, LookupError, ArithmeticError, SQLAlchemyError) as exc:
            raise LogError(
                f"The log's index cannot add the records of {self.sidecars.folder} ({exc}), so it is not known what "
                "was spent. Look for a file there that another program changed."
            ) from exc

    def _index_late_records(self) -> None:
        try:
            for record_id in list(self._unindexed):
                path = self.sidecars.find(record_id)
                if path is not None:
                    self.index.put(_versioned((path, version_of(path))))
                self._unindexed.discard(record_id)
        except LogError as exc:
            _log.warning("%d saved records are not yet in the index: %s", len(self._unindexed), exc)

    # Locks

    def _lock_record(self, record_id: str) -> contextlib.AbstractContextManager[None]:
        # Some records share a lock, so that there are few lock files; the system frees them when a kernel is killed.
        return self.lock(f"{zlib.crc32(checked_id(record_id).encode()) % _STRIPES:02}")

    @contextlib.contextmanager
    def lock(self, name: str) -> Generator[None]:
        """Hold a lock of this log against every other thread and process. Raises `LogError` after 30 s."""
        self.exists()
        if self._as_it_is:
            raise LogError(f"The log in {self.folder} is open for reading only.")
        thread_lock, file_lock = self._locks_of(name)
        if not thread_lock.acquire(timeout=_PATIENCE):
            raise self._is_locked()
        try:
            try:
                with written_in(self.folder):
                    file_lock.acquire()
            except Timeout as exc:
                raise self._is_locked() from exc
            try:
                yield
            finally:
                file_lock.release()
        finally:
            thread_lock.release()

    def _is_locked(self) -> LogError:
        return LogError(f"Another kernel holds a lock of the log in {self.folder}: it may be hanging.")

    def _locks_of(self, name: str) -> tuple[threading.Lock, FileLock]:
        # Created once, since that takes long.
        if name not in self._locks:
            folder = self.folder / "locks"
            with written_in(self.folder):
                folder.mkdir(parents=True, exist_ok=True)
            file = FileLock(folder / f"{name}.lock", timeout=_PATIENCE, poll_interval=_STEP, thread_local=False)
            return self._locks.setdefault(name, (threading.Lock(), file))
        return self._locks[name]


def _versioned(sidecar: tuple[Path, FileVersion]) -> Versioned:
    path, version = sidecar
    record = read_or_warn(path)
    return (record, version) if record else None
