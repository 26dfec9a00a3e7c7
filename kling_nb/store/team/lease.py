"""The leases of a team's kernels: each sends a heartbeat every ten seconds, timed by the database's clock."""

from __future__ import annotations

import contextlib
import logging
import secrets
import socket
import threading
import time

from kling_nb.errors import LogError
from kling_nb.store.team import tables
from kling_nb.store.team.postgres import Postgres

_log = logging.getLogger(__name__)
#: Seconds between two heartbeats, and seconds without one after which a kernel has lost its jobs.
BEAT, LEASE = 10.0, 60.0


class TeamLease:
    """This kernel's row in the database, made at the first call of `holder`.

    A kernel without a heartbeat for too long gets another name: another kernel may have the jobs of the old one.
    """

    def __init__(self, database: Postgres, person: str) -> None:
        self._database, self._person = database, person
        self._guard = threading.Lock()
        self._held: str | None = None
        self._at = 0.0

    @property
    def held(self) -> str | None:
        """This kernel's name, None before it has one."""
        return self._held

    def holder(self) -> str:
        """Return this kernel's name as a holder of jobs. Raises `LogError` if the database is unreachable."""
        with self._guard:
            if self._held and time.monotonic() - self._at > LEASE / 2:
                self._beat()
            if self._held is None:
                name = f"kernel-{secrets.token_hex(6)}"
                row = {"holder": name, "person": self._person, "host": socket.gethostname()[:100]}
                self._database.run(lambda connection: connection.execute(tables.NEW_KERNEL, row))
                self._held, self._at = name, time.monotonic()
            return self._held

    def beat(self) -> None:
        """Send a heartbeat if this kernel holds anything. Raises `LogError` if the database is unreachable."""
        with self._guard:
            if self._held:
                self._beat()

    def alive(self, holder: str) -> bool:
        """Return whether a holder's kernel is alive."""
        given = {"holder": holder, "lease": LEASE}
        return bool(self._database.run(lambda connection: connection.execute(tables.IS_ALIVE, given).fetchone()[0]))

    def members(self) -> list[tuple[str, str, int, float]]:
        """Return the active members: person, host, kernels, seconds since the last heartbeat."""
        given = {"lease": LEASE}
        return self._database.run(lambda connection: connection.execute(tables.MEMBERS, given).fetchall())

    def release(self) -> None:
        """Give up this kernel's name; from then on other kernels may take over its unfinished jobs."""
        with self._guard:
            held, self._held = self._held, None
        if held:
            with contextlib.suppress(LogError):
                self._database.run(
                    lambda connection: connection.execute("DELETE FROM kernels WHERE holder = %s", [held])
                )

    def _beat(self) -> None:
        given = {"holder": self._held, "lease": LEASE}
        if self._database.run(lambda connection: connection.execute(tables.BEAT, given).fetchone()):
            self._at = time.monotonic()
        else:
            _log.warning("this kernel sent no heartbeat for %d s: others may have taken over its jobs", LEASE)
            self._held = None
