"""`Researching`: the verbs of experiments."""

from __future__ import annotations

import contextlib
import getpass
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kling_nb import errors
from kling_nb.engine.job import Job
from kling_nb.exchange.selection import Planned, records_of
from kling_nb.making import Making, warn_of
from kling_nb.models.lint import parse
from kling_nb.models.messages import short_repr
from kling_nb.models.price import Estimate
from kling_nb.models.problem import Problem, error
from kling_nb.models.record import Record
from kling_nb.models.request import TARGET, TYPED, Request, given_fields
from kling_nb.notebook.location import notebook_path
from kling_nb.store.log import UNSET

if TYPE_CHECKING:
    from kling_nb.exchange.selection import Handed
    from kling_nb.scoring.ranking import Ranking
    from kling_nb.scoring.scoring import Scored
    from kling_nb.sweeps.axes import How
    from kling_nb.sweeps.desk import Desk
    from kling_nb.sweeps.plan import Plan
    from kling_nb.sweeps.spending import Budget, By, Spending
    from kling_nb.ui.vote import VoteView


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
        each so many times. Raises `RequestError` when the sweep itself makes no sense, and warns of what looks like a
        slot and is none (`RequestWarning`).
        """
        from kling_nb.sweeps.axes import points
        from kling_nb.sweeps.design import Drafting
        from kling_nb.sweeps.plan import Plan

        if isinstance(base, Record):
            base = self.request_of(base)
        fields = (
            given_fields(base) if isinstance(base, Request) else {"prompt": base} if isinstance(base, str) else base
        )
        _is_mapping(fields, "a prompt, fields in a dict, or a request")
        _is_mapping(axes, "axes in a dict")
        chosen = points({**(axes or {}), **more}, how=how, rows=rows, draws=draws, seed=seed)
        design = Drafting(fields or {}, self._checked).design(chosen, repeat=repeat)
        warn_of(design.doubts)
        if not self.parts.settings.local:
            for model in {cell.request.model for cell in design.wanted if cell.request}:
                with contextlib.suppress(errors.HubError, errors.WaitTimeout):
                    self.model(model)  # its live price; without an answer the documentation's holds
        return Plan(design, self._desk())

    def plan(self, plan_id: str) -> Plan:
        """Return a plan that was run before, here or by whoever handed it on, by its id or the beginning of it.

        The log keeps each from its first run: its cells, with their requests and pictures. It shows itself, goes on,
        and gives its clips as the sweep did that made it. Raises `LogError`, with the plans there are.
        """
        from kling_nb.sweeps.files import design_of
        from kling_nb.sweeps.plan import Plan

        return Plan(design_of(self.store.plans.get(plan_id), self.store.read), self._desk())

    def budget(
        self, *, job: Any = UNSET, notebook: Any = UNSET, day: Any = UNSET, total: Any = UNSET, unknown_ok: Any = UNSET
    ) -> Budget:
        """Set limits in dollars (None: no limit) and show them all, with what is left.

        For one `job`, for each `notebook`, for a `day`, for the log in `total`. They are kept in the log and hold in
        every kernel that shares it. `unknown_ok` lets pass what nobody gives a price for. Raises `SettingsError`.
        """
        from kling_nb.sweeps.spending import Budget

        given = {"job": job, "notebook": notebook, "day": day, "total": total, "unknown_ok": unknown_ok}
        changes = {name: value for name, value in given.items() if value is not UNSET}
        if changes:
            self.store.budget.change(lambda limits: limits.changed(**changes))
        here = notebook_path()
        return Budget.of(self.store.budget, here.name if here else None)

    def spending(self, by: By = "day") -> Spending:
        """Return what was spent by `day`, `notebook`, `model`, `plan` or `tag`; the uncertain is kept apart."""
        from kling_nb.sweeps.spending import Spending

        return Spending.of(self.store.budget.entries(), by)

    def vote(self, selection: Handed, *, who: str | None = None, seed: int | None = None) -> VoteView:
        """Show two clips of a plan (or of some records) at a time, hidden and shuffled; one key press each.

        Left, right, down for a tie, s to skip, u to take the last one back. Votes go to the log, with who, when and the
        seed of the order. Raises `KlingError` for fewer than two clips.
        """
        from kling_nb.scoring.ballot import Ballot
        from kling_nb.ui.vote import VoteView

        ballot = Ballot(
            records_of(selection, self.store.get), self.store.votes, who=who or getpass.getuser(), seed=seed
        )

        def read(record_id: str) -> bytes | None:
            clip = self.store.get(record_id).clip
            return self.store.read(clip.digest) if clip else None

        return VoteView(ballot, read)

    def ranking(self, selection: Handed, by: str | None = None) -> Ranking:
        """Rank what was voted on: a plan's cells, or its values on the axis `by`; of records, each by itself, or by a
        column of `kn.log().rows()` (`by="prompt"`).

        Bradley-Terry strengths with bootstrap intervals; says so when the votes are too few to tell. Needs the extra
        `metrics`. Raises `KlingError`.
        """
        from kling_nb.models.row import COLUMNS, row_of
        from kling_nb.scoring.ranking import ranking

        records = records_of(selection, self.store.get)
        if isinstance(selection, Planned):
            items = selection.labels(by)
        elif by is None:
            items = {record.id: record.id for record in records}
        elif by in COLUMNS:
            items = {record.id: str(row_of(record)[by]) for record in records}
        else:
            raise errors.KlingError(f"there is no column {by!r}: use one of {', '.join(COLUMNS)}")
        return ranking(self.store.votes.all(), items)

    def score(
        self, selection: Handed, /, *scorers: str | Callable[..., Any], again: bool = False, limit: float = 120
    ) -> Scored:
        """Score clips by these scorers (all of `kn.scorers` without any) and return the numbers as a table.

        Takes a plan, the log, records, clips, jobs or ids. What the log has of a clip, scorer and version is not
        computed anew unless `again`; what is found goes to the log at once, and `record.scores` has it. Each scorer may
        take `limit` seconds for a clip. It runs in processes of its own, and one that fails is said beside the others'
        numbers. Needs the extra `metrics`. Raises `KlingError` for an unknown scorer.
        """
        from kling_nb.scoring.registry import scorers as known
        from kling_nb.scoring.scoring import Scoring

        records = [record for record in records_of(selection, self.store.get) if record.clip is not None]
        chosen, line = known.named(scorers), self.parts.screen.line()

        def told(done: int, total: int) -> None:
            line(f"Scoring: {done} of {total}" if done < total else f"Scored: {total} numbers worked out")

        scoring = Scoring(self.store, records, chosen, again=again, seconds=limit, told=told)
        scoring.run()
        labels = selection.labels() if isinstance(selection, Planned) else {}
        return scoring.table(labels, self.parts.screen.links.poster)

    # --- inside ---

    def _desk(self) -> Desk:
        from kling_nb.sweeps.desk import Desk

        def begin(request: Request, *, plan: str, cell: str, agreed: Estimate | None) -> Job:
            return self.start(request, plan=plan, cell=cell, agreed=agreed)[0]

        parts = self.parts
        return Desk(
            store=parts.store,
            screen=parts.screen,
            loop=self._loop,
            hub=parts.connection.main.name,
            begin=begin,
            adopt=self._adopt_one,
            price=parts.connection.estimate,
            bind=self.bind,
        )

    def _checked(self, fields: Mapping[str, Any]) -> tuple[Request | None, list[Problem]]:
        """Parse the fields of a cell; the model's price and schema are asked for once."""
        name, connection = str(fields.get("model", TARGET)), self.parts.connection
        model = connection.catalogue.cached(name)
        if model is None and name not in TYPED:
            model = self.model(name)
        return parse(fields, model)

    def _adopt_one(self, record: Record) -> Job | None:
        if (job := self.parts.engine.jobs.get(record.id)) and not job.done:
            return job
        taken = self.store.take(record.id)
        jobs = self._adopt([taken]) if taken else []
        return next((job for job in jobs if job.id == record.id), None)


def _is_mapping(given: Any, meant: str) -> None:
    """Raise `RequestError` for what is given and no mapping."""
    if not (given is None or isinstance(given, Mapping)):
        said = error((), f"{short_repr(given)} is nothing to sweep over", f"give {meant}; axes as field=[...]")
        raise errors.RequestError([said])
