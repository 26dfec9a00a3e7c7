"""`Studio`: the one place that wires settings, hub, log, engine and views together. `kn.` speaks to a shared one."""

from __future__ import annotations

import contextlib
import datetime
import os
import threading
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kling_nb import errors
from kling_nb.connection import PATIENCE, Connection, nothing_known
from kling_nb.engine.engine import DEADLINE, Engine
from kling_nb.engine.intent import records_for, sibling
from kling_nb.engine.job import Job
from kling_nb.engine.jobs import Jobs
from kling_nb.hubs.upload import Way
from kling_nb.links import Links, notebook_path
from kling_nb.logbook.selection import Selection
from kling_nb.logbook.store import UNSET, Log
from kling_nb.loop import BackgroundLoop
from kling_nb.models import restore
from kling_nb.models.catalogue import Model
from kling_nb.models.lint import lint, parse
from kling_nb.models.price import Estimate, estimate
from kling_nb.models.problem import Problem
from kling_nb.models.record import Kind, Record
from kling_nb.models.request import TARGET, TYPED, HubRequest, Request, given_in
from kling_nb.pace import LOCAL_PACE, Pace
from kling_nb.render import HubInfo, small_poster, small_thumbnail
from kling_nb.screen import Problems, Screen
from kling_nb.settings import Settings, read_settings

if TYPE_CHECKING:
    from kling_nb.curating import Curating
    from kling_nb.research.axes import How
    from kling_nb.research.desk import Desk
    from kling_nb.research.spending import Budget, By, Spending
    from kling_nb.research.sweep import Plan
    from kling_nb.views.compare import CompareView
    from kling_nb.views.gallery import Gallery
    from kling_nb.views.panel import Panel

#: Seconds that the start of the local hub may keep a cell waiting, beside the question itself.
_START = 20.0


@dataclass(frozen=True)
class Parts:
    """What a studio is made of once it is used."""

    settings: Settings
    store: Log
    connection: Connection
    screen: Screen
    engine: Engine
    previews: Engine


class Studio:
    """A hub, a log, and everything between them. Making one opens nothing; the first use does.

    `key`, `hub` and `log` overrule the environment (`OXEN_API_KEY`, `KLING_NB_HUB`, `KLING_NB_LOG`). `upload` says how
    local pictures reach the hub; `deadline` is how long, in seconds, a job may run before the hub is asked to stop it.
    """

    def __init__(
        self,
        *,
        key: str | None = None,
        hub: str | None = None,
        log: str | Path | None = None,
        upload: Way = "workbench",
        deadline: float = DEADLINE,
    ) -> None:
        self._given: dict[str, Any] = {"key": key, "hub": hub, "log": log}
        self._upload: Way = upload
        self._deadline = deadline
        self._loop = BackgroundLoop()
        self._guard = threading.RLock()
        self._parts: Parts | None = None
        self._beside = Path.cwd()
        if hasattr(os, "register_at_fork"):
            forked = weakref.WeakMethod(self._forked)
            os.register_at_fork(after_in_child=lambda: (wire := forked()) and wire())

    # --- making clips ---

    def generate(self, request: Request | str | None = None, /, **fields: Any) -> Job | Jobs:
        """Start a generation and return its job at once; with `num_generations` above 1, all of them as `Jobs`.

        Takes a request, or a prompt and the fields of `ReferenceToVideo` (another `model=` by its own fields).
        Raises `RequestError` with every fault before anything is spent.
        """
        return self._start(self.request(request, **fields), "result")

    def preview(self, request: Request | str | None = None, /, **fields: Any) -> Job | Jobs:
        """Draw the request's animatic on the local hub: free, about as long as it takes to draw. Never a result."""
        single = {**fields, "num_generations": 1}
        whole = self.request(request, **fields) if isinstance(request, Request) else self.request(request, **single)
        return self._start(whole.model_copy(update={"num_generations": 1}), "preview")

    def gather(self, *jobs: Job | Iterable[Job]) -> Jobs:
        """Join jobs: `kn.gather(a, b).result()` waits for all; so does `await kn.gather(a, b)`."""
        each = [job for given in jobs for job in ((given,) if isinstance(given, Job) else given)]
        return Jobs.of(each, self.parts.screen)

    def request(self, request: Request | Record | str | None = None, /, **fields: Any) -> Request:
        """Return the checked request that the arguments make. Raises `RequestError` with every fault at once."""
        if isinstance(request, Record):
            request = self.request_of(request)
        if isinstance(request, Request):
            fields = {**given_in(request), **fields}
        elif request is not None:
            fields = {"prompt": request, **fields}
        whole, problems = parse(fields)
        if isinstance(whole, HubRequest):
            problems = lint(whole, self.model(whole.model))
        faults = [problem for problem in problems if problem.severity == "error"]
        if whole is None or faults:
            raise errors.RequestError(faults)
        return whole

    def lint(self, request: Request | Mapping[str, Any] | str | None = None, /, **fields: Any) -> Problems:
        """Return every problem of a request, errors and warnings, without sending anything."""
        if isinstance(request, str):
            request = {"prompt": request}
        return Problems(lint(request if isinstance(request, Request) else {**(request or {}), **fields}))

    def price(self, request: Request | str | None = None, /, **fields: Any) -> Estimate:
        """Return what a request would cost, by the hub's live price where it answers."""
        whole = self.request(request, **fields)
        with contextlib.suppress(errors.HubError, errors.WaitTimeout):
            self.model(whole.model)
        return self.parts.connection.estimate(whole)

    def resume(self) -> Jobs:
        """Bring back every unfinished job of this log, fetch what finished meanwhile, and return them.

        Jobs that another living kernel carries out are left to it. Nothing that may have been sent is sent again.
        """
        batches: dict[str, list[Record]] = {}
        for record in self.store.unfinished():
            if self._engine_of(record) is not None and (taken := self.store.take(record.id)):
                batches.setdefault(record.batch, []).append(taken)
        jobs = [job for records in batches.values() for job in self._adopt(records)]
        return Jobs.of(jobs, self.parts.screen)

    # --- experiments ---

    def sweep(
        self,
        base: Request | Record | Mapping[str, Any] | str | None = None,
        axes: Mapping[str, Any] | None = None,
        /,
        *,
        how: How = "grid",
        rows: Any = None,
        draws: int | None = None,
        seed: int = 0,
        repeat: int = 1,
        **more: Any,
    ) -> Plan:
        """Work out a series of requests, lint them all, and say what they would cost; `plan.run()` makes them.

        Every list is an axis: a field (`duration=[5, 10]`), a named slot of a prompt (`"{subject} walks"`, with
        `subject=[...]`), or in `axes` a field by its path (`{"multi_prompt.0.duration": [2, 3]}`). `how` is `grid`,
        `zip` or `random` (with `draws` and a `seed`); `rows` gives points as mappings or a DataFrame; `repeat` makes
        each so many times. Raises `RequestError` when the sweep itself makes no sense.
        """
        from kling_nb.research.axes import points
        from kling_nb.research.plan import Drafting
        from kling_nb.research.sweep import Plan

        if isinstance(base, Record):
            base = self.request_of(base)
        fields = given_in(base) if isinstance(base, Request) else {"prompt": base} if isinstance(base, str) else base
        chosen = points({**(axes or {}), **more}, how=how, rows=rows, draws=draws, seed=seed)
        design = Drafting(fields or {}, self._checked).design(chosen, repeat=repeat)
        if not self.parts.settings.local:
            for model in {cell.request.model for cell in design.wanted if cell.request}:
                with contextlib.suppress(errors.HubError, errors.WaitTimeout):
                    self.model(model)  # its live price; without an answer the documentation's holds
        return Plan(design, self._desk())

    def budget(
        self, *, job: Any = UNSET, notebook: Any = UNSET, day: Any = UNSET, total: Any = UNSET, unknown_ok: Any = UNSET
    ) -> Budget:
        """Set limits in dollars (None: no limit) and show them all, with what is left.

        For one `job`, for each `notebook`, for a `day`, for the log in `total`. They are kept in the log and hold in
        every kernel that shares it. `unknown_ok` lets pass what nobody gives a price for. Raises `SettingsError`.
        """
        from kling_nb.research.spending import Budget

        given = {"job": job, "notebook": notebook, "day": day, "total": total, "unknown_ok": unknown_ok}
        changes = {name: value for name, value in given.items() if value is not UNSET}
        if changes:
            self.store.purse.change(lambda limits: limits.changed(**changes))
        here = notebook_path()
        return Budget.of(self.store.purse, here.name if here else None)

    def spending(self, by: By = "day") -> Spending:
        """Return what was spent by `day`, `notebook`, `model`, `plan` or `tag`; the uncertain is kept apart."""
        from kling_nb.research.spending import Spending

        return Spending.of(self.store.purse.entries(), by)

    # --- looking ---

    def panel(self, source: Request | Record | Mapping[str, Any] | str | None = None) -> Panel:
        """Return the panel that builds a request; filled from a request, a record or fields when given.

        A text is read as code: a cURL command, a JSON body or a Python call. What of it was not understood is listed.
        """
        from kling_nb.actions import Actions
        from kling_nb.views.panel import Panel

        request = self.request_of(source) if isinstance(source, Record) else source
        parts = self.parts
        actions = Actions(parts.settings, parts.connection, parts.store, self._loop, self.start)
        return Panel(actions, request)

    def log(self, **filters: Any) -> Selection:
        """Return the records that pass the filters, newest first; see `Selection`."""
        chosen = {"kind": "result", **filters}
        return Selection(self.store, chosen, bind=self.bind, show=self.parts.screen.table)

    def gallery(self, **filters: Any) -> Gallery:
        """Return the log's clips as a gallery: find, play, rate, tag, compare, make again. Filters as for `log`."""
        from kling_nb.views.gallery import Gallery

        chosen: dict[str, Any] = {"kind": "result", **filters}
        self.store.find(limit=0, **chosen)  # a wrong filter is said here, not when it is shown
        return Gallery(self._curating(), chosen)

    def compare(self, *clips: Any) -> CompareView:
        """Play 2 to 9 clips as one, with what tells them apart: records, clips, jobs, ids, or lists of them.

        Raises `KlingError` for fewer or more, and for one that has no clip.
        """
        from kling_nb.views.compare import CompareView

        curating = self._curating()
        return CompareView(curating.comparison(curating.records_of(clips)), curating.clip)

    def hub(self) -> HubInfo:
        """Say which hub answers, where the key came from (never the key), and whether the model is in its catalogue."""
        return self._wait(self.parts.connection.info(), PATIENCE + _START)

    def model(self, model_id: str) -> Model:
        """Return a model of the hub's catalogue. Raises `ModelNotFound` with alternatives, or another `HubError`."""
        return self.parts.connection.catalogue.seen(model_id) or self._wait(
            self.parts.connection.catalogue.model(model_id)
        )

    # --- the wiring ---

    @property
    def parts(self) -> Parts:
        """What it is made of, put together at the first use: the settings are read then."""
        with self._guard:
            if self._parts is None:
                self._parts = self._wired()
            return self._parts

    @property
    def store(self) -> Log:
        """The record store."""
        return self.parts.store

    def start(
        self,
        request: Request,
        kind: Kind = "result",
        rerun_of: str | None = None,
        *,
        plan: str | None = None,
        cell: str | None = None,
    ) -> list[Job]:
        """Write the intent and begin; what the panel's buttons call. Raises `BudgetError` when a limit refuses."""
        parts, notebook, preview = self.parts, notebook_path(), kind == "preview"
        local = preview or parts.settings.local
        records = records_for(
            request,
            hub="local" if local else parts.connection.main.base_url,
            local=local,
            kind=kind,
            estimate=estimate(request.draft(), free=True) if preview else parts.connection.estimate(request),
            now=datetime.datetime.now(datetime.UTC),
            notebook=notebook.name if notebook else None,
            rerun_of=rerun_of,
            plan=plan,
            cell=cell,
        )
        parts.store.purse.afford(records)
        return (parts.previews if preview else parts.engine).start(records, request)

    # --- what records can do (`models.record.Home`) ---

    def bind(self, record: Record) -> Record:
        """Make a record able to act."""
        return record.at(self)

    def request_of(self, record: Record) -> Request:
        """Return the request that a record was made from, its pictures out of the log."""
        return restore.request_of(record, self.store.read)

    def rerun(self, record: Record, changes: dict[str, Any]) -> Job | Jobs:
        """Run a record's request again, with changes; the new record names the old one."""
        request = self.request(self.request_of(record), **{"num_generations": 1, **changes})
        jobs = self.start(request, rerun_of=record.id)
        return jobs[0] if len(jobs) == 1 else Jobs.of(jobs, self.parts.screen)

    def bundle_of(self, record: Record) -> dict[str, Any]:
        """Return a record's card as a mimebundle."""
        return self.parts.screen.bundle(record)

    def close(self) -> None:
        """Stop the background loop and close the log. Jobs at the hub go on; `resume` finds them."""
        self._loop.stop()
        self.store.close()

    # --- inside ---

    def _wired(self) -> Parts:
        settings = read_settings(**self._given)
        store = Log(settings.log)
        connection = Connection(settings, self._loop, store, self._upload)
        notebook = notebook_path()
        beside = notebook.parent if notebook else self._beside
        screen = Screen(Links(store.folder, beside, store.file, small_poster, small_thumbnail))

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

    def _curating(self) -> Curating:
        from kling_nb.curating import Curating

        def start(request: Request, rerun_of: str) -> list[Job]:
            return self.start(self.request(request), rerun_of=rerun_of)

        parts, estimate = self.parts, self.parts.connection.estimate
        return Curating(parts.store, parts.screen.links, request_of=self.request_of, estimate=estimate, start=start)

    def _desk(self) -> Desk:
        from kling_nb.research.desk import Desk

        def begin(request: Request, *, plan: str, cell: str) -> Job:
            return self.start(request, plan=plan, cell=cell)[0]

        parts = self.parts
        return Desk(
            store=parts.store,
            screen=parts.screen,
            loop=self._loop,
            hub=parts.connection.main.base_url,
            begin=begin,
            adopt=self._adopt_one,
            price=parts.connection.estimate,
            bind=self.bind,
        )

    def _checked(self, fields: Mapping[str, Any]) -> tuple[Request | None, list[Problem]]:
        """Parse the fields of a cell; the model's price and schema are asked for once."""
        name, connection = str(fields.get("model", TARGET)), self.parts.connection
        model = connection.catalogue.seen(name)
        if model is None and name not in TYPED:
            model = self.model(name)
        return parse(fields, model)

    def _adopt_one(self, record: Record) -> Job | None:
        if (job := self.parts.engine.jobs.get(record.id)) and not job.over:
            return job
        taken = self.store.take(record.id)
        jobs = self._adopt([taken]) if taken else []
        return next((job for job in jobs if job.id == record.id), None)

    def _forked(self) -> None:
        """In a forked process: wire anew. The parent's sockets, locks and tasks are not the child's to use."""
        self._parts = None
        self._loop, self._guard = BackgroundLoop(), threading.RLock()

    def _start(self, request: Request, kind: Kind) -> Job | Jobs:
        jobs = self.start(request, kind)
        return jobs[0] if len(jobs) == 1 else Jobs.of(jobs, self.parts.screen)

    def _adopt(self, records: list[Record]) -> list[Job]:
        engine = self._engine_of(records[0])
        if engine is None:
            return []
        request: Request | None = None
        if any(record.status == "prepared" for record in records):
            with contextlib.suppress(errors.LogError):
                request = self.request_of(records[0])
            known = {record.index for record in self.store.find(batch=records[0].batch, kind=None)}
            first = next(record for record in records if record.status == "prepared")
            records = [*records, *(sibling(first, i) for i in range(first.generations) if i not in known)]
        return engine.adopt(records, request)

    def _engine_of(self, record: Record) -> Engine | None:
        """Return who carries a record's job out; None for a job of another hub than the one that answers."""
        if record.kind == "preview":
            return self.parts.previews
        return self.parts.engine if record.hub == self.parts.connection.main.base_url else None

    def _wait(self, work: Any, patience: float = PATIENCE) -> Any:
        if self._loop.on_loop:
            raise errors.KlingError("this cannot be asked from the engine's own thread")
        future = self._loop.submit(work)
        try:
            return future.result(patience)
        except TimeoutError as exc:
            future.cancel()
            raise errors.WaitTimeout(f"The hub did not answer within {patience:.0f} s.") from exc
