"""Downloads the clips of jobs whose kernels have ended, if the user has switched that on. It never sends a request.

A job is taken over only after its hub has confirmed it with the server's key. A kernel that calls `kn.resume()` gets it
back immediately.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from pathlib import Path

from kling_nb import generation
from kling_nb.connection import PATIENCE
from kling_nb.engine.job import Job
from kling_nb.errors import KlingError
from kling_nb.lab.hubs import session_of
from kling_nb.lab.logs import Logs
from kling_nb.lab.team import is_team
from kling_nb.models.record import Record
from kling_nb.session import Session

_log = logging.getLogger(__name__)
#: The states in which a clip is paid for and the hub knows the job.
_BROUGHT = ("queued", "processing", "downloading")
#: Seconds until a log is tried again whose hub did not confirm its jobs, or whose jobs a kernel asked for.
_PAUSE, _YIELD = 60.0, 5.0


class Downloads:
    """The jobs that the server has taken over. Its methods block, and are called from one thread at a time."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs
        self._carried: dict[Path, tuple[Session, list[Job]]] = {}
        self._not_before: dict[Path, float] = {}

    @property
    def busy(self) -> bool:
        """Whether the server follows any job."""
        return bool(self._carried)

    def look(self, notebooks: Iterable[str]) -> None:
        """Take over the jobs that no running process holds, in every known log."""
        for folder in self._logs.known(notebooks).values():
            if time.monotonic() < self._not_before.get(folder, 0) or folder in self._carried:
                continue
            if is_team(folder):  # its kernels take over the jobs of each other
                continue
            try:
                self._take(folder)
            except (KlingError, OSError, TimeoutError) as exc:
                _log.warning("kling_nb cannot download the clips of %s: %s", folder, exc)
                self._not_before[folder] = time.monotonic() + _PAUSE

    def give_up(self, *, everything: bool = False) -> None:
        """Release the logs whose jobs are done, or wanted by a kernel."""
        for folder, (session, jobs) in list(self._carried.items()):
            wanted = session.store.lease.wanted
            if everything or wanted or all(job.done for job in jobs):
                del self._carried[folder]
                session.close()
                self._not_before[folder] = time.monotonic() + (_YIELD if wanted else 0)

    def _take(self, folder: Path) -> None:
        log = self._logs.log(folder)
        left = [record for record in log.unfinished() if record.status in _BROUGHT and record.generation_id]
        left = [record for record in left if not (record.holder and log.lease.alive(record.holder))]
        if not left:
            return
        session = session_of(folder)
        try:
            session.store.lease.kind = "server"
            proven = [record for record in left if _answers(session, record)]
            jobs = generation.take_over(session, proven)
        except BaseException:
            session.close()
            raise
        if jobs:
            self._carried[folder] = session, jobs
        else:
            session.close()
            self._not_before[folder] = time.monotonic() + _PAUSE


def _answers(session: Session, record: Record) -> bool:
    """Return whether the hub confirms a job with the key in use."""
    engine = session.engine_of(record)
    if engine is None:
        return False
    try:
        engine.look(record.generation_id or "").result(PATIENCE)
    except (KlingError, TimeoutError) as exc:
        _log.warning("kling_nb leaves job %s alone: %s", record.id, exc or "the hub does not answer")
        return False
    return True
