"""`Researching`: the verbs of experiments."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kling_nb import errors
from kling_nb.engine.job import Job
from kling_nb.links import notebook_path
from kling_nb.logbook.store import UNSET
from kling_nb.making import Making
from kling_nb.models.lint import parse
from kling_nb.models.problem import Problem
from kling_nb.models.record import Record
from kling_nb.models.request import TARGET, TYPED, Request, given_in

if TYPE_CHECKING:
    from kling_nb.research.axes import How
    from kling_nb.research.desk import Desk
    from kling_nb.research.spending import Budget, By, Spending
    from kling_nb.research.sweep import Plan


class Researching(Making):
    """Experiments: series of requests, and what they cost."""

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

    # --- inside ---

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
