"""Requests in fal's terms and back: endpoints, fields, and what has no counterpart (fal-api.md section 11).

Pure: `translate` returns what to send, and a problem at each field that cannot be sent. `untranslate` gives a request
to one of fal's endpoints the names that Oxen has for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from kling_nb.errors import did_you_mean
from kling_nb.models.problem import Draft, Problem, error
from kling_nb.models.request import DELIVERY, OMNI, TARGET, TYPED, Element, model_of
from kling_nb.models.schema import Schema, mapping_in

FAMILY = "fal-ai/kling-video"
_ENDPOINT = re.compile(r"(?:fal-ai|kling)/[\w.-]+(?:/[\w.-]+)*")
#: fal's name of each tier, by Oxen's resolution.
_TIERS: Mapping[str, str] = {"720p": "standard", "1080p": "pro", "4k": "4k"}
_RESOLUTIONS: Mapping[str, str] = {theirs: ours for ours, theirs in _TIERS.items()}
_OXEN = re.compile(
    r"kling-video-(o3|v3)-(standard|pro|4k)-"
    r"(text-to-video|image-to-video|reference-to-video|motion-control|video-to-video-(?:edit|reference))"
)
_FAL = re.compile(
    FAMILY + r"/(o3|v3)/(standard|pro|4k)/"
    r"(text-to-video|image-to-video|reference-to-video|motion-control|video-to-video/(?:edit|reference))"
)
_OF_VIDEOS = ("video-to-video/edit", "video-to-video/reference")
#: fal's endpoints of Kling O3; it edits no video in 4k.
O3_ENDPOINTS = tuple(
    f"{FAMILY}/o3/{tier}/{mode}"
    for mode in ("reference-to-video", "text-to-video", "image-to-video", *_OF_VIDEOS)
    for tier in ("pro", "standard", "4k")
    if not (tier == "4k" and mode in _OF_VIDEOS)
)
#: Oxen's names of fields, with fal's.
_NAMES: Mapping[str, str] = {"input_image": "image_urls", "tail_image_url": "end_image_url", "input_video": "video_url"}
_OXENS_NAMES: Mapping[str, str] = {**{theirs: ours for ours, theirs in _NAMES.items()}, "image_url": "input_image"}
#: Values of fal's own fields that change nothing.
_IMPLIED: Mapping[str, str] = {"shot_type": "customize"}
#: What each mode of O3 takes besides the prompt; fal silently ignores anything else.
_SHARED = frozenset({"prompt", "multi_prompt", "duration", "generate_audio", "shot_type"})
_TAKES: Mapping[str, frozenset[str]] = {
    "text-to-video": _SHARED | {"aspect_ratio"},
    "image-to-video": _SHARED | {"image_url", "end_image_url"},
    "reference-to-video": _SHARED | {"aspect_ratio", "start_image_url", "end_image_url", "image_urls", "elements"},
    "video-to-video/edit": frozenset({"prompt", "video_url", "image_urls", "elements", "keep_audio", "shot_type"}),
    "video-to-video/reference": frozenset(
        {"prompt", "video_url", "image_urls", "elements", "keep_audio", "shot_type", "duration", "aspect_ratio"}
    ),
}
#: Fields that may be dropped where they have no counterpart.
_HARMLESS = frozenset({"generate_audio", "duration", "aspect_ratio", "keep_audio"})


@dataclass(frozen=True)
class Translation:
    """A request as fal takes it: the endpoint, the body with its assets, and a problem for what cannot be sent."""

    endpoint: str
    body: dict[str, Any]
    problems: tuple[Problem, ...] = ()


def is_endpoint(model: str) -> bool:
    """Return whether a model's name is one of fal's endpoints: an owner, an app and perhaps a path."""
    return _ENDPOINT.fullmatch(model) is not None


def endpoint_of(draft: Draft) -> str | None:
    """Return the endpoint that a draft goes to, by its model and the fields that choose one; None if there is none."""
    model = model_of(draft)
    if is_endpoint(model):
        return model
    if model == TARGET:
        return f"{FAMILY}/o3/pro/reference-to-video"
    if model == OMNI:
        tier = _TIERS.get(str(draft.get("resolution", "1080p")), "pro")
        if draft.get("input_video") is None:
            return f"{FAMILY}/o3/{tier}/reference-to-video"
        return f"{FAMILY}/o3/{tier}/video-to-video/{draft.get('video_mode') or 'edit'}"
    found = _OXEN.fullmatch(model)
    return found and f"{FAMILY}/{found[1]}/{found[2]}/{found[3].replace('video-to-video-', 'video-to-video/')}"


def translate(draft: Draft, schema: Schema | None = None) -> Translation:
    """Return a draft as it is sent to fal.

    Args:
        draft: The fields, with their assets.
        schema: The endpoint's input schema, where it is known.
    """
    model, endpoint = model_of(draft), endpoint_of(draft)
    if endpoint is None:
        remedy = did_you_mean(model, [TARGET, OMNI]) or f"use {TARGET}, {OMNI} or one of fal's own IDs, {FAMILY}/…"
        return Translation("", {}, (error(("model",), f"fal.ai does not have {model}", remedy),))
    given = {name: value for name, value in draft.items() if name not in (*DELIVERY, "model", "hub")}
    problems = list(_delivery_problems(draft))
    if is_endpoint(model):
        problems += _unlisted(given, schema)
        return Translation(endpoint, given, tuple(problems))
    for name in ("resolution", "video_mode"):
        if model == OMNI:
            given.pop(name, None)
    mode = endpoint.removeprefix(f"{FAMILY}/").split("/", 2)[2]
    if mode.startswith("video-to-video") and "/4k/" in endpoint:
        problems.append(error(("resolution",), "fal.ai edits no video in 4k", "choose 1080p or 720p"))
    takes = _TAKES.get(mode) if "/o3/" in endpoint else None
    body: dict[str, Any] = {}
    for name, value in given.items():
        theirs = _name_at(mode, name)
        if takes is not None and theirs not in takes:
            if name not in _HARMLESS:
                problems.append(_no_place(name, mode))
            continue
        body[theirs] = _as_sent(theirs, value)
    problems += _missing_views(given, mode)
    return Translation(endpoint, body, tuple(problems))


def untranslate(given: Draft) -> dict[str, Any]:
    """Return a request to one of fal's endpoints with the names that Oxen has for its model and fields.

    A field that only fal has keeps its name, and so does a request to an endpoint without a counterpart.
    """
    endpoint = model_of(given)
    if (found := _FAL.fullmatch(endpoint)) is None:
        return {**given}
    family, tier, mode = found.groups()
    implied: dict[str, Any] = {"model": f"kling-video-{family}-{tier}-{mode.replace('/', '-')}"}
    if endpoint == endpoint_of({"model": TARGET}):
        implied = {"model": TARGET}
    elif family == "o3" and mode.startswith(("reference-to-video", "video-to-video")):
        edits = {"video_mode": mode.partition("/")[2]} if "/" in mode else {}
        implied = {"model": OMNI, "resolution": _RESOLUTIONS[tier], **edits}
    fields = {
        _OXENS_NAMES.get(name, name): _as_number(value) if name == "duration" else value
        for name, value in given.items()
        if _IMPLIED.get(name) != value
    }
    return {**fields, **implied}


def with_oxens_names(given: Draft) -> dict[str, Any]:
    """Return a request to an endpoint with Oxen's names if either provider can then make it, else as it is.

    Only O3's reference-to-video and video-to-video have a counterpart with the same fields.
    """
    fields = untranslate(given)
    kind = TYPED.get(model_of(fields))
    views = set(Element.model_fields)
    elements = cast(list[Any], fields.get("elements")) if isinstance(fields.get("elements"), list) else []
    only_fals = any(isinstance(one, Mapping) and set(cast(Mapping[str, Any], one)) - views for one in elements)
    if kind is None or set(fields) - set(kind.model_fields) or only_fals:
        return {name: value for name, value in given.items() if _IMPLIED.get(name) != value}
    return fields


def _as_number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,3}", value) else value


def _name_at(mode: str, name: str) -> str:
    """Return fal's name of a field; an image-to-video endpoint has another name for its only image."""
    if mode == "image-to-video" and name in ("input_image", "start_image_url"):
        return "image_url"
    return _NAMES.get(name, name)


def _as_sent(name: str, value: Any) -> Any:
    match name:
        case "duration" if isinstance(value, int):
            return str(value)
        case "multi_prompt" if isinstance(value, list):
            shots = cast(list[Mapping[str, Any]], value)
            return [{**shot, "duration": str(shot.get("duration", 5))} for shot in shots]
        case "image_url" if isinstance(value, list) and len(cast(list[Any], value)) == 1:
            return value[0]
        case _:
            return value


def _delivery_problems(draft: Draft) -> Iterator[Problem]:
    if draft.get("response_format") == "b64_json":
        yield error(("response_format",), "fal.ai sends no clips inside JSON", "leave it out: the clip is downloaded")
    if draft.get("target_namespace"):
        yield error(("target_namespace",), "fal.ai bills the account of the key", "leave it out")


def _no_place(name: str, mode: str) -> Problem:
    if name == "negative_prompt":
        remedy = "describe what should be there in the prompt, or use another hub"
        return error((name,), "Kling O3 at fal.ai has no negative prompt", remedy)
    return error((name,), f"{mode.replace('-', ' ')} at fal.ai has no such field", "remove it, or use another hub")


def _missing_views(draft: Draft, mode: str) -> Iterator[Problem]:
    for index, element in enumerate(draft.get("elements") or () if mode == "reference-to-video" else ()):
        if not element.get("reference_image_urls") and not element.get("video_url"):
            path = ("elements", index, "reference_image_urls")
            yield error(path, "fal.ai needs more than the front view", "add 1 to 3 more views")


def _unlisted(given: Draft, schema: Schema | None) -> Iterator[Problem]:
    """Yield an error for each field that the endpoint does not list, which fal would silently ignore."""
    known = list(mapping_in(schema or {}, "properties"))
    for name in given:
        if known and name not in known:
            remedy = did_you_mean(name, known) or f"its fields are {', '.join(known)}"
            yield error((name,), "fal.ai would ignore it: the endpoint has no such field", remedy)
