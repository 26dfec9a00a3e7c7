"""Messages for pydantic's errors: what is wrong, with which value, and how to fix it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from kling_nb.errors import ArgumentTypeError, RequestError, did_you_mean
from kling_nb.models.fields import resolved
from kling_nb.models.problem import Problem, error
from kling_nb.models.urls import redact_urls

#: A message and a remedy.
Texts = tuple[str, str]

_REQUIRED = {
    "prompt": "describe the clip",
    "frontal_image_url": "give the image that shows it from the front",
}
#: The parts of a request: what an item is called, and how to write one.
_PARTS: Mapping[str, Texts] = {
    "multi_prompt": ("a shot", "write {'prompt': ..., 'duration': 5}"),
    "elements": ("an element", "write {'frontal_image_url': ..., 'reference_image_urls': [...]}"),
}


def problems_of(exc: ValidationError, kind: type[BaseModel]) -> list[Problem]:
    """Return the problems for all of pydantic's errors in a request, or a part of one, of this kind."""
    problems: list[Problem] = []
    for details in exc.errors(include_url=False):
        raised = details.get("ctx", {}).get("error")
        problems += raised.problems if isinstance(raised, RequestError) else [problem_of(details, kind)]
    return problems


def problem_of(details: ErrorDetails, kind: type[BaseModel]) -> Problem:
    """Return the problem for one of pydantic's errors in a request of this kind."""
    path, value, context = tuple(details["loc"]), details.get("input"), details.get("ctx", {})
    name = str(path[-1]) if path else ""
    part = str(path[0]) if len(path) > 1 and str(path[0]) in _PARTS else ""
    owner = _part_of(kind, part) if part else kind
    match details["type"]:
        case "extra_forbidden":
            remedy = did_you_mean(name, owner.model_fields) or f"the fields are {', '.join(owner.model_fields)}"
            return error(path, "there is no such field", remedy)
        case "model_type" | "model_attributes_type" if part:
            noun, example = _PARTS[part]
            return error(path, f"{short_repr(value)} is not {noun}", example)
        case "greater_than_equal" | "less_than_equal":
            return error(path, *_range(name, value, context, owner.model_fields.get(name)))
        case "int_type":
            return error(path, *_whole_number(name, value, owner.model_fields.get(name)))
        case known if known in _TEXTS:
            return error(path, *_TEXTS[known](name, value, context))
        case _:
            return error(path, f"{details['msg']}, got {short_repr(value)}", "see the field's description")


def check_text(name: str, given: object) -> str:
    """Return an argument that is a string. Raises `ArgumentTypeError` for any other."""
    if not isinstance(given, str):
        raise ArgumentTypeError(f"{name} must be a string, got {short_repr(given)}.")
    return given


def short_repr(value: Any) -> str:
    """Return a value's representation for a message: at most 60 characters, without signatures of addresses."""
    try:
        value = resolved(value, lambda asset: asset.given)
        text = redact_urls(value if isinstance(value, str) else repr(value)[:2000])
    except Exception:  # noqa: BLE001 - a foreign `repr` may raise anything; that of an int of 5,000 digits does
        return f"this {type(value).__name__}"
    text = repr(text) if isinstance(value, str) else " ".join(text.split())  # an array's has several lines
    return text if len(text) <= 60 else f"{text[:59]}…"


def _part_of(kind: type[BaseModel], name: str) -> type[BaseModel]:
    """Return the class of the items of a request's field."""
    field = kind.model_fields.get(name)
    return next(_models_in(field.annotation), kind) if field else kind


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    for argument in get_args(annotation):
        if isinstance(argument, type) and issubclass(argument, BaseModel):
            yield argument
        else:
            yield from _models_in(argument)


def _range(name: str, value: Any, context: Mapping[str, Any], field: FieldInfo | None) -> Texts:
    """Return the texts for a number out of range, with both limits of its field: pydantic reports one."""
    unit, small, large = (" s", "short", "long") if name == "duration" else ("", "small", "large")
    size = small if "ge" in context else large
    return f"{short_repr(value)}{unit} is too {size}", _limits(name, dict(context) | _sides(field))


def _sides(field: FieldInfo | None) -> dict[str, Any]:
    """Return the least and the largest value of a field, as far as it has them."""
    constraints = field.metadata if field else ()
    return {side: getattr(one, side) for one in constraints for side in ("ge", "le") if hasattr(one, side)}


def _limits(name: str, sides: Mapping[str, Any]) -> str:
    return f"{sides['ge']} to {sides['le']}{' s' if name == 'duration' else ''}"


def _length(name: str, value: Any, context: Mapping[str, Any]) -> Texts:
    if "max_length" not in context:
        return "it must not be empty", _REQUIRED.get(name, "set it, or leave it out")
    limit = context["max_length"]
    if isinstance(value, str):
        return f"{len(value):,} characters are too many", f"at most {limit:,}"
    count = context.get("actual_length") or (len(value) if hasattr(value, "__len__") else "these")
    return f"{count} items are too many", f"at most {limit}"


def _whole_number(name: str, value: Any, field: FieldInfo | None) -> Texts:
    text = str(value).removesuffix(".0") if isinstance(value, str | float) else ""
    without = "quotes" if isinstance(value, str) else "a decimal point"
    if text.isascii() and text.isdigit() and len(text) < 4:
        remedy = f"write {text} without {without}"
    else:
        sides = _sides(field)
        remedy = _limits(name, sides) if len(sides) == 2 else "use a whole number"
    return f"{short_repr(value)} is not a whole number", remedy


_TEXTS: Mapping[str, Callable[[str, Any, Mapping[str, Any]], Texts]] = {
    "value_error": lambda name, value, context: (str(context["error"]), context["error"].remedy),
    "missing": lambda name, value, context: ("it is required", _REQUIRED.get(name, "set it")),
    "bool_type": lambda name, value, context: (f"{short_repr(value)} is not True or False", "use True or False"),
    "string_type": lambda name, value, context: (f"{short_repr(value)} is not a string", "use a string"),
    "string_unicode": lambda name, value, context: ("the text contains a lone surrogate", "type it again"),
    "literal_error": lambda name, value, context: (
        f"{short_repr(value)} is not one of the choices",
        f"choose {context['expected']}",
    ),
    "tuple_type": lambda name, value, context: (f"{short_repr(value)} is not a list", "use a list: [...]"),
    "invalid_key": lambda name, value, context: (f"the name {short_repr(value)} is not a string", "names are strings"),
    "string_too_long": _length,
    "string_too_short": _length,
    "too_long": _length,
}
