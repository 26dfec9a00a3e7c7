"""The model's checks of a request, whose errors appear only at the result (sections 4 and 10).

They follow the wire contract alone and must not share rules with the client's models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .endpoints import Endpoint


def refusal(body: Mapping[str, Any], endpoint: Endpoint, *, unknown_keys: str) -> dict[str, Any] | None:
    """Return the failure that the model ends a request with, or None if the request is valid."""
    error = _error(body, endpoint, unknown_keys=unknown_keys)
    return None if error is None else {"status": 422, "detail": [error], "error_type": None}


def _error(body: Mapping[str, Any], endpoint: Endpoint, *, unknown_keys: str) -> dict[str, Any] | None:
    for name in sorted(endpoint.required):
        if body.get(name) in (None, ""):
            return _at([name], "field required", "value_error.missing")
    unknown = set(body) - set(endpoint.fields)
    if unknown and unknown_keys == "refuse":
        return _at([min(unknown)], "extra fields not permitted", "value_error.extra")
    # Imported late: in an environment with JupyterLab, its format checkers take over a second to load.
    from jsonschema import Draft202012Validator

    schema = {**endpoint.schema, "components": {"schemas": endpoint.schemas}}
    errors = Draft202012Validator(schema).iter_errors(dict(body))  # pyright: ignore[reportUnknownMemberType]
    first = min(errors, key=lambda error: [str(part) for part in error.absolute_path], default=None)
    if first is not None:
        return _at([*first.absolute_path], *_worded(str(first.validator), first.validator_value))
    return _cross_field_error(body, endpoint)


def _cross_field_error(body: Mapping[str, Any], endpoint: Endpoint) -> dict[str, Any] | None:
    shots, mode = body.get("multi_prompt"), endpoint.mode
    if "multi_prompt" in endpoint.fields:
        if not body.get("prompt") and not shots:
            return _at(["root"], "Either 'prompt' or 'multi_prompt' must be provided.", "value_error")
        if body.get("prompt") and shots:
            return _at(["root"], "Cannot provide both 'prompt' and 'multi_prompt'.", "value_error")
    longest = 30 if endpoint.id.startswith("kling/v4/") else 15
    total = sum(int(shot.get("duration") or 5) for shot in shots or ())
    if shots and not 3 <= total <= longest:
        text = f"Total shot duration ({total}s) must be between 3 and {longest} seconds."
        return _at(["multi_prompt"], text, "value_error")
    if body.get("end_image_url") and not body.get("start_image_url") and not body.get("image_url"):
        return _at(["end_image_url"], "'end_image_url' requires a start image.", "value_error")
    count = len(body.get("image_urls") or []) + len(body.get("elements") or [])
    count += len(body.get("video_urls") or [])
    limit = 15 if longest == 30 else 4 if mode.startswith("video-to-video") else 7
    if count > limit:
        text = f"Total number of images and elements ({count}) exceeds maximum allowed ({limit})."
        return _at(["image_urls"], text, "value_error")
    return None


def _at(path: list[str | int], message: str, kind: str) -> dict[str, Any]:
    return {"loc": ["body", *path], "msg": message, "type": kind}


def _worded(rule: str, limit: Any) -> tuple[str, str]:
    """Return the message and the type of an error in pydantic 1's words, without the value, which may be an image."""
    match rule:
        case "enum":
            allowed = ", ".join(f"'{each}'" for each in limit)
            return f"unexpected value; permitted: {allowed}", "value_error.const"
        case "type":
            names = {"string": "str", "integer": "integer", "array": "list", "object": "dict", "boolean": "bool"}
            return f"{names.get(str(limit), limit)} type expected", f"type_error.{names.get(str(limit), limit)}"
        case "maxLength":
            return f"ensure this value has at most {limit} characters", "value_error.any_str.max_length"
        case "maxItems":
            return f"ensure this value has at most {limit} items", "value_error.list.max_items"
        case "minimum":
            return f"ensure this value is greater than or equal to {limit}", "value_error.number.not_ge"
        case "maximum":
            return f"ensure this value is less than or equal to {limit}", "value_error.number.not_le"
        case "required":
            return "field required", "value_error.missing"
        case _:
            return "value is not valid", "value_error"
