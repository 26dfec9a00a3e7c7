"""`TeamLog`: the log that a team shares. It has the methods of `Log`, and those that only a team needs."""

from __future__ import annotations

import atexit
import contextlib
import json
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from kling_nb.errors import LogError, SettingsError
from kling_nb.models.record import File, Record
from kling_nb.store.audit import Finding
from kling_nb.store.disk import write_whole, written_in
from kling_nb.store.guide import Guide
from kling_nb.store.log import MARK, Log
from kling_nb.store.merge import MergeReport
from kling_nb.store.probe import media_kind
from kling_nb.store.team import lease as leases
from kling_nb.store.team import restore, tables
from kling_nb.store.team.bucket import Bucket
from kling_nb.store.team.budget import TeamBudget
from kling_nb.store.team.documents import Documents, TeamPlans, TeamScores, TeamValues, TeamVotes
from kling_nb.store.team.lease import TeamLease
from kling_nb.store.team.media import TeamMedia
from kling_nb.store.team.postgres import Postgres
from kling_nb.store.team.records import TeamRecords
from kling_nb.store.team.sync import Sent, Sync, prune
from kling_nb.store.team.trash import TeamTrash

T = TypeVar("T")
#: Seconds to wait for another kernel that starts the same clip; a dead one's turn ends with its lease.
_PATIENCE = 120.0


@dataclass(frozen=True)
class Team:
    """The state of a team's log. `members` are (person, host, kernels, seconds since the last heartbeat)."""

    person: str
    database: str
    media: str
    keys: str
    members: list[tuple[str, str, int, float]]
    records_here: int
    media_here: int
    late: tuple[int, int]


class TeamLog(Log):
    """A log in a PostgreSQL database and an object store. Creating one reads and writes nothing.

    Args:
        folder: This machine's cache and spool.
        database: `postgresql://host/name`.
        media: `s3://bucket/prefix`.
        person: Who makes records here.
        opened: Called with the folder at the first write.

    Raises:
        ArgumentError: An address is not valid.
    """

    def __init__(
        self,
        folder: Path | str,
        database: str,
        media: str,
        person: str = "",
        *,
        opened: Callable[[Path], object] = lambda folder: None,
    ) -> None:
        self.folder = Path(folder).expanduser().absolute()
        self.person, self._opened, self._marked, self._checked = person, opened, False, False
        self.bucket = Bucket(media)
        self._sync = Sync(self.bucket)
        wake = self._sync.wake
        self._database = Postgres.at(database)
        records = TeamRecords(self.folder, self._database, wake)
        self._documents = Documents(self._database, lambda writing: records.ready(writing=writing), wake)
        lease = TeamLease(self._database, person)
        media_ = TeamMedia(self.folder, self.bucket, wake)
        trash = TeamTrash(records, self._documents, media_)
        self._team_records, self._team_lease, self._team_media, self._team_trash = records, lease, media_, trash
        self._sync.serve(records, media_, lease)
        # The parts that `Log` calls, in a database and a bucket.
        self._guide = Guide(self.folder, media_.local)
        self._records, self._lease, self._media, self._trash = records, lease, media_, trash  # pyright: ignore[reportAttributeAccessIssue]
        self.budget = TeamBudget(records, self._documents, lease, trash.records)  # pyright: ignore[reportAttributeAccessIssue] -- same
        self.votes = TeamVotes(self._documents)  # pyright: ignore[reportAttributeAccessIssue] -- same
        self.scores = TeamScores(self._documents)  # pyright: ignore[reportAttributeAccessIssue] -- same
        last = weakref.WeakMethod(self._last_turn)
        atexit.register(lambda: (turn := last()) and turn())

    def __repr__(self) -> str:
        return f"TeamLog({self._database.name!r}, {self.bucket.address!r})"

    @property
    def plans(self) -> TeamPlans:
        """The team's plans."""
        return TeamPlans(self.folder, documents=self._documents)

    @property
    def values(self) -> TeamValues:
        """The team's presets, elements and options, and this machine's drafts."""
        return TeamValues(self.folder, documents=self._documents)

    # What differs from a folder

    def add(self, record: Record) -> Record | None:
        """Write a new record; see `Log.add`."""
        return None if self._team_trash.find(record.id) else self._team_records.add(record)

    def claim(self, record: Record) -> Record | None:
        """Write a record whose generation was found in the hub's queue; return None if another record has it."""
        self._team_records.ready(writing=True)
        given = {"generation": record.generation_id, "id": record.id}
        row = self._database.run(lambda one: one.execute(tables.CLAIM, given).fetchone())
        return self._team_records.save(record) if row and row[0] == record.id else None

    def holder(self) -> str:
        """Return this process's name as the holder of jobs. The first call makes sure that both addresses can be used.

        Raises `LogError` if one cannot: nothing is sent then.
        """
        self._mark()
        self._team_records.ready(writing=True)
        if not self._checked:
            self.bucket.check()
            self._checked = True
        held = self._team_lease.holder()
        self._sync.wake()
        return held

    def take(self, record_id: str) -> Record | None:
        """Take over an unfinished job; see `Log.take`."""
        return self._team_records.take(record_id, self.holder())

    def alone(self, begin: Callable[[], T], of: str) -> T:
        """Call `begin` while no other kernel of the team does for the same request, `of` its hash."""
        holder = self.holder()
        turn = {"turn": f"turn {of}", "holder": f"{holder} {time.monotonic_ns()}", "lease": leases.LEASE}
        patience = time.monotonic() + _PATIENCE
        pause = 0.02
        while not self._database.run(lambda one: one.execute(tables.BEGIN_TURN, turn).fetchone()):
            if time.monotonic() > patience:
                raise LogError("Another kernel of the team has been starting the same clip for minutes. Try again.")
            time.sleep(pause)
            pause = min(pause * 2, 0.5)
        try:
            return begin()
        finally:
            with contextlib.suppress(LogError):  # else it ends with this kernel's lease
                self._database.run(lambda one: one.execute(tables.END_TURN, turn))

    def shown_file(self, digest: str) -> Path | None:
        """Return the file of a digest if it is in this machine's cache: a table of clips must not fetch them all."""
        file = self._team_media.local(digest)
        return file if file and media_kind(file) else None

    def missing_text(self, clip: File) -> str | None:
        """Return why a clip is not shown, and what to do."""
        return (
            "The clip is not on this machine. kn.gallery() plays it, and showing the record alone fetches it from "
            f"{self.bucket.address}; if it was made on a machine that could not send it yet, kn.sync() there sends it."
        )

    # Maintenance

    def verify(self) -> list[Finding]:
        """Return everything that disagrees between the database, the bucket and this machine's folder."""
        if not self._team_records.ready():
            return []
        self._sync.turn(everything=True)  # anything that is only a second late need not be listed
        return list(restore.findings(self._team_records, self._team_media, self.bucket))

    def rebuild(self) -> int:
        """Rebuild the database from the bucket, and return how many records it has."""
        return restore.rebuild(self._team_records, self.bucket)

    def merge(self, other: Path | str) -> MergeReport:
        """Merge the log in a folder into this one; see `Merge.run`."""
        self._mark()
        return super().merge(other)

    @property
    def address(self) -> str:
        """The address of the database, without a password."""
        return self._database.name

    def has(self, record_id: str) -> bool:
        """Return whether a record has this id."""
        return self._team_records.ready() and self._team_records.has(record_id)

    def team(self) -> Team:
        """Return who shares the log, and what waits. Raises `LogError` if the database is unreachable."""
        ready = self._team_records.ready()
        row = self._database.run(lambda one: one.execute(tables.COUNT_LATE).fetchone()) if ready else (0, 0)
        members = self._team_lease.members() if ready else []
        here = self._sync.waiting()
        addresses = (self._database.name, self.bucket.address, self.bucket.keys_from)
        return Team(self.person, *addresses, members, *here, late=(row[0], row[1]))

    def sync(self) -> tuple[Sent, int]:
        """Send everything that waits, here and in the database; delete old revisions, and return how many."""
        self._mark()
        self._team_records.ready(writing=True)
        sent = self._sync.turn(everything=True)
        return sent, 0 if sent.problems else prune(self.bucket)

    def close(self) -> None:
        """Send what waits, release this process's jobs and close the database; the next use opens it again."""
        self._sync.close()
        self._team_lease.release()
        self._team_records.close()

    def _last_turn(self) -> None:
        with contextlib.suppress(Exception):  # the process ends: anything that cannot be sent waits for the next one
            self._sync.close()
            self._team_lease.release()

    def _mark(self) -> None:
        """Note in the folder that it is a cache, so that it is not taken for a log of its own."""
        if self._marked:
            return
        check_folder(self.folder)
        with written_in(self.folder):
            if not (self.folder / MARK).exists():
                whole = {"database": self._database.name, "media": self.bucket.address}
                write_whole(self.folder / MARK, json.dumps(whole, indent=2).encode() + b"\n")
        self._marked = True
        self._opened(self.folder)


def check_folder(folder: Path) -> None:
    """Raise `SettingsError` for the folder of a log that is not a team's."""
    if not (folder / MARK).exists() and ((folder / "records").exists() or (folder / "index.sqlite").exists()):
        raise SettingsError(
            f"{folder} is a separate log, whose records are not the team's. To add them, start without "
            "KLING_NB_DATABASE and KLING_NB_MEDIA, and call kn.share(database, media). Or choose another folder by "
            "KLING_NB_LOG."
        )
