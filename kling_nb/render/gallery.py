"""A contact sheet: what a cell keeps of `kn.gallery`."""

from __future__ import annotations

from collections.abc import Sequence

from kling_nb.models.embed import Film
from kling_nb.models.record import Record
from kling_nb.render.card import badge_of, stars_of
from kling_nb.render.links import Links
from kling_nb.render.page import fill
from kling_nb.render.words import STATUS_WORDS, prompt_line

#: How many posters a sheet has at most: two kilobytes each.
SHEET = 24


def gallery_html(records: Sequence[Record], links: Links, *, total: int) -> str:
    """Return a sheet of posters with prompts and stars, each a link to its clip; `total` is how many there are.

    Clips that are embedded play in their places.
    """
    shown = records[:SHEET]
    films = links.films(shown)
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


def _hint(films: Sequence[Film]) -> str:
    """Say of the whole sheet how many clips cannot be reached, with the word on the first of them."""
    apart = [film.hint for film in films if film.hint and not film.src]
    return f"{len(apart)} of {len(films)} cannot be played here. {apart[0]}" if apart else ""


def _summary(shown: int, total: int) -> str:
    if not total:
        return "No records"
    return f"{shown} of {total} records" if shown < total else f"{total} record{'' if total == 1 else 's'}"
