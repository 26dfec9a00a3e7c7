"""`Making`: the verbs that make clips."""

from __future__ import annotations

import contextlib
import datetime
import inspect
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic_core import PydanticCustomError

from kling_nb import errors
from kling_nb.connection import PATIENCE, changes_of
from kling_nb.engine.job import Job, Jobs
from kling_nb.engine.sending import records_for, sibling
from kling_nb.models.asset import Asset
from kling_nb.models.catalogue import Changes, Model
from kling_nb.models.fit import fit_image
from kling_nb.models.images import ImageError
from kling_nb.models.lint import lint, parse
from kling_nb.models.messages import short_repr
from kling_nb.models.price import Estimate, estimate
from kling_nb.models.problem import Problem, error, warning
from kling_nb.models.record import Kind, Record
from kling_nb.models.request import TARGET, HubRequest, Request, given_fields, request_type
from kling_nb.notebook.display import Problems
from kling_nb.notebook.location import notebook_path
from kling_nb.render import HubInfo
from kling_nb.wiring import Wiring

#: Seconds that the start of the local hub may keep a cell waiting, beside the question itself.
_START = 20.0


class Making(Wiring):
    """Requests: checked, priced, sent, brought back."""

    def generate(self, request: Request | Mapping[str, Any] | str | None = None, /, **fields: Any) -> Job | Jobs:
        """Start a generation and return its job at once; with `num_generations` above 1, all of them as `Jobs`.

        Takes a request, its fields in a dict (a preset), or a prompt and the fields of `ReferenceToVideo` (another
        `model=` by its own fields).
        Raises `RequestError` with every fault before anything is spent, and warns of each doubt (`RequestWarning`).
        """
        whole, doubts = self._judged(self._fields(request, fields))
        warn_of(doubts)
        return self._start(whole, "result")

    def preview(self, request: Request | Mapping[str, Any] | str | None = None, /, **fields: Any) -> Job | Jobs:
        """Draw the request's animatic on the local hub: free, about as long as it takes to draw. Never a result."""
        single = {**fields, "num_generations": 1}
        whole = self.request(request, **fields) if isinstance(request, Request) else self.request(request, **single)
        return self._start(whole.model_copy(update={"num_generations": 1}), "preview")

    def gather(self, *jobs: Job | Iterable[Job]) -> Jobs:
        """Join jobs: `kn.gather(a, b).result()` waits for all; so does `await kn.gather(a, b)`.

        Raises `KlingError` for what is no job.
        """
        return Jobs.of(_jobs_in(jobs), self.parts.screen)

    def request(self, request: Request | Record | Mapping[str, Any] | str | None = None, /, **fields: Any) -> Request:
        """Return the checked request that the arguments make. Raises `RequestError` with every fault at once."""
        return self._judged(self._fields(request, fields))[0]

    def lint(self, request: Request | Mapping[str, Any] | str | None = None, /, **fields: Any) -> Problems:
        """Return every problem of a request, errors and warnings, without sending anything.

        A model without a class here is checked against the catalogue's schema, where the hub can be asked for it.
        """
        whole = self._fields(request, fields)
        name, doubts = whole.get("model", TARGET), list[Problem]()
        if not isinstance(name, str) or request_type(name) is not HubRequest:
            return Problems(lint(whole))
        model: Model | None = None
        try:
            model = self.model(name)
        except errors.ModelNotFound as exc:
            doubts = [error(("model",), f"the hub does not know {short_repr(name)}", _instead(exc.alternatives))]
        except (errors.HubError, errors.WaitTimeout) as exc:
            doubts = [warning(("model",), f"its fields could not be checked: {exc}", "ask again when the hub answers")]
        return Problems(sorted([*doubts, *lint(whole, model)], key=lambda problem: problem.severity != "error"))

    def price(self, request: Request | Mapping[str, Any] | str | None = None, /, **fields: Any) -> Estimate:
        """Return what a request would cost, by the hub's live price where it answers."""
        whole = self.request(request, **fields)
        with contextlib.suppress(errors.HubError, errors.WaitTimeout):
            self.model(whole.model)
        return self.parts.connection.estimate(whole)

    def mend(self, picture: Any) -> Asset:
        """Return a picture so that the model takes it: converted, padded to a legal ratio, or made smaller.

        What was done stands in `.fixes`; the record keeps what was given too. Raises `RequestError` where no honest
        mend exists: a picture that is too small is not made larger.
        """
        try:
            return fit_image(Asset.parse(picture))
        except PydanticCustomError as exc:
            said = exc.context or {}
            raise errors.RequestError([error((), str(said.get("message")), str(said.get("remedy")))]) from exc
        except ImageError as exc:
            raise errors.RequestError([error((), str(exc), exc.remedy)]) from exc

    def resume(self) -> Jobs:
        """Bring back every unfinished job of this log, fetch what finished meanwhile, and return them.

        Jobs that another living kernel carries out are left to it, as are those of another hub; that is said. Nothing
        that may have been sent is sent again.
        """
        batches: dict[str, list[Record]] = {}
        elsewhere: list[str] = []
        held = 0
        for record in self.store.unfinished():
            if self._engine_of(record) is None:
                elsewhere.append(record.hub)
            elif taken := self.store.take(record.id):
                batches.setdefault(record.batch, []).append(taken)
            else:
                held += 1
        jobs = [job for records in batches.values() for job in self._adopt(records)]
        return Jobs.of(jobs, self.parts.screen, _passed_over(elsewhere, held))

    def rerun(self, record: Record, changes: dict[str, Any]) -> Job | Jobs:
        """Run a record's request again, with changes; the new record names the old one. Warns as `generate` does."""
        request, doubts = self._judged(self._fields(self.request_of(record), {"num_generations": 1, **changes}))
        warn_of(doubts)
        jobs = self.start(request, rerun_of=record.id)
        return jobs[0] if len(jobs) == 1 else Jobs.of(jobs, self.parts.screen)

    def hub(self) -> HubInfo:
        """Say which hub answers, where the key came from (never the key), and whether the model is in its catalogue."""
        return self._wait(self.parts.connection.info(), PATIENCE + _START)

    def model(self, model_id: str) -> Model:
        """Return a model of the hub's catalogue. Raises `ModelNotFound` with alternatives, or another `HubError`."""
        catalogue = self.parts.connection.catalogue
        if model := catalogue.cached(model_id, fresh=True):
            return model
        try:
            return self._wait(catalogue.model(model_id))
        except errors.ModelNotFound:
            raise
        except (errors.HubError, errors.WaitTimeout):
            if model := catalogue.cached(model_id):  # better an old price than none
                return model
            raise

    def changes(self, model_id: str = TARGET) -> Changes:
        """Return what in a model's live schema differs from the one that came with this package, a line for each.

        Fields that came or went, choices, limits, defaults. Raises `ModelNotFound` with alternatives, or another
        `HubError`.
        """
        return changes_of(self._wait(self.parts.connection.catalogue.model(model_id), PATIENCE + _START))

    def start(
        self,
        request: Request,
        kind: Kind = "result",
        rerun_of: str | None = None,
        *,
        plan: str | None = None,
        cell: str | None = None,
        tags: Sequence[str] = (),
        agreed: Estimate | None = None,
    ) -> list[Job]:
        """Write the intent and begin; what the panel's buttons call. Raises `BudgetError` when a limit refuses.

        `agreed` is the price that was said; without it, what is known now. Of a hub that asks for more by the time of
        sending nothing is bought.
        """
        parts, notebook, preview = self.parts, notebook_path(), kind == "preview"
        local = preview or parts.settings.local
        records = records_for(
            request,
            hub="local" if local else parts.connection.main.name,
            local=local,
            kind=kind,
            estimate=estimate(request.draft(), free=True) if preview else agreed or parts.connection.estimate(request),
            now=datetime.datetime.now(datetime.UTC),
            notebook=notebook.name if notebook else None,
            rerun_of=rerun_of,
            plan=plan,
            cell=cell,
            tags=tags,
        )
        parts.store.budget.afford(records)
        return (parts.previews if preview else parts.engine).start(records, request)

    # --- inside ---

    def _fields(
        self, request: Request | Record | Mapping[str, Any] | str | None, more: dict[str, Any]
    ) -> dict[str, Any]:
        if isinstance(request, Record):
            request = self.request_of(request)
        if isinstance(request, Request):
            return {**given_fields(request), **more}
        if isinstance(request, Mapping):
            return {**request, **more}
        if request is not None and "prompt" in more:  # which of the two was meant nobody knows
            said = f"there are two: {short_repr(request)} and {short_repr(more['prompt'])}"
            raise errors.RequestError([error(("prompt",), said, "keep one")])
        return more if request is None else {"prompt": request, **more}

    def _judged(self, fields: Mapping[str, Any]) -> tuple[Request, list[Problem]]:
        """Return the request that the fields make, and the doubts about it. Raises `RequestError`."""
        whole, problems = parse(fields)
        if isinstance(whole, HubRequest):
            problems = lint(whole, self.model(whole.model))
        faults = [problem for problem in problems if problem.severity == "error"]
        if whole is None or faults:
            raise errors.RequestError(faults)
        return whole, problems

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
            missing = (sibling(first, index) for index in range(first.generations) if index not in known)
            records = [*records, *(added for one in missing if (added := self.store.add(one)))]
        return engine.adopt(records, request)


def warn_of(doubts: Iterable[Problem]) -> None:
    """Warn of doubts at the line outside this package from which it was called, through however many verbs."""
    level, frame = 1, inspect.currentframe()
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        level, frame = level + 1, frame.f_back
    for doubt in doubts:
        warnings.warn(str(doubt), errors.RequestWarning, stacklevel=level)


def _instead(alternatives: Sequence[str]) -> str:
    return f"the catalogue has {', '.join(alternatives)}" if alternatives else "kn.hub() says which hub answers"


def _jobs_in(given: Any) -> Iterator[Job]:
    if isinstance(given, Job):
        yield given
    elif isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping | Record):
        for one in given:  # pyright: ignore[reportUnknownVariableType] -- whatever somebody gave
            yield from _jobs_in(one)
    else:
        said = f"{short_repr(given)} is no job: give what kn.generate returned; kn.resume() brings unfinished jobs back"
        raise errors.KlingError(said)


def _passed_over(elsewhere: list[str], held: int) -> str:
    """Say what `resume` left alone: a paid clip must not seem to be gone."""
    said: list[str] = []
    if elsewhere:
        hubs = " and ".join(dict.fromkeys(elsewhere))
        said.append(
            f"{len(elsewhere)} unfinished of {hubs}, which is not the hub in use (kn.hub() says which is): set its key "
            "or address, and call kn.resume() again."
        )
    if held:
        said.append(f"{held} under way in another kernel.")
    return " ".join(said)
