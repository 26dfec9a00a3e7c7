"""From one model's form to another's: what both have goes along, what cannot is put aside and comes back.

Values are those of a form: text, numbers, and pictures as whatever stands for them. Nothing is ever lost: a value is
either in the new form or put aside under its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args

from kling_nb.models.specs import FieldSpec, Form, Kind

Values = dict[str, Any]

#: The picture that a clip starts from has two names: a model that makes video of one picture calls it `input_image`.
_START, _ONLY, _FROM_A_PICTURE = "start_image_url", "input_image", "image-to-video"


@dataclass(frozen=True)
class Unsupported:
    """A value that the form on the screen has no place for; `instead` is what stands there in its stead, if anything.

    `why` says what became of it, and is empty where there is nothing to tell. `usual` marks a default that nobody has
    chosen: it comes back too, but is not missed meanwhile.
    """

    kind: Kind
    value: Any
    instead: Any = None
    why: str = ""
    usual: bool = False

    def to_json(self) -> Values:
        """As it travels in a draft."""
        return {
            "kind": self.kind,
            "value": self.value,
            "instead": self.instead,
            "why": self.why,
            "usual": self.usual,
        }


def read_unsupported(raw: Any) -> dict[str, Unsupported]:
    """Return what a draft says is put aside; what is malformed is left out."""
    each = cast(Mapping[str, Any], raw) if isinstance(raw, Mapping) else {}
    return {
        name: Unsupported(
            one["kind"], one.get("value"), one.get("instead"), str(one.get("why") or ""), one.get("usual") is True
        )
        for name, one in each.items()
        if isinstance(one, Mapping) and one.get("kind") in get_args(Kind)
    }


def carry_over(
    values: Mapping[str, Any], old: Form, new: Form, aside: Mapping[str, Unsupported]
) -> tuple[Values, dict[str, Unsupported]]:
    """Return the values of the new form, and what is put aside for it, by field."""
    wanted = _wanted(values, old, aside)
    first_frame = _first_frame(wanted, old, new)
    placed: Values = {}
    left: dict[str, Unsupported] = {}
    for spec in new.specs:
        kind, value = wanted.pop(spec.name, (spec.kind, None))
        if spec.name in first_frame:
            fits = first_frame[spec.name]
            why = "" if _blank(value) or fits == value else f"{describe(kind, value)} beside the first frame"
        else:
            fits, why = _fitted(kind, value, spec)
        usual = spec.default is not None and fits == spec.default
        placed[spec.name] = spec.unset if usual or spec.blank(fits) else fits
        if why or {kind, spec.kind} == {"image", "images"}:  # the list it came from is remembered in any case
            nobodys = _usual(spec.name, value, old, aside)
            if not _blank(value):
                left[spec.name] = Unsupported(kind, value, placed[spec.name], "" if nobodys else why, nobodys)
    for name, (kind, value) in wanted.items():
        if not _blank(value):
            nobodys = _usual(name, value, old, aside)
            instead = first_frame.get(_ONLY) if name == _START else None
            told = "" if nobodys or (first_frame and name == _START) else describe(kind, value)
            left[name] = Unsupported(kind, value, instead, told, nobodys)
    return placed, left


def describe(kind: Kind, value: Any) -> str:
    """Say what a value is, in a few words."""
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
    """All that there is to carry, with its kind: what is on the screen, and what was put aside before."""
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
    if _START in aside and aside[_START].instead is not None:  # the picture on the screen is the first frame
        others = aside[_ONLY].value if _ONLY in aside else []
        wanted[_START] = "image", values.get(_ONLY)
        wanted[_ONLY] = "images", others
    return wanted


def _first_frame(wanted: Mapping[str, tuple[Kind, Any]], old: Form, new: Form) -> Values:
    """What the picture that a clip starts from is called on the new form, where that is another name."""
    start, only = wanted.get(_START, ("image", None))[1], wanted.get(_ONLY, ("image", None))
    if _is_only(new):
        return {} if _blank(start) else {_ONLY: start}
    if _is_only(old) and new.spec(_START) is not None and only[0] == "image":
        return {_START: only[1], _ONLY: []}
    if _is_only(old) and _takes_one(new) and _blank(only[1]) and not _blank(start):
        return {_ONLY: start}
    return {}


def _is_only(form: Form) -> bool:
    return form.family == _FROM_A_PICTURE and form.spec(_START) is None


def _takes_one(form: Form) -> bool:
    spec = form.spec(_ONLY)
    return spec is not None and spec.kind == "image" and form.spec(_START) is None


def _effective(spec: FieldSpec, value: Any) -> Any:
    return spec.default if spec.blank(value) and spec.default is not None else value


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, str | list) and not value)


def _usual(name: str, value: Any, old: Form, aside: Mapping[str, Unsupported]) -> bool:
    """Whether it is a default that nobody has chosen, on the form or put aside before."""
    spec = old.spec(name)
    if name in aside and value == aside[name].value:
        return aside[name].usual
    return spec is not None and spec.default is not None and value == spec.default


def _fitted(kind: Kind, value: Any, spec: FieldSpec) -> tuple[Any, str]:
    """Return the value as the field can hold it (blank when it cannot), and what of it is lost in words."""
    if _blank(value):
        return spec.unset, ""
    if spec.choices:
        return _chosen(kind, value, spec)
    match kind, spec.kind:
        case ("images", "image"):
            many = cast(list[Any], value)
            return many[0], f"1 of {len(many)} pictures is used" if len(many) > 1 else ""
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
        return nearest, f"{value} is not offered, it is {nearest} now"
    shown = f", it is {spec.default} now" if spec.default is not None else ""
    return spec.unset, f"{describe(kind, value)} is not offered{shown}"


def _in_range(value: float, spec: FieldSpec) -> tuple[Any, str]:
    fits = value
    if spec.minimum is not None:
        fits = max(fits, spec.minimum)
    if spec.maximum is not None:
        fits = min(fits, spec.maximum)
    fits = round(fits) if spec.kind == "integer" else fits
    return fits, "" if fits == value else f"{value} is not taken, it is {fits} now"
