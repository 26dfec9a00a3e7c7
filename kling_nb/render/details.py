"""The "Details" of a card, section by section, and its reference images."""

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
from kling_nb.render.images import Links, smaller


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
