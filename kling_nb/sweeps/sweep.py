"""The verbs of sweeps: work out a plan from a base and its axes, or load one from the log."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from kling_nb import generation
from kling_nb.engine.job import Job
from kling_nb.errors import HubError, RequestError, WaitTimeout
from kling_nb.models.messages import short_repr
from kling_nb.models.price import Estimate
from kling_nb.models.problem import error
from kling_nb.models.record import Record
from kling_nb.models.request import Request, given_fields
from kling_nb.session import Session
from kling_nb.sweeps.axes import How, points
from kling_nb.sweeps.design import Drafting
from kling_nb.sweeps.desk import Desk
from kling_nb.sweeps.plan import Plan
from kling_nb.sweeps.stored import from_stored


def sweep(
    session: Session,
    base: Any,
    axes: Mapping[str, Any],
    *,
    how: How,
    rows: Any,
    draws: int | None,
    seed: int,
    repeat: int,
) -> Plan:
    """Return the plan of a base request over axes; see `Studio.sweep`."""
    if isinstance(base, Record):
        base = session.actions.request_of(base)
    fields = given_fields(base) if isinstance(base, Request) else {"prompt": base} if isinstance(base, str) else base
    if not (fields is None or isinstance(fields, Mapping)):
        _refuse(fields)
    chosen = points(axes, how=how, rows=rows, draws=draws, seed=seed)
    design = Drafting(fields or {}, partial(generation.parse_cell, session)).design(chosen, repeat=repeat)
    generation.warn_of(design.warnings)
    if not session.settings.local:
        for model in {cell.request.model for cell in design.unique_cells if cell.request}:
            with contextlib.suppress(HubError, WaitTimeout):
                session.model(model)  # its live price; without an answer the documented price holds
    return Plan(design, desk_of(session))


def axes_in(axes: Any, more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the axes that were given in a mapping and as keywords."""
    if not (axes is None or isinstance(axes, Mapping)):
        _refuse(axes)
    return {**(axes or {}), **more}


def load(session: Session, plan_id: str) -> Plan:
    """Return a plan that was run before; see `Studio.plan`."""
    return Plan(from_stored(session.store.plans.get(plan_id), session.store.read), desk_of(session))


def desk_of(session: Session) -> Desk:
    """Return the session as plans see it."""

    def begin(request: Request, *, plan: str, cell: str, agreed: Estimate | None) -> Job:
        return generation.start(session, request, plan=plan, cell=cell, agreed=agreed)[0]

    return Desk(
        store=session.store,
        display=session.display,
        loop=session.loop,
        hub=session.connection.main.name,
        begin=begin,
        adopt=partial(generation.adopt, session),
        price=session.connection.estimate,
        bind=session.bind,
        actions=session.actions,
    )


def _refuse(given: Any) -> None:
    problem = error(
        (), f"cannot sweep over {short_repr(given)}", "give a prompt, a request or fields; axes as field=[...]"
    )
    raise RequestError([problem])
