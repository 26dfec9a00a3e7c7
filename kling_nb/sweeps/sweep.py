"""`kn.sweep` and `kn.plan`: work out a plan from a base and its axes, or load one from the log."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from kling_nb import generation
from kling_nb.errors import ArgumentTypeError, HubError, WaitTimeout
from kling_nb.models.messages import short_repr
from kling_nb.models.record import Record
from kling_nb.models.request import Request
from kling_nb.session import Session
from kling_nb.sweeps.axes import How, points
from kling_nb.sweeps.design import build_design
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
    if not (base is None or isinstance(base, str | Mapping | Request | Record)):
        raise ArgumentTypeError(f"base must be a prompt, fields, a request or a record, got {short_repr(base)}.")
    fields = generation.fields_of(session, base, {})
    chosen = points(axes, how=how, rows=rows, draws=draws, seed=seed)
    design = build_design(fields, chosen, partial(generation.parse_cell, session), repeat=repeat)
    generation.warn_of(design.warnings)
    if not session.settings.local:
        for model in {cell.request.model for cell in design.unique_cells if cell.request}:
            with contextlib.suppress(HubError, WaitTimeout):
                session.model(model)  # its live price; if the hub does not answer, the documented price is used
    return Plan(session, design)


def axes_in(axes: Any, more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the axes given in a mapping and as keywords."""
    if not (axes is None or isinstance(axes, Mapping)):
        raise ArgumentTypeError(f"axes must be a mapping or keywords (field=[...]), got {short_repr(axes)}.")
    return {**(axes or {}), **more}


def load(session: Session, plan_id: str) -> Plan:
    """Return a plan that was run before; see `Studio.plan`."""
    return Plan(session, from_stored(session.store.plans.get(plan_id), session.store.read))
