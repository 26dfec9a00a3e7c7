"""Clips beside each other, with what tells them apart: what a cell keeps of `kn.compare`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from kling_nb.models.frontend import Video
from kling_nb.models.judgements import Score
from kling_nb.models.record import Record, Reference
from kling_nb.render.card import badge_of, stars_of
from kling_nb.render.facts import Fact, facts_of, headline
from kling_nb.render.formatting import STATUS_WORDS, format_size, price_of, prompt_line
from kling_nb.render.links import Links
from kling_nb.render.page import fill

SAME = "The same parameters: what differs is the run itself."


def compare_html(records: Sequence[Record], links: Links, found: Sequence[Difference] | None = None) -> str:
    """Return the clips as linked videos side by side, and under them only what differs: `found`, or the parameters."""
    return fill(
        "compare",
        takes=[
            _take(record, letter, film, links)
            for record, letter, film in zip(records, LETTERS, links.videos(records), strict=False)
        ],
        found=differences(records) if found is None else found,
        same=SAME,
        letters=LETTERS[: len(records)],
    )


def compare_text(records: Sequence[Record], found: Sequence[Difference] | None = None) -> str:
    """Return the same in lines of plain text."""
    heads = [f"{LETTERS[i]}  {record.id}  {prompt_line(record, 70)}" for i, record in enumerate(records)]
    rows = [
        f"{item.label}: " + " | ".join("".join(word.text for word in value).strip() for value in item.values)
        for item in (differences(records) if found is None else found)
    ]
    return "\n".join([*heads, *(rows or [SAME])])


def _take(record: Record, letter: str, film: Video, links: Links) -> dict[str, Any]:
    clip = record.clip
    return {
        "letter": letter,
        "record": record,
        "film": film,
        "poster": links.poster(record),
        "still": bool(clip and clip.media_type.startswith("image/")),
        "figures": " · ".join(fact.value for fact in headline(record) if fact.label != "audio"),
        "badge": badge_of(record).partition(" – ")[0],
        "stars": stars_of(record),
    }


def diff(records: Sequence[Record], scores: Sequence[Sequence[Score]] = ()) -> list[Difference]:
    """Return only what differs: the parameters first, then what the run was like, then each record's `scores`."""
    found = differences(records)
    tables = [dict(_run(record)) for record in records]
    for table, known in zip(tables, scores, strict=False):
        table.update({f"Score: {score.name}": score.words for score in known})
    for label in dict.fromkeys(label for table in tables for label in table):
        values = [table.get(label, "") for table in tables]
        if len(set(values)) > 1:
            found.append(Difference(label, tuple((Word(value or NONE),) for value in values)))
    return found


def _run(record: Record) -> Iterator[Fact]:
    clip = record.clip
    yield Fact("Schema", (record.schema_digest or "").removeprefix("sha256:")[:12])
    yield Fact("Price", price_of(record))
    yield Fact("Took", next((fact.value for fact in facts_of(record) if fact.label == "Took"), ""))
    if clip:
        yield Fact("File", f"{clip.digest.removeprefix('sha256:')[:12]} · {format_size(clip.size)}")
    yield Fact("Stars", "★" * (record.stars or 0))
    yield Fact("Tags", " ".join(f"#{tag}" for tag in record.tags))
    yield Fact("Note", record.note)
    yield Fact("Versions", ", ".join(f"{name} {version}" for name, version in record.versions.items()))


LETTERS = "ABCDEFGHI"
NONE = "–"


class Word(NamedTuple):
    """A stretch of a value; `marked` when it is what differs."""

    text: str
    marked: bool = False


class Difference(NamedTuple):
    """One parameter that differs: its value for each record, in pieces."""

    label: str
    values: tuple[tuple[Word, ...], ...]

    @property
    def short(self) -> bool:
        """Whether its values fit beside each other in a line."""
        texts = ["".join(word.text for word in value) for value in self.values]
        plain = not any(word.marked for value in self.values for word in value)
        return plain and len(texts) <= 3 and max(map(len, texts)) <= 36


def differences(records: Sequence[Record]) -> list[Difference]:
    """Return the parameters that are not the same in all records, in the order of a request."""
    several = _ambiguous(records)
    tables = [_parameters(record, several) for record in records]
    labels = list(dict.fromkeys(label for table in tables for label in table))
    found: list[Difference] = []
    for label in sorted(labels, key=_rank):
        values = [table.get(label, "") for table in tables]
        implied = label == "Frame" and any(item.label == "Aspect" for item in found)
        if len(set(values)) > 1 and not implied:
            found.append(Difference(label, _marked(values) if _is_prose(label) else _plain(values)))
    return found


def marked_words(mine: str, other: str) -> tuple[Word, ...]:
    """Return `mine` in pieces, marked where `other` has other words; spaces are never a difference."""
    words, others = _words(mine), _words(other)
    plain = [[word.strip() for word in part] for part in (words, others)]
    matcher = difflib.SequenceMatcher(None, plain[0], plain[1], autojunk=False)
    pieces: list[Word] = []
    for operation, start, end, _, _ in matcher.get_opcodes():
        text = "".join(words[start:end])
        marked = text.rstrip() if operation != "equal" else ""
        pieces += [Word(part, is_mark) for part, is_mark in ((marked, True), (text[len(marked) :], False)) if part]
    return tuple(pieces)


_ORDER = ("Model", "Prompt", "Shot", "Negative prompt", "References", "Start frame", "Tail frame")


def _rank(label: str) -> int:
    """Sort what one reads first to the front; the rest stays in the order of the request."""
    return next((place for place, name in enumerate(_ORDER) if label.startswith(name)), len(_ORDER))


def _is_prose(label: str) -> bool:
    return label.startswith(("Prompt", "Shot", "Negative prompt")) and not label.endswith("length")


def _plain(values: Sequence[str]) -> tuple[tuple[Word, ...], ...]:
    return tuple((Word(value or NONE),) for value in values)


def _marked(values: Sequence[str]) -> tuple[tuple[Word, ...], ...]:
    """Mark the first against the second, and every other against the first."""
    first, *rest = values
    each = [marked_words(first, rest[0]), *(marked_words(value, first) for value in rest)]
    return tuple(words or (Word(NONE),) for words in each)


def _words(text: str) -> list[str]:
    """Cut a text into words, each with the space after it; scripts without spaces by the character."""
    return re.findall(r"(?:[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|@?\w+|[^\w\s])\s*|\s+", text)


def _parameters(record: Record, several: set[str]) -> dict[str, str]:
    names = {reference.path: _name(reference, several) for reference in record.references}
    return dict(_labelled(record, names))


def _labelled(record: Record, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    for field, value in record.canonical.items():
        match field, value:
            case "multi_prompt", list() | tuple():
                for number, shot in enumerate(value, 1):
                    yield f"Shot {number}", str(shot.get("prompt", "")) if isinstance(shot, dict) else str(shot)
                    if isinstance(shot, dict) and "duration" in shot:
                        yield f"Shot {number} length", f"{shot['duration']} s"
            case _:
                yield _LABELS.get(field, field), _said(value, field, names)
    frame = {fact.label: fact.value for fact in headline(record)}.get("frame")
    yield "Frame", frame or ""
    yield "Hub", "local" if record.local else record.hub
    if record.status != "succeeded":
        yield "Status", STATUS_WORDS[record.status]


_LABELS = {
    "model": "Model",
    "prompt": "Prompt",
    "negative_prompt": "Negative prompt",
    "input_image": "References",
    "start_image_url": "Start frame",
    "tail_image_url": "Tail frame",
    "elements": "Elements",
    "duration": "Length",
    "aspect_ratio": "Aspect",
    "generate_audio": "Sound",
}


def _said(value: Any, path: str, names: dict[str, str]) -> str:
    match value:
        case bool():
            return "on" if value else "off"
        case list() | tuple():
            return ", ".join(filter(None, (_said(item, f"{path}.{index}", names) for index, item in enumerate(value))))
        case dict():
            return " + ".join(filter(None, (_said(item, f"{path}.{key}", names) for key, item in value.items())))
        case None:
            return ""
        case _:
            return names.get(path) or (f"{value} s" if path == "duration" else str(value))


def _ambiguous(records: Sequence[Record]) -> set[str]:
    """Return the names that more than one picture goes by."""
    known: dict[str, set[str]] = {}
    for record in records:
        for reference in record.references:
            known.setdefault(_called(reference), set()).add(reference.identity)
    return {name for name, identities in known.items() if len(identities) > 1}


def _called(reference: Reference) -> str:
    return reference.name or reference.given


def _name(reference: Reference, several: set[str]) -> str:
    """Name a picture; two of the same name are told apart by what is in them."""
    name, digits = _called(reference), reference.identity.rpartition("sha256:")[2]
    return f"{name} ({digits[-8:]})" if name in several else name


#: How many posters a sheet has at most: two kilobytes each.
SHEET = 24


def gallery_html(records: Sequence[Record], links: Links, *, total: int) -> str:
    """Return a sheet of posters with prompts and stars, each a link to its clip; `total` is how many there are.

    Clips that are embedded play in their places.
    """
    shown = records[:SHEET]
    films = links.videos(shown)
    tiles = [
        {
            "record": record,
            "film": film,
            "inside": bool(film.src and film.src.startswith("data:video/")),
            "poster": links.poster(record) if record.clip else None,
            "prompt": prompt_line(record, 90),
            "words": STATUS_WORDS[record.status],
            "stars": stars_of(record),
            "badge": badge_of(record).partition(" – ")[0],
        }
        for record, film in zip(shown, films, strict=True)
    ]
    return fill("gallery", tiles=tiles, summary=_summary(len(tiles), total), hint=_hint(films))


def gallery_text(records: Sequence[Record], *, total: int) -> str:
    """Return the sheet one record a line."""
    lines = [
        f"{record.id}  {stars_of(record) or '     '}  {STATUS_WORDS[record.status]:<10}  {prompt_line(record, 70)}"
        for record in records[:SHEET]
    ]
    return "\n".join([_summary(len(lines), total), *lines])


def _hint(films: Sequence[Video]) -> str:
    """Say of the whole sheet how many clips cannot be reached, with the word on the first of them."""
    apart = [film.hint for film in films if film.hint and not film.src]
    return f"{len(apart)} of {len(films)} cannot be played here. {apart[0]}" if apart else ""


def _summary(shown: int, total: int) -> str:
    if not total:
        return "No records"
    return f"{shown} of {total} records" if shown < total else f"{total} record{'' if total == 1 else 's'}"
