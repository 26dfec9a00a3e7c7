"""The card of a record: the clip beside all that made it. What a cell keeps when a job has ended."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from kling_nb.code.literal import quoted
from kling_nb.code.write import NamelessError, call, call_fields, is_keyword_name, name_of
from kling_nb.models.judgements import Score
from kling_nb.models.record import Record
from kling_nb.models.reproducibility import reproducibility
from kling_nb.render.details import details_of, groups_of
from kling_nb.render.facts import facts_of, headline, is_still
from kling_nb.render.figures import score_facts
from kling_nb.render.formatting import STATUS_WORDS, format_time, price_of, prompt_line, shorten
from kling_nb.render.links import Links
from kling_nb.render.page import fill

RECORD_TYPE = "application/vnd.kling_nb.record+json"

#: The largest box that a clip is shown in, in CSS pixels.
BOX = (560, 460)


def card_bundle(record: Record, links: Links, scores: Iterable[Score] = ()) -> dict[str, Any]:
    """Return the card as a mimebundle, with the record itself beside it for programs to read."""
    return {
        "text/html": card_html(record, links, scores),
        "text/plain": card_text(record),
        RECORD_TYPE: record_json(record),
    }


def card_html(record: Record, links: Links, scores: Iterable[Score] = ()) -> str:
    """Return the record as HTML: the clip, or why there is none, beside prompt, references, parameters and scores."""
    request = record.canonical
    return fill(
        "card",
        record=record,
        screen=_screen(record, links),
        badge=badge_of(record),
        headline=headline(record),
        prompt=pieces(str(request.get("prompt") or ""), mentions_of(record)),
        shots=shots_of(record),
        negative=str(request.get("negative_prompt") or ""),
        groups=groups_of(record, links),
        stars=stars_of(record),
        facts=[*facts_of(record), *score_facts(scores)],
        details=details_of(record),
        call=call_text(record),
        panel=panel_text(record),
        failure=failure_html(record),
        repeatable=str(reproducibility(record)),
    )


def failure_html(record: Record) -> str:
    """Return why there is no clip and what to do about it; empty for a record that has none of that to say."""
    if record.status not in ("failed", "cancelled", "uncertain"):
        return ""
    failure = record.failure
    return fill(
        "failure",
        status=record.status,
        title=_TITLES[record.status],
        message=failure.message if failure else "",
        remedy=failure.remedy if failure else "",
    )


def card_text(record: Record) -> str:
    """Return the record in a few lines of plain text."""
    lines = [
        prompt_line(record, 160),
        " · ".join([STATUS_WORDS[record.status], *_figures(record)]),
    ]
    if record.failure:
        lines += [shorten(record.failure.message, 400), shorten(record.failure.remedy, 200)]
    if record.clip:
        lines.append(record.clip.file)
    lines.append(f"record {record.id} · {record.model} · {format_time(record.times.created)}")
    return "\n".join(line for line in lines if line)


def record_json(record: Record) -> dict[str, Any]:
    """Return the record as JSON without what is the default; `Record.model_validate` gives the same record back."""
    return {"version": record.version, **json.loads(record.model_dump_json(exclude_defaults=True))}


def stars_of(record: Record) -> str:
    """Return a rating as five stars, `★★★★☆`; empty when there is none."""
    return "" if record.stars is None else "★" * min(record.stars, 5) + "☆" * (5 - record.stars)


def badge_of(record: Record) -> str:
    """Return what a clip must be marked with so that nobody takes it for a paid result; empty for one."""
    if record.kind == "preview":
        return "Preview – not a result"
    return "Animatic · local hub" if record.local else ""


_TITLES = {
    "failed": "The hub could not make this clip",
    "cancelled": "Cancelled",
    "uncertain": "Unsure whether the hub has taken it",
}


def _figures(record: Record) -> list[str]:
    shown = [fact.value for fact in headline(record) if fact.label in ("length", "frame")]
    return [part for part in (badge_of(record), *shown, price_of(record)) if part]


def _screen(record: Record, links: Links) -> dict[str, Any]:
    """Return what stands where the clip goes, and how large, so that the page does not jump when it loads."""
    width, height = _box(record)
    (film,) = links.videos([record])
    return {
        "film": film,
        "poster": links.poster(record) if record.clip else None,
        "ended": record.ended or record.status == "uncertain",
        "words": STATUS_WORDS[record.status],
        "still": is_still(record),
        "silent": bool(record.clip and record.clip.audio_codec is None),
        "width": width,
        "height": height,
    }


def _box(record: Record) -> tuple[int, int]:
    width, height = _shape(record)
    scale = min(BOX[0] / width, BOX[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _shape(record: Record) -> tuple[float, float]:
    if record.clip and record.clip.width and record.clip.height:
        return record.clip.width, record.clip.height
    shapes = {"9:16": (9.0, 16.0), "1:1": (1.0, 1.0)}
    return shapes.get(str(record.canonical.get("aspect_ratio")), (16.0, 9.0))


def call_text(record: Record) -> str:
    """Return `kn.generate(…)` for one clip like the record's, and the shorter `kn.log()["…"].rerun()`.

    Pictures stand as they were given: a path or a URL. One that was given as bytes or pixels has no such name; then
    only the second form is given, which takes it out of the log's own media. What is the default is left out, and so is
    the number of generations: a pasted call pays for one, and that of a preview is a preview again.
    """
    rerun = f"kn.log()[{quoted(record.id)}].rerun()"
    names = {item.path: name_of(item) for item in record.references}
    try:
        fields = call_fields({**record.canonical, "model": record.model}, names)
    except NamelessError:
        fields = {}
    if not fields or not all(map(is_keyword_name, fields)):
        what = ", ".join(path for path, name in names.items() if name is None) or "a reference"
        return f"# {' '.join(what.split())} was given as bytes or pixels: the log has kept it\n{rerun}"
    verb = "kn.preview" if record.kind == "preview" else "kn.generate"
    return f"{call(verb, fields)}\n\n# or, pictures included\n{rerun}"


def panel_text(record: Record) -> str:
    """Return the call that opens the panel filled with the record's request."""
    return f"kn.panel({quoted(record.id)})"


_MENTION = re.compile(r"(?<![\w@.])(@\w+)")


class Piece(NamedTuple):
    """A stretch of a prompt; `mention` when it names a reference that the request has."""

    text: str
    mention: bool


class Shot(NamedTuple):
    """One shot of a storyboard, with its length in seconds."""

    number: int
    seconds: int
    pieces: list[Piece]


def pieces(prompt: str, known: Collection[str]) -> list[Piece]:
    """Cut a prompt at the mentions that are among `known` (`@Image1`, …)."""
    parts = [part for part in _MENTION.split(prompt) if part]
    return [Piece(part, part in known) for part in parts]


def mentions_of(record: Record) -> set[str]:
    """Return what the record's prompts can mention."""
    request = record.canonical
    kinds = {"Image": request.get("input_image"), "Element": request.get("elements")}
    counts = {name: len(items) for name, items in kinds.items() if isinstance(items, list | tuple)}
    known = {f"@{name}{index + 1}" for name, count in counts.items() for index in range(count)}
    return known | ({"@Video1"} if request.get("input_video") else set())


def shots_of(record: Record) -> list[Shot]:
    """Return the storyboard; empty for a request with one prompt."""
    known = mentions_of(record)
    return [
        Shot(index + 1, _seconds(shot), pieces(str(shot.get("prompt", "")), known))
        for index, shot in enumerate(_mappings(record.canonical.get("multi_prompt")))
    ]


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list | tuple) else []


def _seconds(shot: dict[str, Any]) -> int:
    seconds = shot.get("duration", 5)
    return seconds if isinstance(seconds, int) and seconds > 0 else 5
