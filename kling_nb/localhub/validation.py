"""Upstream's validation of a request, whose errors appear only once a job is processed.

It follows the wire contract alone and must not share rules with the client's models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from typing import TYPE_CHECKING, Any, cast

from .inputs import UPSTREAM_ERROR, edited_video_url

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

__all__ = ["is_integer", "upstream_error"]

_SHOT_SECONDS = range(1, 16)
# Upstream's names of the JSON Schema types.
_TYPES = {"array": "list", "object": "dictionary"}
_TARGET = "kling-video-o3-pro-reference-to-video"


def upstream_error(body: Mapping[str, Any], model: Mapping[str, Any]) -> str | None:
    """Return the `error_message` of the job that the request makes, or None if the request is valid."""
    error = _target_error(body) if model["id"] == _TARGET else _schema_error(body, model["request_schema"])
    return None if error is None else UPSTREAM_ERROR + error


def _target_error(body: Mapping[str, Any]) -> str | None:
    return _prompt_error(body) or _duration_error(body) or _image_error(body) or _choice_error(body)


def _prompt_error(body: Mapping[str, Any]) -> str | None:
    prompt, shots = body.get("prompt"), body.get("multi_prompt")
    if prompt and shots:
        return "Cannot provide both 'prompt' and 'multi_prompt'."
    if not prompt and not shots:
        return "Either 'prompt' or 'multi_prompt' must be provided."
    if prompt:
        return _text_error(prompt, 2500)
    if not isinstance(shots, list):
        return "Input should be a valid list"
    if len(shots) > 6:
        return f"List should have at most 6 items after validation, not {len(shots)}"
    return next((error for shot in shots if (error := _shot_error(shot)) is not None), None)


def _shot_error(shot: Any) -> str | None:
    if not isinstance(shot, dict):
        return "Input should be a valid dictionary"
    if not shot.get("prompt"):
        return "Field required"
    if (error := _text_error(shot["prompt"], 512)) is not None:
        return error
    if _seconds(shot.get("duration", 5)) not in _SHOT_SECONDS:
        return f"Input should be {_alternatives(_SHOT_SECONDS)}"
    return None


def _text_error(text: Any, limit: int) -> str | None:
    if not isinstance(text, str):
        return "Input should be a valid string"
    return f"String should have at most {limit} characters" if len(text) > limit else None


def _duration_error(body: Mapping[str, Any]) -> str | None:
    seconds = [_seconds(part.get("duration", 5)) for part in body.get("multi_prompt") or [body]]
    if None in seconds:
        return "Input should be a valid integer"
    total = sum(second or 0 for second in seconds)
    if total > 15:
        return f"Total shot duration ({total}s) exceeds maximum allowed (15s)."
    if total < 3:
        return (
            f"duration value '{total}' is invalid. Try using duration='5' instead,"
            " as duration support may vary by model and mode."
        )
    return None


def _image_error(body: Mapping[str, Any]) -> str | None:
    if body.get("tail_image_url") and not body.get("start_image_url"):
        return "'tail_image_url' requires 'start_image_url'."
    images, elements = body.get("input_image") or [], body.get("elements") or []
    if not isinstance(images, list) or not isinstance(elements, list):
        return "Input should be a valid list"
    for element in elements:
        if not isinstance(element, dict) or not element.get("frontal_image_url"):
            return "Field required"
        if len(element.get("reference_image_urls") or []) > 3:
            return f"List should have at most 3 items after validation, not {len(element['reference_image_urls'])}"
    return _count_error(images, elements, 7)


def _count_error(images: list[Any], elements: list[Any], limit: int) -> str | None:
    total = len(images) + len(elements)
    if total <= limit:
        return None
    return f"Total number of images and elements ({total}) exceeds maximum allowed ({limit})."


def _choice_error(body: Mapping[str, Any]) -> str | None:
    for name, choices in (("aspect_ratio", ("16:9", "9:16", "1:1")), ("response_format", ("url", "b64_json"))):
        if body.get(name) is not None and body[name] not in choices:
            return f"Input should be {_alternatives(choices)}"
    if not isinstance(body.get("generate_audio", False), bool | None):
        return "Input should be a valid boolean"
    return None


def _schema_error(body: Mapping[str, Any], schema: Mapping[str, Any]) -> str | None:
    ignored = {"duration"} if edited_video_url(body) else set[str]()
    sent = {name: value for name, value in body.items() if value is not None and name not in ignored}
    if any(sent.get(name) in (None, "") for name in schema.get("required", [])):
        return "Field required"
    if sent.get("tail_image_url") and "start_image_url" in schema["properties"] and not sent.get("start_image_url"):
        return "'tail_image_url' requires 'start_image_url'."
    if sent.get("input_video") and sent.get("generate_audio"):
        return "'generate_audio' must be false when a video is provided."
    images, elements = sent.get("input_image", []), sent.get("elements", [])
    if "elements" in schema["properties"] and isinstance(images, list) and isinstance(elements, list):
        limit = 4 if sent.get("input_video") else 7
        if (error := _count_error(images, elements, limit)) is not None:
            return error
    # Imported late: in an environment with JupyterLab, its format checkers take over a second to load.
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(schema).iter_errors(sent)  # pyright: ignore[reportUnknownMemberType]
    first = min(errors, key=lambda error: [str(part) for part in error.absolute_path], default=None)
    if first is None or first.validator == "enum":
        return first and _message(first)
    path = [*first.absolute_path, *_missing_field(first)]
    return f"{'.'.join(map(str, path))}: {_message(first)}"


def _message(error: ValidationError) -> str:
    """Return the rule in upstream's words, without the value: it may be an image, and each poll returns it."""
    limit: Any = error.validator_value
    bound = "least" if str(error.validator).startswith("min") else "most"
    match error.validator:
        case "enum":
            return f"Input should be {_alternatives(limit)}"
        case "required":
            return "Field required"
        case "type":
            types = [limit] if isinstance(limit, str) else limit
            return f"Input should be a valid {' or '.join(_TYPES.get(name, name) for name in types if name != 'null')}"
        case "minimum" | "maximum":
            return f"Input should be {'greater' if error.validator == 'minimum' else 'less'} than or equal to {limit}"
        case "minLength" | "maxLength":
            return f"String should have at {bound} {limit} characters"
        case "minItems" | "maxItems":
            count = len(cast(Sized, error.instance))
            return f"List should have at {bound} {limit} items after validation, not {count}"
        case _:
            return f"Input does not match '{error.validator}'"


def _missing_field(error: ValidationError) -> list[str]:
    if error.validator != "required":
        return []
    return [name for name in cast(list[str], error.validator_value) if name not in cast(Any, error.instance)][:1]


def _alternatives(choices: Sequence[object]) -> str:
    quoted = [f"'{choice}'" for choice in choices]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _seconds(value: Any) -> int | None:
    if isinstance(value, str) and value.isdigit():
        return int(value)
    return int(value) if is_integer(value) else None


def is_integer(value: Any) -> bool:
    """Return whether a JSON value is an integer."""
    return isinstance(value, int) and not isinstance(value, bool)
