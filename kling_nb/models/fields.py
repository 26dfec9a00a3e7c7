"""A draft: a request's fields as plain values, finished or not, and the walks over it."""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, cast

from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from kling_nb.models.asset import Asset, Kind

Path = tuple[str | int, ...]
#: A value that cannot be used: where, what is wrong, what to do.
Fault = tuple[Path, str, str]

_LARGEST = 2**53 - 1  # beyond it two JSON readers may see two numbers (RFC 8785)
_MEDIA = re.compile(r"(?:^|_)(image|frame|video)s?(?:_tail)?(?:_ur[il]s?)?$", re.IGNORECASE)


def without_empty(data: Any) -> Any:
    """Drop what counts as absent: None, empty lists (`multi_prompt: []`, HUB_API section 6), a blank prompt."""
    if not isinstance(data, Mapping):
        return data
    return {name: value for name, value in data.items() if not _empty(value)}


def plain(value: Any) -> Any:
    """Return models as mappings, whatever is `listed` as lists, without what is None; assets stay as they are."""
    match value:
        case str() | int() | float() | None:  # first: most values are one of these, and a plan has 100,000 of them
            return value
        case BaseModel():
            given = {**value.__dict__, **(value.model_extra or {})}
            return {name: plain(item) for name, item in given.items() if item is not None}
        case Mapping():
            return {key: plain(item) for key, item in value.items()}
        case _:
            items = listed(value)
            return scalar(value) if items is None else [plain(item) for item in items]


def listed(value: Any) -> list[Any] | None:
    """Return the items of what has an order, in that order; None for any other value.

    Lists, tuples, ranges, deques, generators, views of a mapping, and one-dimensional arrays (a column of a table, its
    index). Text is no list, nor is a set, which has no first; an array of two or three dimensions is a picture.
    """
    match value:
        case list():
            return value
        case tuple() | range() | deque() | KeysView() | ValuesView():
            return list(cast(Iterable[Any], value))
        case Iterator() if not hasattr(value, "read"):  # a file is an iterator too, and no list of pictures
            return list(cast(Iterator[Any], value))
        case bytes() | bytearray() | memoryview():  # a view of bytes has a shape too
            return None
        case _:
            return _column(value)


def _column(value: Any) -> list[Any] | None:
    """Return the items of a one-dimensional array of whichever library; none of them is imported for this."""
    shape = getattr(value, "shape", None)
    give = getattr(value, "tolist", None) or getattr(value, "to_list", None)
    if not isinstance(shape, tuple) or len(cast(tuple[Any, ...], shape)) != 1 or not callable(give):
        return None
    return cast(list[Any], give())


def scalar(value: Any) -> Any:
    """Return a number or truth of numpy's, which is what the cells of a table hold, as Python's own."""
    is_numpys = type(value).__module__ == "numpy" and getattr(value, "shape", None) == ()
    return value.item() if is_numpys else value


def resolved(value: Any, resolve: Callable[[Asset], str]) -> Any:
    """Return the value with the address of each asset in its place."""
    match value:
        case str() | int() | float() | None:
            return value
        case Asset():
            return resolve(value)
        case Mapping():
            return {key: resolved(item, resolve) for key, item in value.items()}
        case list() | tuple():
            return [resolved(item, resolve) for item in value]
        case _:
            return value


def assets_in(value: Any, path: Path = ()) -> Iterator[tuple[Path, Asset]]:
    """Yield every asset with its path, in order."""
    match value:
        case str() | int() | float() | None:
            return
        case Asset():
            yield path, value
        case Mapping():
            for key, item in value.items():
                yield from assets_in(item, (*path, key))
        case list() | tuple():
            for index, item in enumerate(value):
                yield from assets_in(item, (*path, index))
        case _:
            return


def media_kind(name: str) -> Kind | None:
    """Tell from a field's name whether it takes pictures or videos: `tail_image_url` does, `image_size` does not."""
    found = _MEDIA.search(name)
    if not found:
        return None
    return "video" if found[1].lower() == "video" else "image"


def with_media(value: Any, faults: list[Fault], path: Path = ()) -> Any:
    """Return the value with an asset for all that stands in a picture's or video's field.

    What cannot be one stays as it is and is added to `faults`.
    """
    match value:
        case Mapping():
            return {key: with_media(item, faults, (*path, key)) for key, item in value.items()}
        case list() | tuple():
            return [with_media(item, faults, (*path, index)) for index, item in enumerate(value)]
        case None | bool() | int() | float():
            return value
        case _:
            field = next((step for step in reversed(path) if isinstance(step, str)), "")
            kind = media_kind(field)
            return parse_asset(value, kind, faults, path) if kind else value


def parse_asset(value: Any, kind: Kind, faults: list[Fault], path: Path) -> Any:
    """Return the asset for a value, or the value itself after adding to `faults` why it is none."""
    try:
        return Asset.parse(value, kind)
    except PydanticCustomError as exc:
        context = exc.context or {}
        faults.append((path, str(context.get("message", exc)), str(context.get("remedy", ""))))
        return value


def unsendable(value: Any, path: Path = ()) -> Iterator[Fault]:
    """Yield what JSON cannot carry, or would not carry the same way everywhere."""
    match value:
        case None | bool() | Asset():
            return
        case str():
            if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
                yield path, "the text holds half a character (a lone surrogate)", "write it again"
        case int():
            if abs(value) > _LARGEST:
                yield path, "the number is too large for JSON", f"at most {_LARGEST:,}"
        case float():
            if not math.isfinite(value):
                yield path, f"{value} is not a number", "give a number"
        case list() | tuple():
            for index, item in enumerate(value):
                yield from unsendable(item, (*path, index))
        case Mapping():
            for key, item in value.items():
                if isinstance(key, str):
                    yield from unsendable(item, (*path, key))
                else:
                    yield path, f"a field's name is a {type(key).__name__}", "names are strings"
        case _:
            yield path, f"a {type(value).__name__} cannot be sent", "give text, a number, True or False, or a list"


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, list | tuple) and not value) or _blank(value)


def _blank(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()
