"""A plan worked out: every cell of a sweep as a checked request, and which clips it takes. Pure."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING, Any, cast

from kling_nb.errors import KlingError, RequestError
from kling_nb.models.asset import Asset
from kling_nb.models.canonical import request_hash
from kling_nb.models.fields import plain, resolved, with_media
from kling_nb.models.frontend import Video
from kling_nb.models.plan import REPEAT, numbered, plan_id
from kling_nb.models.problem import Problem, error
from kling_nb.models.record import Record
from kling_nb.models.request import TARGET, Request, request_type
from kling_nb.render import Links, MatrixSheet, Tile, TileState
from kling_nb.sweeps.axes import Point
from kling_nb.sweeps.template import doubts_of, filled, slots_of

if TYPE_CHECKING:
    from kling_nb.store.queries import RecordSummary

#: By axis: what a label says of each value.
Said = Mapping[str, Mapping[str, str]]


def words_for(value: Any) -> str:
    """Return a value as a heading shows it."""
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
            return ", ".join(f"{name} {words_for(item)}" for name, item in cast("dict[str, Any]", value).items())
        case list():
            return " + ".join(words_for(item) for item in cast("list[Any]", value)) or "none"
        case _:
            return str(value)


def said_of(axes: Mapping[str, Sequence[str]], slots: Collection[str]) -> Said:
    """Return what a label says of the values of each axis that has several.

    Words that all values begin with are left out, and a field whose values say little by themselves (`3`, `on`) stands
    before them.
    """
    return {name: _said(name, values, slot=name in slots) for name, values in axes.items() if len(values) > 1}


def _said(name: str, values: Sequence[str], *, slot: bool) -> dict[str, str]:
    if not slot and all(len(value) < 5 and ":" not in value for value in values):
        field = next((step for step in reversed(name.split(".")) if not step.isdecimal()), name)
        return {value: f"{field.replace('_', ' ')} {value}" for value in values}
    return dict(zip(values, _without_the_same(values), strict=True))


def _without_the_same(values: Sequence[str]) -> list[str]:
    """`a cat, calm` and `a cat, wild` as `… calm` and `… wild`."""
    words = [value.split() for value in values]
    same = sum(1 for _ in takewhile(lambda each: len(set(each)) == 1, zip(*words, strict=False)))
    rests = [" ".join(each[same:]) for each in words]
    return [f"… {rest}" for rest in rests] if same > 1 and all(rests) else list(values)


Check = Callable[[Mapping[str, Any]], tuple[Request | None, list[Problem]]]

#: Fields that take a list; one picture, as an axis gives it, is a list of one.
_LISTS = frozenset({"input_image", "reference_image_urls", "elements", "multi_prompt"})


@dataclass(frozen=True)
class Cell:
    """One place in a sweep: its values in words by axis, and the request there, or why there is none.

    `id` names the clip: the request's hash and the number of the repeat. Two cells that ask for the same share it.
    A cell with a hash and no request was kept, but a picture of it has been lost since.
    """

    at: Mapping[str, str]
    repeat: int
    request: Request | None
    problems: tuple[Problem, ...] = ()
    request_hash: str = ""
    id: str = ""
    varied: Said = field(default_factory=dict[str, Mapping[str, str]])
    """What a label says of each value, for the axes on which cells differ; it leaves the others out."""

    @property
    def label(self) -> str:
        """Its values in one line, without those that all cells have."""
        said = [self.varied[name].get(value, value) for name, value in self.at.items() if name in self.varied]
        return " · ".join(said or self.at.values())


@dataclass(frozen=True)
class Design:
    """All cells of a sweep. `axes` holds each axis's values in words, in the order in which they appear.

    `doubts` are about the sweep itself: what looks like a slot of a prompt, and is none.
    """

    cells: tuple[Cell, ...]
    axes: Mapping[str, tuple[str, ...]]
    repeat: int = 1
    warnings: tuple[Problem, ...] = ()

    @cached_property
    def id(self) -> str:
        """The name of the plan: the same definition has the same one on every machine."""
        return plan_id(self.axes, ((cell.request_hash, cell.at, cell.repeat) for cell in self.cells))

    @cached_property
    def unique_cells(self) -> tuple[Cell, ...]:
        """The cells that ask for a clip, each clip once, in order."""
        return tuple({cell.id: cell for cell in reversed(self.cells) if cell.request_hash}.values())[::-1]

    @cached_property
    def invalid(self) -> tuple[Cell, ...]:
        """The cells that would fail, each point once."""
        return tuple(cell for cell in self.cells if not cell.request_hash and cell.repeat == 1)

    @cached_property
    def cells_by_hash(self) -> Mapping[str, tuple[Cell, ...]]:
        """The wanted cells by their request's hash, in the order of their repeats."""
        found: defaultdict[str, list[Cell]] = defaultdict(list)
        for cell in self.unique_cells:
            found[cell.request_hash].append(cell)
        return {key: tuple(sorted(cells, key=lambda cell: cell.repeat)) for key, cells in found.items()}

    @cached_property
    def names(self) -> list[str]:
        """The axes in order, that of the repeats too."""
        return list(dict.fromkeys(name for cell in self.cells for name in cell.at))

    def matrix_axes(self, rows: str | None, columns: str | None) -> tuple[str, str]:
        """Return the axes of a matrix, by default the first two that vary. Raises `KlingError` for no such axis."""
        values = {name: {cell.at.get(name) for cell in self.cells} for name in self.names}
        varied = [name for name in self.names if len(values[name]) > 1] or self.names
        down = rows or next((name for name in varied if name != columns), "")
        across = columns or next((name for name in varied if name != down), "")
        for name in filter(None, (down, across)):
            self.checked(name)
        return down, across

    def checked(self, axis: str) -> str:
        """Return the name of an axis. Raises `KlingError` when there is none of it."""
        if axis not in self.names:
            raise KlingError(f"there is no axis {axis!r}: this plan has {', '.join(self.names) or 'none'}")
        return axis

    def matrix(self, down: str, across: str, tile: Callable[[Cell], Tile]) -> MatrixSheet:
        """Return its cells over two axes as a value to be drawn."""
        tiles: dict[tuple[str, str], list[Tile]] = {}
        for cell in self.cells:
            tiles.setdefault((cell.at.get(down, "–"), cell.at.get(across, "–")), []).append(tile(cell))
        heads = [list(dict.fromkeys(place[side] for place in tiles)) for side in (0, 1)]
        return MatrixSheet(down, across, heads[0], heads[1], tiles)

    def assign(self, made: Iterable[RecordSummary]) -> dict[str, RecordSummary]:
        """Return by cell id which record a cell has: its own first, then any other of the same request.

        A clip that is there is better than one under way; each record fills one cell. `made` comes oldest first.
        """
        of_hash: defaultdict[str, list[RecordSummary]] = defaultdict(list)
        for one in made:
            of_hash[one.request_hash].append(one)
        fill: dict[str, RecordSummary] = {}
        for key, found in of_hash.items():
            fill |= _shared_out(self.cells_by_hash.get(key, ()), sorted(found, key=lambda one: not one.done))
        return fill


@dataclass
class Drafting:
    """Makes a design out of a base and points; values are read once, however many cells they are in."""

    base: Mapping[str, Any]
    check: Check
    _read: dict[tuple[str, int], tuple[Any, str]] = field(default_factory=dict[tuple[str, int], tuple[Any, str]])
    _labels: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    def design(self, points: Sequence[Point], *, repeat: int = 1) -> Design:
        """Return every point `repeat` times, linted. Raises `RequestError` when the sweep itself makes no sense."""
        if type(repeat) is not int or repeat < 1:
            raise _fault((REPEAT,), f"repeat={repeat!r} is no number of clips", "give 1 or more")
        base = with_media(plain(dict(self.base)), [])
        fields = request_type(str(base.get("model", TARGET))).model_fields.keys()
        only_slots = slots_of(base, *points) - base.keys() - fields
        reads = [{name: self._value(name, value) for name, value in point.items()} for point in points]
        axes = {name: tuple(known.values()) for name, known in self._labels.items()}
        varied = varied_in(axes, only_slots, repeat)
        cells: list[Cell] = []
        for read in reads:
            at = {name: label for name, (_, label) in read.items()}
            cell = self._cell(base, {name: value for name, (value, _) in read.items()}, only_slots, at)
            cells += repeated(cell, repeat, varied)
        return Design(tuple(cells), axes, repeat, tuple(doubts_of(base, *points)))

    def _cell(self, base: Mapping[str, Any], point: Point, only_slots: set[str], at: dict[str, str]) -> Cell:
        try:
            fields = filled(base, point, only_slots)
        except RequestError as exc:
            return Cell(at, 1, None, exc.problems)
        request, problems = self.check(fields)
        faults = [problem for problem in problems if problem.severity == "error"]
        if request is not None and request.num_generations != 1:
            faults.append(error(("num_generations",), "a cell is one clip", "use repeat=... for more of each"))
        if request is None or faults:
            return Cell(at, 1, None, tuple(faults))
        return Cell(at, 1, request, tuple(problems), request_hash(request))

    def _value(self, path: str, value: Any) -> tuple[Any, str]:
        key = (path, id(value))
        if key not in self._read:
            name = next((step for step in reversed(path.split(".")) if not step.isdecimal()), path)
            ready = plain(value)
            if path in _LISTS and ready is not None and not isinstance(ready, list):
                ready = [ready]
            ready = with_media({name: ready}, [])[name]
            self._read[key] = (ready, self._label(path, ready))
        return self._read[key]

    def _label(self, path: str, value: Any) -> str:
        known = self._labels.setdefault(path, {})
        same = repr(resolved(value, lambda asset: asset.identity))
        if same not in known:
            label = words_for(value)
            others = sum(other == label or other.startswith(f"{label} (") for other in known.values())
            known[same] = f"{label} ({others + 1})" if others else label
        return known[same]


def varied_in(axes: Mapping[str, Sequence[str]], slots: Collection[str], repeat: int) -> Said:
    """Return what labels say of the axes, that of the repeats too."""
    return {**said_of(axes, slots), REPEAT: {str(number): f"{REPEAT} {number}" for number in range(1, repeat + 1)}}


def repeated(cell: Cell, repeat: int, varied: Said) -> list[Cell]:
    """Return a point's cells, one for each repeat."""
    return [_numbered(cell, number, repeat, varied) for number in range(1, repeat + 1)]


def _numbered(cell: Cell, number: int, repeat: int, varied: Said) -> Cell:
    name = hashlib.sha256(f"{cell.request_hash}#{number}".encode()).hexdigest()[:16] if cell.request_hash else ""
    at = numbered(cell.at, number, repeat)
    return Cell(at, number, cell.request, cell.problems, cell.request_hash, name, varied)


def _shared_out(cells: Sequence[Cell], found: Sequence[RecordSummary]) -> dict[str, RecordSummary]:
    fill: dict[str, RecordSummary] = {}
    ids = {cell.id for cell in cells}
    spare: list[RecordSummary] = []
    for one in found:
        if one.cell in ids and one.cell not in fill:
            fill[one.cell] = one
        else:
            spare.append(one)
    empty = [cell for cell in cells if cell.id not in fill]
    return fill | {cell.id: one for cell, one in zip(empty, spare, strict=False)}


def _fault(path: tuple[str, ...], message: str, remedy: str) -> RequestError:
    return RequestError([error(path, message, remedy)])


def tile_of(
    cell: Cell, state: TileState, record: Record | None, links: Links, *, note: str = "", film: Video | None = None
) -> Tile:
    """Return the tile of a cell; `film` where its clip can be played too."""
    return Tile(
        label=cell.label,
        state=state,
        record=record.id if record else "",
        poster=links.poster(record) if record and record.clip else None,
        clip=film.src if film else None,
        note=note,
    )
