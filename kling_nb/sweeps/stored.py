"""Convert designs to the plans that the log stores, and back: `kn.plan(id)` continues one without its notebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from kling_nb.errors import LogError
from kling_nb.models.asset import Asset
from kling_nb.models.canonical import canonical_json, canonical_request, request_hash
from kling_nb.models.plan import REPEAT, StoredPlan, StoredPoint, StoredProblem
from kling_nb.models.problem import error
from kling_nb.models.record import Reference
from kling_nb.models.request import TARGET, Request, request_type
from kling_nb.models.restore import asset_of, with_images
from kling_nb.models.urls import sha256
from kling_nb.sweeps.design import Cell, Design, labels_of, repeated


def to_stored(design: Design, add_reference: Callable[..., Reference]) -> StoredPlan:
    """Return a design as the log stores it; `add_reference(asset, path=...)` saves an image to the log's media."""
    points = [cell for cell in design.cells if cell.repeat == 1]
    assets = {asset.identity: asset for cell in points if cell.request for _, asset in cell.request.assets()}
    return StoredPlan(
        id=design.id,
        axes={name: tuple(values) for name, values in design.axes.items()},
        repeat=design.repeat,
        points=tuple(_stored_point(cell, design.repeat) for cell in points),
        references=tuple(add_reference(asset, path="").public() for _, asset in sorted(assets.items())),
    )


def _stored_point(cell: Cell, repeat: int) -> StoredPoint:
    values = {name: value for name, value in cell.values.items() if repeat == 1 or name != REPEAT}
    if cell.request is not None:
        return StoredPoint(at=values, request=canonical_request(cell.request))
    problems = (StoredProblem(path=one.field, message=one.message, remedy=one.remedy) for one in cell.problems)
    return StoredPoint(at=values, problems=tuple(problems))


def from_stored(stored: StoredPlan, read: Callable[[str], bytes | None]) -> Design:
    """Return the design of a stored plan; `read` returns the bytes of a digest.

    A cell whose images are missing has no request, but keeps its hash, so that its clip is still found in the log.
    """
    references = {one.identity: one for one in stored.references}
    labels = labels_of(stored.axes, set(stored.axes) - _field_axes(stored), stored.repeat)
    known: dict[str, Asset] = {}

    def image(identity: str) -> Asset:
        if identity not in known:
            if identity not in references:
                raise LogError(f"The plan does not describe the image {identity[:40]}.")
            known[identity] = asset_of(references[identity], read)
        return known[identity]

    cells = [cell for point in stored.points for cell in repeated(_cell(point, image), stored.repeat, labels)]
    return Design(tuple(cells), stored.axes, stored.repeat)


def _field_axes(stored: StoredPlan) -> set[str]:
    """Return the axes that are fields, by name or path; the others are placeholders of prompts."""
    requests = [point.request for point in stored.points if point.request is not None]
    models = {str(request.get("model", TARGET)) for request in requests}
    fields = {name for model in models for name in request_type(model).model_fields}
    fields |= {name for request in requests for name in request}
    return {axis for axis in stored.axes if axis.split(".")[0] in fields}


def _cell(point: StoredPoint, image: Callable[[str], Asset]) -> Cell:
    if point.request is None:
        paths = [tuple(one.path.split(".")) if one.path else () for one in point.problems]
        problems = (error(path, one.message, one.remedy) for path, one in zip(paths, point.problems, strict=True))
        return Cell(point.at, 1, None, tuple(problems))
    hash_ = sha256(canonical_json(point.request))
    try:
        return Cell(point.at, 1, _request(point.request, hash_, image), (), hash_)
    except LogError as exc:
        problem = error((), f"the clip cannot be generated again: {exc}", "a clip that exists is still used")
        return Cell(point.at, 1, None, (problem,), hash_)


def _request(canonical: Mapping[str, Any], hash_: str, image: Callable[[str], Asset]) -> Request:
    fields = with_images(canonical, image)
    try:
        request = request_type(str(fields.get("model", TARGET))).model_validate(fields)
    except ValidationError as exc:
        raise LogError(f"The request is not valid any more ({exc.error_count()} errors).") from exc
    if request_hash(request) != hash_:
        raise LogError("The request does not match its hash.")
    return request
