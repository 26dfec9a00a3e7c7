"""Carries the values of one model's form over to another's.

Values are those of a form: text, numbers, and any values for images. None is lost: those that the new form does not
support are set aside by field, and come back with a form that does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast, get_args

from kling_nb.models.specs import FieldSpec, Form, Kind
from kling_nb.models.usage import is_count

Values = dict[str, Any]

#: The first frame of a clip has two names: in an image-to-video model it is the only `input_image`.
_START, _ONLY, _IMAGE_TO_VIDEO = "start_image_url", "input_image", "image-to-video"


@dataclass(frozen=True)
class Unsupported:
    """A value that the form does not support.

    Attributes:
        instead: The value in the form that replaces it, if any.
        why: What happened to it; empty if the user need not know.
        usual: Whether it is a default that the user did not choose.
    """

    kind: Kind
    value: Any
    instead: Any = None
    why: str = ""
    usual: bool = False

    def to_json(self) -> Values:
        """Return it as JSON for a draft."""
        return {**vars(self)}


def read_unsupported(raw: Any) -> dict[str, Unsupported]:
    """Return the unsupported values of a draft, by field, without malformed ones."""
    items = cast(Mapping[str, Any], raw) if isinstance(raw, Mapping) else {}
    return {
        name: Unsupported(
            item["kind"], item.get("value"), item.get("instead"), str(item.get("why") or ""), item.get("usual") is True
        )
        for name, item in items.items()
        if isinstance(item, Mapping) and item.get("kind") in get_args(Kind)
    }


def carry_over(
    values: Mapping[str, Any], old: Form, new: Form, aside: Mapping[str, Unsupported]
) -> tuple[Values, dict[str, Unsupported]]:
    """Return the values for the new form, and those that it does not support, by field."""
    wanted = _wanted(values, old, aside)
    wanted = {name: each for name, each in wanted.items() if not is_count(name)}  # another model, another price
    first_frame = _first_frame(wanted, old, new)
    placed: Values = {}
    left: dict[str, Unsupported] = {}
    for spec in new.specs:
        kind, value = wanted.pop(spec.name, (spec.kind, None))
        if spec.name in first_frame:
            fits = first_frame[spec.name]
            why = "" if _blank(value) or fits == value else f"{describe(kind, value)} besides the first frame"
        else:
            fits, why = _fitted(kind, value, spec)
        usual = spec.default is not None and fits == spec.default
        placed[spec.name] = spec.unset if usual or spec.blank(fits) else fits
        if why or {kind, spec.kind} == {"image", "images"}:  # the list that it comes from is always remembered
            is_default = _is_default(spec.name, value, old, aside)
            if not _blank(value):
                left[spec.name] = Unsupported(kind, value, placed[spec.name], "" if is_default else why, is_default)
    for name, (kind, value) in wanted.items():
        if not _blank(value):
            is_default = _is_default(name, value, old, aside)
            instead = first_frame.get(_ONLY) if name == _START else None
            why = "" if is_default or (first_frame and name == _START) else describe(kind, value)
            left[name] = Unsupported(kind, value, instead, why, is_default)
    return placed, left


def joined_shots(shots: Sequence[Mapping[str, Any]]) -> Values:
    """Return shots as one prompt with a line for each, and one duration; empty if there are none."""
    prompt = "\n".join(str(shot["prompt"]) for shot in shots if str(shot["prompt"]).strip())
    seconds = [shot["duration"] for shot in shots if isinstance(shot["duration"], int)]
    return {"prompt": prompt, "duration": sum(seconds)} if prompt or shots else {}


#: Added to the note on shots that became one prompt.
JOINED = ", now one prompt with a line for each shot"


def carry_fields(fields: Mapping[str, Any], old: Form, new: Form) -> tuple[Values, dict[str, str]]:
    """Return a request's fields for another model, and the losses and changes by field.

    A field that only the new model has is kept.
    """
    shots = old.of_kind("shots")
    given = fields.get(shots.name) if shots and new.of_kind("shots") is None else None
    joined = joined_shots([{"prompt": "", "duration": 5, **shot} for shot in given]) if given else {}
    values = {spec.name: fields.get(spec.name, spec.unset) for spec in old.specs}
    placed, aside = carry_over(values | joined, old, new, {})
    lost = {name: away.why for name, away in aside.items() if away.why and not _blank(away.value)}
    if given and shots:
        lost[shots.name] = describe("shots", given) + JOINED
    carried = {name: value for name, value in placed.items() if (spec := new.spec(name)) and not _unset(spec, value)}
    for name, value in fields.items():
        if old.spec(name) is None and name != "model" and not _blank(value):
            if new.spec(name):
                carried[name] = value
            else:
                lost[name] = describe("text", value)
    return carried, lost


def _unset(spec: FieldSpec, value: Any) -> bool:
    return value == spec.unset or spec.blank(value)


def describe(kind: Kind, value: Any) -> str:
    """Return a short description of a value."""
    match value:
        case bool():
            return "on" if value else "off"
        case list() if kind in _NOUNS:
            many = cast(list[Any], value)
            return f"{len(many)} {_NOUNS[kind]}{'' if len(many) == 1 else 's'}"
        case str() if kind in ("prompt", "text", "json"):
            flat = " ".join(value.split())
            return f"“{flat if len(flat) <= 60 else flat[:59] + '…'}”"
        case _:
            return ("an image" if kind == "image" else "a video") if kind in ("image", "video") else str(value)


_NOUNS: Mapping[str, str] = {"images": "image", "elements": "element", "shots": "shot"}


def _wanted(values: Mapping[str, Any], old: Form, aside: Mapping[str, Unsupported]) -> dict[str, tuple[Kind, Any]]:
    """Return every value with its kind: those of the old form, and those that were set aside before."""
    wanted: dict[str, tuple[Kind, Any]] = {
        spec.name: (spec.kind, _effective(spec, values.get(spec.name))) for spec in old.specs
    }
    for name, away in aside.items():
        kind, now = wanted.get(name, (away.kind, None))
        spec = old.spec(name)
        untouched = spec is None or values.get(name) == away.instead
        if untouched or _blank(now):
            wanted[name] = away.kind, away.value
        elif away.kind == "images" and kind == "image":
            wanted[name] = away.kind, [now, *cast(list[Any], away.value)[1:]]
    if _START in aside and aside[_START].instead is not None:  # the form's image is the first frame
        others = aside[_ONLY].value if _ONLY in aside else []
        wanted[_START] = "image", values.get(_ONLY)
        wanted[_ONLY] = "images", others
    return wanted


def _first_frame(wanted: Mapping[str, tuple[Kind, Any]], old: Form, new: Form) -> Values:
    """Return the first frame under its name in the new form, if that is another one."""
    start, only = wanted.get(_START, ("image", None))[1], wanted.get(_ONLY, ("image", None))
    if _is_only(new):
        return {} if _blank(start) else {_ONLY: start}
    if _is_only(old) and new.spec(_START) is not None and only[0] == "image":
        return {_START: only[1], _ONLY: []}
    if _is_only(old) and _takes_one(new) and _blank(only[1]) and not _blank(start):
        return {_ONLY: start}
    return {}


def _is_only(form: Form) -> bool:
    return form.family == _IMAGE_TO_VIDEO and form.spec(_START) is None


def _takes_one(form: Form) -> bool:
    spec = form.spec(_ONLY)
    return spec is not None and spec.kind == "image" and form.spec(_START) is None


def _effective(spec: FieldSpec, value: Any) -> Any:
    return spec.default if spec.blank(value) and spec.default is not None else value


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, str | list) and not value)


def _is_default(name: str, value: Any, old: Form, aside: Mapping[str, Unsupported]) -> bool:
    """Return whether a value is a default that the user did not choose, in the form or set aside before."""
    spec = old.spec(name)
    if name in aside and value == aside[name].value:
        return aside[name].usual
    return spec is not None and spec.default is not None and value == spec.default


def _fitted(kind: Kind, value: Any, spec: FieldSpec) -> tuple[Any, str]:
    """Return the value as the field can hold it (blank if it cannot), and a description of what is lost."""
    if _blank(value):
        return spec.unset, ""
    if spec.choices:
        return _chosen(kind, value, spec)
    match kind, spec.kind:
        case ("images", "image"):
            many = cast(list[Any], value)
            return many[0], f"uses 1 of {len(many)} images" if len(many) > 1 else ""
        case ("image", "images"):
            return [value], ""
        case _ if isinstance(value, int | float) and not isinstance(value, bool) and spec.kind in ("integer", "number"):
            return _in_range(value, spec)
        case ("prompt" | "text", "prompt" | "text"):
            return value, ""
        case _ if kind == spec.kind:
            return value, ""
        case _:
            return spec.unset, describe(kind, value)


def _chosen(kind: Kind, value: Any, spec: FieldSpec) -> tuple[Any, str]:
    if any(value == choice and isinstance(value, bool) == isinstance(choice, bool) for choice in spec.choices):
        return value, ""
    numbers = [each for each in spec.choices if isinstance(each, int | float) and not isinstance(each, bool)]
    if numbers and isinstance(value, int | float) and not isinstance(value, bool):
        nearest = min(numbers, key=lambda each: abs(each - value))
        return nearest, f"{value} is not available, set to {nearest}"
    instead = f", set to {spec.default}" if spec.default is not None else ""
    return spec.unset, f"{describe(kind, value)} is not available{instead}"


def _in_range(value: float, spec: FieldSpec) -> tuple[Any, str]:
    fits = value
    if spec.minimum is not None:
        fits = max(fits, spec.minimum)
    if spec.maximum is not None:
        fits = min(fits, spec.maximum)
    fits = round(fits) if spec.kind == "integer" else fits
    return fits, "" if fits == value else f"{value} is out of range, set to {fits}"
