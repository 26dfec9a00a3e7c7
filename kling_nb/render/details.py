"""All that a record holds beyond what its card shows at once: what its drawer says, section by section."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import NamedTuple

from kling_nb.models.record import Record
from kling_nb.render.facts import Fact
from kling_nb.render.words import clock, estimate_note, size, span


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
        yield Fact(item.path, " · ".join([item.given, *item.mends]))
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
    after = [f"{word} after {span((moment - start).total_seconds())}" for word, moment in moments.items() if moment]
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
        "Media", " · ".join(filter(None, [clip.media_type, frame, length, frames, rate, codecs, size(clip.size)]))
    )


def _way(record: Record) -> Iterable[Fact]:
    """What was said between the click and the card; a note of an older record that has no time comes first."""
    said = {message.text for message in record.messages}
    yield from (Fact("–", note) for note in record.notes if note not in said)
    for message in record.messages:
        yield Fact(clock((message.at - record.times.created).total_seconds()), message.text)


def _columns(facts: Iterable[Fact]) -> list[str]:
    there = [fact for fact in facts if fact.value]
    width = max((len(fact.label) for fact in there), default=0)
    return [f"{fact.label:<{width}}  {fact.value}" for fact in there]
