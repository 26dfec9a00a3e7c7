"""A model's `request_schema` (JSON Schema with the hub's extras), used to check requests that have no class here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from typing import TYPE_CHECKING, Any, cast

from kling_nb.errors import did_you_mean
from kling_nb.models.problem import Problem, error, warning

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

#: Fields that the queue itself reads, whatever the model.
_THE_QUEUES = ("model", "num_generations", "target_namespace")
_UNLISTED = ("prompt", "multi_prompt", "duration", "response_format")


def check_body(body: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what the schema has against a body.

    A field that the schema does not list is a doubt and not a fault: the catalogue leaves out fields that the model
    does take (HUB_API section 6). A schema that is none is a doubt too, and never fetches another.
    """
    # Imported late: beside JupyterLab, jsonschema brings format checkers that take over a second to load.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    fields = {name: value for name, value in body.items() if name not in _THE_QUEUES}
    try:
        plain = _nullable(schema)
        Draft202012Validator.check_schema(plain)
        yield from map(_problem, Draft202012Validator(plain, registry=Registry()).iter_errors(fields))
    except (SchemaError, Unresolvable, RecursionError):  # the last of a schema that refers to itself
        yield warning((), "the catalogue's schema of this model cannot be used", "check the fields yourself")
        return
    known = list(schema.get("properties", {}))
    for name in fields:
        if known and name not in known and name not in _UNLISTED:
            remedy = did_you_mean(name, known) or f"it lists {', '.join(known)}"
            yield warning((name,), "the model's schema does not list this field", remedy)


def _nullable(schema: Any) -> Any:
    """Read the extra `nullable: true` as JSON Schema would say it."""
    if isinstance(schema, list):
        return [_nullable(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    plain = {key: _nullable(value) for key, value in schema.items()}
    if plain.get("nullable") is True and isinstance(plain.get("type"), str):
        plain["type"] = [plain["type"], "null"]
    return plain


def _problem(fault: ValidationError) -> Problem:
    path = tuple(fault.absolute_path)
    limit: Any = fault.validator_value
    match fault.validator:
        case "required":
            return error((*path, _missing(fault, limit)), "the model needs this field", "set it")
        case "enum":
            options = ", ".join(map(str, limit))
            return error(path, f"{_short(fault.instance)} is not offered", f"choose one of {options}")
        case "type":
            kinds = " or ".join([limit] if isinstance(limit, str) else [kind for kind in limit if kind != "null"])
            return error(path, f"{_short(fault.instance)} has the wrong type", f"the model's schema wants: {kinds}")
        case "minimum" | "maximum":
            side, much = ("least", "little") if fault.validator == "minimum" else ("most", "much")
            return error(path, f"{_short(fault.instance)} is too {much}", f"at {side} {limit}")
        case "maxLength" | "maxItems":
            noun = " characters" if fault.validator == "maxLength" else ""
            count = len(cast(Sized, fault.instance))
            return error(path, f"{count:,}{noun} are too many", f"at most {limit}")
        case _:
            return error(path, _short(fault.message, 200), "see the model's schema: kn.model(...).request_schema")


def _missing(fault: ValidationError, names: list[str]) -> str:
    return next((name for name in names if fault.message.startswith(repr(name))), names[0])


def _short(value: Any, limit: int = 60) -> str:
    text = value if isinstance(value, str) and limit > 60 else repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
