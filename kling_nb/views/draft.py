"""A draft is what the browser edits: wire-named plain values, with pictures as keys of the shelf.

It keeps a prompt *and* shots, so that switching between them loses nothing; `mode` says which one counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticCustomError

from kling_nb.errors import RequestError
from kling_nb.models.asset import Asset
from kling_nb.models.problem import error
from kling_nb.models.request import Request, plain
from kling_nb.views.shelf import Shelf

Fields = dict[str, Any]
Path = tuple[str | int, ...]

SIMPLE: Mapping[str, Any] = {
    "prompt": "",
    "negative_prompt": "",
    "aspect_ratio": "16:9",
    "duration": 5,
    "generate_audio": False,
    "num_generations": 1,
}
_FRAMES = ("start_image_url", "tail_image_url")
_OURS = {*SIMPLE, *_FRAMES, "multi_prompt", "input_image", "elements"}


def draft_of(request: Request | Mapping[str, Any] | None, shelf: Shelf) -> tuple[Fields, Fields]:
    """Return the draft of a request, and the fields that the panel keeps but does not show.

    Raises `RequestError` for a picture that cannot be read.
    """
    fields = request.draft() if isinstance(request, Request) else plain(dict(request or {}))
    shots = [_shot(shot) for shot in fields.get("multi_prompt") or ()]
    draft: Fields = {name: fields.get(name, default) for name, default in SIMPLE.items()}
    draft["mode"] = "shots" if shots and not fields.get("prompt") else "prompt"
    draft["multi_prompt"] = shots
    draft["input_image"] = _keys(fields.get("input_image"), ("input_image",), shelf)
    draft |= {name: _key(fields.get(name), (name,), shelf) for name in _FRAMES}
    draft["elements"] = [
        _element(element, ("elements", index), shelf) for index, element in enumerate(fields.get("elements") or ())
    ]
    return draft, {name: value for name, value in fields.items() if name not in _OURS}


def fields_of(draft: Mapping[str, Any], shelf: Shelf) -> Fields:
    """Return the wire-named fields that a draft stands for; only what its mode uses."""
    fields = {name: draft.get(name, default) for name, default in SIMPLE.items()}
    if draft.get("mode") == "shots":
        del fields["prompt"], fields["duration"]
        fields["multi_prompt"] = [_shot(shot) for shot in draft.get("multi_prompt") or ()]
    pictures = [shelf.get(key) for key in draft.get("input_image") or ()]
    fields["input_image"] = [picture for picture in pictures if picture]
    fields |= {name: shelf.get(draft.get(name)) for name in _FRAMES}
    fields["elements"] = [_wire_element(element, shelf) for element in draft.get("elements") or ()]
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def _shot(shot: Any) -> Fields:
    shot = shot if isinstance(shot, Mapping) else {"prompt": str(shot)}
    return {"prompt": shot.get("prompt", ""), "duration": shot.get("duration", 5)}


def _element(element: Any, path: Path, shelf: Shelf) -> Fields:
    element = element if isinstance(element, Mapping) else {"frontal_image_url": element}
    angles = element.get("reference_image_urls")
    return {
        "frontal_image_url": _key(element.get("frontal_image_url"), (*path, "frontal_image_url"), shelf),
        "reference_image_urls": _keys(angles, (*path, "reference_image_urls"), shelf),
    }


def _wire_element(element: Mapping[str, Any], shelf: Shelf) -> Fields:
    angles = [shelf.get(key) for key in element.get("reference_image_urls") or ()]
    frontal = shelf.get(element.get("frontal_image_url"))
    wire: Fields = {"reference_image_urls": [angle for angle in angles if angle]}
    return wire | ({"frontal_image_url": frontal} if frontal else {})


def _keys(values: Any, path: Path, shelf: Shelf) -> list[str]:
    if values is None:
        return []
    many = values if isinstance(values, list | tuple) else [values]
    return [key for index, value in enumerate(many) if (key := _key(value, (*path, index), shelf))]


def _key(value: Any, path: Path, shelf: Shelf) -> str | None:
    if value is None:
        return None
    try:
        return shelf.put(Asset.parse(value))
    except PydanticCustomError as exc:
        context = exc.context or {}
        raise RequestError([error(path, str(context["message"]), str(context["remedy"]))]) from exc
