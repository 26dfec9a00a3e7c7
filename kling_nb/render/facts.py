"""The parameters and results of a record as labelled values, in reading order."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

from kling_nb.models.record import Record
from kling_nb.render.formatting import format_duration, format_time, price_of


class Fact(NamedTuple):
    """A label and its value."""

    label: str
    value: str


def headline(record: Record) -> list[Fact]:
    """Return the most important figures: duration, resolution, audio, price; an image has no duration or audio."""
    clip, request = record.clip, record.canonical
    price, _, source = price_of(record).partition(" · ")
    resolution = f"{clip.width}×{clip.height}" if clip and clip.width else ""
    audio = clip.audio_codec if clip else request.get("generate_audio")
    image = record.estimate.unit == "image" or is_image(record)
    facts = [
        Fact("duration", duration_of(record)),
        Fact("resolution", resolution) if resolution else Fact("aspect ratio", str(request.get("aspect_ratio") or "")),
        Fact("audio", "" if image else "with audio" if audio else "silent"),
        Fact(source or ("price" if record.status == "succeeded" else "estimate"), price),
    ]
    return [fact for fact in facts if fact.value]


def figures_of(record: Record, *, audio: bool = False, price: bool = True) -> str:
    """Return the headline on one line, without its labels."""
    *figures, cost = headline(record)
    shown = [fact.value for fact in figures if audio or fact.label != "audio"]
    return " · ".join([*shown, cost.value] if price else shown)


def duration_of(record: Record) -> str:
    """Return the clip's duration, or the expected one; empty for an image."""
    if record.estimate.unit == "image" or is_image(record):
        return ""
    return format_duration(record.clip.duration if record.clip and record.clip.duration else record.estimate.seconds)


def is_image(record: Record) -> bool:
    """Return whether the result is an image."""
    return bool(record.clip and record.clip.media_type.startswith("image/"))


def facts_of(record: Record) -> list[Fact]:
    """Return the table of a card."""
    facts = [
        Fact("Model", record.model),
        Fact("Settings", " · ".join(_settings(record.canonical))),
        Fact("Created", format_time(record.times.created)),
        Fact("Took", timings(record)),
        Fact("Record", record.id),
        Fact("Tags", " ".join(f"#{tag}" for tag in record.tags)),
        Fact("Note", record.note),
    ]
    return [fact for fact in facts if fact.value]


def timings(record: Record) -> str:
    """Return the whole duration of a job, and the parts that the hub has reported."""
    times = record.times
    begun = times.enqueued or times.accepted or times.submitted
    queued, generating = _between(begun, times.started), _between(times.started, times.completed)
    parts = [f"queued {queued}" if queued else "", f"generating {generating}" if generating else ""]
    whole, detail = _between(times.created, times.ended), ", ".join(filter(None, parts))
    return f"{whole} ({detail})" if whole and detail else whole or detail


def _between(start: datetime.datetime | None, end: datetime.datetime | None) -> str:
    return format_duration((end - start).total_seconds()) if start and end else ""


_SHOWN_ELSEWHERE = frozenset(
    {"model", "prompt", "multi_prompt", "negative_prompt", "input_image", "elements", "start_image_url"}
    | {"tail_image_url", "input_video"}
)


def _settings(request: dict[str, Any]) -> list[str]:
    return [f"{name} {setting(value)}" for name, value in request.items() if name not in _SHOWN_ELSEWHERE]


def setting(value: Any) -> str:
    """Return the value of a setting as text."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
