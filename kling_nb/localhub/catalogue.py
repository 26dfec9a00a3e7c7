"""The models that the local hub offers, read from `catalogue.json`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from .faults import Fault

Model = Mapping[str, Any]


@cache
def models() -> tuple[Model, ...]:
    """Return all bundled models."""
    text = files(__package__ or "kling_nb.localhub").joinpath("catalogue.json").read_text(encoding="utf-8")
    return tuple(json.loads(text)["data"])


def current(faults: Iterable[Fault]) -> tuple[Model, ...]:
    """Return the models as the faults `withdrawn`, `changed_schema` and `changed_price` leave them."""
    return tuple(changed for model in models() if (changed := _changed(model, faults)) is not None)


def find(model_id: object, among: Iterable[Model]) -> Model | None:
    """Return the model with this ID, or None."""
    return next((model for model in among if model["id"] == model_id), None)


def search(text: str, among: Iterable[Model]) -> list[Model]:
    """Return the models that mention every word of `text`."""
    words = text.lower().split()
    return [model for model in among if all(word in _description(model) for word in words)]


def _changed(model: Model, faults: Iterable[Fault]) -> Model | None:
    for fault in faults:
        if fault.match.get("model") != model["id"]:
            continue
        match fault.name:
            case "withdrawn":
                return None
            case "changed_schema":
                model = _with_properties(model, fault.extra.get("properties", {}))
            case "changed_price":
                changes = fault.extra.get("pricing", {})
                factor = float(fault.extra.get("factor", 1 if changes else 2))
                model = {**model, "pricing": {**_multiplied(model["pricing"], factor), **changes}}
            case _:
                pass
    return model


def _with_properties(model: Model, changes: Mapping[str, Any]) -> Model:
    schema = model["request_schema"]
    properties = dict(schema["properties"])
    for name, change in changes.items():
        if change is None:
            properties.pop(name, None)
        else:
            properties[name] = {**properties.get(name, {}), **change}
    return {**model, "request_schema": {**schema, "properties": properties}}


def _multiplied(rates: Any, factor: float) -> Any:
    match rates:
        case Mapping():
            return {name: _multiplied(rate, factor) for name, rate in rates.items()}
        case int() | float():
            return round(rates * factor, 6)
        case _:
            return rates


def _description(model: Model) -> str:
    return " ".join(str(model[name]) for name in ("id", "display_name", "description", "developer")).lower()
