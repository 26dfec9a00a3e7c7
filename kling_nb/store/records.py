"""The records in their two places, sidecar and index, and the rules of who may replace what."""

from __future__ import annotations

import contextlib
import logging
import threading
import zlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError

from kling_nb.errors import LogError
from kling_nb.models.record import RECORD_VERSION, Record
from kling_nb.store.database import DamagedIndex, Database
from kling_nb.store.disk import written_in
from kling_nb.store.index import Index, named_by_kept, remove_row
from kling_nb.store.named import NamedValues, carry, salvage
from kling_nb.store.plans import Plans
from kling_nb.store.sidecars import (
    LATER,
    UPDATE,
    FileVersion,
    MissingSidecar,
    Sidecars,
    UnreadableRecord,
    checked_id,
    read_sidecar,
    stamp_of,
)

T = TypeVar("T")
_log = logging.getLogger(__name__)
_PATIENCE, _STEP = 30.0, 0.005
_STRIPES = 64
_OWNED_BY_THE_USER = ("tags", "stars", "note")


@dataclass
class RecordStore:
    """The records of one folder."""

    folder: Path
    database: Database
    sidecars: Sidecars
    index: Index
    by_name: NamedValues
    _locks: dict[str, tuple[threading.Lock, FileLock]] = field(
        default_factory=dict[str, tuple[threading.Lock, FileLock]]
    )
    _late: set[str] = field(default_factory=set[str])
    """Ids whose sidecar is newer than the index, because the index did not answer."""
    _met: bool = False
    """Whether this process has had a log here."""
    _caught_up: bool = False
    """Whether the index has taken in what the sidecars say; an empty one must not be asked what was spent."""

    @classmethod
    def at(cls, folder: Path, url: str | None) -> RecordStore:
        """The record_store of a folder; nothing is opened."""
        by_name = NamedValues(folder)
        database = Database.at(folder / "index.sqlite", url, lambda connection: carry(connection, by_name))
        return cls(folder, database, Sidecars(folder / "records"), Index(database), by_name)

    def save(self, record: Record) -> Record:
        """Write a record, or return the stored one when that knows better. Raises `LogError`."""
        with self._alone(record.id):
            stored = self.sidecars.read(record.id)
            if stored is not None and _knows_better(stored, record):
                return stored
            return self._write(_with_the_users_words(record, stored))

    def add(self, record: Record) -> Record | None:
        """Write a new record; None when there is one of that id, which another kernel was quicker to write."""
        with self._alone(record.id):
            return None if self.sidecars.find(record.id) else self._write(record)

    def send(self, record: Record) -> Record | None:
        """Write a record whose POST comes next; None when it was sent, has ended, or is carried out by another."""
        with self._alone(record.id):
            stored = self.sidecars.read(record.id)
            if stored is None or stored.status != "prepared" or stored.holder != record.holder:
                return None
            return self._write(_with_the_users_words(record, stored))

    def join(self, record: Record, joined: Callable[[Record, Record], Record]) -> str | None:
        """Take in a record of another log; say whether it was `added` or `changed`, None when nothing was new.

        Raises `UnreadableRecord` when the one of here, or the other, is not all understood.
        """
        with self._alone(record.id):
            stored = self.sidecars.read(record.id)
            both = joined(_ours(stored), _ours(record)) if stored else _ours(record)
            if both == stored:
                return None
            self._write(both)
            return "changed" if stored else "added"

    def change(self, record_id: str, changes: dict[str, Any]) -> Record:
        """Write a record with changes. Raises `LogError` when there is none."""
        with self._alone(record_id):
            stored = self.sidecars.read(record_id)
            if stored is None:
                raise LogError(f"There is no record {record_id!r}.")
            _ours(stored)
            return self._write(stored.model_copy(update={**changes, "revision": stored.revision + 1}))

    def take(self, record_id: str, holder: str, alive: Callable[[str], bool]) -> Record | None:
        """Make `holder` the one who carries a job out, unless it has ended or its holder lives; return it or None."""
        with self._alone(record_id):
            stored = self.sidecars.read(record_id)
            if stored is None or stored.ended or (stored.holder and stored.holder != holder and alive(stored.holder)):
                return None
            if stored.version > RECORD_VERSION:
                _log.warning("%s %s: %s to carry its job on.", record_id, LATER, UPDATE)
                return None
            return self._write(stored.model_copy(update={"holder": holder, "revision": stored.revision + 1}))

    def take_out(self, record_id: str, elsewhere: Sidecars) -> Record:
        """Move a record's sidecar elsewhere and drop its row. Raises `LogError` while its job has not ended."""
        with self._alone(record_id):
            stored = self.sidecars.read(record_id)
            if stored is None:
                raise LogError(f"There is no record {record_id!r}.")
            if not stored.ended:
                raise LogError(f"{record_id} is still {stored.status}: wait for its end, or cancel it first.")
            _ours(stored)
            # The row first: if the sidecar stays after all, the index takes it in again by itself.
            self.ask(lambda index: remove_row(index.database, record_id), None)
            self._late.discard(record_id)
            with written_in(self.folder):
                elsewhere.write(stored)
                self.sidecars.path(stored).unlink(missing_ok=True)
            return stored

    def put_back(self, record_id: str, elsewhere: Sidecars) -> Record:
        """Move a sidecar back and make its row. Raises `LogError` when it is not there, or is here already."""
        with self._alone(record_id):
            stored = elsewhere.read(record_id)
            if stored is None or self.sidecars.find(record_id):
                raise LogError(f"{record_id} cannot be brought back: it is {'here' if stored else 'not there'}.")
            record = self._write(_ours(stored).model_copy(update={"revision": stored.revision + 1}))
            with written_in(self.folder):
                elsewhere.path(stored).unlink(missing_ok=True)
            return record

    def rebuild(self) -> int:
        """Make every row anew from the sidecars; unreadable ones are logged and left out. Return how many there are."""
        self.ready(writing=True)
        with self._taking_in():
            return self.ask(lambda index: index.replace_all(self._readable(*one) for one in self.sidecars.first()), 0)

    def known(self) -> set[str]:
        """Every id in the index."""
        return set(self.index.stamps())

    def revisions(self, record_id: str) -> tuple[int | None, int | None]:
        """The revisions in the sidecar and in the index, read while nobody writes; None where there is none."""
        with self._alone(record_id):
            stored = self.sidecars.read(record_id)
            return stored.revision if stored else None, self.index.revision(record_id)

    def kept(self) -> dict[str, str]:
        """Every digest that a kept value or a plan names, with which one it is."""
        before = self.ask(lambda index: named_by_kept(index.database), {})
        return {**before, **self.by_name.digests(), **Plans(self.folder).digests()}

    def alone(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Keep every other kernel, and thread, out of what goes by this name."""
        return self._lock(name)

    def ask(self, question: Callable[[Index], T], nothing: T) -> T:
        """Return the index's answer, or `nothing` while there is no log. A damaged index is made anew."""
        if not self.ready():
            return nothing
        try:
            return question(self.index)
        except DamagedIndex as exc:
            self._heal(exc)
            return question(self.index)

    def ready(self, *, writing: bool = False) -> bool:
        """Open the index if need be and bring it up to date. False when there is no log yet and none is wanted."""
        if not (self.exists() or writing):
            return False
        if self._is_behind():
            with self._lock("index"):
                if self._is_behind():
                    self._open()
                    self.exists()  # from now on
        if self._late:
            self._catch_up_late()
        return True

    def exists(self) -> bool:
        """Whether there is a log. Raises `LogError` when this process has had one here and it is gone.

        Asked before anything is written: a new log in its place would know of no limits and of nothing that was paid.
        """
        met = self._met  # asked first: another thread may be making the log
        with written_in(self.folder):  # a disk that does not answer is said the same way
            here = any((self.folder / part).exists() for part in _PARTS)
        if met and not here:
            raise LogError(
                f"The log in {self.folder} is gone: its folder was moved, renamed or deleted while this kernel used "
                "it, or its disk is not there any more. Nothing is written or spent in its place. Bring it back; or "
                f"say kn.configure(log={str(self.folder)!r}) to begin a new one there, or give another folder."
            )
        self._met = met or here
        return here or self.database.file is None

    def settled(self) -> None:
        """Raise `LogError` while the index lacks a record that is saved: what was spent cannot be told from it."""
        if self.ready() and self._late:
            raise LogError(
                f"{len(self._late)} saved records are not yet in the index of {self.folder}, which does not answer: "
                "what was spent is not known until it does. Try again."
            )

    def _is_behind(self) -> bool:
        return not (self._caught_up and self.database.is_open)

    def _write(self, record: Record) -> Record:
        with written_in(self.folder):
            stamp = self.sidecars.write(record)
        try:
            self.ready(writing=True)
            self.ask(lambda index: index.put(record, stamp), None)
        except LogError as exc:  # the sidecar is the truth and it is written: nothing is lost
            _log.warning("record %s is saved, but not yet in the index: %s", record.id, exc)
            self._late.add(record.id)
        return record

    def _open(self) -> None:
        self._caught_up = False
        try:
            self.database.open()
            self._catch_up()
        except DamagedIndex as exc:
            _log.warning("%s It is made anew from the sidecars.", exc)
            self._open_anew()

    def _open_anew(self) -> None:
        self._caught_up = False
        aside = self.database.set_aside()
        self.database.open()
        self._catch_up()
        if aside:
            salvage(aside, self.database, self.by_name)

    def _heal(self, damage: DamagedIndex) -> None:
        _log.warning("%s It is made anew from the sidecars.", damage)
        with self._lock("index"):
            # Another kernel may have found it first: then the file is a new one, and need only be opened.
            self._open_anew() if self.database.is_open else self._open()

    def _catch_up(self) -> None:
        with self._taking_in():
            known = self.index.stamps()
            changed = [
                (path, stamp) for path, stamp in self.sidecars.first() if known.get(path.stem, _NEVER)[1] != stamp
            ]
            if changed:
                _log.info("the log's index takes in %d records from their sidecars", len(changed))
                many = (self._readable(path, stamp) for path, stamp in changed)
                self.index.put_many(many) if known else self.index.replace_all(many)
        self._caught_up = True

    @contextlib.contextmanager
    def _taking_in(self) -> Generator[None]:
        try:
            yield
        except (OSError, TypeError, ValueError, LookupError, ArithmeticError, SQLAlchemyError) as exc:
            raise LogError(
                f"The log's index cannot take in the records of {self.sidecars.folder} ({exc}): what was spent is not "
                "known until it can. Look for a file there that another program changed."
            ) from exc

    def _catch_up_late(self) -> None:
        try:
            for record_id in list(self._late):
                path = self.sidecars.find(record_id)
                if path is not None and (pair := self._readable(path, stamp_of(path))):
                    self.index.put(*pair)
                self._late.discard(record_id)
        except LogError as exc:
            _log.warning("%d saved records are not yet in the index: %s", len(self._late), exc)

    def _readable(self, path: Path, stamp: FileVersion) -> tuple[Record, FileVersion] | None:
        try:
            return read_sidecar(path), stamp
        except MissingSidecar:
            return None
        except UnreadableRecord as exc:
            _log.warning("%s", exc)
            return None

    def _alone(self, record_id: str) -> contextlib.AbstractContextManager[None]:
        # Some records share a lock, so that there are few lock files; the system frees them when a kernel is killed.
        return self._lock(f"{zlib.crc32(checked_id(record_id).encode()) % _STRIPES:02}")

    @contextlib.contextmanager
    def _lock(self, name: str) -> Generator[None]:
        self.exists()
        within, between = self._lock_of(name)
        if not within.acquire(timeout=_PATIENCE):
            raise self._is_locked()
        try:
            try:
                with written_in(self.folder):
                    between.acquire()
            except Timeout as exc:
                raise self._is_locked() from exc
            try:
                yield
            finally:
                between.release()
        finally:
            within.release()

    def _is_locked(self) -> LogError:
        return LogError(f"Another kernel keeps the log in {self.folder} locked: is it hanging?")

    def _lock_of(self, name: str) -> tuple[threading.Lock, FileLock]:
        """The locks of a name: one among the threads, and a file's among the kernels. Made once: that takes long."""
        if name not in self._locks:
            folder = self.folder / "locks"
            with written_in(self.folder):
                folder.mkdir(parents=True, exist_ok=True)
            file = FileLock(folder / f"{name}.lock", timeout=_PATIENCE, poll_interval=_STEP, thread_local=False)
            return self._locks.setdefault(name, (threading.Lock(), file))
        return self._locks[name]


#: What tells a folder that holds a log: each of these outlives the others.
_PARTS = ("index.sqlite", "records", "saved", "budget.json", "plans", "votes", "trash")
_NEVER = (-1, FileVersion(-1, -1))


def _ours(record: Record) -> Record:
    """Return the record. Raises `UnreadableRecord` if a later version wrote it, since some fields are unknown."""
    if record.version > RECORD_VERSION:
        raise UnreadableRecord.of(record.id, LATER, f"{UPDATE} to change it")
    return record


def _knows_better(stored: Record, record: Record) -> bool:
    """Whether another kernel got further: an end is never undone, nor a clip, nor the id of a paid generation lost."""
    return rank(stored) > rank(record) or bool(stored.generation_id and not record.generation_id)


def rank(record: Record) -> int:
    """How far a record got: under way, ended, succeeded, and its clip there."""
    if not record.ended:
        return 0
    return 1 if record.status != "succeeded" else 3 if record.clip else 2


def _with_the_users_words(record: Record, stored: Record | None) -> Record:
    if stored is None:
        return record.model_copy(update={"revision": record.revision + 1})
    kept = {name: getattr(stored, name) for name in _OWNED_BY_THE_USER}
    return record.model_copy(update={**kept, "revision": max(stored.revision, record.revision) + 1})
