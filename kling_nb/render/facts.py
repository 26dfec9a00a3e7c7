"""The parameters and outcomes of a record as labelled values, in the order that a reader asks for them."""

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
    """Return the few figures that one looks for first: length, frame, sound, price; a still has no length or sound."""
    clip, request = record.clip, record.canonical
    price, _, by = price_of(record).partition(" · ")
    seconds = clip.duration if clip and clip.duration else record.estimate.seconds
    frame = f"{clip.width}×{clip.height}" if clip and clip.width else str(request.get("aspect_ratio") or "")
    audible = clip.audio_codec if clip else request.get("generate_audio")
    still = record.estimate.unit == "image" or is_still(record)
    facts = [
        Fact("length", "" if still else format_duration(seconds)),
        Fact("frame", frame),
        Fact("audio", "" if still else "sound" if audible else "silent"),
        Fact(by or ("price" if record.status == "succeeded" else "estimate"), price),
    ]
    return [fact for fact in facts if fact.value]


def is_still(record: Record) -> bool:
    """Whether what came of it is a picture."""
    return bool(record.clip and record.clip.media_type.startswith("image/"))


def facts_of(record: Record) -> list[Fact]:
    """Return the table of a card."""
    facts = [
        Fact("Model", record.model),
        Fact("Settings", " · ".join(_asked(record.canonical))),
        Fact("Made", format_time(record.times.created)),
        Fact("Took", _timings(record)),
        Fact("Record", record.id),
        Fact("Tags", " ".join(f"#{tag}" for tag in record.tags)),
        Fact("Note", record.note),
    ]
    return [fact for fact in facts if fact.value]


_SHOWN_ELSEWHERE = frozenset(
    {"model", "prompt", "multi_prompt", "negative_prompt", "input_image", "elements", "start_image_url"}
    | {"tail_image_url", "input_video"}
)


def _asked(request: dict[str, Any]) -> list[str]:
    return [f"{name} {_word(value)}" for name, value in request.items() if name not in _SHOWN_ELSEWHERE]


def _word(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _timings(record: Record) -> str:
    times = record.times
    begun = times.enqueued or times.accepted or times.submitted
    queued, made = _between(begun, times.started), _between(times.started, times.completed)
    parts = [f"queued {queued}" if queued else "", f"generated {made}" if made else ""]
    whole, detail = _between(times.created, times.ended), ", ".join(part for part in parts if part)
    return f"{whole} ({detail})" if whole and detail else whole or detail


def _between(start: datetime.datetime | None, end: datetime.datetime | None) -> str:
    return format_duration((end - start).total_seconds()) if start and end else ""
