"""Clips beside each other, with what tells them apart: what a cell keeps of `kn.compare`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kling_nb.models.embed import Film
from kling_nb.models.record import Record
from kling_nb.render.card import badge_of, stars_of
from kling_nb.render.differences import LETTERS, Difference, differences
from kling_nb.render.facts import headline
from kling_nb.render.links import Links
from kling_nb.render.page import fill
from kling_nb.render.words import prompt_line

SAME = "The same parameters: what differs is the run itself."


def compare_html(records: Sequence[Record], links: Links, found: Sequence[Difference] | None = None) -> str:
    """Return the clips as linked videos side by side, and under them only what differs: `found`, or the parameters."""
    return fill(
        "compare",
        takes=[
            _take(record, letter, film, links)
            for record, letter, film in zip(records, LETTERS, links.films(records), strict=False)
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


def _take(record: Record, letter: str, film: Film, links: Links) -> dict[str, Any]:
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
