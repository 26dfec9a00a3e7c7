"""A model in the hub's catalogue, and the differences between two schemas of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from rfc8785 import CanonicalizationError

from kling_nb.models.asset import sha256
from kling_nb.models.canonical import canonical_json
from kling_nb.models.price import Pricing
from kling_nb.models.reprs import shorten
from kling_nb.models.request import OMNI, TARGET
from kling_nb.models.schema import Schema, fields_of, flat, list_in

#: The successors of withdrawn models, according to the hub's reference.
SUCCESSORS = {TARGET: OMNI}


class Model(BaseModel):
    """An entry of the catalogue.

    `request_schema` is JSON Schema with the hub's extras, `raw` the entry's own JSON.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, protected_namespaces=())

    id: str
    display_name: str = ""
    summary: str | None = None
    description: str | None = None
    model_type: str | None = None
    pricing: Pricing | None = None
    request_schema: dict[str, Any] = Field(
        default_factory=dict, validation_alias=AliasChoices("request_schema", "json_request_schema")
    )
    capabilities: dict[str, Any] = Field(default_factory=dict)
    raw: dict[str, Any] = Field(default_factory=dict, repr=False, exclude=True)

    def __repr__(self) -> str:
        return f"<Model {self.id}: {self.pricing.text if self.pricing else 'price unknown'}>"

    def __str__(self) -> str:
        return repr(self)

    @classmethod
    def read(cls, raw: dict[str, Any]) -> Self:
        """Validate an entry and keep its JSON. Raises `ValidationError` for one without an ID."""
        given = {name: value for name, value in raw.items() if value is not None}
        for name in ("pricing", "capabilities", "request_schema", "json_request_schema"):
            if not isinstance(given.get(name, {}), dict):
                del given[name]
        return cls.model_validate({**given, "raw": raw})

    @property
    def makes(self) -> str:
        """The kind of output: `video` by default, `image`, or another one of the catalogue."""
        made = [str(each) for each in list_in(self.capabilities, "output")]
        return next((each for each in ("video", "image") if each in made), made[0] if made else "video")

    @cached_property
    def schema_digest(self) -> str | None:
        """The `sha256:` of the canonical schema, which records keep; None without a schema."""
        if not self.request_schema:
            return None
        try:
            return sha256(canonical_json(self.request_schema))
        except CanonicalizationError:  # for a seed's `maximum` of 2**64 - 1, which RFC 8785 cannot express
            return sha256(json.dumps(self.request_schema, sort_keys=True).encode())


def alternatives(model: str, ids: Iterable[str]) -> list[str]:
    """Return up to four models to use instead: the successor first, then those with the most similar names."""
    known = [name for name in ids if name != model]
    first = [SUCCESSORS[model]] if SUCCESSORS.get(model) in known else []
    near = [name for name in get_close_matches(model, known, n=5, cutoff=0.4) if name not in first]
    return [*first, *near][:4]


@dataclass(frozen=True)
class Change:
    """One difference at one field: `aspect_ratio: also offers 21:9`."""

    field: str
    text: str

    def __str__(self) -> str:
        return f"{self.field}: {self.text}"


class Changes(Sequence[Change]):
    """The differences between a model's schema and the one `against` which it was compared."""

    def __init__(self, each: Sequence[Change], model: str, against: str) -> None:
        self._each, self.model, self.against = tuple(each), model, against

    def __getitem__(self, index: Any) -> Any:
        return self._each[index]

    def __len__(self) -> int:
        return len(self._each)

    def __repr__(self) -> str:
        if not self._each:
            return f"{self.model}: no changes since {self.against}"
        return "\n".join([f"{self.model}, compared with {self.against}:", *(f"  {change}" for change in self._each)])


def schema_changes(before: Schema, now: Schema) -> list[Change]:
    """Return the differences between two schemas of a model, except for descriptions and the order of fields."""
    return list(_fields(before, now, ""))


def _fields(before: Schema, now: Schema, path: str) -> Iterator[Change]:
    old, new = fields_of(before), fields_of(now)
    required = list_in(before, "required"), list_in(now, "required")
    for name in [*old, *(name for name in new if name not in old)]:
        where = f"{path}.{name}" if path else name
        if name not in new:
            yield Change(where, "removed")
        elif name not in old:
            yield Change(where, f"added: {_type_text(new[name])}{', required' if name in required[1] else ''}")
        else:
            yield from _field(old[name], new[name], where)
            if (name in required[0]) != (name in required[1]):
                yield Change(where, "now required" if name in required[1] else "no longer required")


def _field(old: Schema, new: Schema, where: str) -> Iterator[Change]:
    if _type(old) != _type(new):
        yield Change(where, f"now {_type_text(new)}, was {_type_text(old)}")
        return
    yield from _choices(old, new, where)
    for key, name in _KEYWORDS.items():
        if old.get(key) != new.get(key):
            yield Change(where, _keyword_change(name, old.get(key), new.get(key)))
    if bool(old.get("x-hidden")) != bool(new.get("x-hidden")):
        yield Change(where, "now hidden" if new.get("x-hidden") else "no longer hidden")
    yield from _fields(old, new, where)
    inside = flat(old.get("items"), old), flat(new.get("items"), new)
    if inside[0] or inside[1]:
        yield from _field(*inside, f"{where}[]")


_KEYWORDS = {
    "minimum": "minimum",
    "maximum": "maximum",
    "minLength": "minimum length",
    "maxLength": "maximum length",
    "minItems": "minimum items",
    "maxItems": "maximum items",
    "default": "default",
}


def _choices(old: Schema, new: Schema, where: str) -> Iterator[Change]:
    before, now = list_in(old, "enum"), list_in(new, "enum")
    if before and not now:
        yield Change(where, "now accepts any value")
    elif now and not before:
        yield Change(where, f"now one of {_joined(now)}")
    elif came := [choice for choice in now if choice not in before]:
        yield Change(where, f"also offers {_joined(came)}")
    if before and now and (gone := [choice for choice in before if choice not in now]):
        yield Change(where, f"no longer offers {_joined(gone)}")


def _keyword_change(name: str, old: Any, new: Any) -> str:
    now = "removed" if new is None else f"now {_short(new)}"
    return f"{name} {now}" + (f", was {_short(old)}" if old is not None else "")


def _type_text(schema: Schema) -> str:
    if choices := list_in(schema, "enum"):
        return f"one of {_joined(choices)}"
    least, most = schema.get("minimum"), schema.get("maximum")
    limits = f", {_short(least)} to {_short(most)}" if least is not None and most is not None else ""
    return _TYPES.get(_type(schema), "a value") + limits


_TYPES = {
    "string": "text",
    "uri": "a URL",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "on or off",
    "array": "a list",
    "object": "several fields",
}


def _type(schema: Schema) -> str:
    kind = str(schema.get("type") or "")
    return "uri" if kind == "string" and schema.get("format") == "uri" else kind


def _joined(values: Sequence[Any]) -> str:
    return ", ".join(map(_short, values[:12])) + (" …" if len(values) > 12 else "")


def _short(value: Any) -> str:
    return shorten(value if isinstance(value, str) else repr(value), 40)
