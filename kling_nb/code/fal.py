"""Requests in fal's snippets, with our names where each field has a counterpart (fal-api.md section 11)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from kling_nb.models.request import OMNI, TARGET, TYPED

_ENDPOINT = re.compile(r"(?:fal-ai|kling)/[\w.-]+(?:/[\w.-]+)*")
_O3 = re.compile(r"fal-ai/kling-video/o3/(standard|pro|4k)/(reference-to-video|video-to-video/(edit|reference))")
_RESOLUTIONS = {"standard": "720p", "pro": "1080p", "4k": "4k"}
_NAMES = {"image_urls": "input_image", "end_image_url": "tail_image_url", "video_url": "input_video"}
_VIEWS = frozenset({"frontal_image_url", "reference_image_urls"})
_IMPLIED = {"shot_type": "customize"}


def is_endpoint(text: str) -> bool:
    """Whether a text is the id of an endpoint whose requests can be read."""
    return _ENDPOINT.fullmatch(text) is not None


def fields_of(endpoint: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a request to an endpoint.

    A request to O3's reference-to-video or video-to-video gets our names, so that it can go to either provider. Any
    other, or one with a field that only fal has, stays as it is, with the endpoint as its model.
    """
    arguments = {name: value for name, value in arguments.items() if _IMPLIED.get(name) != value}
    fields = {_NAMES.get(name, name): value for name, value in arguments.items()}
    model, implied = _counterpart(endpoint)
    kind = TYPED.get(model)
    if kind is None or set(fields) - set(kind.model_fields) or _is_only_fals(fields.get("elements")):
        return {"model": endpoint, **arguments}
    return {"model": model, **implied, **fields}


def _counterpart(endpoint: str) -> tuple[str, dict[str, Any]]:
    """Return our model for an endpoint, and the fields that its id implies."""
    if (found := _O3.fullmatch(endpoint)) is None:
        return "", {}
    if (found[1], found[2]) == ("pro", "reference-to-video"):
        return TARGET, {}
    return OMNI, {"resolution": _RESOLUTIONS[found[1]], **({"video_mode": found[3]} if found[3] else {})}


def _is_only_fals(elements: Any) -> bool:
    """Whether an element has a video or a voice."""
    each = cast(list[Any], elements) if isinstance(elements, list) else []
    return any(isinstance(one, dict) and set(cast(dict[str, Any], one)) - _VIEWS for one in each)
