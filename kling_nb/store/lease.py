"""Which kernel runs a job: each holds one lock as long as it lives, and a record names its holder.

The system frees the lock when a kernel is killed, so that others can tell a dead holder from a busy one.
"""

from __future__ import annotations

import secrets
import threading
from pathlib import Path

from filelock import FileLock, Timeout

from kling_nb.store.disk import written_in


class Lease:
    """This process's lock in a log's folder, acquired at the first call of `holder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "locks"
        self._guard = threading.Lock()
        self._held: tuple[str, FileLock] | None = None
        self.kind = "kernel"
        """The kind of this process: a `server` gives its jobs to a kernel that asks for them."""

    def holder(self) -> str:
        """Return this process's name as a holder. Raises `LogError` if the folder cannot be written."""
        with self._guard:
            if self._held is None:
                with written_in(self._folder.parent):
                    self._folder.mkdir(parents=True, exist_ok=True)
                    name = f"{self.kind}-{secrets.token_hex(6)}"
                    lock = FileLock(self._folder / f"{name}.lock", timeout=0, thread_local=False)
                    lock.acquire()
                self._held = (name, lock)
            return self._held[0]

    def alive(self, holder: str) -> bool:
        """Return whether a holder's process is alive; the file of a dead one is removed."""
        if self._held and holder == self._held[0]:
            return True
        file = self._folder / f"{Path(holder).name}.lock"
        if not file.exists():
            return False
        try:
            with FileLock(file, timeout=0, thread_local=False):
                file.unlink(missing_ok=True)
        except Timeout:
            return True
        return False

    def ask_for(self, holder: str) -> None:
        """Ask a server to give up its jobs; a kernel keeps its own."""
        if holder.startswith("server-") and self.alive(holder):
            (self._folder / f"{Path(holder).name}.wanted").touch()

    @property
    def wanted(self) -> bool:
        """Whether a kernel has asked for this process's jobs."""
        return bool(self._held and (self._folder / f"{self._held[0]}.wanted").exists())

    def release(self) -> None:
        """Release the lock; from then on other kernels may take over this process's unfinished jobs."""
        with self._guard:
            if self._held:
                name, lock = self._held
                self._held = None
                for ending in ("lock", "wanted"):
                    (self._folder / f"{name}.{ending}").unlink(missing_ok=True)
                lock.release()
