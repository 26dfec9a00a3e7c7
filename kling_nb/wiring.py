"""`Wiring`: what a studio is made of, put together at the first use. The parts of `Studio` stand on it."""

from __future__ import annotations

import atexit
import math
import os
import threading
import weakref
from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any, cast

from pydantic import SecretStr

from kling_nb import errors
from kling_nb.connection import PATIENCE, Connection, nothing_known
from kling_nb.engine.engine import DEADLINE, Engine
from kling_nb.engine.job import Job, Jobs
from kling_nb.engine.loop import BackgroundLoop
from kling_nb.engine.tracking import LOCAL_PACE, Pace
from kling_nb.errors import choose_from
from kling_nb.hubs.upload import UPLOAD_METHODS, UploadMethod
from kling_nb.models import restore
from kling_nb.models.judgements import Score
from kling_nb.models.record import Record
from kling_nb.models.request import Request
from kling_nb.notebook.display import Screen
from kling_nb.notebook.links import Links
from kling_nb.notebook.location import beside_notebook
from kling_nb.preferences import embed_of
from kling_nb.render import small_poster, small_thumbnail
from kling_nb.settings import Settings, read_settings
from kling_nb.store.log import Log

#: Kept in a forked process: SQLite must not close there what its parent opened.
_of_the_parent: list[Parts] = []


@dataclass(frozen=True)
class Parts:
    """What a studio is made of once it is used."""

    settings: Settings
    store: Log
    connection: Connection
    screen: Screen
    engine: Engine
    previews: Engine


class Wiring(ABC):
    """A hub, a log, and what lies between them. Making one opens nothing; the first use does.

    Raises `SettingsError` for an `upload` or a `deadline` that cannot be used; the others are read at the first use.
    """

    def __init__(
        self,
        *,
        key: str | SecretStr | None = None,
        hub: str | None = None,
        log: str | Path | None = None,
        upload: UploadMethod = "workbench",
        deadline: float = DEADLINE,
    ) -> None:
        # A key is never held in the open: a traceback may show what an object is made of.
        secret = SecretStr(key) if isinstance(key, str) else key
        self._given: dict[str, Any] = {"key": secret, "hub": hub, "log": log}
        self._upload: UploadMethod = _way(upload)
        self._deadline: float = _seconds(deadline)
        self._loop = BackgroundLoop()
        self._guard = threading.RLock()
        self._parts: Parts | None = None
        self._closed = False
        self._beside = beside_notebook()
        if hasattr(os, "register_at_fork"):
            forked = weakref.WeakMethod(self._forked)
            os.register_at_fork(after_in_child=lambda: (wire := forked()) and wire())

    def __repr__(self) -> str:
        # The key is never shown, and of an address nobody knows yet whether a password stands in it.
        shown = {name: repr(str(value)) if name == "log" else "…" for name, value in self._given.items() if value}
        return f"Studio({', '.join(f'{name}={value}' for name, value in shown.items())})"

    @property
    def parts(self) -> Parts:
        """What it is made of, put together at the first use: the settings are read then."""
        with self._guard:
            if self._parts is None:
                self._parts = self._wired()
                # Before the loop is started, so that it is called after the loop has ended.
                last_words = weakref.WeakMethod(self._last_words)
                atexit.register(lambda: (say := last_words()) and say())
            return self._parts

    @property
    def store(self) -> Log:
        """The record store."""
        return self.parts.store

    def close(self) -> None:
        """Stop the background loop and close the log. Jobs at the hub go on; `resume` finds them."""
        self._loop.stop()
        self.store.close()
        self._closed = True

    # --- what records can do (`models.record.RecordActions`) ---

    def bind(self, record: Record) -> Record:
        """Make a record able to act."""
        return record.attach(self)

    def request_of(self, record: Record) -> Request:
        """Return the request that a record was made from, its pictures out of the log."""
        return restore.request_of(record, self.store.read)

    @abstractmethod
    def rerun(self, record: Record, changes: dict[str, Any]) -> Job | Jobs:
        """Run a record's request again, with changes; the new record names the old one."""

    @abstractmethod
    def save(self, record: Record, target: Path) -> Path:
        """Write a record's clip to a file of the user's, the record inside it."""

    @abstractmethod
    def reproducibility_of(self, record: Record) -> Any:
        """Return what can and cannot be had again from a record."""

    def scores_of(self, record: Record) -> dict[str, Score]:
        """Return what scorers have said of a record's clip, by their names."""
        return {score.name: score for score in self.store.scores.of([record]).get(record.id, [])}

    def bundle_of(self, record: Record) -> dict[str, Any]:
        """Return a record's card as a mimebundle."""
        return self.parts.screen.bundle(record, self.scores_of(record).values())

    # --- inside ---

    def _wired(self) -> Parts:
        settings = read_settings(**self._given, beside=self._beside)
        store = Log(settings.log)
        connection = Connection(settings, self._loop, store, self._upload)
        links = Links(
            store.folder, self._beside, store.file, small_poster, small_thumbnail, embed=lambda: embed_of(store)
        )
        screen = Screen(links)

        def engine(hub: Any, pace: Pace, describe: Any) -> Engine:
            made = Engine(
                hub,
                store,
                self._loop,
                pace,
                bind=self.bind,
                screen=screen,
                describe=describe,
                deadline=self._deadline,
            )
            self._loop.at_stop(made.aclose)
            return made

        main = engine(connection.main, connection.pace, connection.describe)
        return Parts(settings, store, connection, screen, main, engine(connection.previews, LOCAL_PACE, nothing_known))

    def _engine_of(self, record: Record) -> Engine | None:
        """Return who carries a record's job out; None for a job of another hub than the one that answers."""
        if record.kind == "preview":
            return self.parts.previews
        return self.parts.engine if record.hub == self.parts.connection.main.name else None

    def _wait(self, work: Any, patience: float = PATIENCE) -> Any:
        if self._loop.on_loop:
            raise errors.KlingError("this cannot be asked from the engine's own thread")
        future = self._loop.submit(work)
        try:
            return future.result(patience)
        except TimeoutError as exc:
            future.cancel()
            raise errors.WaitTimeout(f"The hub did not answer within {patience:.0f} s.") from exc

    def _last_words(self) -> None:
        """When the process ends: a script that does not wait must not seem to have lost what it asked for."""
        if self._parts and not self._closed:
            unfinished = sum(not job.record.ended for job in self._parts.engine.jobs.values())
            self._parts.screen.leave(unfinished, self._parts.store.folder)

    def _forked(self) -> None:
        """In a forked process: wire anew. The parent's sockets, locks and tasks are not the child's to use."""
        if self._parts:
            _of_the_parent.append(self._parts)
        self._parts = None
        self._loop, self._guard = BackgroundLoop(), threading.RLock()


def _way(upload: Any) -> UploadMethod:
    # Said here and not at the first picture: one way is a public repository, and no misspelling may lead there.
    if callable(upload) or (isinstance(upload, str) and upload in UPLOAD_METHODS):
        return cast("UploadMethod", upload)
    ways = choose_from(str(upload).replace("_", "-"), [*UPLOAD_METHODS, "a function that returns an address"])
    raise errors.SettingsError(f"upload={upload!r} is no way to upload: {ways}")


def _seconds(deadline: Any) -> float:
    if isinstance(deadline, bool) or not isinstance(deadline, Real) or not 0 < float(deadline) < math.inf:
        raise errors.SettingsError(
            f"deadline={deadline!r} is no time to wait: give seconds, more than 0, such as 1800."
        )
    return float(deadline)
