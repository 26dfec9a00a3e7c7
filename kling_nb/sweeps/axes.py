"""The axes of a sweep as a list of points: a value for every axis, always in the same order. Pure."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, KeysView, Mapping, Sequence, Set
from itertools import product
from typing import Any, Literal, cast, get_args

from kling_nb.errors import ArgumentError, ArgumentTypeError
from kling_nb.models.fields import listed, scalar
from kling_nb.models.messages import short_repr

#: A value for each axis, by its path (`duration`, `multi_prompt.0.duration`) or placeholder.
Point = dict[str, Any]
How = Literal["grid", "zip", "random"]

#: The most points of a sweep: a grid grows by multiplication, and more is probably a mistake.
MAX_POINTS = 100_000


def points(
    axes: Mapping[str, Any], *, how: How = "grid", draws: int | None = None, seed: int = 0, rows: Any = None
) -> list[Point]:
    """Return the points of a sweep, in order.

    Args:
        axes: Lists (anything that `listed` accepts) are axes; any other value is the same at every point.
        how: `"grid"` for every combination, the last axis fastest; `"zip"` for the first values together, then the
            second; `"random"` for `draws` different combinations of the grid.
        draws: The number of random points.
        seed: Seed of the random points.
        rows: Points as mappings or as a DataFrame, each combined with every point of the axes.

    Raises:
        ArgumentError, ArgumentTypeError: An argument or an axis is not valid.
    """
    axis_values = {name: values for name, value in axes.items() if (values := _values(name, value)) is not None}
    constants = {name: value for name, value in axes.items() if name not in axis_values}
    if how not in get_args(How):
        raise ArgumentError(f'how must be "grid", "zip" or "random", got {short_repr(how)}.')
    if draws is not None and how != "random":
        raise ArgumentError('draws needs how="random".')
    if draws is not None:
        draws = whole_number("draws", draws, 0)
    given = [{}] if rows is None else rows_of(rows)
    count = len(given) * _count(axis_values, how, draws)
    if count > MAX_POINTS:
        raise ArgumentError(
            f'A sweep must have at most {MAX_POINTS:,} points, got {count:,}. Use how="random", draws=100 to draw some.'
        )
    return [{**constants, **row, **point} for row in given for point in _combined(axis_values, how, draws, seed)]


def whole_number(name: str, value: Any, least: int) -> int:
    """Return an argument that must be a whole number of at least `least`."""
    number = scalar(value)
    if type(number) is not int:
        raise ArgumentTypeError(f"{name} must be a whole number, got {short_repr(value)}.")
    if number < least:
        raise ArgumentError(f"{name} must be at least {least}, got {number}.")
    return number


def rows_of(rows: Any) -> list[Point]:
    """Return points given as an iterable of mappings or as a pandas or polars DataFrame, without missing values."""
    is_table = len(getattr(rows, "shape", ())) == 2
    to_rows = (getattr(rows, "to_dicts", None) or getattr(rows, "to_dict", None)) if is_table else None
    if callable(to_rows):
        rows = to_rows() if hasattr(rows, "to_dicts") else to_rows("records")
    elif not isinstance(rows, Iterable) or isinstance(rows, str | Mapping):
        raise ArgumentTypeError(f"rows must be a list of mappings or a DataFrame, got {short_repr(rows)}.")
    found = [_row(row, to_rows is not None) for row in cast("Iterable[Any]", rows)]
    if not found:
        raise ArgumentError("rows must have at least one row.")
    return found


def _row(row: Any, of_table: bool) -> Point:
    if not isinstance(row, Mapping):
        raise ArgumentTypeError(f"rows must be a list of mappings or a DataFrame, got a row {short_repr(row)}.")
    values = {str(name): _plain(value, of_table) for name, value in cast("Mapping[Any, Any]", row).items()}
    # In a table every row has every column, so that None means missing; in a mapping it is a value.
    return {name: value for name, value in values.items() if not (_missing(value) or (of_table and value is None))}


def _plain(value: Any, of_table: bool) -> Any:
    """Return a number of a table as Python's own; images in arrays stay."""
    number = value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value
    # A missing value turns a whole column of a table into floats: its 5 becomes 5.0.
    return int(number) if of_table and isinstance(number, float) and number.is_integer() else number


def _missing(value: Any) -> bool:
    return (isinstance(value, float) and math.isnan(value)) or type(value).__name__ in ("NAType", "NaTType")


def _values(name: str, value: Any) -> list[Any] | None:
    """Return the values of an axis; None for a value that is the same at every point."""
    if isinstance(value, Set) and not isinstance(value, KeysView):
        raise ArgumentTypeError(f"{name} must be a list, got {short_repr(value)}. A set has no order.")
    values = listed(value)
    if values is not None and not values:
        raise ArgumentError(f"{name} must have at least one value.")
    return values


def _combined(axes: Mapping[str, Sequence[Any]], how: How, draws: int | None, seed: int) -> Iterator[Point]:
    match how:
        case "grid":
            rows: Iterable[Sequence[Any]] = product(*axes.values())
        case "zip":
            rows = zip(*axes.values(), strict=True) if axes else [()]
        case "random":
            rows = _drawn(list(axes.values()), draws or 0, seed)
    return (dict(zip(axes, values, strict=True)) for values in rows)


def _drawn(axes: list[Sequence[Any]], draws: int, seed: int) -> Iterator[list[Any]]:
    total = math.prod(map(len, axes))
    # The numbers of combinations are drawn, not combinations: the grid may be too large to write down.
    for number in _distinct(random.Random(seed), total, min(draws, total)):  # noqa: S311 - to repeat, not to hide
        point: list[Any] = []
        for values in reversed(axes):
            number, index = divmod(number, len(values))
            point.insert(0, values[index])
        yield point


def _distinct(rng: random.Random, total: int, count: int) -> Iterable[int]:
    if total <= MAX_POINTS:
        return rng.sample(range(total), count)
    drawn: dict[int, None] = {}
    while len(drawn) < count:
        drawn[rng.randrange(total)] = None
    return drawn


def _count(axes: Mapping[str, Sequence[Any]], how: How, draws: int | None) -> int:
    lengths = {name: len(values) for name, values in axes.items()}
    total = math.prod(lengths.values())
    match how:
        case "grid":
            return total
        case "zip":
            if len(set(lengths.values())) > 1:
                counts = ", ".join(f"{name} has {length}" for name, length in lengths.items())
                raise ArgumentError(f'With how="zip" all axes must have the same length: {counts}.')
            return max(lengths.values(), default=1)
        case "random":
            if not draws:
                raise ArgumentError('how="random" needs the number of points, such as draws=20.')
            return min(draws, total)
