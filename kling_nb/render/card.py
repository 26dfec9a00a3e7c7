"""The card of a record: the clip beside all that made it. What a cell keeps when a job has ended."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from kling_nb.models.record import Record
from kling_nb.models.reproducibility import reproducibility
from kling_nb.models.score import Score
from kling_nb.render.call import call_text, panel_text
from kling_nb.render.details import details_of
from kling_nb.render.facts import facts_of, headline, is_still
from kling_nb.render.links import Links
from kling_nb.render.page import fill
from kling_nb.render.pictures import groups_of
from kling_nb.render.prompt import mentions_of, pieces, shots_of
from kling_nb.render.scores import scores_said
from kling_nb.render.words import STATUS_WORDS, day, price_of, prompt_line, shortened

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
        facts=[*facts_of(record), *scores_said(scores)],
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
        lines += [shortened(record.failure.message, 400), shortened(record.failure.remedy, 200)]
    if record.clip:
        lines.append(record.clip.file)
    lines.append(f"record {record.id} · {record.model} · {day(record.times.created)}")
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
    (film,) = links.films([record])
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
