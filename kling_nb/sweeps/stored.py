"""A sweep put into the log, and out of it again: `kn.plan(id)` goes on with one whose notebook is gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from kling_nb.errors import LogError
from kling_nb.models.asset import Asset
from kling_nb.models.canonical import canonical_json, canonical_request, request_hash
from kling_nb.models.plan import REPEAT, StoredPlan, StoredPoint, StoredProblem
from kling_nb.models.problem import Problem, error
from kling_nb.models.record import Reference
from kling_nb.models.request import TARGET, Request, request_type
from kling_nb.models.restore import asset_of, with_images
from kling_nb.models.urls import sha256
from kling_nb.sweeps.design import Cell, Design, repeated, varied_in


def to_stored(design: Design, keep: Callable[..., Reference]) -> StoredPlan:
    """Return a sweep as the log keeps it; `keep(asset, path=...)` puts a picture into the log's media."""
    points = [cell for cell in design.cells if cell.repeat == 1]
    assets = {asset.identity: asset for cell in points if cell.request for _, asset in cell.request.assets()}
    references = [keep(asset, path="").public() for _, asset in sorted(assets.items())]
    return StoredPlan(
        id=design.id,
        axes={name: tuple(values) for name, values in design.axes.items()},
        repeat=design.repeat,
        points=tuple(_point(cell, design.repeat) for cell in points),
        references=tuple(references),
    )


def from_stored(kept: StoredPlan, read: Callable[[str], bytes | None]) -> Design:
    """Return the sweep that was kept; `read` gives the bytes for a digest.

    A request whose pictures are lost stays in it with the reason, so that its clip is still found in the log.
    """
    references = {one.identity: one for one in kept.references}
    varied = varied_in(kept.axes, set(kept.axes) - _fields(kept), kept.repeat)
    known: dict[str, Asset] = {}

    def picture(identity: str) -> Asset:
        if identity not in known:
            if identity not in references:
                raise LogError(f"nothing tells which picture {identity[:40]} is")
            known[identity] = asset_of(references[identity], read)
        return known[identity]

    cells = [cell for point in kept.points for cell in repeated(_cell(point, picture), kept.repeat, varied)]
    return Design(tuple(cells), kept.axes, kept.repeat)


def _fields(kept: StoredPlan) -> set[str]:
    """The axes that are fields, by name or path; the others are slots of prompts."""
    asked = [point.request for point in kept.points if point.request is not None]
    models = {str(request.get("model", TARGET)) for request in asked}
    known = {name for model in models for name in request_type(model).model_fields} | {
        key for one in asked for key in one
    }
    return {axis for axis in kept.axes if axis.split(".")[0] in known}


def _point(cell: Cell, repeat: int) -> StoredPoint:
    at = {name: value for name, value in cell.at.items() if repeat == 1 or name != REPEAT}
    if cell.request is not None:
        return StoredPoint(at=at, request=canonical_request(cell.request))
    problems = (StoredProblem(path=one.field, message=one.message, remedy=one.remedy) for one in cell.problems)
    return StoredPoint(at=at, problems=tuple(problems))


def _cell(point: StoredPoint, picture: Callable[[str], Asset]) -> Cell:
    if point.request is None:
        return Cell(point.at, 1, None, tuple(_problem(one) for one in point.problems))
    name = sha256(canonical_json(point.request))
    try:
        return Cell(point.at, 1, _request(point.request, name, picture), (), name)
    except LogError as exc:
        lost = error((), f"it cannot be made again: {exc}", "its clip, where there is one, is still here")
        return Cell(point.at, 1, None, (lost,), name)


def _request(canonical: Mapping[str, Any], name: str, picture: Callable[[str], Asset]) -> Request:
    fields = with_images(canonical, picture)
    try:
        request = request_type(str(fields.get("model", TARGET))).model_validate(fields)
    except ValidationError as exc:
        raise LogError(f"its request is not one of today ({exc.error_count()} faults)") from exc
    if request_hash(request) != name:
        raise LogError("its request is not the one of its hash")
    return request


def _problem(kept: StoredProblem) -> Problem:
    path = tuple(kept.path.split(".")) if kept.path else ()
    return error(path, kept.message, kept.remedy)
