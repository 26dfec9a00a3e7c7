"""Plans as CSV: a row for each clip, a column for each field or slot (`duration`, `multi_prompt.0.prompt`)."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kling_nb.errors import ArgumentError
from kling_nb.models.asset import Asset
from kling_nb.models.fields import media_kind, plain
from kling_nb.models.images import suffix_of
from kling_nb.models.request import given_fields
from kling_nb.sweeps.axes import Point
from kling_nb.sweeps.design import Cell

#: Columns that stay text, whatever they look like: a prompt may be `1984`.
_TEXTS = ("prompt", "negative_prompt")


def to_csv(cells: Sequence[Cell], file: Path | None) -> str:
    """Return the requests of cells as CSV, and write it to a file.

    Images that are neither files nor public addresses are written to a folder beside the file.
    """
    rows = [dict(_slots(plain(given_fields(cell.request)), file)) for cell in cells if cell.request]
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, sorted(names, key=_column), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    if file is not None:
        file.write_text(text.getvalue(), "utf-8")
    return text.getvalue()


def read_csv(file: Path) -> list[Point]:
    """Return the rows of a CSV file as points; an empty cell is a missing value.

    Paths of images are relative to the file. Commas, semicolons and tabs separate columns.

    Raises:
        ArgumentError: The file cannot be read, or is not a table.
    """
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise ArgumentError(f"{file} cannot be read as CSV in UTF-8: {exc}.") from exc
    head = text.partition("\n")[0]
    mark = max(",;\t", key=head.count)
    rows = list(csv.reader(io.StringIO(text), delimiter=mark))
    if len(rows) < 2:
        raise ArgumentError(f"{file} has no rows. The first line names the columns, such as prompt,duration.")
    names = [name.strip() for name in rows[0]]
    if "" in names or len(set(names)) < len(names):
        raise ArgumentError(f"{file}: each column needs a name of its own, got {', '.join(map(repr, names))}.")
    points: list[Point] = []
    for number, row in enumerate(rows[1:], 2):
        if len(row) > len(names):
            raise ArgumentError(f"{file}, line {number}: {len(row)} cells for {len(names)} columns.")
        if any(cell.strip() for cell in row):
            cells = zip(names, row, strict=False)
            points.append({name: _value(name, cell, file.parent) for name, cell in cells if cell.strip()})
    if not points:
        raise ArgumentError(f"{file} has no rows with values.")
    return points


def joined_slots(points: Iterable[Point], base: Mapping[str, Any]) -> list[Point]:
    """Return points with the slots of fields that the base lacks joined: `input_image.0` and `.1` make `input_image`.

    Raises:
        ArgumentError: A slot is missing before another one; the images after it would move up.
    """
    return [_joined(point, base, number) for number, point in enumerate(points, 1)]


def _joined(point: Point, base: Mapping[str, Any], number: int) -> Point:
    joined: Point = {}
    for name, value in point.items():
        steps = name.split(".")
        if len(steps) == 1 or steps[0] in base:
            joined[name] = value
            continue
        place: Any = joined
        for step, following in zip(steps, [*steps[1:], ""], strict=True):
            empty: Any = [] if following.isdecimal() else {}
            key: Any = int(step) if isinstance(place, list) else step
            if isinstance(place, list) and key > len(place):
                before = ".".join([*steps[: steps.index(step)], str(len(place))])
                raise ArgumentError(f"Row {number}: {name} is given, but {before} is empty.")
            if not following:
                empty = value
            if isinstance(place, list) and key == len(place):
                place.append(empty)
            elif not isinstance(place, list) and key not in place:
                place[key] = empty
            place = place[key]
    return joined


def _slots(fields: Mapping[str, Any], file: Path | None) -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        yield from _slots_of(name, value, file)


def _slots_of(path: str, value: Any, file: Path | None) -> Iterator[tuple[str, Any]]:
    match value:
        case Asset():
            yield path, _address(value, file)
        case Mapping():
            for name, item in value.items():
                yield from _slots_of(f"{path}.{name}", item, file)
        case list() | tuple():
            for index, item in enumerate(value):
                yield from _slots_of(f"{path}.{index}", item, file)
        case None:
            return
        case bool():
            yield path, "true" if value else "false"
        case _:
            yield path, value


def _address(asset: Asset, file: Path | None) -> str:
    """Return a URL or a path from which an image can be read again, next to the CSV file."""
    if asset.data is None or file is None:
        return asset.identity if asset.data is None else asset.given
    source = Path(asset.given)
    try:
        same = source.is_file() and source.read_bytes() == asset.data
    except (OSError, ValueError):  # `given` may be any text
        same = False
    if not same:
        source = (
            file.parent
            / f"{file.stem}_images"
            / f"{asset.identity.removeprefix('sha256:')[:16]}{suffix_of(asset.data)}"
        )
        source.parent.mkdir(exist_ok=True)
        source.write_bytes(asset.data)
    return Path(os.path.relpath(source, file.parent)).as_posix()


def _value(name: str, cell: str, folder: Path) -> Any:
    last = next((step for step in reversed(name.split(".")) if not step.isdecimal()), name)
    if last in _TEXTS:
        return cell
    text = cell.strip()
    if media_kind(last) and "://" not in text and not text.startswith("data:"):
        return str(folder / text)
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        number = json.loads(text)
    except ValueError:
        return text
    return number if isinstance(number, int | float) and str(number) == text else text


def _column(name: str) -> tuple[int, str]:
    order = ("model", "prompt", "multi_prompt", "duration", "aspect_ratio")
    root = name.partition(".")[0]
    return (order.index(root) if root in order else len(order), name)
