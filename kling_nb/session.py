"""`Session`: the parts of a studio, wired at first use. This is the only module that wires."""

from __future__ import annotations

import atexit
import contextlib
import math
import os
import threading
import weakref
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from kling_nb.connection import PATIENCE, ConnectedHub, Connection, nothing_known
from kling_nb.engine.engine import Engine
from kling_nb.engine.loop import BackgroundLoop
from kling_nb.engine.pace import LOCAL_PACE, Pace
from kling_nb.engine.sender import Describe
from kling_nb.errors import (
    ArgumentError,
    HubError,
    KlingError,
    LogError,
    ModelNotFound,
    RequestError,
    SettingsError,
    WaitTimeout,
    did_you_mean,
)
from kling_nb.hubs.providers import AnyHub
from kling_nb.hubs.upload import UPLOAD_METHODS, UploadMethod
from kling_nb.models.catalogue import Model
from kling_nb.models.messages import check_text
from kling_nb.models.record import Record
from kling_nb.notebook.cells import CellJobs
from kling_nb.notebook.display import Display
from kling_nb.notebook.links import Links
from kling_nb.notebook.location import beside_notebook, notebook_path
from kling_nb.preferences import embed_of
from kling_nb.render.images import small_poster, small_thumbnail
from kling_nb.settings import Settings, check_given, read_settings
from kling_nb.store.log import Log, team_of
from kling_nb.store.other_logs import log_with, moved_text, remember

if TYPE_CHECKING:
    from kling_nb.actions import StudioActions

T = TypeVar("T")

#: Kept in a forked process: SQLite must not close there what its parent opened.
_inherited: list[Parts] = []


@dataclass(frozen=True)
class Parts:
    """The members of a session that exist after the first use."""

    settings: Settings
    store: Log
    connection: Connection
    display: Display
    engines: dict[str, Engine]


class Session:
    """A hub, a log and an engine, wired at the first use; making one opens nothing.

    Args:
        actions: Makes what records, selections and plans call; it takes this session.
        given: The arguments `key`, `hub` and `log` of a `Studio`, which override the environment.
        upload, deadline: See `Studio`.
        beside: The folder for `.env` and the log; by default that of the notebook of this kernel.

    Raises:
        SettingsError: A value is not valid. Those that are not given are read at the first use.
    """

    def __init__(
        self,
        actions: Callable[[Session], StudioActions],
        given: Mapping[str, Any],
        upload: UploadMethod,
        deadline: float,
        beside: Path | None = None,
    ) -> None:
        check_given(**given)
        self.given = given
        self.actions = actions(self)
        self.loop = BackgroundLoop()
        self.upload: UploadMethod = _upload_method(upload)
        self._deadline = _seconds(deadline)
        self._lock = threading.RLock()
        self._parts: Parts | None = None
        self._closed = False
        self._has_records = False
        """Whether the log was seen with a record, so that it is not counted before every request."""
        self.cells = CellJobs()
        self._folder = beside or beside_notebook()
        if hasattr(os, "register_at_fork"):
            forked = weakref.WeakMethod(self._forked)
            os.register_at_fork(after_in_child=lambda: (wire := forked()) and wire())

    @property
    def parts(self) -> Parts:
        """All members at once, made at the first use."""
        with self._lock:
            if self._parts is None:
                self._parts = self._wired()
                # Before the loop is started, so that it is called after the loop has ended.
                at_exit = weakref.WeakMethod(self._at_exit)
                atexit.register(lambda: (report := at_exit()) and report())
            return self._parts

    @property
    def settings(self) -> Settings:
        """The settings in use and where each came from."""
        return self.parts.settings

    @property
    def store(self) -> Log:
        """The record store."""
        return self.parts.store

    @property
    def connection(self) -> Connection:
        """The hubs, the catalogue and its prices."""
        return self.parts.connection

    @property
    def display(self) -> Display:
        """Live rows, cards and tables in cells."""
        return self.parts.display

    @property
    def engine(self) -> Engine:
        """The engine of the hub in use."""
        return self.engine_at(self.connection.selected)

    def engine_at(self, hub: ConnectedHub) -> Engine:
        """Return the engine of a hub."""
        return self._engine(hub.name, hub.hub, hub.pace, hub.describe)

    def previews_at(self, hub: ConnectedHub) -> Engine:
        """Return the engine of free previews, drawn by the stand-in of a hub's provider."""
        provider = hub.hub.provider
        return self._engine(f"preview {provider}", self.connection.previews[provider], LOCAL_PACE, nothing_known)

    def engine_of(self, record: Record) -> Engine | None:
        """Return the engine that runs a record's job; None if it belongs to a hub that cannot be used now."""
        if record.kind == "preview":
            label = record.canonical.get("hub")
            with contextlib.suppress(RequestError):  # the hub that it names cannot be used any more
                return self.previews_at(self.connection.choose(label if isinstance(label, str) else None, record.model))
            return None
        hub = self.connection.of_record(record)
        return None if hub is None else self.engine_at(hub)

    def _engine(self, name: str, hub: AnyHub, pace: Pace, describe: Describe) -> Engine:
        parts = self.parts
        with self._lock:
            if name not in parts.engines:
                made = parts.engines[name] = Engine(
                    hub,
                    parts.store,
                    self.loop,
                    pace,
                    bind=self.bind,
                    display=parts.display,
                    describe=describe,
                    deadline=self._deadline,
                )
                self.loop.at_stop(made.aclose)
            return parts.engines[name]

    def bind(self, record: Record) -> Record:
        """Return the record with its actions (`rerun`, `save`, `diff` …) connected to this session."""
        return record.attach(self.actions)

    def model(self, model_id: str, hub: ConnectedHub | None = None) -> Model:
        """Return a model of a hub's catalogue, asking the hub unless it has answered lately.

        Raises:
            ModelNotFound: The hub does not have it; the exception has alternatives.
            HubError, WaitTimeout: The hub cannot be asked, and has never described the model before.
        """
        check_text("model_id", model_id)
        hub = hub or self.connection.choose(None, model_id)
        catalogue = hub.catalogue
        if model := catalogue.cached(model_id, fresh=True):
            return model
        try:
            return self.wait(catalogue.model(model_id), hub.patience, hub.name)
        except ModelNotFound:
            raise
        except (HubError, WaitTimeout):
            if model := catalogue.cached(model_id):  # an old price is better than none
                return model
            raise

    def moved(self) -> str:
        """Return where records of this notebook are while this log has none; empty if it has, or there are none."""
        try:
            self._has_records = self._has_records or bool(self.store.count(kind=None))
        except LogError:  # a hint: what needs the index raises the error itself
            return ""
        if self._has_records:
            return ""
        notebook = notebook_path()
        return moved_text(self.store.folder, self._folder, notebook.name if notebook else None)

    def other_log_with(self, record_id: str) -> Log | None:
        """Return another log of this user that has a record; None if there is none."""
        return log_with(record_id)

    def wait(self, work: Coroutine[Any, Any, T], patience: float = PATIENCE, name: str = "") -> T:
        """Run a coroutine on the engine's loop and return its result.

        Raises:
            WaitTimeout: It took longer than `patience` seconds.
        """
        if self.loop.on_loop:
            work.close()
            raise KlingError("Cannot block on the hub from the event-loop thread.")
        future = self.loop.submit(work)
        try:
            return future.result(patience)
        except TimeoutError as exc:
            future.cancel()
            name = name or self.connection.main.name
            raise WaitTimeout(f"The hub ({name}) has not answered for {patience:.0f} s.") from exc

    def close(self) -> None:
        """Stop the background loop and close the log. Jobs at the hub continue; `resume` finds them."""
        self.loop.stop()
        self.store.close()
        self._closed = True

    def check_settings(self) -> None:
        """Read the settings, except for the keyring, which may ask the user. Raises `SettingsError`."""
        log_of(read_settings(**self.given, beside=self._folder, keyring=False))

    def _wired(self) -> Parts:
        settings = read_settings(**self.given, beside=self._folder)
        store = log_of(settings)
        connection = Connection(settings, self.loop, store, self.upload)
        links = Links(
            store.folder,
            self._folder,
            store.shown_file,
            store.read,
            small_poster,
            small_thumbnail,
            fetch=store.media_file,
            missing=store.missing_text,
            embed=lambda: embed_of(store),
        )
        display = Display(links, self.actions.show_jobs, self.actions.jobs_view, self.actions.card_view)

        return Parts(settings, store, connection, display, {})

    def _at_exit(self) -> None:
        """Report unfinished jobs when the process ends: a script that does not wait must not seem to lose them."""
        if self._parts and not self._closed:
            paid = [engine for name, engine in self._parts.engines.items() if not name.startswith("preview")]
            unfinished = sum(not job.record.ended for engine in paid for job in engine.jobs.values())
            self._parts.display.leave(unfinished, self._parts.store.folder)

    def _forked(self) -> None:
        """Wire again in a forked process: the parent's sockets, locks and tasks must not be used there."""
        if self._parts:
            _inherited.append(self._parts)
        self._parts = None
        self.loop, self._lock = BackgroundLoop(), threading.RLock()


def log_of(settings: Settings) -> Log:
    """Return the log of the settings: a folder's, or a team's. Raises `SettingsError`."""
    if settings.database is None or settings.media is None:
        if team := team_of(settings.log):
            raise SettingsError(
                f"{settings.log} is the cache of the team's log in {team.get('database')}. Set KLING_NB_DATABASE and "
                "KLING_NB_MEDIA to use it, or choose another folder by KLING_NB_LOG."
            )
        return Log(settings.log, opened=remember)
    from kling_nb.store.team import TeamLog  # psycopg and obstore take 0.2 s to import

    try:
        database = settings.database.get_secret_value()
        return TeamLog(settings.log, database, settings.media, settings.user, opened=remember)
    except ArgumentError as exc:
        raise SettingsError(str(exc)) from None


def _upload_method(upload: Any) -> UploadMethod:
    # Checked here and not at the first image: one method is a public repository, and a typo must not lead there.
    if callable(upload) or (isinstance(upload, str) and upload in UPLOAD_METHODS):
        return cast("UploadMethod", upload)
    methods = f"Choose {', '.join(map(repr, UPLOAD_METHODS))} or a function that returns a URL."
    nearest = did_you_mean(str(upload).replace("_", "-"), UPLOAD_METHODS)
    raise SettingsError(f"Unknown upload method {upload!r}. {nearest.capitalize() or methods}")


def _seconds(deadline: Any) -> float:
    if isinstance(deadline, bool) or not isinstance(deadline, Real) or not 0 < float(deadline) < math.inf:
        raise SettingsError(f"deadline must be a positive number of seconds, got {deadline!r}.")
    return float(deadline)
