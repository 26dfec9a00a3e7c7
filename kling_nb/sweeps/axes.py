"""What varies in a sweep: a list of points, each a value for every axis, always in the same order. Pure."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, KeysView, Mapping, Sequence, Set
from itertools import product
from typing import Any, Literal, cast, get_args

from kling_nb.errors import RequestError
from kling_nb.models.fields import listed, scalar
from kling_nb.models.messages import short_repr
from kling_nb.models.problem import error

#: A value for each axis, by its path (`duration`, `multi_prompt.0.duration`) or slot.
Point = dict[str, Any]
How = Literal["grid", "zip", "random"]

#: More than this was never meant; a grid grows by multiplication.
LARGEST = 100_000
_ROWS = "give mappings of field to value, or a DataFrame"


def points(
    axes: Mapping[str, Any], *, how: How = "grid", draws: int | None = None, seed: int = 0, rows: Any = None
) -> list[Point]:
    """Return the points of a sweep, in order.

    A list is an axis, whatever holds it (`listed`); any other value is the same at every point. `grid` takes every
    combination, the last axis fastest; `zip` the first values together, then the second; `random` takes `draws`
    combinations of the grid, none twice, that the seed decides. `rows` (mappings, or a DataFrame) gives points as they
    are, each joined with each of the axes' points. Raises `RequestError`.
    """
    varied = {name: list(items) for name, value in axes.items() if (items := _axis(name, value)) is not None}
    same = {name: value for name, value in axes.items() if name not in varied}
    for name, values in varied.items():
        if not values:
            raise _fault(name, "an axis without values", "give at least one")
    if how not in get_args(How):
        raise _fault("how", f"{how!r} is unknown", 'use "grid", "zip" or "random"')
    if draws is not None and how != "random":
        raise _fault("draws", "draws are for random points", 'add how="random"')
    draws = scalar(draws)
    if draws is not None and (type(draws) is not int or draws < 0):
        raise _fault("draws", f"{short_repr(draws)} is no number of points", "give a whole number: draws=20")
    given = [{}] if rows is None else rows_of(rows)
    _not_too_many(len(given) * _count(varied, how, draws))
    return [{**same, **row, **point} for row in given for point in _chosen(varied, how, draws, seed)]


def rows_of(rows: Any) -> list[Point]:
    """Return explicit points: an iterable of mappings, or a pandas or polars DataFrame, what is missing left out."""
    frame = (getattr(rows, "to_dicts", None) or getattr(rows, "to_dict", None)) if _is_table(rows) else None
    if callable(frame):
        rows = frame() if hasattr(rows, "to_dicts") else frame("records")
    elif not isinstance(rows, Iterable) or isinstance(rows, str | Mapping):
        raise _fault("rows", f"{short_repr(rows)} is no list of rows", _ROWS)
    found = [_row(row, frame is not None) for row in cast("Iterable[Any]", rows)]
    if not found:
        raise _fault("rows", "there are no rows", "give at least one")
    return found


def _row(row: Any, of_frame: bool) -> Point:
    if not isinstance(row, Mapping):
        raise _fault("rows", f"a {type(row).__name__} is no row", _ROWS)
    values = {str(name): _plain(value, of_frame) for name, value in cast("Mapping[Any, Any]", row).items()}
    # In a frame every row has every column, so that None is a gap there; in a mapping of one's own it is a value.
    return {name: value for name, value in values.items() if not (_missing(value) or (of_frame and value is None))}


def _is_table(rows: Any) -> bool:
    return len(getattr(rows, "shape", ())) == 2


def _plain(value: Any, of_frame: bool) -> Any:
    """Return a number of a DataFrame as Python's own; pictures in arrays stay."""
    number = value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value
    # A gap turns a whole column of a frame into floats: its 5 comes as 5.0.
    return int(number) if of_frame and isinstance(number, float) and number.is_integer() else number


def _missing(value: Any) -> bool:
    return (isinstance(value, float) and math.isnan(value)) or type(value).__name__ in ("NAType", "NaTType")


def _axis(name: str, value: Any) -> list[Any] | None:
    if isinstance(value, Set) and not isinstance(value, KeysView):
        raise _fault(name, f"{short_repr(value)} has no order", "give a list: [...]")
    return listed(value)


def _chosen(varied: Mapping[str, Sequence[Any]], how: How, draws: int | None, seed: int) -> Iterator[Point]:
    names = list(varied)
    match how:
        case "grid":
            each: Iterable[Sequence[Any]] = product(*varied.values())
        case "zip":
            each = zip(*varied.values(), strict=True) if varied else [()]
        case "random":
            each = _drawn(list(varied.values()), draws or 0, seed)
    return (dict(zip(names, values, strict=True)) for values in each)


def _drawn(values: list[Sequence[Any]], draws: int, seed: int) -> Iterator[list[Any]]:
    whole = math.prod(map(len, values))
    # Numbers of combinations are drawn, not combinations: the grid may be too large to write down.
    for number in _distinct(random.Random(seed), whole, min(draws, whole)):  # noqa: S311 - to repeat, not to hide
        point: list[Any] = []
        for axis in reversed(values):
            number, at = divmod(number, len(axis))
            point.insert(0, axis[at])
        yield point


def _distinct(dice: random.Random, whole: int, count: int) -> Iterable[int]:
    if whole <= LARGEST:
        return dice.sample(range(whole), count)
    drawn: dict[int, None] = {}
    while len(drawn) < count:
        drawn[dice.randrange(whole)] = None
    return drawn


def _count(varied: Mapping[str, Sequence[Any]], how: How, draws: int | None) -> int:
    lengths = {name: len(values) for name, values in varied.items()}
    match how:
        case "grid":
            return math.prod(lengths.values())
        case "zip":
            if len(set(lengths.values())) > 1:
                said = ", ".join(f"{name} has {length}" for name, length in lengths.items())
                raise _fault("", f"axes that are zipped need equally many values: {said}", "make them equally long")
            return max(lengths.values(), default=1)
        case "random":
            if not draws:
                raise _fault("draws", "nothing says how many points to draw", "add draws=20")
            return min(draws, math.prod(lengths.values()))


def _not_too_many(count: int) -> None:
    if count > LARGEST:
        raise _fault("", f"{count:,} points are more than {LARGEST:,}", 'draw some: how="random", draws=100')


def _fault(name: str, message: str, remedy: str) -> RequestError:
    return RequestError([error((name,) if name else (), message, remedy)])
