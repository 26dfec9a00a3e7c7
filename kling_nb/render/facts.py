"""The parameters and results of a record as labelled values, the details of its card, and its reference images."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, NamedTuple

from kling_nb.models.record import SAME_CLIP, Record, Reference
from kling_nb.render.formatting import (
    estimate_note,
    format_clock,
    format_duration,
    format_size,
    format_time,
    price_of,
    shorten,
)
from kling_nb.render.images import Links, smaller


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
        Fact("Continues", ", ".join(record.parents)),
        Fact("Tags", " ".join(f"#{tag}" for tag in record.tags)),
        Fact("Note", record.note),
        *(Fact("Repeated", note) for note in record.notes if note.startswith(SAME_CLIP)),
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


class Section(NamedTuple):
    """A heading and its lines, with the labels in a column."""

    title: str
    lines: list[str]


def details_of(record: Record) -> list[Section]:
    """Return the sections of a card's details; empty ones are left out."""
    facts = {
        "Request": _request(record),
        "Hashes": _hashes(record),
        "Hub": _hub(record),
        "File": _file(record),
        "Progress": _progress(record),
    }
    return [Section(title, lines) for title, each in facts.items() if (lines := _columns(each))]


def _request(record: Record) -> Iterable[Fact]:
    yield Fact("created", f"{record.times.created.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S} UTC")
    yield Fact("price", estimate_note(record.estimate))
    for item in record.references:
        yield Fact(item.path, " · ".join([item.given, *item.fixes]))
    yield Fact("rerun of", record.rerun_of or "")
    yield Fact("plan", record.plan or "")
    yield Fact("notebook", record.notebook or "")
    yield Fact("made by", record.by)
    yield Fact("versions", ", ".join(f"{name} {version}" for name, version in record.versions.items()))


def _hashes(record: Record) -> Iterable[Fact]:
    yield Fact("request", record.request_hash)
    yield Fact("clip", record.clip.digest if record.clip else "")
    yield from (Fact(item.path, item.identity) for item in record.references if item.identity != item.given)
    yield Fact("schema", record.schema_digest or "")


def _hub(record: Record) -> Iterable[Fact]:
    """Yield the hub's address, its ID for the job, and its own times since the request; ours are under "Progress"."""
    times, start = record.times, record.times.created
    moments = {"queued": times.enqueued, "started": times.started, "completed": times.completed}
    after = {name: (moment - start).total_seconds() for name, moment in moments.items() if moment}
    yield Fact("URL", record.hub)
    yield Fact("generation", record.generation_id or "")
    yield Fact("times", ", ".join(f"{name} after {format_duration(seconds)}" for name, seconds in after.items()))


def _file(record: Record) -> Iterable[Fact]:
    clip = record.clip
    if clip is None:
        return
    figures = [
        clip.media_type,
        f"{clip.width}×{clip.height}" if clip.width else "",
        f"{clip.duration:g} s" if clip.duration else "",
        f"{clip.frames} frames" if clip.frames else "",
        f"{clip.fps:g} fps" if clip.fps else "",
        " + ".join(codec for codec in (clip.video_codec, clip.audio_codec) if codec),
        format_size(clip.size),
    ]
    yield Fact("media", " · ".join(filter(None, figures)))


def _progress(record: Record) -> Iterable[Fact]:
    """Yield the messages between the click and the card; notes without a time come first."""
    texts = {message.text for message in record.messages}
    yield from (Fact("–", note) for note in record.notes if note not in texts)
    for message in record.messages:
        yield Fact(format_clock((message.at - record.times.created).total_seconds()), message.text)


def _columns(facts: Iterable[Fact]) -> list[str]:
    shown = [fact for fact in facts if fact.value]
    width = max((len(fact.label) for fact in shown), default=0)
    return [f"{fact.label:<{width}}  {fact.value}" for fact in shown]


#: The size of all small images of one card together, in bytes.
WEIGHT = 800


@dataclass(frozen=True)
class Thumbnail:
    """One reference: its caption, a small image of it, and its URL if it is on the web."""

    caption: str
    title: str
    name: str
    source: str | None
    href: str | None


@dataclass(frozen=True)
class Group:
    """References that belong together: one image, an element with its angles, or the start and tail frames."""

    name: str
    thumbnails: list[Thumbnail]
    joint: str = ""
    """The text between them: an arrow from the start frame to the tail frame."""


def groups_of(record: Record, links: Links) -> list[Group]:
    """Return the record's references in the order of the request."""
    groups: list[Group] = []
    share = WEIGHT // max(1, len(record.references))
    for name, members in groupby(record.references, key=lambda item: _group_name(item.path)):
        thumbnails = [_thumbnail(item, links, share) for item in members]
        if name == "Frames" and len(thumbnails) == 1:
            name = f"{thumbnails[0].caption.capitalize()} frame"
            thumbnails = [replace(thumbnails[0], caption="")]
        groups.append(Group(name, thumbnails, "→" if name.endswith("frame") or name == "Frames" else ""))
    return groups


def _thumbnail(reference: Reference, links: Links, share: int) -> Thumbnail:
    size = f" · {reference.width}×{reference.height}" if reference.width and reference.height else ""
    source = links.thumbnail(reference)
    return Thumbnail(
        caption={"start_image_url": "start", "tail_image_url": "tail"}.get(reference.path, ""),
        title=" · ".join([f"{reference.given}{size}", *reference.fixes]),
        name=reference.name or shorten(reference.given, 40),
        source=smaller(source, share) if source else None,
        href=reference.identity if re.match(r"https?://", reference.identity, re.IGNORECASE) else None,
    )


def _group_name(path: str) -> str:
    if numbered := re.match(r"(input_image|elements)\.(\d+)", path):
        return f"@{'Image' if numbered[1] == 'input_image' else 'Element'}{int(numbered[2]) + 1}"
    if path in ("start_image_url", "tail_image_url"):
        return "Frames"
    return "@Video1" if path == "input_video" else path
