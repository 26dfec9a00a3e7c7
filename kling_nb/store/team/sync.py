"""The background work of a team's log: heartbeats, and sending waiting records and files.

The objects of records and documents have their revision in their name and are never overwritten, so it does not matter
who sends one, how often, or in which order: the newest counts.
"""

from __future__ import annotations

import datetime
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kling_nb.errors import LogError
from kling_nb.store.team import lease as leases
from kling_nb.store.team import tables
from kling_nb.store.team.bucket import Bucket
from kling_nb.store.team.lease import TeamLease
from kling_nb.store.team.media import TeamMedia
from kling_nb.store.team.records import TeamRecords

T = TypeVar("T")
U = TypeVar("U")
_log = logging.getLogger(__name__)
#: Seconds for which changes of one record are collected; seconds between two searches for other kernels' late ones.
_GATHER, _LOOK_AROUND = 0.2, 60.0
_AT_ONCE, _SENDERS = 200, 8
#: The name of an object: the part before the revision is the same for all revisions.
REVISION = re.compile(r"(?P<key>.+)\.(?P<revision>[0-9]+)\.json")
#: The folders whose objects have revisions in their names.
FOLDERS = ("records", "saved", "plans", "votes", "scores", "trash", "budget")


@dataclass
class Sent:
    """The numbers of objects sent: records of the spool, sidecars and documents, media files with their bytes."""

    records: int = 0
    objects: int = 0
    media: int = 0
    size: int = 0
    problems: list[str] = field(default_factory=list[str])


class Sync:
    """Two threads, from the first change until `close`; one of them must not wait for a slow upload."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._late: set[str] = set()
        """Ids of records and paths of documents that this kernel changed; a path has a dot and an id has none."""
        self._woken, self._closed = threading.Event(), threading.Event()
        self._turn, self._guard = threading.Lock(), threading.Lock()
        self._threads: list[threading.Thread] = []
        self._looked = 0.0
        self._said = ""

    def serve(self, records: TeamRecords, media: TeamMedia, lease: TeamLease) -> None:
        """Set what the threads work on."""
        self._records, self._media, self._lease = records, media, lease

    def wake(self, changed: str = "") -> None:
        """Have the waiting changes sent soon; `changed` is the id of a record or the path of a document."""
        if changed:
            self._late.add(changed)
        self._woken.set()
        if not self._threads:
            with self._guard:
                if not self._threads:
                    self._threads = [
                        threading.Thread(target=target, name=f"kling_nb team {name}", daemon=True)
                        for name, target in (("life", self._live), ("sync", self._carry))
                    ]
                    for thread in self._threads:
                        thread.start()

    def turn(self, *, everything: bool = False) -> Sent:
        """Send what this kernel changed, or `everything` that is late. Failures are in `problems`."""
        sent = Sent()
        with self._turn:
            late, everything = set(self._late), everything or time.monotonic() - self._looked > _LOOK_AROUND
            steps: Sequence[Callable[[Sent], object]] = (
                self._drain,
                self._send_media,
                lambda sent: self._send_late(sent, None if everything else sorted(late)),
            )
            for step in steps:
                try:
                    step(sent)
                except LogError as exc:
                    sent.problems.append(str(exc))
            if not sent.problems:
                self._late -= late
                self._looked = time.monotonic() if everything else self._looked
        return sent

    def waiting(self) -> tuple[int, int]:
        """Return how many records and media files wait in this machine's folder."""
        return sum(1 for _ in self._records.spool.first()), len(self._media.waiting())

    def close(self) -> None:
        """End the threads, after one more round if something waits; the next change starts them again."""
        self._closed.set()
        self._woken.set()
        with self._guard:
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join(15)
        if self._late or (threads and any(self.waiting())):
            self.turn()
        self._closed.clear()

    # The threads

    def _live(self) -> None:
        while not self._closed.wait(leases.BEAT):
            try:
                self._lease.beat()
            except LogError as exc:
                self._say(str(exc))
            except Exception:  # noqa: BLE001 - the other kernels would take this one for dead
                _log.exception("the heartbeat could not be sent")

    def _carry(self) -> None:
        while not self._closed.is_set():
            self._woken.wait(leases.BEAT)
            if self._woken.is_set():
                self._closed.wait(_GATHER)
            self._woken.clear()
            try:
                problems = self.turn().problems
            except Exception:  # noqa: BLE001 - the thread must continue: something else may be sent
                _log.exception("changes could not be sent to the team's log")
                continue
            self._say("; ".join(problems))
            if problems:
                self._closed.wait(1.0)

    def _say(self, problem: str) -> None:
        if problem and problem != self._said:
            _log.warning("%s They are sent later, or by kn.sync().", problem)
        self._said = problem

    # What a turn does

    def _drain(self, sent: Sent) -> None:
        if any(True for _ in self._records.spool.first()):
            sent.records += self._records.drain()

    def _send_media(self, sent: Sent) -> None:
        if digests := self._media.waiting():
            for size in _each(self._media.send, digests):
                sent.media, sent.size = sent.media + 1, sent.size + size

    def _send_late(self, sent: Sent, only: list[str] | None) -> None:
        if only == [] or not self._records.ready():
            return
        ids = None if only is None else [one for one in only if "." not in one]
        paths = None if only is None else [one for one in only if "." in one]
        for query, arrived, keys, name in (
            (tables.LATE_RECORDS, tables.RECORDS_ARRIVED, ids, _sidecar),
            (tables.LATE_DOCUMENTS, tables.DOCUMENTS_ARRIVED, paths, _document),
        ):
            given = {"keys": keys, "limit": _AT_ONCE}
            while keys != [] and (rows := self._run(query, given)):
                self._put([(name(row, row[2]), row[4].encode()) for row in rows])
                done = {"keys": [row[0] for row in rows], "revisions": [row[2] for row in rows]}
                self._records.database.run(lambda one, arrived=arrived, done=done: one.execute(arrived, done))
                # The row has the number of the last revision that arrived, so it need not be searched for.
                self._bucket.remove([name(row, row[3]) for row in rows if row[3]])
                sent.objects += len(rows)
                if len(rows) < _AT_ONCE:
                    break

    def _put(self, objects: Sequence[tuple[str, bytes]]) -> None:
        list(_each(lambda one: self._bucket.put(*one), objects))

    def _run(self, query: str, given: dict[str, Any]) -> list[Any]:
        return self._records.database.run(lambda one: one.execute(query, given).fetchall())


def _each(send: Callable[[T], U], things: Sequence[T]) -> Iterator[U]:
    """Yield what `send` returns for each thing, several at a time; one by one while the process ends."""
    try:
        with ThreadPoolExecutor(min(_SENDERS, len(things))) as pool:
            futures = [pool.submit(send, one) for one in things]
    except RuntimeError:  # Python no longer starts threads; sending objects a second time does no harm
        yield from map(send, things)
        return
    for future in futures:
        yield future.result()


def prune(bucket: Bucket) -> int:
    """Delete every object of which there is a newer revision, and return how many that were."""
    count = 0
    for folder in FOLDERS:
        names = list(bucket.names(folder))
        newest = set(newest_of(names).values())
        old = [name for name in names if REVISION.fullmatch(name) and name not in newest]
        bucket.remove(old)
        count += len(old)
    return count


def newest_of(names: Iterable[str]) -> dict[str, str]:
    """Return the newest object of each record or document, by its name without the revision."""
    newest: dict[str, tuple[int, str]] = {}
    for name in names:
        if parts := REVISION.fullmatch(name):
            key, revision = parts["key"], int(parts["revision"])
            newest[key] = max(newest.get(key, (-1, "")), (revision, name))
    return {key: name for key, (_, name) in newest.items()}


def _sidecar(row: Any, revision: int) -> str:
    month = datetime.datetime.fromtimestamp(row[1] / 1e6, datetime.UTC).strftime("%Y-%m")
    return f"records/{month}/{row[0]}.{revision}.json"


def _document(row: Any, revision: int) -> str:
    path = row[0].removesuffix(".json")
    return f"{path if '/' in path else f'{path}/{path}'}.{revision}.json"
