"""The cells of a sweep: a checked request for each point and repeat, and the records that belong to them. Pure.

A design is stored in the log, and read back: `kn.plan(id)` continues one without its notebook.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from kling_nb.errors import ArgumentError, LogError, RequestError
from kling_nb.models.asset import Asset
from kling_nb.models.canonical import canonical_json, canonical_request, request_hash
from kling_nb.models.fields import plain, resolved, with_media
from kling_nb.models.plan import REPEAT, StoredPlan, StoredPoint, StoredProblem, numbered, plan_id
from kling_nb.models.problem import Problem, error
from kling_nb.models.record import Reference
from kling_nb.models.reprs import counted
from kling_nb.models.request import TARGET, Request, request_type
from kling_nb.models.restore import asset_of, with_images
from kling_nb.models.urls import sha256
from kling_nb.render.plan import MatrixSheet, Tile
from kling_nb.sweeps.axes import Point, whole_number
from kling_nb.sweeps.template import fill_in, placeholders_in, warnings_of

if TYPE_CHECKING:
    from kling_nb.store.index import RecordSummary

#: By axis, the label of each value; axes that are left out of labels are not in it.
Labels = Mapping[str, Mapping[str, str]]
#: Returns the request that some fields make, or None, and its problems.
Parse = Callable[[Mapping[str, Any]], tuple[Request | None, list[Problem]]]
#: Returns the fields of a request of the base's model for another model, and by field what is lost.
Carry = Callable[[Mapping[str, Any], str], tuple[Mapping[str, Any], Mapping[str, str]]]

#: Fields that take a list; a single image or shot is a list of one.
_LISTS = frozenset({"input_image", "reference_image_urls", "elements", "multi_prompt"})


@dataclass(frozen=True, repr=False)
class Cell:
    """One clip of a sweep.

    Attributes:
        values: Its value on each axis, as text.
        repeat: The number of the repeat, from 1.
        request: The request; None if there are errors, or if an image of a saved plan is missing.
        problems: The errors, or the warnings of the request.
        request_hash: The hash of the request; empty if there are errors.
        id: The hash of the request and the repeat: cells with the same request share their clip.
    """

    values: Mapping[str, str]
    repeat: int
    request: Request | None
    problems: tuple[Problem, ...] = ()
    request_hash: str = ""
    id: str = ""
    labels: Labels = field(default_factory=dict[str, Mapping[str, str]], repr=False)

    def __repr__(self) -> str:
        errors = "" if self.request else f" · {counted(len(self.problems), 'error')}"
        return f"<Cell {self.label or 'base'}{errors}>"

    @property
    def label(self) -> str:
        """Its values on one line, without those that all cells have."""
        texts = [self.labels[name].get(value, value) for name, value in self.values.items() if name in self.labels]
        return " · ".join(texts or self.values.values())


@dataclass(frozen=True)
class Design:
    """All cells of a sweep.

    Attributes:
        cells: The cells, in order.
        axes: The values of each axis as text, in the order in which they appear.
        repeat: Clips of each point.
        warnings: Warnings about the sweep itself, such as text that looks like a placeholder.
        lost: By model and field, what of the base that model cannot take.
        left_out: By model, the reason why it is not in the sweep.
    """

    cells: tuple[Cell, ...]
    axes: Mapping[str, tuple[str, ...]]
    repeat: int = 1
    warnings: tuple[Problem, ...] = ()
    lost: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])

    @cached_property
    def id(self) -> str:
        """The plan's ID: the same definition has the same one on every machine."""
        return plan_id(self.axes, ((cell.request_hash, cell.values, cell.repeat) for cell in self.cells))

    @cached_property
    def unique_cells(self) -> tuple[Cell, ...]:
        """The cells with a request hash, one for each clip, in order."""
        return tuple({cell.id: cell for cell in reversed(self.cells) if cell.request_hash}.values())[::-1]

    @cached_property
    def invalid(self) -> tuple[Cell, ...]:
        """The cells with errors, one for each point."""
        return tuple(cell for cell in self.cells if not cell.request_hash and cell.repeat == 1)

    @cached_property
    def cells_by_hash(self) -> Mapping[str, tuple[Cell, ...]]:
        """The unique cells by request hash, in the order of their repeats."""
        found: defaultdict[str, list[Cell]] = defaultdict(list)
        for cell in self.unique_cells:
            found[cell.request_hash].append(cell)
        return {key: tuple(sorted(cells, key=lambda cell: cell.repeat)) for key, cells in found.items()}

    @cached_property
    def names(self) -> list[str]:
        """The names of the axes in order, that of the repeats too."""
        return list(dict.fromkeys(name for cell in self.cells for name in cell.values))

    def check_axis(self, name: str) -> None:
        """Raise `ArgumentError` unless there is an axis of this name."""
        if name not in self.names:
            raise ArgumentError(f"Unknown axis {name!r}. This plan has {', '.join(self.names) or 'none'}.")

    def matrix_axes(self, rows: str | None, columns: str | None) -> tuple[str, str]:
        """Return the axes of a matrix, by default the first two that vary.

        Raises:
            ArgumentError: There is no such axis.
        """
        values = {name: {cell.values.get(name) for cell in self.cells} for name in self.names}
        varied = [name for name in self.names if len(values[name]) > 1] or self.names
        down = rows or next((name for name in varied if name != columns), "")
        across = columns or next((name for name in varied if name != down), "")
        for name in filter(None, (down, across)):
            self.check_axis(name)
        return down, across

    def matrix(self, down: str, across: str, tile: Callable[[Cell], Tile]) -> MatrixSheet:
        """Return the cells over two axes."""
        tiles: dict[tuple[str, str], list[Tile]] = {}
        for cell in self.cells:
            tiles.setdefault((cell.values.get(down, "–"), cell.values.get(across, "–")), []).append(tile(cell))
        rows, columns = (list(dict.fromkeys(key[side] for key in tiles)) for side in (0, 1))
        return MatrixSheet(down, across, rows, columns, tiles)

    def assign(self, summaries: Iterable[RecordSummary]) -> dict[str, RecordSummary]:
        """Return, by cell ID, the record of each cell: its own first, then any other of the same request.

        A finished clip goes before one in progress, and each record belongs to one cell. `summaries` are oldest first.
        """
        by_hash: defaultdict[str, list[RecordSummary]] = defaultdict(list)
        for summary in summaries:
            by_hash[summary.request_hash].append(summary)
        assigned: dict[str, RecordSummary] = {}
        for key, found in by_hash.items():
            cells = self.cells_by_hash.get(key, ())
            ids = {cell.id for cell in cells}
            spare: list[RecordSummary] = []
            for summary in sorted(found, key=lambda summary: not summary.done):
                if summary.cell in ids and summary.cell not in assigned:
                    assigned[summary.cell] = summary
                else:
                    spare.append(summary)
            empty = [cell.id for cell in cells if cell.id not in assigned]
            assigned |= dict(zip(empty, spare, strict=False))
        return assigned


def build_design(
    base: Mapping[str, Any],
    points: Sequence[Point],
    parse: Parse,
    *,
    repeat: int = 1,
    carry: Carry | None = None,
    left_out: Mapping[str, str] | None = None,
) -> Design:
    """Return a design with a checked request for every point, `repeat` times.

    With `carry`, a point of another model than the base's has the base's fields carried over to that model.

    Raises:
        ArgumentError, ArgumentTypeError: `repeat` is not a whole number of 1 or more.
    """
    repeat = whole_number(REPEAT, repeat, 1)
    base = with_media(plain(dict(base)), [])
    fields = request_type(str(base.get("model", TARGET))).model_fields.keys()
    placeholders = placeholders_in(base, *points) - base.keys() - fields
    values = _Values()
    read = [{name: values.read(name, value) for name, value in point.items()} for point in points]
    axes = {name: tuple(texts.values()) for name, texts in values.texts.items()}
    labels = labels_of(axes, placeholders, repeat)
    cells: list[Cell] = []
    lost: dict[str, dict[str, str]] = {}
    for point in read:
        texts = {name: text for name, (_, text) in point.items()}
        given = {name: value for name, (value, _) in point.items()}
        carried = _carry_to_model(carry, str(base.get("model", TARGET)), given, lost)
        cell = _checked_cell(base, given, placeholders, texts, lambda fields, carried=carried: parse(carried(fields)))
        cells += repeated(cell, repeat, labels)
    return Design(tuple(cells), axes, repeat, tuple(warnings_of(base, *points)), lost, left_out or {})


def _carry_to_model(
    carry: Carry | None, model: str, point: Point, lost: dict[str, dict[str, str]]
) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """Return a function that carries the fields of a point over to its model, and notes what is lost."""
    other = point.get("model")

    def carried(fields: Mapping[str, Any]) -> Mapping[str, Any]:
        if carry is None or not isinstance(other, str) or other == model:
            return fields
        new, why = carry({**fields, "model": model}, other)
        lost.setdefault(other, {}).update(why)
        return {**new, "model": other}

    return carried


def _checked_cell(
    base: Mapping[str, Any], point: Point, placeholders: set[str], texts: Mapping[str, str], parse: Parse
) -> Cell:
    try:
        fields = fill_in(base, point, placeholders)
    except RequestError as exc:
        return Cell(texts, 1, None, exc.problems)
    request, problems = parse(fields)
    errors = [problem for problem in problems if problem.severity == "error"]
    if request is not None and request.num_generations != 1:
        errors.append(error(("num_generations",), "a cell is a single clip", "use repeat=... for several"))
    if request is None or errors:
        return Cell(texts, 1, None, tuple(errors))
    return Cell(texts, 1, request, tuple(problems), request_hash(request))


@dataclass
class _Values:
    """The values of axes, each read once, however many cells have it. `texts` has their texts by axis and identity."""

    texts: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    _read: dict[tuple[str, int], tuple[Any, str]] = field(default_factory=dict[tuple[str, int], tuple[Any, str]])

    def read(self, path: str, value: Any) -> tuple[Any, str]:
        """Return a value with its images read, and its text."""
        key = (path, id(value))
        if key not in self._read:
            ready = plain(value)
            if path in _LISTS and ready is not None and not isinstance(ready, list):
                ready = [ready]
            name = _field_of(path)
            ready = with_media({name: ready}, [])[name]
            self._read[key] = (ready, self._text(path, ready))
        return self._read[key]

    def _text(self, path: str, value: Any) -> str:
        known = self.texts.setdefault(path, {})
        identity = repr(resolved(value, lambda asset: asset.identity))
        if identity not in known:
            text = _value_text(value)
            others = sum(other == text or other.startswith(f"{text} (") for other in known.values())
            known[identity] = f"{text} ({others + 1})" if others else text
        return known[identity]


def repeated(cell: Cell, repeat: int, labels: Labels) -> list[Cell]:
    """Return the cells of a point, one for each repeat."""
    cells: list[Cell] = []
    for number in range(1, repeat + 1):
        key = f"{cell.request_hash}#{number}"
        id_ = hashlib.sha256(key.encode()).hexdigest()[:16] if cell.request_hash else ""
        values = numbered(cell.values, number, repeat)
        cells.append(Cell(values, number, cell.request, cell.problems, cell.request_hash, id_, labels))
    return cells


def labels_of(axes: Mapping[str, Sequence[str]], placeholders: Collection[str], repeat: int) -> Labels:
    """Return the labels of the values of each axis that has several, and of the repeats.

    Words that all values begin with are left out. The field is named if the values are short (`3`, `on`).
    """
    labels = {name: _labels(name, values, name in placeholders) for name, values in axes.items() if len(values) > 1}
    return {**labels, REPEAT: {str(number): f"{REPEAT} {number}" for number in range(1, repeat + 1)}}


def _labels(name: str, values: Sequence[str], is_placeholder: bool) -> dict[str, str]:
    if not is_placeholder and all(len(value) < 5 and ":" not in value for value in values):
        field_name = _field_of(name).replace("_", " ")
        return {value: f"{field_name} {value}" for value in values}
    # `a cat, calm` and `a cat, wild` become `… calm` and `… wild`.
    words = [value.split() for value in values]
    common = sum(1 for _ in takewhile(lambda each: len(set(each)) == 1, zip(*words, strict=False)))
    rests = [" ".join(each[common:]) for each in words]
    shortened = [f"… {rest}" for rest in rests] if common > 1 and all(rests) else values
    return dict(zip(values, shortened, strict=True))


def _field_of(path: str) -> str:
    return next((step for step in reversed(path.split(".")) if not step.isdecimal()), path)


def _value_text(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "on" if value else "off"
        case Asset():
            return value.name or value.given
        case {"prompt": prompt, "duration": seconds}:
            return f"{prompt} ({seconds} s)"
        case dict():
            return ", ".join(f"{name} {_value_text(item)}" for name, item in cast("dict[str, Any]", value).items())
        case list():
            return " + ".join(_value_text(item) for item in cast("list[Any]", value)) or "none"
        case _:
            return str(value)


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
        lost={model: dict(fields) for model, fields in design.lost.items()},
        left_out=dict(design.left_out),
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
    return Design(tuple(cells), stored.axes, stored.repeat, lost=stored.lost, left_out=stored.left_out)


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
