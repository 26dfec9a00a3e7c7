"""The hub's own messages: what is refused at once, and what turns up later (HUB_API sections 2, 3, 5 and 6).

Written from the wire contract alone; it must never learn the rules from the client's models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

__all__ = ["INVALID", "UPSTREAM", "Refusal", "at_once", "edited_video", "late", "references", "videos"]

UPSTREAM = "Getting model response error: 422 - Value error, "
INVALID = "Invalid parameters supplied, please check your request and try again."
_SHOT_SECONDS = tuple(range(1, 16))
# JSON Schema's kinds as upstream calls them.
_KINDS = {"array": "list", "object": "dictionary"}
_SEPARATE_RULES = {"kling-video-o3-pro-reference-to-video"}


@dataclass(frozen=True)
class Refusal:
    """An answer given instead of a job: the HTTP status and the JSON body."""

    status: int
    body: Mapping[str, Any]


def at_once(
    body: Mapping[str, Any], model: Mapping[str, Any] | None, *, text_model_status: int = 415
) -> Refusal | None:
    """The four things that the queue looks at before it accepts (section 3); key and credit are the caller's."""
    if model is None:
        return Refusal(404, {"error": {"message": f"Model not found: {body.get('model')}"}})
    if not {"image", "video"} & set(model["capabilities"]["output"]):
        return Refusal(text_model_status, {"error": ":unsupported_media_type"})
    count = body.get("num_generations", 1)
    if not _integer(count) or not 1 <= count <= 4:
        return Refusal(400, _invalid("num_generations must be an integer between 1 and 4"))
    return None


def late(body: Mapping[str, Any], model: Mapping[str, Any]) -> str | None:
    """The `error_message` that the request earns once it is processed, or None when it would be rendered."""
    fault = _reference_to_video(body) if model["id"] in _SEPARATE_RULES else _by_schema(body, model)
    return None if fault is None else UPSTREAM + fault


def edited_video(body: Mapping[str, Any]) -> str | None:
    """The URL of the video that a request edits: its clip is as long as that."""
    mode = body.get("video_mode") or "edit"
    return next(iter(videos(body)), None) if mode == "edit" else None


def videos(body: Mapping[str, Any]) -> list[str]:
    """The video URL of a request, whatever the video is for; none for most."""
    url = body.get("input_video")
    return [url] if isinstance(url, str) and url else []


def references(body: Mapping[str, Any]) -> list[str]:
    """Every picture URL of a request, in the order of its fields."""
    found: list[Any] = [body.get("start_image_url"), body.get("tail_image_url")]
    images = body.get("input_image")
    found += images if isinstance(images, list) else [images]
    for element in _elements(body):
        found += [element.get("frontal_image_url"), *(element.get("reference_image_urls") or [])]
    return [url for url in found if isinstance(url, str) and url]


def _invalid(detail: str) -> dict[str, Any]:
    error = {"type": "invalid_params", "title": INVALID, "detail": detail}
    return {"error": error, "status": "error", "status_message": "invalid_params", "status_description": detail}


def _reference_to_video(body: Mapping[str, Any]) -> str | None:
    return _prompt_fault(body) or _duration_fault(body) or _picture_fault(body) or _choice_fault(body)


def _prompt_fault(body: Mapping[str, Any]) -> str | None:
    prompt, shots = body.get("prompt"), body.get("multi_prompt")
    if prompt and shots:
        return "Cannot provide both 'prompt' and 'multi_prompt'."
    if not prompt and not shots:
        return "Either 'prompt' or 'multi_prompt' must be provided."
    if prompt:
        return _text_fault(prompt, 2500)
    if not isinstance(shots, list):
        return "Input should be a valid list"
    if len(shots) > 6:
        return f"List should have at most 6 items after validation, not {len(shots)}"
    return next((fault for shot in shots if (fault := _shot_fault(shot)) is not None), None)


def _shot_fault(shot: Any) -> str | None:
    if not isinstance(shot, dict):
        return "Input should be a valid dictionary"
    if not shot.get("prompt"):
        return "Field required"
    if (fault := _text_fault(shot["prompt"], 512)) is not None:
        return fault
    if _seconds(shot.get("duration", 5)) not in _SHOT_SECONDS:
        return f"Input should be {_either(tuple(str(second) for second in _SHOT_SECONDS))}"
    return None


def _duration_fault(body: Mapping[str, Any]) -> str | None:
    shots = body.get("multi_prompt")
    given = [shot.get("duration", 5) for shot in shots] if shots else [body.get("duration", 5)]
    seconds = [_seconds(value) for value in given]
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


def _picture_fault(body: Mapping[str, Any]) -> str | None:
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
    return _shared_fault(images, elements, 7)


def _shared_fault(images: list[Any], elements: list[Any], most: int) -> str | None:
    total = len(images) + len(elements)
    return f"Total number of images and elements ({total}) exceeds maximum allowed ({most})." if total > most else None


def _choice_fault(body: Mapping[str, Any]) -> str | None:
    for name, choices in (("aspect_ratio", ("16:9", "9:16", "1:1")), ("response_format", ("url", "b64_json"))):
        if body.get(name) is not None and body[name] not in choices:
            return f"Input should be {_either(choices)}"
    if not isinstance(body.get("generate_audio", False), bool | None):
        return "Input should be a valid boolean"
    return None


def _by_schema(body: Mapping[str, Any], model: Mapping[str, Any]) -> str | None:
    schema = model["request_schema"]
    ignored = {"duration"} if edited_video(body) else set[str]()
    sent = {name: value for name, value in body.items() if value is not None and name not in ignored}
    missing = [name for name in schema.get("required", []) if sent.get(name) in (None, "")]
    if missing:
        return "Field required"
    if sent.get("tail_image_url") and "start_image_url" in schema["properties"] and not sent.get("start_image_url"):
        return "'tail_image_url' requires 'start_image_url'."
    if sent.get("input_video") and sent.get("generate_audio"):
        return "'generate_audio' must be false when a video is provided."
    images, elements = sent.get("input_image", []), sent.get("elements", [])
    if "elements" in schema["properties"] and isinstance(images, list) and isinstance(elements, list):
        most = 4 if sent.get("input_video") else 7
        if (fault := _shared_fault(images, elements, most)) is not None:
            return fault
    # Imported late: beside JupyterLab, jsonschema brings format checkers that take over a second to load.
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(schema).iter_errors(sent)  # pyright: ignore[reportUnknownMemberType]
    for error in sorted(errors, key=lambda error: [str(part) for part in error.absolute_path]):
        text = _broken(error)
        path = [*error.absolute_path, *_missing(error)]
        return text if error.validator == "enum" else f"{'.'.join(map(str, path))}: {text}"
    return None


def _broken(error: ValidationError) -> str:
    """The rule that was broken, in upstream's words. Never the value: a picture may be one, in every poll."""
    limit: Any = error.validator_value
    match error.validator:
        case "enum":
            return f"Input should be {_either(tuple(str(choice) for choice in limit))}"
        case "required":
            return "Field required"
        case "type":
            kinds = [limit] if isinstance(limit, str) else limit
            return f"Input should be a valid {' or '.join(_KINDS.get(kind, kind) for kind in kinds if kind != 'null')}"
        case "minimum" | "maximum":
            return f"Input should be {'greater' if error.validator == 'minimum' else 'less'} than or equal to {limit}"
        case "minLength" | "maxLength":
            return f"String should have at {_side(error)} {limit} characters"
        case "minItems" | "maxItems":
            count = len(cast(Sized, error.instance))
            return f"List should have at {_side(error)} {limit} items after validation, not {count}"
        case _:
            return f"Input does not keep to '{error.validator}'"


def _side(error: ValidationError) -> str:
    return "least" if str(error.validator).startswith("min") else "most"


def _missing(error: ValidationError) -> list[str]:
    if error.validator != "required":
        return []
    return [name for name in cast(list[str], error.validator_value) if name not in cast(Any, error.instance)][:1]


def _text_fault(text: Any, most: int) -> str | None:
    if not isinstance(text, str):
        return "Input should be a valid string"
    return f"String should have at most {most} characters" if len(text) > most else None


def _elements(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    elements = body.get("elements")
    return [element for element in elements if isinstance(element, dict)] if isinstance(elements, list) else []


def _either(choices: tuple[str, ...]) -> str:
    quoted = [f"'{choice}'" for choice in choices]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _seconds(value: Any) -> int | None:
    if isinstance(value, str) and value.isdigit():
        return int(value)
    return int(value) if _integer(value) else None


def _integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
