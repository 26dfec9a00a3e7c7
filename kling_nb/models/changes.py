"""What has changed in a model's `request_schema`: fields that came or went, choices, limits, defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """One difference at one field, in words: `aspect_ratio: also offers 21:9`."""

    field: str
    text: str

    def __str__(self) -> str:
        return f"{self.field}: {self.text}"


class Changes(Sequence[Change]):
    """The differences, one a line when shown; `against` says what the schema was compared with."""

    def __init__(self, each: Sequence[Change], model: str, against: str) -> None:
        self._each, self.model, self.against = tuple(each), model, against

    def __getitem__(self, index: Any) -> Any:
        return self._each[index]

    def __len__(self) -> int:
        return len(self._each)

    def __repr__(self) -> str:
        if not self._each:
            return f"{self.model}: the same as {self.against}"
        return "\n".join([f"{self.model}, compared with {self.against}:", *(f"  {change}" for change in self._each)])


def schema_changes(before: Schema, now: Schema) -> list[Change]:
    """Return what differs between two schemas of one model, by field; words and order of the fields do not count."""
    return list(_fields(before, now, ""))


def _fields(before: Schema, now: Schema, path: str) -> Iterator[Change]:
    old, new = _properties(before), _properties(now)
    for name in [*old, *(name for name in new if name not in old)]:
        where = f"{path}.{name}" if path else name
        if name not in new:
            yield Change(where, "is gone")
        elif name not in old:
            needed = ", required" if name in _required(now) else ""
            yield Change(where, f"is new: {_kind_words(new[name])}{needed}")
        else:
            yield from _field(old[name], new[name], where)
            if (name in _required(before)) != (name in _required(now)):
                yield Change(where, "is required now" if name in _required(now) else "is not required any more")


def _field(old: Schema, new: Schema, where: str) -> Iterator[Change]:
    if _type(old) != _type(new):
        yield Change(where, f"is {_kind_words(new)} now, was {_kind_words(old)}")
        return
    yield from _choices(old, new, where)
    for key, words in _LIMITS.items():
        if old.get(key) != new.get(key):
            yield Change(where, _moved(words, old.get(key), new.get(key)))
    if old.get("default") != new.get("default"):
        yield Change(where, _moved("default", old.get("default"), new.get("default")))
    if bool(old.get("x-hidden")) != bool(new.get("x-hidden")):
        yield Change(where, "is hidden now" if new.get("x-hidden") else "is not hidden any more")
    yield from _fields(old, new, where)
    inside = _mapping(old.get("items")), _mapping(new.get("items"))
    if inside[0] or inside[1]:
        yield from _field(*inside, f"{where}[]")


_LIMITS = {
    "minimum": "least",
    "maximum": "most",
    "minLength": "least characters",
    "maxLength": "most characters",
    "minItems": "fewest",
    "maxItems": "most",
}


def _choices(old: Schema, new: Schema, where: str) -> Iterator[Change]:
    before, now = _list(old.get("enum")), _list(new.get("enum"))
    if before and not now:
        yield Change(where, "takes any value now")
    elif now and not before:
        yield Change(where, f"is one of {_joined(now)} now")
    elif came := [choice for choice in now if choice not in before]:
        yield Change(where, f"also offers {_joined(came)}")
    if before and now and (gone := [choice for choice in before if choice not in now]):
        yield Change(where, f"no longer offers {_joined(gone)}")


def _moved(words: str, old: Any, new: Any) -> str:
    if new is None:
        return f"has no {words} any more, it was {_shown(old)}"
    return f"{words} is {_shown(new)} now" + (f", was {_shown(old)}" if old is not None else "")


def _kind_words(schema: Schema) -> str:
    if choices := _list(schema.get("enum")):
        return f"one of {_joined(choices)}"
    least, most = schema.get("minimum"), schema.get("maximum")
    limits = f", {_shown(least)} to {_shown(most)}" if least is not None and most is not None else ""
    return _KINDS.get(_type(schema), "a value") + limits


_KINDS = {
    "string": "text",
    "uri": "an address",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "on or off",
    "array": "a list",
    "object": "several fields",
}


def _type(schema: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):  # "or null" is no other type
        kind = next((each for each in cast(list[Any], kind) if each != "null"), None)
    return "uri" if kind == "string" and schema.get("format") == "uri" else str(kind or "")


def _properties(schema: Schema) -> dict[str, Schema]:
    return {str(name): _mapping(each) for name, each in _mapping(schema.get("properties")).items()}


def _required(schema: Schema) -> list[Any]:
    return _list(schema.get("required"))


def _mapping(value: Any) -> Schema:
    return cast(Schema, value) if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else []


def _joined(values: Sequence[Any]) -> str:
    return ", ".join(map(_shown, values[:12])) + (" …" if len(values) > 12 else "")


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
