"""The models that the local hub knows, with the fields of HUB_API section 6; data, read from `catalogue.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["find", "listing", "models"]

Model = Mapping[str, Any]


@cache
def models() -> tuple[Model, ...]:
    """Every bundled model."""
    text = files(__package__ or "kling_nb.localhub").joinpath("catalogue.json").read_text(encoding="utf-8")
    return tuple(json.loads(text)["data"])


def find(model_id: object) -> Model | None:
    """The model of that id, or None."""
    return next((model for model in models() if model["id"] == model_id), None)


def listing(search: str = "") -> dict[str, Any]:
    """The list envelope of `GET /api/ai/models`, narrowed to models that mention every word of `search`."""
    words = search.lower().split()
    return {"object": "list", "data": [model for model in models() if all(word in _text(model) for word in words)]}


def _text(model: Model) -> str:
    return " ".join(str(model[name]) for name in ("id", "display_name", "description", "developer")).lower()
