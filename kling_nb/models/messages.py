"""Pydantic's faults in our words: what is wrong, with which value, what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from kling_nb.errors import RequestError, did_you_mean
from kling_nb.models.fields import resolved
from kling_nb.models.problem import Problem, error
from kling_nb.models.urls import redact_urls

Words = tuple[str, str]
_MISSING = {
    "prompt": "say what is to be seen",
    "frontal_image_url": "give the picture that shows it from the front",
}
#: A part of a request: its noun, and how one is written.
_PARTS: Mapping[str, Words] = {
    "multi_prompt": ("a shot", "give {'prompt': ..., 'duration': 5}"),
    "elements": ("an element", "give {'frontal_image_url': ..., 'reference_image_urls': [...]}"),
}


def problems_of(exc: ValidationError, kind: type[BaseModel]) -> list[Problem]:
    """Return the problems for all of pydantic's faults with a request, or a part of one, of this kind."""
    found: list[Problem] = []
    for fault in exc.errors(include_url=False):
        broken = fault.get("ctx", {}).get("error")
        found += broken.problems if isinstance(broken, RequestError) else [problem_of(fault, kind)]
    return found


def problem_of(fault: ErrorDetails, kind: type[BaseModel]) -> Problem:
    """Return the problem for one of pydantic's faults with a request of this kind."""
    path, value, context = tuple(fault["loc"]), fault.get("input"), fault.get("ctx", {})
    name = str(path[-1]) if path else ""
    part = str(path[0]) if len(path) > 1 and str(path[0]) in _PARTS else None
    match fault["type"]:
        case "extra_forbidden":
            return error(path, "there is no such field", _nearest(name, _part_of(kind, part) if part else kind))
        case "model_type" | "model_attributes_type" if part:
            noun, example = _PARTS[part]
            return error(path, f"{short_repr(value)} is not {noun}", example)
        case known if known in _SAID:
            return error(path, *_SAID[known](name, value, context))
        case _:
            return error(path, f"{fault['msg']} (got {short_repr(value)})", "see the field's description")


def short_repr(value: Any) -> str:
    """Return a value as it is shown in a message: short, and with no signed address in it."""
    try:
        value = resolved(value, lambda asset: asset.given)
        text = redact_urls(value if isinstance(value, str) else repr(value)[:2000])
    except Exception:  # noqa: BLE001 - a foreign `repr` may raise anything; an int of 5,000 digits does
        return f"this {type(value).__name__}"
    text = repr(text) if isinstance(value, str) else " ".join(text.split())  # an array's has several lines
    return text if len(text) <= 60 else f"{text[:59]}…"


def _part_of(kind: type[BaseModel], name: str) -> type[BaseModel]:
    """Return the class of the parts that a field of a request holds."""
    field = kind.model_fields.get(name)
    return next(_models_in(field.annotation), kind) if field else kind


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    for one in get_args(annotation):
        if isinstance(one, type) and issubclass(one, BaseModel):
            yield one
        else:
            yield from _models_in(one)


def _nearest(name: str, kind: type[BaseModel]) -> str:
    return did_you_mean(name, kind.model_fields) or f"the fields are {', '.join(kind.model_fields)}"


def _unit(name: str) -> str:
    return " s" if name == "duration" else ""


def _whole(value: Any) -> str:
    text = str(value).removesuffix(".0") if isinstance(value, str | float) else ""
    return f"write {text}, without {'quotes' if isinstance(value, str) else 'a point'}" if _is_whole(text) else _GIVE


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 4


_GIVE = "give a whole number"


def _range(name: str, value: Any, context: Mapping[str, Any]) -> Words:
    limit = context.get("ge", context.get("le"))
    side = "least" if "ge" in context else "most"
    unit = _unit(name)
    return f"{short_repr(value)}{unit} is {'too little' if side == 'least' else 'too much'}", f"at {side} {limit}{unit}"


def _length(name: str, value: Any, context: Mapping[str, Any]) -> Words:
    if "max_length" not in context:
        return "it is empty", _MISSING.get(name, "write something, or leave it out")
    limit = context["max_length"]
    if isinstance(value, str):
        return f"{len(value):,} characters are too many", f"at most {limit:,}"
    count = context.get("actual_length") or (len(value) if hasattr(value, "__len__") else "these")
    return f"{count} are too many", f"at most {limit}"


_SAID: Mapping[str, Callable[[str, Any, Mapping[str, Any]], Words]] = {
    "asset": lambda name, value, context: (context["message"], context["remedy"]),
    "missing": lambda name, value, context: ("it is missing", _MISSING.get(name, "set it")),
    "int_type": lambda name, value, context: (f"{short_repr(value)} is not a whole number", _whole(value)),
    "bool_type": lambda name, value, context: (f"{short_repr(value)} is neither True nor False", "give True or False"),
    "string_type": lambda name, value, context: (f"{short_repr(value)} is not text", "give a string"),
    "string_unicode": lambda name, value, context: ("the text holds half a character", "write it again"),
    "literal_error": lambda name, value, context: (
        f"{short_repr(value)} is not offered",
        f"choose one of {context['expected']}",
    ),
    "tuple_type": lambda name, value, context: (
        f"{short_repr(value)} is not a list",
        "give a list, also for one: [...]",
    ),
    "invalid_key": lambda name, value, context: (f"the name {short_repr(value)} is not text", "names are strings"),
    "greater_than_equal": _range,
    "less_than_equal": _range,
    "string_too_long": _length,
    "string_too_short": _length,
    "too_long": _length,
}
