"""A request of fal's in the fields that the animatic draws, which are those of Oxen's contract (section 11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SAME = ("prompt", "aspect_ratio", "generate_audio", "start_image_url", "elements")


def as_drawn(body: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """Return what is drawn for a request to an endpoint of this mode."""
    drawn = {name: body[name] for name in _SAME if body.get(name)}
    names = {"end_image_url": "tail_image_url", "image_urls": "input_image", "image_url": "start_image_url"}
    drawn |= {ours: body[name] for name, ours in names.items() if body.get(name)}
    if shots := body.get("multi_prompt"):
        drawn["multi_prompt"] = [{**shot, "duration": int(shot.get("duration") or 5)} for shot in shots]
    drawn["duration"] = int(body.get("duration") or 5)
    if body.get("video_url"):
        drawn |= {"input_video": body["video_url"], "video_mode": mode.rpartition("/")[2]}
    return drawn


def field_of(value: Any, url: str) -> list[str | int]:
    """Return the path of the field that has a URL, or `root`."""
    return _find(value, url) or ["root"]


def _find(value: Any, url: str) -> list[str | int]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        if part == url and url:
            return [name]
        if inner := _find(part, url):
            return [name, *inner]
    return []
