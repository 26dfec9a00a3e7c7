"""A point put into the base: fields by their path, and words into the named slots of prompts. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, cast

from kling_nb.errors import RequestError
from kling_nb.models.messages import short_repr
from kling_nb.models.problem import Problem, error, warning

#: `{place}` is a slot, `{{place}}` is that very text; what else stands in braces is text, and a doubt.
_SLOT = re.compile(r"\{\{([^{}]*)\}\}|\{[ \t]*([A-Za-z_]\w*)[ \t]*\}|(\{[^{}]*\})")
_SHOWN = 60
_TEXTS = ("prompt", "negative_prompt")


def slots_of(*values: Any) -> set[str]:
    """Return the names of the slots in every prompt of some fields, shots included."""
    return {found[2] for value in values for text in _texts(value) for found in _SLOT.finditer(text) if found[2]}


def doubts_of(*values: Any) -> list[Problem]:
    """Return a doubt for each thing in braces that looks like a slot of a prompt, and is none."""
    odd = (found[3] for value in values for text in _texts(value) for found in _SLOT.finditer(text) if found[3])
    short = (one if len(one) <= _SHOWN else f"{one[:_SHOWN]}…" for one in odd)
    remedy = "write a name alone for a slot, {place}, or {0} for the text itself"
    return [
        warning(("prompt",), f"{one} is no slot, and stays as it is written", remedy.replace("{0}", f"{{{one}}}"))
        for one in dict.fromkeys(short)
    ]


def filled(base: Mapping[str, Any], point: Mapping[str, Any], only_slots: Collection[str]) -> dict[str, Any]:
    """Return the base's fields with the point's values: first fields by path, then words into slots.

    `only_slots` are names that are no field; a field's value may fill a slot of its name too.
    Raises `RequestError` for a path that leads nowhere, for a slot that nothing fills, and for what is no words: a clip
    of "{place}", or of "['cat' 'dog'] walks", would be paid for nothing.
    """
    fields = dict(base)
    for path, value in point.items():
        if path not in only_slots:
            fields = _placed(fields, path.split("."), value, path)
    slots = slots_of(fields)
    words = {name: _words(name, value) for name, value in point.items() if name in slots}
    if empty := sorted(slots - words.keys()):
        names = ", ".join(f"{{{name}}}" for name in empty)
        remedy = f"give {empty[0]}=[...], or write {{{{{empty[0]}}}}} for the text itself"
        raise RequestError([error(("prompt",), f"nothing fills {names}", remedy)])
    return {name: _worded(value, words, name) for name, value in fields.items()}


def _words(name: str, value: Any) -> str:
    if not isinstance(value, str | int | float) or (isinstance(value, float) and not math.isfinite(value)):
        remedy = f"give a list of texts or numbers: {name}=[...]"
        raise RequestError([error((name,), f"{short_repr(value)} cannot stand in a prompt", remedy)])
    return str(value)


def _placed(value: Any, path: Sequence[str], new: Any, whole: str) -> Any:
    """Return the value with another one at a path; only what lies on the way is copied."""
    if not path:
        return new
    step, *rest = path
    if isinstance(value, Mapping):
        known = cast("Mapping[str, Any]", value)
        if rest and step not in known:
            raise _nowhere(whole, f"there is no {step}")
        return {**known, step: _placed(known.get(step), rest, new, whole)}
    if isinstance(value, list | tuple):
        items = list(cast("Sequence[Any]", value))
        if not step.isdecimal() or int(step) >= len(items):
            raise _nowhere(whole, f"it has {len(items)} entries, counted from 0")
        items[int(step)] = _placed(items[int(step)], rest, new, whole)
        return items
    raise _nowhere(whole, f"there is nothing inside a {type(value).__name__}")


def _nowhere(path: str, why: str) -> RequestError:
    problem: Problem = error(tuple(path.split(".")), f"this path leads nowhere: {why}", "mend the path, or the base")
    return RequestError([problem])


def _worded(value: Any, words: Mapping[str, str], name: str = "") -> Any:
    match value:
        case str() if name in _TEXTS:
            return _SLOT.sub(lambda found: _put(found, words), value)
        case dict():
            known = cast("dict[str, Any]", value)
            return {key: _worded(item, words, key) for key, item in known.items()}
        case list() if name == "multi_prompt":
            return [_worded(item, words) for item in cast("list[Any]", value)]
        case _:
            return value


def _put(found: re.Match[str], words: Mapping[str, str]) -> str:
    return words.get(found[2], found[0]) if found[1] is None else f"{{{found[1]}}}"


def _texts(value: Any, name: str = "") -> Iterator[str]:
    match value:
        case str() if name in _TEXTS:
            yield value
        case dict():
            for key, item in cast("dict[str, Any]", value).items():
                yield from _texts(item, key)
        case list() | tuple() if name in ("multi_prompt", *_TEXTS):
            for item in cast("Sequence[Any]", value):
                yield from _texts(item, name if name in _TEXTS else "")
        case _:
            return
