"""Records side by side with their differences, and the gallery's contact sheet."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from kling_nb.models.frontend import Video
from kling_nb.models.judgements import Score
from kling_nb.models.record import Record, Reference
from kling_nb.render.card import badge_of, stars_of
from kling_nb.render.facts import Fact, figures_of, headline, is_image, setting
from kling_nb.render.formatting import STATUS_WORDS, counted, price_of, prompt_line
from kling_nb.render.images import POSTER_BYTES, SHEET_BYTES, Links
from kling_nb.render.page import render_template

LETTERS = "ABCDEFGHI"
NONE = "–"
SAME = "The parameters are the same; only the runs differ."


class Word(NamedTuple):
    """A part of a value; `marked` if it differs."""

    text: str
    marked: bool = False


class Difference(NamedTuple):
    """One parameter that differs, with its value for each record in parts."""

    label: str
    values: tuple[tuple[Word, ...], ...]

    @property
    def short(self) -> bool:
        """Whether the values fit next to each other on a line."""
        texts = ["".join(word.text for word in value) for value in self.values]
        plain = not any(word.marked for value in self.values for word in value)
        return plain and len(texts) <= 3 and max(map(len, texts)) <= 36


def compare_html(records: Sequence[Record], links: Links, found: Sequence[Difference] | None = None) -> str:
    """Return the clips as linked videos side by side, and below them their differences: `found`, or the parameters."""
    clips = [{**clip, "letter": letter} for clip, letter in zip(_clips(records, links), LETTERS, strict=False)]
    found = differences(records) if found is None else found
    return render_template("compare", clips=clips, found=found, same=SAME, letters=LETTERS[: len(records)])


def strip_html(records: Sequence[Record], links: Links) -> str:
    """Return the clips side by side, with their prompts."""
    clips = [
        {**clip, "prompt": prompt_line(record, 120)}
        for clip, record in zip(_clips(records, links), records, strict=True)
    ]
    return render_template("compare", clips=clips, found=[], same="", letters="")


def _clips(records: Sequence[Record], links: Links) -> list[dict[str, Any]]:
    return [
        {
            "letter": "",
            "prompt": "",
            "record": record,
            "video": video,
            "poster": links.poster(record, POSTER_BYTES if len(records) <= 4 else SHEET_BYTES),
            "image": is_image(record),
            "figures": figures_of(record),
            "badge": badge_of(record).partition(" – ")[0],
            "stars": stars_of(record),
        }
        for record, video in zip(records, links.videos(records), strict=True)
    ]


def compare_text(records: Sequence[Record], found: Sequence[Difference] | None = None) -> str:
    """Return the comparison in lines of plain text."""
    heads = [f"{LETTERS[index]}  {record.id}  {prompt_line(record, 70)}" for index, record in enumerate(records)]
    rows = [
        f"{item.label}: " + " | ".join("".join(word.text for word in value).strip() for value in item.values)
        for item in (differences(records) if found is None else found)
    ]
    return "\n".join([*heads, *(rows or [SAME])])


def diff(records: Sequence[Record], scores: Sequence[Sequence[Score]] = ()) -> list[Difference]:
    """Return all differences: the parameters, then the runs, then each record's `scores`.

    What differs between any two runs, the times and the bytes of the files, is left out.
    """
    found = differences(records)
    tables = [dict(_run(record)) for record in records]
    for table, known in zip(tables, scores, strict=False):
        table.update({f"Score: {score.name}": score.text for score in known})
    for label in dict.fromkeys(label for table in tables for label in table):
        values = [table.get(label, "") for table in tables]
        if len(set(values)) > 1:
            found.append(Difference(label, _plain(values)))
    return found


def _run(record: Record) -> Iterator[Fact]:
    yield Fact("Schema", (record.schema_digest or "").removeprefix("sha256:")[:12])
    yield Fact("Price", price_of(record))
    yield Fact("Stars", "★" * (record.stars or 0))
    yield Fact("Tags", " ".join(f"#{tag}" for tag in record.tags))
    yield Fact("Note", record.note)
    yield Fact("Versions", ", ".join(f"{name} {version}" for name, version in record.versions.items()))


def differences(records: Sequence[Record]) -> list[Difference]:
    """Return the parameters that are not the same in all records, in reading order."""
    ambiguous = _ambiguous_names(records)
    tables = [_parameters(record, ambiguous) for record in records]
    labels = list(dict.fromkeys(label for table in tables for label in table))
    found: list[Difference] = []
    for label in sorted(labels, key=_rank):
        values = [table.get(label, "") for table in tables]
        implied = label == "Resolution" and any(item.label == "Aspect ratio" for item in found)
        if len(set(values)) > 1 and not implied:
            found.append(Difference(label, _marked(values) if _is_prose(label) else _plain(values)))
    return found


def marked_words(mine: str, other: str) -> tuple[Word, ...]:
    """Return `mine` in parts, marked where `other` has other words; whitespace is never a difference."""
    words, others = _words(mine), _words(other)
    plain = [[word.strip() for word in part] for part in (words, others)]
    matcher = difflib.SequenceMatcher(None, plain[0], plain[1], autojunk=False)
    parts: list[Word] = []
    for operation, start, end, _, _ in matcher.get_opcodes():
        text = "".join(words[start:end])
        marked = text.rstrip() if operation != "equal" else ""
        parts += [Word(part, is_marked) for part, is_marked in ((marked, True), (text[len(marked) :], False)) if part]
    return tuple(parts)


_ORDER = ("Model", "Prompt", "Shot", "Negative prompt", "References", "Start frame", "Tail frame")


def _rank(label: str) -> int:
    return next((index for index, name in enumerate(_ORDER) if label.startswith(name)), len(_ORDER))


def _is_prose(label: str) -> bool:
    return label.startswith(("Prompt", "Shot", "Negative prompt")) and not label.endswith("duration")


def _plain(values: Sequence[str]) -> tuple[tuple[Word, ...], ...]:
    return tuple((Word(value or NONE),) for value in values)


def _marked(values: Sequence[str]) -> tuple[tuple[Word, ...], ...]:
    """Mark the first against the second, and every other against the first."""
    first, *rest = values
    each = [marked_words(first, rest[0]), *(marked_words(value, first) for value in rest)]
    return tuple(words or (Word(NONE),) for words in each)


def _words(text: str) -> list[str]:
    """Split a text into words, each with the whitespace after it; scripts without spaces into characters."""
    return re.findall(r"(?:[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|@?\w+|[^\w\s])\s*|\s+", text)


_LABELS = {
    "model": "Model",
    "prompt": "Prompt",
    "negative_prompt": "Negative prompt",
    "input_image": "References",
    "start_image_url": "Start frame",
    "tail_image_url": "Tail frame",
    "elements": "Elements",
    "duration": "Duration",
    "aspect_ratio": "Aspect ratio",
    "generate_audio": "Audio",
}


def _parameters(record: Record, ambiguous: set[str]) -> dict[str, str]:
    names = {reference.path: _name(reference, ambiguous) for reference in record.references}
    table: dict[str, str] = {}
    for field, value in record.canonical.items():
        if field != "multi_prompt" or not isinstance(value, list | tuple):
            table[_LABELS.get(field, field)] = _text(value, field, names)
            continue
        for number, shot in enumerate(value, 1):
            known = isinstance(shot, dict)
            table[f"Shot {number}"] = str(shot.get("prompt", "")) if known else str(shot)
            if known and "duration" in shot:
                table[f"Shot {number} duration"] = f"{shot['duration']} s"
    table["Resolution"] = next((fact.value for fact in headline(record) if fact.label in _SHAPES), "")
    table["Hub"] = "local" if record.local else record.hub
    if record.status != "succeeded":
        table["Status"] = STATUS_WORDS[record.status]
    return table


_SHAPES = ("resolution", "aspect ratio")


def _text(value: Any, path: str, names: dict[str, str]) -> str:
    match value:
        case list() | tuple():
            return ", ".join(filter(None, (_text(item, f"{path}.{index}", names) for index, item in enumerate(value))))
        case dict():
            return " + ".join(filter(None, (_text(item, f"{path}.{key}", names) for key, item in value.items())))
        case None:
            return ""
        case _:
            return names.get(path) or (f"{value} s" if path == "duration" else setting(value))


def _ambiguous_names(records: Sequence[Record]) -> set[str]:
    known: dict[str, set[str]] = {}
    for record in records:
        for reference in record.references:
            known.setdefault(reference.name or reference.given, set()).add(reference.identity)
    return {name for name, identities in known.items() if len(identities) > 1}


def _name(reference: Reference, ambiguous: set[str]) -> str:
    """Return the name of an image, with a part of its hash if another image has the same name."""
    name, digits = reference.name or reference.given, reference.identity.rpartition("sha256:")[2]
    return f"{name} ({digits[-8:]})" if name in ambiguous else name


#: The most posters on a contact sheet; each takes two kilobytes.
SHEET = 24


def gallery_html(records: Sequence[Record], links: Links, *, total: int) -> str:
    """Return a contact sheet: posters with prompts and stars, linked to the clips; `total` counts all records.

    Embedded clips play in place of their posters.
    """
    shown = records[:SHEET]
    videos = links.videos(shown)
    tiles = [
        {
            "record": record,
            "video": video,
            "embedded": bool(video.src and video.src.startswith("data:video/")),
            "poster": links.poster(record, SHEET_BYTES) if record.clip else None,
            "prompt": prompt_line(record, 90),
            "status": STATUS_WORDS[record.status],
            "stars": stars_of(record),
            "badge": badge_of(record).partition(" – ")[0],
        }
        for record, video in zip(shown, videos, strict=True)
    ]
    return render_template("gallery", tiles=tiles, summary=_summary(len(tiles), total), hint=_hint(videos))


def gallery_text(records: Sequence[Record], *, total: int) -> str:
    """Return the contact sheet with one record a line."""
    lines = [
        f"{record.id}  {stars_of(record) or '     '}  {STATUS_WORDS[record.status]:<11}  {prompt_line(record, 70)}"
        for record in records[:SHEET]
    ]
    return "\n".join([_summary(len(lines), total), *lines])


def _hint(videos: Sequence[Video]) -> str:
    """Return how many clips of the sheet cannot be played, with the reason for the first one."""
    hints = [video.hint for video in videos if video.hint and not video.src]
    return f"{len(hints)} of {counted(len(videos), 'clip')} cannot be played here. {hints[0]}" if hints else ""


def _summary(shown: int, total: int) -> str:
    if not total:
        return "No records"
    return f"{shown} of {total:,} records" if shown < total else counted(total, "record")
