"""Makes a body that was written by anyone fit to be shown in a form: known fields of the right kind, the rest named."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from kling_nb.models.fields import unsendable
from kling_nb.models.request import TARGET, TYPED

_SECRET = re.compile(r"(?i)(?:x-)?(?:\w+_)?(?:api[_-]?key|authorization|token|secret|password)\Z|key\Z")


class Misfit(Exception):
    """A value that its field cannot have."""


def fitted(body: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the body's fields, and in words those that were left out.

    A model that has no class here may have any field. What is wrong but of the right kind (21 seconds) stays: the form
    says so, and there it can be mended.
    """
    model = body.get("model")
    kind = TYPED.get(model if isinstance(model, str) else TARGET)
    fields: dict[str, Any] = {}
    notes: list[str] = []
    for name, value in body.items():
        if value is None:
            continue
        if _SECRET.match(name):
            notes.append(f"{name}: a key is no part of a request; it was left behind")
        elif kind is not None and name not in kind.model_fields:
            notes.append(f"{name}: the model has no such field; it was left out")
        else:
            try:
                fields[name] = _fit(name, value, notes)
            except Misfit as exc:
                notes.append(f"{name}: {exc}; it was left out")
    return fields, notes


def _fit(name: str, value: Any, notes: list[str]) -> Any:
    for path, message, _ in unsendable(value):
        raise Misfit(".".join([*map(str, path), message]) if path else message)
    fit = _KINDS.get(name)
    return fit(name, value, notes) if fit else value


def _text(name: str, value: Any, notes: list[str]) -> str:
    if isinstance(value, str):
        return value
    raise Misfit(f"{_short(value)} is no text")


def _whole(name: str, value: Any, notes: list[str]) -> int:
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 10:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Misfit(f"{_short(value)} is no whole number")


def _flag(name: str, value: Any, notes: list[str]) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise Misfit(f"{_short(value)} is neither true nor false")


def _pictures(name: str, value: Any, notes: list[str]) -> list[str]:
    values = [value] if isinstance(value, str) else value
    if isinstance(values, list) and all(isinstance(item, str) and item for item in cast(list[Any], values)):
        return values
    raise Misfit(f"{_short(value)} is no list of addresses")


def _picture(name: str, value: Any, notes: list[str]) -> Any:
    if isinstance(value, list) and len(cast(list[Any], value)) == 1:
        return _picture(name, value[0], notes)
    if isinstance(value, str) and value:
        return value
    raise Misfit(f"{_short(value)} is no address")


def _parts(known: Mapping[str, Callable[[str, Any, list[str]], Any]]) -> Callable[[str, Any, list[str]], Any]:
    def fit(name: str, value: Any, notes: list[str]) -> list[dict[str, Any]]:
        if not isinstance(value, list):
            raise Misfit(f"{_short(value)} is no list")
        return [_part(f"{name}.{index}", item, known, notes) for index, item in enumerate(cast(list[Any], value))]

    return fit


def _part(
    path: str, item: Any, known: Mapping[str, Callable[[str, Any, list[str]], Any]], notes: list[str]
) -> dict[str, Any]:
    part: dict[str, Any] = {}
    if not isinstance(item, Mapping):
        raise Misfit(f"{path}: {_short(item)} has no fields")
    for name, value in cast(Mapping[str, Any], item).items():
        if value is None:
            continue
        if name in known:
            part[name] = known[name](name, value, notes)
        else:
            notes.append(f"{path}.{name}: there is no such field; it was left out")
    return part


_KINDS: Mapping[str, Callable[[str, Any, list[str]], Any]] = {
    "model": _text,
    "prompt": _text,
    "negative_prompt": _text,
    "aspect_ratio": _text,
    "duration": _whole,
    "num_generations": _whole,
    "generate_audio": _flag,
    "multi_prompt": _parts({"prompt": _text, "duration": _whole}),
    "elements": _parts({"frontal_image_url": _picture, "reference_image_urls": _pictures}),
}
_TARGETS: Mapping[str, Callable[[str, Any, list[str]], Any]] = {
    "input_image": _pictures,
    "start_image_url": _picture,
    "tail_image_url": _picture,
}


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
