"""All that a record holds beyond what its card shows at once: what its drawer says, section by section."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

from kling_nb.models.record import Record, Reference
from kling_nb.render.facts import Fact
from kling_nb.render.formatting import estimate_note, format_clock, format_duration, format_size, shorten
from kling_nb.render.images import smaller
from kling_nb.render.links import Links


class Section(NamedTuple):
    """A heading and its lines, labels in a column of their own."""

    title: str
    lines: list[str]


def details_of(record: Record) -> list[Section]:
    """Return the sections of a card's drawer; those that have nothing to say are left out."""
    facts = {
        "Request": _request(record),
        "Hashes": _hashes(record),
        "Hub": _hub(record),
        "Clip": _clip(record),
        "On the way": _way(record),
    }
    return [Section(title, lines) for title, each in facts.items() if (lines := _columns(each))]


def _request(record: Record) -> Iterable[Fact]:
    yield Fact("asked", f"{record.times.created.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S} UTC")
    yield Fact("price", estimate_note(record.estimate))
    for item in record.references:
        yield Fact(item.path, " · ".join([item.given, *item.fixes]))
    yield Fact("rerun of", record.rerun_of or "")
    yield Fact("plan", record.plan or "")
    yield Fact("notebook", record.notebook or "")
    yield Fact("made with", ", ".join(f"{name} {version}" for name, version in record.versions.items()))


def _hashes(record: Record) -> Iterable[Fact]:
    yield Fact("request", record.request_hash)
    yield Fact("clip", record.clip.digest if record.clip else "")
    yield from (Fact(item.path, item.identity) for item in record.references if item.identity != item.given)
    yield Fact("schema", record.schema_digest or "")


def _hub(record: Record) -> Iterable[Fact]:
    """Where it was made, as what, and the hub's own times after the question; ours stand on the way."""
    times, start = record.times, record.times.created
    moments = {"queued": times.enqueued, "begun": times.started, "made": times.completed}
    after = [
        f"{word} after {format_duration((moment - start).total_seconds())}"
        for word, moment in moments.items()
        if moment
    ]
    yield Fact("at", record.hub)
    yield Fact("generation", record.generation_id or "")
    yield Fact("times", ", ".join(after))


def _clip(record: Record) -> Iterable[Fact]:
    clip = record.clip
    if clip is None:
        return
    frame = f"{clip.width}×{clip.height}" if clip.width else ""
    length = f"{clip.duration:g} s" if clip.duration else ""
    frames = f"{clip.frames} frames" if clip.frames else ""
    rate = f"{clip.fps:g} fps" if clip.fps else ""
    codecs = " + ".join(codec for codec in (clip.video_codec, clip.audio_codec) if codec)
    yield Fact(
        "Media",
        " · ".join(filter(None, [clip.media_type, frame, length, frames, rate, codecs, format_size(clip.size)])),
    )


def _way(record: Record) -> Iterable[Fact]:
    """What was said between the click and the card; a note of an older record that has no time comes first."""
    said = {message.text for message in record.messages}
    yield from (Fact("–", note) for note in record.notes if note not in said)
    for message in record.messages:
        yield Fact(format_clock((message.at - record.times.created).total_seconds()), message.text)


def _columns(facts: Iterable[Fact]) -> list[str]:
    there = [fact for fact in facts if fact.value]
    width = max((len(fact.label) for fact in there), default=0)
    return [f"{fact.label:<{width}}  {fact.value}" for fact in there]


#: What all the small pictures of one card may weigh together, in bytes.
WEIGHT = 800


@dataclass(frozen=True)
class Picture:
    """One reference: what it is called, a small picture of it, and where it can be seen when it is on the web."""

    caption: str
    title: str
    name: str
    source: str | None
    href: str | None


@dataclass(frozen=True)
class Group:
    """Pictures that belong together: one reference, an element with its angles, or the frames from start to tail."""

    name: str
    pictures: list[Picture]
    joint: str = ""
    """What stands between them: an arrow from the start frame to the tail."""


def groups_of(record: Record, links: Links) -> list[Group]:
    """Return the record's references in the order of the request."""
    groups: list[Group] = []
    share = WEIGHT // max(1, len(record.references))
    for name, members in groupby(record.references, key=lambda item: _group_name(item.path)):
        pictures = [_picture(item, links, share) for item in members]
        if name == "Frames" and len(pictures) == 1:
            name = f"{pictures[0].caption.capitalize()} frame"
            pictures = [replace(pictures[0], caption="")]
        groups.append(Group(name, pictures, "→" if name.endswith("frame") or name == "Frames" else ""))
    return groups


def _picture(reference: Reference, links: Links, share: int) -> Picture:
    on_the_web = re.match(r"https?://", reference.identity, re.IGNORECASE)
    size = f" · {reference.width}×{reference.height}" if reference.width and reference.height else ""
    thumbnail = links.thumbnail(reference)
    return Picture(
        caption=_caption(reference.path),
        title=" · ".join([f"{reference.given}{size}", *reference.fixes]),
        name=reference.name or shorten(reference.given, 40),
        source=smaller(thumbnail, share) if thumbnail else None,
        href=reference.identity if on_the_web else None,
    )


def _group_name(path: str) -> str:
    numbered = re.match(r"(input_image|elements)\.(\d+)", path)
    if numbered:
        return f"@{'Image' if numbered[1] == 'input_image' else 'Element'}{int(numbered[2]) + 1}"
    if path in ("start_image_url", "tail_image_url"):
        return "Frames"
    return "@Video1" if path == "input_video" else path


def _caption(path: str) -> str:
    if path == "start_image_url":
        return "start"
    if path == "tail_image_url":
        return "tail"
    return ""
