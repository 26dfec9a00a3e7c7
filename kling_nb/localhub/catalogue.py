"""The models that the local hub knows, with the fields of HUB_API section 6; data, read from `catalogue.json`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from .faults import Fault

__all__ = ["find", "listing", "models", "offered"]

Model = Mapping[str, Any]


@cache
def models() -> tuple[Model, ...]:
    """Every bundled model."""
    text = files(__package__ or "kling_nb.localhub").joinpath("catalogue.json").read_text(encoding="utf-8")
    return tuple(json.loads(text)["data"])


def offered(faults: Iterable[Fault]) -> tuple[Model, ...]:
    """The models that are left: without those that a fault has `withdrawn`, with what others have changed."""
    told = list(faults)
    gone = {fault.match.get("model") for fault in told if fault.name == "withdrawn"}
    schemas = [fault for fault in told if fault.name == "changed_schema"]
    prices = [fault for fault in told if fault.name == "changed_price"]
    return tuple(_priced(_changed(model, schemas), prices) for model in models() if model["id"] not in gone)


def find(model_id: object, among: Iterable[Model] | None = None) -> Model | None:
    """The model of that id, or None."""
    return next((model for model in (models() if among is None else among) if model["id"] == model_id), None)


def listing(search: str = "", among: Iterable[Model] | None = None) -> dict[str, Any]:
    """The list envelope of `GET /api/ai/models`, narrowed to models that mention every word of `search`."""
    words = search.lower().split()
    each = models() if among is None else among
    return {"object": "list", "data": [model for model in each if all(word in _text(model) for word in words)]}


def _changed(model: Model, changes: Iterable[Fault]) -> Model:
    """The model with the properties that are meant for it merged in; null takes one away."""
    schema = model["request_schema"]
    properties = dict(schema["properties"])
    for fault in changes:
        if fault.match.get("model") == model["id"]:
            for name, patch in fault.extra.get("properties", {}).items():
                properties[name] = None if patch is None else {**(properties.get(name) or {}), **patch}
    left = {name: each for name, each in properties.items() if each is not None}
    return model if left == schema["properties"] else {**model, "request_schema": {**schema, "properties": left}}


def _priced(model: Model, changes: Iterable[Fault]) -> Model:
    """The model with every rate times the factors that are meant for it."""
    for fault in changes:
        if fault.match.get("model") == model["id"]:
            model = {**model, "pricing": _times(model["pricing"], float(fault.extra.get("factor", 2)))}
    return model


def _times(rates: Any, factor: float) -> Any:
    match rates:
        case Mapping():
            return {name: _times(rate, factor) for name, rate in rates.items()}
        case int() | float():
            return round(rates * factor, 6)
        case _:
            return rates


def _text(model: Model) -> str:
    return " ".join(str(model[name]) for name in ("id", "display_name", "description", "developer")).lower()
