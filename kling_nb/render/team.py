"""A team's log: its members and addresses, what waits to be sent, what was sent, and what sharing a folder would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from kling_nb.render.formatting import counted, format_size
from kling_nb.render.page import render_template


class Member(NamedTuple):
    """An active member: the machine, the number of kernels, and seconds since the last heartbeat."""

    person: str
    host: str
    kernels: int
    seconds: float


class Shown:
    """A value that is shown as lines of a label and a text."""

    def __repr__(self) -> str:
        title, lead, rows, _ = self._parts()
        return "\n".join([title, *([lead] if lead else []), *(f"{label}: {value}" for label, value in rows)])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        title, lead, rows, tone = self._parts()
        info = {"name": title, "base_url": "", "error": ""}
        return {
            "text/html": render_template("hub", info=info, tone=tone, rows=rows, lead=lead),
            "text/plain": repr(self),
        }

    def _parts(self) -> tuple[str, str, Sequence[tuple[str, str]], str]:
        raise NotImplementedError


@dataclass(frozen=True, repr=False)
class TeamInfo(Shown):
    """A team's log.

    Attributes:
        person: Who makes records here.
        database: The address of the database, without a password.
        media: The address of the media.
        keys: Where the keys of the media come from.
        members: The active members.
        waiting: The number of records and media files that wait on this machine.
        late: The number of records and other entries whose newest revision has not arrived in the bucket.
    """

    person: str
    database: str
    media: str
    keys: str
    members: tuple[Member, ...]
    waiting: tuple[int, int]
    late: tuple[int, int]

    def _parts(self) -> tuple[str, str, Sequence[tuple[str, str]], str]:
        there = [f"{one.person or 'unknown'} on {one.host} ({counted(one.kernels, 'kernel')})" for one in self.members]
        names = ("records of this machine", "files of this machine", "records", "other entries")
        waits = [f"{count} {name}" for count, name in zip((*self.waiting, *self.late), names, strict=True) if count]
        rows = [
            ("You are", self.person or "unknown: set KLING_NB_USER"),
            ("Database", self.database),
            ("Media", f"{self.media} (keys from {self.keys})"),
            ("There now", ", ".join(there) or "no kernel that makes clips"),
            ("Waiting", f"{', '.join(waits)}: kn.sync() sends them" if waits else "nothing"),
        ]
        return "The team's log", "", rows, "warning" if waits else "good"


@dataclass(frozen=True, repr=False)
class Synced(Shown):
    """The result of `kn.sync()`; `problems` says why something could not be sent, and still waits.

    Attributes:
        records: Records that were in this machine's folder only.
        objects: Revisions of records and other entries that the bucket has now.
        media: Media files.
        size: Their bytes.
        pruned: Old revisions that were deleted.
    """

    records: int
    objects: int
    media: int
    size: int
    pruned: int
    problems: tuple[str, ...] = ()

    def _parts(self) -> tuple[str, str, Sequence[tuple[str, str]], str]:
        rows = [
            ("Records", f"{self.records} from this machine, {self.objects} revisions to the bucket"),
            ("Media", f"{counted(self.media, 'file')} ({format_size(self.size)})"),
            ("Pruned", counted(self.pruned, "old revision")),
            *(("Problem", problem) for problem in self.problems),
        ]
        title, tone = ("Some of it is still waiting", "warning") if self.problems else ("Sent", "good")
        return title, "", rows, tone


class SharePlan(NamedTuple):
    """The contents of a folder that would be shared: the numbers of its parts, and the bytes of its media."""

    folder: str
    database: str
    media: str
    records: int
    files: int
    size: int
    known: int
    """Records that the team has already."""
    unfinished: int
