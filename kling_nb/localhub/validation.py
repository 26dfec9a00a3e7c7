"""Upstream's validation of a request, whose errors appear only once a job is processed.

It follows the wire contract alone and must not share rules with the client's models.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from typing import TYPE_CHECKING, Any, cast

from .inputs import edited_video_url

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

UPSTREAM_ERROR = "Getting model response error: 422 - Value error, "
# Upstream's names of the JSON Schema types.
_TYPES = {"array": "list", "object": "dictionary"}
_TARGET = "kling-video-o3-pro-reference-to-video"
# What upstream checks and the hub's schema of the target does not mention. Durations may be strings of digits.
_SHOT = {
    "type": "object",
    "required": ["prompt"],
    "properties": {
        "prompt": {"type": "string", "minLength": 1, "maxLength": 512},
        "duration": {"enum": [*range(1, 16), *map(str, range(1, 16))]},
    },
}
_TARGET_PROPERTIES = {
    "prompt": {"type": "string", "maxLength": 2500},
    "multi_prompt": {"type": "array", "maxItems": 6, "items": _SHOT},
}


def upstream_error(body: Mapping[str, Any], model: Mapping[str, Any]) -> str | None:
    """Return the `error_message` of the job that the request makes, or None if the request is valid."""
    schema = model["request_schema"]
    if model["id"] == _TARGET:
        schema = {**schema, "properties": {**schema["properties"], **_TARGET_PROPERTIES}}
        error = _prompt_error(body) or _schema_error(body, schema, with_path=False) or _duration_error(body)
    else:
        error = _schema_error(body, schema)
    return None if error is None else UPSTREAM_ERROR + error


def _prompt_error(body: Mapping[str, Any]) -> str | None:
    prompt, shots = body.get("prompt"), body.get("multi_prompt")
    if prompt and shots:
        return "Cannot provide both 'prompt' and 'multi_prompt'."
    if not prompt and not shots:
        return "Either 'prompt' or 'multi_prompt' must be provided."
    return None


def _duration_error(body: Mapping[str, Any]) -> str | None:
    total = 0
    for part in body.get("multi_prompt") or [body]:
        seconds = part.get("duration", 5)
        if not is_integer(seconds) and not (isinstance(seconds, str) and seconds.isdigit()):
            return "Input should be a valid integer"
        total += int(seconds)
    if total > 15:
        return f"Total shot duration ({total}s) exceeds maximum allowed (15s)."
    if total < 3:
        return (
            f"duration value '{total}' is invalid. Try using duration='5' instead,"
            " as duration support may vary by model and mode."
        )
    return None


def _schema_error(body: Mapping[str, Any], schema: Mapping[str, Any], *, with_path: bool = True) -> str | None:
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
        total, limit = len(images) + len(elements), 4 if sent.get("input_video") else 7
        if total > limit:
            return f"Total number of images and elements ({total}) exceeds maximum allowed ({limit})."
    # Imported late: in an environment with JupyterLab, its format checkers take over a second to load.
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(schema).iter_errors(sent)  # pyright: ignore[reportUnknownMemberType]
    first = min(errors, key=lambda error: [str(part) for part in error.absolute_path], default=None)
    if first is None or first.validator == "enum" or not with_path:
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


def _alternatives(choices: Iterable[object]) -> str:
    quoted = list(dict.fromkeys(f"'{choice}'" for choice in choices))
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def is_integer(value: Any) -> bool:
    """Return whether a JSON value is an integer."""
    return isinstance(value, int) and not isinstance(value, bool)
