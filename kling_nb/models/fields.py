"""Drafts, which are a request's fields as plain values, finished or not, and functions that walk over them."""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, cast

from pydantic import BaseModel

from kling_nb.models.asset import Asset, Kind
from kling_nb.models.images import ImageError
from kling_nb.models.problem import Path, Problem, error
from kling_nb.models.prompts import is_blank

_IMAGE_LISTS = frozenset({"input_image", "reference_image_urls"})
_LARGEST = 2**53 - 1  # JSON readers may disagree about a larger number (RFC 8785)
_MEDIA = re.compile(r"(?:^|_)(image|frame|video)s?(?:_tail)?(?:_ur[il]s?)?$", re.IGNORECASE)


def without_empty(data: Any) -> Any:
    """Drop the fields that count as absent: None, empty lists (`multi_prompt: []`) and blank text."""
    if not isinstance(data, Mapping):
        return data
    return {name: value for name, value in data.items() if not _is_empty(value)}


def _is_empty(value: Any) -> bool:
    match value:
        case None | [] | ():
            return True
        case str():
            return is_blank(value)
        case _:
            return False


def plain(value: Any) -> Any:
    """Return a value with models as dicts, sequences as lists and numpy's scalars as Python's; assets stay.

    Fields of models that are None are left out.
    """
    match value:
        case str() | int() | float() | None:  # first: most values are one of these, and a plan has 100,000 of them
            return value
        case BaseModel():
            fields = type(value).model_fields
            given = {name: item for name, item in value.__dict__.items() if name in fields}
            given |= value.model_extra or {}
            return {name: plain(item) for name, item in given.items() if item is not None}
        case Mapping():
            return {key: plain(item) for key, item in value.items()}
        case _:
            items = listed(value)
            return scalar(value) if items is None else [plain(item) for item in items]


def with_lists(fields: Any) -> Any:
    """Return fields with a list where one reference image was given alone: `input_image="face.png"`."""
    if not isinstance(fields, Mapping):
        return fields
    return {name: _listed_image(name, item) for name, item in fields.items()}


def _listed_image(name: Any, value: Any) -> Any:
    if name == "elements" and isinstance(value, list | tuple):
        return [with_lists(element) for element in value]
    return [value] if name in _IMAGE_LISTS and _is_one(value) else value


def _is_one(value: Any) -> bool:
    """Return whether a value may be one image, and not a list of them or a mistake."""
    return not isinstance(value, int | float | set | frozenset | Mapping | None) and listed(value) is None


def listed(value: Any) -> list[Any] | None:
    """Return the items of an ordered collection, or None for any other value.

    Lists, tuples, ranges, deques, generators, views of a mapping, and one-dimensional arrays (a column of a table, its
    index) are ordered. Text and sets are not; an array of two or three dimensions is an image.
    """
    match value:
        case list():
            return value
        case tuple() | range() | deque() | KeysView() | ValuesView():
            return list(cast(Iterable[Any], value))
        case Iterator() if not hasattr(value, "read"):  # a file is an iterator too, but not a list of images
            return list(cast(Iterator[Any], value))
        case bytes() | bytearray() | memoryview():  # a view of bytes has a shape too
            return None
        case _:
            return _column(value)


def _column(value: Any) -> list[Any] | None:
    """Return the items of a one-dimensional array of any library, without importing it."""
    shape = getattr(value, "shape", None)
    to_list = getattr(value, "tolist", None) or getattr(value, "to_list", None)
    if not isinstance(shape, tuple) or len(cast(tuple[Any, ...], shape)) != 1 or not callable(to_list):
        return None
    return cast(list[Any], to_list())


def scalar(value: Any) -> Any:
    """Return a scalar of numpy, such as the cell of a table, as Python's own number or truth value."""
    is_numpy = type(value).__module__ == "numpy" and getattr(value, "shape", None) == ()
    return value.item() if is_numpy else value


def mapped(value: Any, change: Callable[[Path, Any], Any], path: Path = ()) -> Any:
    """Return a value with `change(path, item)` in place of each item that is neither a mapping nor a sequence."""
    match value:
        case Mapping():
            return {key: mapped(item, change, (*path, key)) for key, item in value.items()}
        case list() | tuple():
            return [mapped(item, change, (*path, index)) for index, item in enumerate(value)]
        case _:
            return change(path, value)


def resolved(value: Any, resolve: Callable[[Asset], str]) -> Any:
    """Return a value with each asset replaced by its address."""
    return mapped(value, lambda _, item: resolve(item) if isinstance(item, Asset) else item)


_NOTHING = object()


def without(value: Any, paths: Collection[Path], path: Path = (), *, placeholder: Any = _NOTHING) -> Any:
    """Return a value without the items at some paths; in a list, a `placeholder` keeps the place of each."""

    def kept(step: str | int, item: Any) -> Any:
        return without(item, paths, (*path, step), placeholder=placeholder)

    match value:
        case Mapping():
            return {key: kept(key, item) for key, item in value.items() if (*path, key) not in paths}
        case list():
            items = [placeholder if (*path, index) in paths else kept(index, item) for index, item in enumerate(value)]
            return [item for item in items if item is not _NOTHING]
        case _:
            return value


def assets_in(value: Any, path: Path = ()) -> Iterator[tuple[Path, Asset]]:
    """Yield every asset with its path, in order."""
    match value:
        case Asset():
            yield path, value
        case list() | tuple():
            for index, item in enumerate(value):
                yield from assets_in(item, (*path, index))
        case dict():
            for key, item in value.items():
                yield from assets_in(item, (*path, key))
        case _:
            return


def media_kind(name: str) -> Kind | None:
    """Return whether a field of this name takes images or videos: `tail_image_url` does, `image_size` does not."""
    found = _MEDIA.search(name)
    if not found:
        return None
    return "video" if found[1].lower() == "video" else "image"


def with_media(value: Any, errors: list[Problem]) -> Any:
    """Return a value with an asset for each image and video in it.

    A value that cannot be read stays as it is, and its error is added to `errors`.
    """

    def read(path: Path, item: Any) -> Any:
        kind = media_kind(next((step for step in reversed(path) if isinstance(step, str)), ""))
        if kind is None or isinstance(item, bool | int | float | None):
            return item
        try:
            return Asset.parse(item, kind)
        except ImageError as exc:
            errors.append(error(path, str(exc), exc.remedy))
            return item

    return mapped(value, read)


def unsendable(value: Any, path: Path = ()) -> Iterator[Problem]:
    """Yield an error for each value that JSON cannot carry, or not the same way everywhere."""
    match value:
        case None | bool() | Asset():
            return
        case str():
            if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
                yield error(path, "the text contains a lone surrogate", "type it again")
        case int():
            if abs(value) > _LARGEST:
                yield error(path, "the number is too large for JSON", f"at most {_LARGEST:,}")
        case float():
            if not math.isfinite(value):
                yield error(path, f"{value} is not a finite number", "use a finite number")
        case list() | tuple():
            for index, item in enumerate(value):
                yield from unsendable(item, (*path, index))
        case Mapping():
            for key, item in value.items():
                if isinstance(key, str):
                    yield from unsendable(item, (*path, key))
                else:
                    yield error(path, f"a field name is of type {type(key).__name__}", "field names are strings")
        case _:
            remedy = "use text, a number, True or False, or a list"
            yield error(path, f"a value of type {type(value).__name__} cannot be sent", remedy)
