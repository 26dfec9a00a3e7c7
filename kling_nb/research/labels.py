"""Values in words: as a heading says them, and as short as tells the cells of a plan apart. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import takewhile
from typing import Any, cast

from kling_nb.models.asset import Asset

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
