"""A point put into the base of a sweep: fields by their path, and text into the placeholders of prompts. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, cast

from kling_nb.errors import RequestError
from kling_nb.models.messages import short_repr
from kling_nb.models.problem import Problem, error, warning

#: `{place}` is a placeholder, `{{place}}` is literal text; anything else in braces is text, with a warning.
_BRACES = re.compile(r"\{\{([^{}]*)\}\}|\{[ \t]*([A-Za-z_]\w*)[ \t]*\}|(\{[^{}]*\})")
_MAX_SHOWN = 60
_TEXTS = ("prompt", "negative_prompt")


def placeholders_in(*values: Any) -> set[str]:
    """Return the names of the placeholders in every prompt of some fields, those of shots too."""
    return {found[2] for found in _braces_in(values) if found[2]}


def warnings_of(*values: Any) -> list[Problem]:
    """Return a warning for each text in braces that looks like a placeholder but has no name."""
    odd = (found[3] for found in _braces_in(values) if found[3])
    shown = dict.fromkeys(text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…" for text in odd)
    return [
        warning(
            ("prompt",),
            f"{text} is not a placeholder and stays as it is",
            f"write {{name}} for a placeholder, or {{{text}}} for the text itself",
        )
        for text in shown
    ]


def fill_in(base: Mapping[str, Any], point: Mapping[str, Any], placeholders: Collection[str]) -> dict[str, Any]:
    """Return the base's fields with the point's values: first the fields by path, then the text of placeholders.

    Args:
        base: The fields of the sweep's base.
        point: A value for each axis.
        placeholders: Axes that are placeholders only. A field's value may fill a placeholder of its name too.

    Raises:
        RequestError: A path does not exist, or a placeholder has no value or one that is not text or a number. A clip
            of `"{place}"`, or of `"['cat' 'dog'] walks"`, would be paid for nothing.
    """
    fields = dict(base)
    for path, value in point.items():
        if path not in placeholders:
            fields = _replaced(fields, path.split("."), value, path)
    names = placeholders_in(fields)
    texts = {name: _text(name, value) for name, value in point.items() if name in names}
    if missing := sorted(names - texts.keys()):
        listed = ", ".join(f"{{{name}}}" for name in missing)
        remedy = f"give {missing[0]}=[...], or write {{{{{missing[0]}}}}} for the text itself"
        raise RequestError([error(("prompt",), f"{listed} has no value", remedy)])

    def substitute(found: re.Match[str]) -> str:
        return texts.get(found[2], found[0]) if found[1] is None else f"{{{found[1]}}}"

    return _with_texts(fields, lambda text: _BRACES.sub(substitute, text))


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str | int | float) or (isinstance(value, float) and not math.isfinite(value)):
        message, remedy = f"{short_repr(value)} is not text or a number", f"give a list of them: {name}=[...]"
        raise RequestError([error((name,), message, remedy)])
    return str(value)


def _replaced(value: Any, path: Sequence[str], new: Any, whole: str) -> Any:
    """Return the value with another one at a path; only the containers along the path are copied."""
    if not path:
        return new
    step, *rest = path
    if isinstance(value, Mapping):
        known = cast("Mapping[str, Any]", value)
        if rest and step not in known:
            raise _no_such_path(whole, f"there is no {step}")
        return {**known, step: _replaced(known.get(step), rest, new, whole)}
    if isinstance(value, list | tuple):
        items = list(cast("Sequence[Any]", value))
        if not step.isdecimal() or int(step) >= len(items):
            raise _no_such_path(whole, f"the list has {len(items)} entries, counted from 0")
        items[int(step)] = _replaced(items[int(step)], rest, new, whole)
        return items
    raise _no_such_path(whole, f"a {type(value).__name__} has no parts")


def _no_such_path(path: str, reason: str) -> RequestError:
    return RequestError(
        [error(tuple(path.split(".")), f"the path does not exist: {reason}", "fix the path or the base")]
    )


def _with_texts(value: Any, change: Callable[[str], str], name: str = "") -> Any:
    """Return the value of a field, or all fields, with every prompt in it changed."""
    match value:
        case str() if name in _TEXTS:
            return change(value)
        case dict():
            known = cast("dict[str, Any]", value)
            return {key: _with_texts(item, change, key) for key, item in known.items()}
        case list() | tuple() if name == "multi_prompt":
            return [_with_texts(item, change) for item in cast("Sequence[Any]", value)]
        case _:
            return value


def _braces_in(values: Iterable[Any]) -> list[re.Match[str]]:
    """Return all text in braces in the prompts of some fields."""
    found: list[re.Match[str]] = []

    def collect(text: str) -> str:
        found.extend(_BRACES.finditer(text))
        return text

    for value in values:
        _with_texts(value, collect)
    return found
