"""A model's `request_schema` (JSON Schema with extras): its fields, and checks of a request against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from typing import TYPE_CHECKING, Any, cast

from kling_nb.errors import did_you_mean
from kling_nb.models.problem import Problem, error, warning
from kling_nb.models.reprs import shorten

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

Schema = Mapping[str, Any]

#: Fields that are not the model's: the queue reads them, or this package.
_QUEUE_FIELDS = ("model", "hub", "num_generations", "target_namespace")
_UNLISTED = ("prompt", "multi_prompt", "duration", "response_format")


def fields_of(schema: Schema) -> dict[str, Schema]:
    """Return the schema of each field by name, as `flat` returns it; none for a malformed schema."""
    return {str(name): flat(field, schema) for name, field in mapping_in(schema, "properties").items()}


def flat(schema: Any, whole: Schema) -> Schema:
    """Return a field's schema with its `$ref` to `whole` resolved and without its "or null"."""
    if not isinstance(schema, Mapping):
        return {}
    plain = cast(Schema, schema)
    if _definition_of(plain):
        return _followed(plain, whole)
    if isinstance(kinds := plain.get("type"), list):
        return {**plain, "type": next((kind for kind in cast(list[Any], kinds) if kind != "null"), None)}
    either = plain.get("anyOf", plain.get("oneOf"))
    if not isinstance(either, list):
        return plain
    options = [flat(option, whole) for option in cast(list[Any], either)]
    return {
        **next((option for option in options if option.get("type") != "null"), {}),
        **{key: value for key, value in plain.items() if key not in ("anyOf", "oneOf")},
    }


def options_of(schema: Any, whole: Schema, depth: int = 3) -> list[Schema]:
    """Return a field's schema as `flat` returns it, and then its alternatives (`anyOf`, `oneOf`, `allOf`)."""
    if not isinstance(schema, Mapping) or not depth:
        return []
    plain = cast(Schema, schema)
    plain = _followed(plain, whole) if _definition_of(plain) else plain
    nested = [option for keyword in ("anyOf", "oneOf", "allOf") for option in list_in(plain, keyword)]
    return [flat(plain, whole), *(each for option in nested for each in options_of(option, whole, depth - 1))]


def _followed(schema: Schema, whole: Schema) -> Schema:
    """Return the definition behind a `$ref`, with the keywords next to it; empty for a missing or circular one."""
    definitions, seen = mapping_in(whole, "$defs"), set[str]()
    while name := _definition_of(schema):
        found = definitions.get(name)
        found = {} if found is True else found
        if name in seen or not isinstance(found, Mapping):
            return {}
        seen.add(name)
        schema = {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _definition_of(schema: Schema) -> str:
    ref = schema.get("$ref")
    return ref.removeprefix("#/$defs/") if isinstance(ref, str) and ref.startswith("#/$defs/") else ""


def mapping_in(schema: Schema, name: str) -> Schema:
    """Return a keyword of a schema that should be a mapping; an empty one if it is not."""
    value = schema.get(name)
    return cast(Schema, value) if isinstance(value, Mapping) else {}


def list_in(schema: Schema, name: str) -> list[Any]:
    """Return a keyword of a schema that should be a list; an empty one if it is not."""
    value = schema.get(name)
    return cast(list[Any], value) if isinstance(value, list) else []


def check_body(body: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the problems that a schema finds in a body.

    A field that the schema does not list is only a warning, since the catalogue leaves out fields that models accept.
    An unusable schema is a warning too, and never makes this fetch another.
    """
    # Imported late: in an environment with JupyterLab, jsonschema loads format checkers for over a second.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    fields = {name: value for name, value in body.items() if name not in _QUEUE_FIELDS}
    try:
        plain = _nullable(schema)
        Draft202012Validator.check_schema(plain)
        yield from map(_problem, Draft202012Validator(plain, registry=Registry()).iter_errors(fields))
    except (SchemaError, Unresolvable, RecursionError):  # the last from a schema that refers to itself
        yield warning((), "the catalogue's schema for this model cannot be used", "check the fields yourself")
        return
    known = list(schema.get("properties", {}))
    for name in fields:
        if known and name not in known and name not in _UNLISTED:
            remedy = did_you_mean(name, known) or f"its fields are {', '.join(known)}"
            yield warning((name,), "the field is not in the model's schema", remedy)


def _nullable(schema: Any) -> Any:
    """Return a schema with the extra `nullable: true` as JSON Schema expresses it."""
    if isinstance(schema, list):
        return [_nullable(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    plain = {key: _nullable(value) for key, value in schema.items()}
    if plain.get("nullable") is True and isinstance(plain.get("type"), str):
        plain["type"] = [plain["type"], "null"]
    return plain


def _problem(invalid: ValidationError) -> Problem:
    path, limit = tuple(invalid.absolute_path), cast(Any, invalid.validator_value)
    match invalid.validator:
        case "required":
            missing = next((name for name in limit if invalid.message.startswith(repr(name))), limit[0])
            return error((*path, missing), "it is required", "set it")
        case "enum":
            choices = ", ".join(map(str, limit))
            return error(path, f"{_short(invalid.instance)} is not one of the choices", f"choose {choices}")
        case "type":
            types = " or ".join([limit] if isinstance(limit, str) else [name for name in limit if name != "null"])
            return error(path, f"{_short(invalid.instance)} has the wrong type", f"the model expects: {types}")
        case "minimum":
            return error(path, f"{_short(invalid.instance)} is too small", f"at least {limit}")
        case "maximum":
            return error(path, f"{_short(invalid.instance)} is too large", f"at most {limit}")
        case "maxLength" | "maxItems":
            noun = "characters" if invalid.validator == "maxLength" else "items"
            count = len(cast(Sized, invalid.instance))
            return error(path, f"{count:,} {noun} are too many", f"at most {limit}")
        case _:
            return error(path, _short(invalid.message, 200), "see the model's request_schema")


def _short(value: Any, limit: int = 60) -> str:
    return shorten(value if isinstance(value, str) and limit > 60 else repr(value), limit)
