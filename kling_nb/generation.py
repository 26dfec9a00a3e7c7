"""Requests of a session: checked, priced, started, resumed and run again."""

from __future__ import annotations

import contextlib
import datetime
import inspect
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from kling_nb import errors
from kling_nb.engine.job import Job, Jobs
from kling_nb.engine.sender import records_for, sibling
from kling_nb.models import fit
from kling_nb.models.asset import Asset
from kling_nb.models.canonical import request_hash
from kling_nb.models.catalogue import Model
from kling_nb.models.images import ImageError
from kling_nb.models.lint import lint as lint_fields
from kling_nb.models.lint import parse
from kling_nb.models.messages import short_repr
from kling_nb.models.price import Estimate, estimate
from kling_nb.models.problem import Problem, error, warning
from kling_nb.models.record import Kind, Record
from kling_nb.models.request import TARGET, TYPED, HubRequest, Request, given_fields, request_type
from kling_nb.models.specs import form_of, storyboard_limits
from kling_nb.notebook.display import Problems, Storyboard
from kling_nb.notebook.location import notebook_path
from kling_nb.preferences import reuses
from kling_nb.session import Session

#: A request, its fields in a mapping (a preset), or its prompt.
RequestLike: TypeAlias = Request | Mapping[str, Any] | str | None

_REUSED = (
    "This cell has started this request before: here is the same job, and nothing is paid again.\n"
    "For another clip, call job.record.rerun() in another cell. kn.options.reuse = False always starts a new job."
)


def generate(session: Session, request: RequestLike, fields: Mapping[str, Any]) -> Job | Jobs:
    """Start a request's jobs; see `Studio.generate`."""
    checked, problems = check(session, fields_of(session, request, fields))
    warn_of(problems)
    return joined(session, _started(session, checked))


def preview(session: Session, request: RequestLike, fields: Mapping[str, Any]) -> Job:
    """Start a request's free preview; see `Studio.preview`."""
    single = fields if isinstance(request, Request) else {**fields, "num_generations": 1}
    checked, _ = check(session, fields_of(session, request, single))
    return start(session, checked.model_copy(update={"num_generations": 1}), "preview")[0]


def lint(session: Session, request: RequestLike, fields: Mapping[str, Any]) -> Problems:
    """Return every problem of a request; see `Studio.lint`."""
    given = fields_of(session, request, fields)
    name = given.get("model", TARGET)
    if not isinstance(name, str) or request_type(name) is not HubRequest:
        parsed = parse(given, now=time.time())
        return Problems(with_hub(session, parsed.request, parsed.problems))
    model, problems = None, list[Problem]()
    try:
        model = session.model(name, session.connection.choose(given.get("hub"), name))
    except errors.RequestError as exc:
        return Problems(exc.problems)
    except errors.ModelNotFound as exc:
        hint = exc.hint.rstrip(".") or "kn.hub.models() lists them"
        problems = [error(("model",), f"the hub does not have the model {short_repr(name)}", hint)]
    except (errors.HubError, errors.WaitTimeout) as exc:
        problems = [warning(("model",), f"its fields could not be checked: {exc}", "try again when the hub answers")]
    parsed = parse(given, model, now=time.time())
    problems += with_hub(session, parsed.request, parsed.problems)
    return Problems(sorted(problems, key=lambda problem: problem.severity != "error"))


def price(session: Session, request: RequestLike, fields: Mapping[str, Any]) -> Estimate:
    """Return a request's price; see `Studio.price`."""
    checked, _ = check(session, fields_of(session, request, fields))
    with contextlib.suppress(errors.HubError, errors.WaitTimeout):
        session.model(checked.model, session.connection.of(checked))
    return session.connection.estimate(checked)


def storyboard(session: Session, text: str, *, duration: Any = None, model: str | None = None) -> Storyboard:
    """Return a text as a storyboard; see `Studio.storyboard`."""
    from kling_nb.models.storyboard.board import MOST_TEXT, read_storyboard  # a tenth of all that a request imports

    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] -- the user's value
        raise errors.ArgumentTypeError(f"A storyboard is read from text, got {short_repr(text)}.")
    if len(text) > MOST_TEXT:
        raise errors.ArgumentError(f"The text has {len(text):,} characters; at most {MOST_TEXT:,}. Give one scene.")
    if duration is not None and (not isinstance(duration, int | float) or isinstance(duration, bool) or duration <= 0):
        raise errors.ArgumentError(f"duration must be seconds, got {short_repr(duration)}.")
    name = model or TARGET
    known = session.connection.catalogue.known(name) if name not in TYPED else None
    reading = read_storyboard(
        text, storyboard_limits(form_of(name, known)), duration=None if duration is None else int(duration)
    )
    return Storyboard(reading.fields | ({"model": name} if name != TARGET else {}), reading.notes)


def fit_image(image: Any) -> Asset:
    """Return an image that the model accepts; see `Studio.fit_image`."""
    try:
        return fit.fit_image(Asset.parse(image))
    except ImageError as exc:
        raise errors.RequestError([error((), str(exc), exc.remedy)]) from exc


def gather(session: Session, jobs: Iterable[Any]) -> Jobs:
    """Join jobs; see `Studio.gather`."""
    return Jobs.of(_jobs_in(jobs), session.display)


def resume(session: Session) -> Jobs:
    """Continue every unfinished job of the log; see `Studio.resume`."""
    batches: dict[str, list[Record]] = {}
    followed: list[Job] = []
    other_hubs: list[str] = []
    for record in session.store.unfinished():
        engine = session.engine_of(record)
        if engine is None:
            other_hubs.append(record.hub)
        elif taken := session.store.take(record.id):
            batches.setdefault(record.batch, []).append(taken)
        else:
            session.store.ask_for(record)
            followed.append(engine.follow(record))
    jobs = [*(job for records in batches.values() for job in _adopt(session, records)), *followed]
    note = _left_alone(other_hubs, len(followed)) or ("" if jobs else session.moved())
    return Jobs.of(jobs, session.display, note)


def take_over(session: Session, records: Iterable[Record]) -> list[Job]:
    """Continue jobs that no running process holds. Nothing is sent; clips that are paid for are downloaded."""
    sent = [record for record in records if record.status != "prepared" and session.engine_of(record)]
    taken = [mine for record in sent if (mine := session.store.take(record.id))]
    return [job for record in taken for job in _adopt(session, [record])]


def rerun(session: Session, record: Record, changes: Mapping[str, Any]) -> Job | Jobs:
    """Run a record's request again, with changes; the new record refers to the old one."""
    fields = fields_of(session, session.actions.request_of(record), {"num_generations": 1, **changes})
    request, problems = check(session, fields)
    warn_of(problems)
    return joined(session, _started(session, request, record.id))


def _started(session: Session, request: Request, rerun_of: str | None = None) -> list[Job]:
    """Start a request, or return the jobs that the running cell has started for it before, if the option is on."""
    place = None
    if reuses(session.store):
        place = session.cells.place(f"{rerun_of} {request.num_generations} {request_hash(request)}")
    if place and (jobs := session.cells.jobs(place)):
        print(_REUSED)
        return jobs
    jobs = start(session, request, rerun_of=rerun_of)
    if place:
        session.cells.keep(place, jobs)
    return jobs


def adopt(session: Session, record: Record) -> Job | None:
    """Continue the job of one record, or return the one that runs here; None if another kernel runs it."""
    engine = session.engine_of(record)
    if engine and (job := engine.jobs.get(record.id)) and not job.done:
        return job
    taken = session.store.take(record.id)
    jobs = _adopt(session, [taken]) if taken else []
    return next((job for job in jobs if job.id == record.id), None)


def start(
    session: Session,
    request: Request,
    kind: Kind = "result",
    rerun_of: str | None = None,
    *,
    plan: str | None = None,
    cell: str | None = None,
    tags: Sequence[str] = (),
    agreed: Estimate | None = None,
) -> list[Job]:
    """Write the intent of a checked request to the log and start its jobs.

    Args:
        agreed: The price that the user was shown; without it, the price as it is known now. If the hub asks for more
            by the time of sending, nothing is bought.

    Raises:
        BudgetError: A budget does not allow it.
        RequestError: An image cannot be converted.
    """
    try:
        request = request.prepared()
    except ImageError as exc:
        raise errors.RequestError([error((), str(exc), exc.remedy)]) from exc
    hub, notebook, free = session.connection.of(request), notebook_path(), kind == "preview"
    local = free or hub.free
    records = records_for(
        request,
        hub="local" if free else hub.name,
        local=local,
        kind=kind,
        estimate=estimate(request.draft(), free=True) if free else agreed or hub.estimate(request),
        now=datetime.datetime.now(datetime.UTC),
        notebook=notebook.name if notebook else None,
        by=session.settings.user,
        rerun_of=rerun_of,
        plan=plan,
        cell=cell,
        tags=tags,
    )
    if not local and plan is None:  # a plan's cells start on other threads, and a warning may be an error there
        warn_of_moved(session)
    session.store.budget.afford(records)
    return (session.previews_at(hub) if free else session.engine_at(hub)).start(records, request)


def check(session: Session, fields: Mapping[str, Any]) -> tuple[Request, list[Problem]]:
    """Return the request that the fields make, and its warnings.

    Raises:
        RequestError: The request has errors; the exception has all of them, and the warnings.
    """
    request, problems = parse(fields, now=time.time())
    if isinstance(request, HubRequest):
        model = session.model(request.model, session.connection.of(request))
        problems = lint_fields(request, model, now=time.time())
    problems = with_hub(session, request, problems)
    if request is None or any(problem.severity == "error" for problem in problems):
        raise errors.RequestError(problems)
    return request, problems


def with_hub(session: Session, request: Request | None, problems: list[Problem]) -> list[Problem]:
    """Return the problems of a request with those of the hub that it goes to, errors first."""
    if request is None:
        return problems
    try:
        more = session.connection.of(request).problems(request)
    except errors.RequestError as exc:  # there is no such hub
        more = list(exc.problems)
    fields = {problem.path[:1] for problem in more}
    kept = [problem for problem in problems if problem.severity == "error" or problem.path[:1] not in fields]
    return sorted([*kept, *more], key=lambda problem: problem.severity != "error")


def parse_cell(session: Session, fields: Mapping[str, Any]) -> tuple[Request | None, list[Problem]]:
    """Parse the fields of a sweep's cell; a model's price and schema are asked for once."""
    fields = session.connection.named_fields(fields)
    name, label = str(fields.get("model", TARGET)), fields.get("hub")
    try:
        hub = session.connection.choose(label if isinstance(label, str) else None, name)
    except errors.RequestError as exc:
        return None, list(exc.problems)
    model: Model | None = hub.catalogue.cached(name)
    if model is None and name not in TYPED:
        model = session.model(name, hub)
    request, problems = parse(fields, model, now=time.time())
    problems = with_hub(session, request, problems)
    return (None if any(problem.severity == "error" for problem in problems) else request), problems


def fields_of(session: Session, request: RequestLike | Record, more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a request that is given in any form, with the names of the hub that it names."""
    return session.connection.named_fields(_merged(session, request, more))


def _merged(session: Session, request: RequestLike | Record, more: Mapping[str, Any]) -> dict[str, Any]:
    match request:
        case None:
            return {**more}
        case Record():
            return {**given_fields(session.actions.request_of(request)), **more}
        case Request():
            return {**given_fields(request), **more}
        case Mapping():
            return {**request, **more}
        case _ if "prompt" in more:
            both = f"there are two: {short_repr(request)} and {short_repr(more['prompt'])}"
            raise errors.RequestError([error(("prompt",), both, "give one")])
        case _:
            return {"prompt": request, **more}


def joined(session: Session, jobs: list[Job]) -> Job | Jobs:
    """Return the only job, or several as `Jobs`."""
    return jobs[0] if len(jobs) == 1 else Jobs.of(jobs, session.display)


def warn_of(problems: Iterable[object], category: type[Warning] = errors.RequestWarning) -> None:
    """Issue a warning for each problem, at the line outside this package that called it."""
    level, frame = 1, inspect.currentframe()
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        level, frame = level + 1, frame.f_back
    for problem in problems:
        warnings.warn(str(problem), category, stacklevel=level)


def warn_of_moved(session: Session) -> None:
    """Issue a `LogWarning` if this log is new and the records of its notebook are elsewhere."""
    if not session.settings.local and (moved := session.moved()):
        warn_of([moved], errors.LogWarning)


def _jobs_in(given: Any) -> Iterator[Job]:
    if isinstance(given, Job):
        yield given
    elif isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping | Record):
        for one in given:  # pyright: ignore[reportUnknownVariableType] -- the user's value
            yield from _jobs_in(one)
    else:
        raise errors.ArgumentTypeError(
            f"Expected a Job, got {short_repr(given)}. kn.resume() returns the unfinished jobs."
        )


def _adopt(session: Session, records: list[Record]) -> list[Job]:
    engine = session.engine_of(records[0])
    if engine is None:
        return []
    request: Request | None = None
    if any(record.status == "prepared" for record in records):
        with contextlib.suppress(errors.LogError):
            request = session.actions.request_of(records[0])
        known = {record.index for record in session.store.find(batch=records[0].batch, kind=None)}
        first = next(record for record in records if record.status == "prepared")
        missing = (sibling(first, index) for index in range(first.generations) if index not in known)
        records = [*records, *(added for one in missing if (added := session.store.add(one)))]
    return engine.adopt(records, request)


def _left_alone(other_hubs: list[str], followed: int) -> str:
    """Describe the jobs that `resume` left alone, so that no paid clip seems to be lost."""
    notes: list[str] = []
    if other_hubs:
        hubs = " and ".join(dict.fromkeys(other_hubs))
        notes.append(
            f"{len(other_hubs)} unfinished of {hubs}, which is not the hub in use (see kn.hub()). "
            "Set its key or address, then call kn.resume() again."
        )
    if followed:
        notes.append(f"{followed} running in another process, which is followed here.")
    return " ".join(notes)
