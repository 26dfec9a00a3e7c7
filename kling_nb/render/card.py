"""The card of a record: the clip with all its parameters. It replaces a job's progress in the cell."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple
from urllib.parse import unquote

from kling_nb.code.literal import quoted
from kling_nb.code.write import NamelessError, call, call_fields, is_keyword_name, name_of
from kling_nb.models.frontend import Video
from kling_nb.models.judgements import Score
from kling_nb.models.mentions import mentionable
from kling_nb.models.prompts import mentions_in
from kling_nb.models.record import Record
from kling_nb.models.restore import reproducibility
from kling_nb.render.facts import details_of, facts_of, figures_of, groups_of, headline, is_image
from kling_nb.render.figures import score_facts
from kling_nb.render.formatting import STATUS_WORDS, format_time, price_of, prompt_line, shorten
from kling_nb.render.images import POSTER_BYTES, Links
from kling_nb.render.page import render_template

RECORD_TYPE = "application/vnd.kling_nb.record+json"

#: The largest box for a clip, in CSS pixels.
BOX = (560, 460)


def card_bundle(record: Record, links: Links, scores: Iterable[Score] = ()) -> dict[str, Any]:
    """Return the card as a mimebundle, with the record as JSON."""
    return {
        "text/html": card_html(record, links, scores),
        "text/plain": card_text(record),
        RECORD_TYPE: record_json(record),
    }


def card_html(record: Record, links: Links, scores: Iterable[Score] = ()) -> str:
    """Return the card as HTML: the clip or the failure, prompt, references, parameters and scores."""
    if record.status == "cancelled" and record.clip is None:
        return _cancelled(record)
    request = record.canonical
    return render_template(
        "card",
        record=record,
        screen=screen_of(record, links),
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
        panel=f"kn.panel({quoted(record.id)})",
        failure=failure_html(record),
        repeatable=str(reproducibility(record)),
    )


def _cancelled(record: Record) -> str:
    """Return the one line of a cancelled job: there is nothing to see."""
    reason = record.failure.message if record.failure else next(iter(record.notes[-1:]), "")
    panel = f"kn.panel({quoted(record.id)})"
    return render_template("cancelled", prompt=prompt_line(record, 160), reason=reason, panel=panel)


def failure_html(record: Record) -> str:
    """Return why there is no clip and what to do about it; empty for other records."""
    if record.status not in _TITLES:
        return ""
    message, remedy = (record.failure.message, record.failure.remedy) if record.failure else ("", "")
    title = _TITLES[record.status]
    return render_template("failure", status=record.status, title=title, message=message, remedy=remedy)


_TITLES = {
    "failed": "Generation failed",
    "uncertain": "Unconfirmed: it is not known whether the hub accepted the job",
}


def card_text(record: Record) -> str:
    """Return the record in a few lines of plain text."""
    figures = [STATUS_WORDS[record.status], badge_of(record), figures_of(record, price=False), price_of(record)]
    lines = [prompt_line(record, 160), " · ".join(filter(None, figures))]
    if record.failure:
        lines += [shorten(record.failure.message, 400), shorten(record.failure.remedy, 200)]
    if record.clip:
        lines.append(record.clip.place)
    lines.append(f"record {record.id} · {record.model} · {format_time(record.times.created)}")
    return "\n".join(filter(None, lines))


def record_json(record: Record) -> dict[str, Any]:
    """Return the record as JSON without default values; `Record.model_validate` returns the same record."""
    return {"version": record.version, **json.loads(record.model_dump_json(exclude_defaults=True))}


def stars_of(record: Record) -> str:
    """Return a rating as five stars, `★★★★☆`; empty if there is none."""
    return "" if record.stars is None else "★" * min(record.stars, 5) + "☆" * (5 - record.stars)


def badge_of(record: Record) -> str:
    """Return the mark of a clip that is not a paid result; empty for a paid one."""
    if record.kind == "preview":
        return "Preview – not a result"
    return "Animatic · local hub" if record.local else ""


def screen_of(record: Record, links: Links, limit: int = POSTER_BYTES) -> dict[str, Any]:
    """Return the values for the clip's place, with its size, so that the page does not jump when it loads."""
    width, height = _shape(record)
    scale = min(BOX[0] / width, BOX[1] / height)
    (video,) = links.videos([record])
    return {
        "video": video,
        "poster": links.poster(record, limit) if record.clip else None,
        "lost": _lost(video),
        "ended": record.ended or record.status == "uncertain",
        "status": STATUS_WORDS[record.status],
        "image": is_image(record),
        "silent": bool(record.clip and record.clip.audio_codec is None),
        "width": max(1, round(width * scale)),
        "height": max(1, round(height * scale)),
    }


def _lost(video: Video) -> str:
    """Return where the clip of a card was, and what to do if the player stays empty: a cell outlives what it links to.

    Always in the card, folded, since a sanitizer removes scripts. Empty for an embedded clip, and for a missing one.
    """
    if not video.href or video.src != video.href:
        return ""
    folder = unquote(video.href).rpartition("/media/")[0]
    return f"It was in {folder}/media. Move that folder back, or call kn.configure(log=…)."


def _shape(record: Record) -> tuple[float, float]:
    if record.clip and record.clip.width and record.clip.height:
        return record.clip.width, record.clip.height
    shapes = {"9:16": (9.0, 16.0), "1:1": (1.0, 1.0)}
    return shapes.get(str(record.canonical.get("aspect_ratio")), (16.0, 9.0))


def call_text(record: Record) -> str:
    """Return `kn.generate(…)` for one clip like the record's, and the shorter `kn.log()["…"].rerun()`.

    Images appear as given, by path or URL. An image given as bytes or pixels has neither, so that only the second form
    is returned, which reads it from the log. Default values are left out, and so is the number of generations: a pasted
    call pays for one. The call for a preview is a preview.
    """
    rerun = f"kn.log()[{quoted(record.id)}].rerun()"
    names = {item.path: name_of(item) for item in record.references}
    try:
        fields = call_fields({**record.canonical, "model": record.model}, names)
    except NamelessError:
        fields = {}
    if not fields or not all(map(is_keyword_name, fields)):
        nameless = ", ".join(path for path, name in names.items() if name is None) or "a reference"
        return f"# {' '.join(nameless.split())} was given as bytes or pixels, which are saved in the log\n{rerun}"
    verb = "kn.preview" if record.kind == "preview" else "kn.generate"
    return f"{call(verb, fields)}\n\n# or, with the images from the log\n{rerun}"


class Piece(NamedTuple):
    """A part of a prompt; `mention` if it names a reference of the request."""

    text: str
    mention: bool


class Shot(NamedTuple):
    """One shot of a storyboard, with its duration in seconds."""

    number: int
    seconds: int
    pieces: list[Piece]


def pieces(prompt: str, known: Collection[str]) -> list[Piece]:
    """Split a prompt at the mentions that are in `known` (`@Image1`, …)."""
    split, end = list[Piece](), 0
    for mention in mentions_in(prompt):
        if mention.written in known:
            split += [Piece(prompt[end : mention.start], False), Piece(mention.written, True)]
            end = mention.start + len(mention.written)
    return [piece for piece in (*split, Piece(prompt[end:], False)) if piece.text]


def mentions_of(record: Record) -> set[str]:
    """Return the mentions that are valid in the record's prompts."""
    return {f"@{name}" for name in mentionable(record.canonical)}


def shots_of(record: Record) -> list[Shot]:
    """Return the storyboard; empty for a request with one prompt."""
    known, shots = mentions_of(record), record.canonical.get("multi_prompt")
    each = [shot for shot in shots if isinstance(shot, dict)] if isinstance(shots, list | tuple) else []
    return [
        Shot(index + 1, _seconds(shot), pieces(str(shot.get("prompt", "")), known)) for index, shot in enumerate(each)
    ]


def _seconds(shot: dict[str, Any]) -> int:
    seconds = shot.get("duration", 5)
    return seconds if isinstance(seconds, int) and seconds > 0 else 5
