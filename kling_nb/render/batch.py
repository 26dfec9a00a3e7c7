"""The card of several clips of one request: the prompt once, the clips side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kling_nb.code.literal import quoted
from kling_nb.models.record import Record
from kling_nb.render.card import (
    RECORD_TYPE,
    badge_of,
    call_text,
    card_text,
    mentions_of,
    pieces,
    record_json,
    screen_of,
    shots_of,
    stars_of,
)
from kling_nb.render.facts import Fact, details_of, facts_of, figures_of, groups_of, timings
from kling_nb.render.formatting import counted, price_of
from kling_nb.render.images import POSTER_BYTES, Links
from kling_nb.render.page import render_template

#: The facts that differ between the clips of a batch, so that each clip has its own.
_OWN = frozenset({"Took", "Record", "Tags", "Note", "Repeated"})


def batch_bundle(records: Sequence[Record], links: Links) -> dict[str, Any]:
    """Return one card of several records of one batch as a mimebundle, with the records as JSON."""
    return {
        "text/html": batch_html(records, links),
        "text/plain": "\n".join(map(card_text, records)),
        RECORD_TYPE: [record_json(record) for record in records],
    }


def batch_html(records: Sequence[Record], links: Links) -> str:
    """Return the card as HTML."""
    first = records[0]
    return render_template(
        "batch",
        tiles=[_tile(record, links) for record in records],
        prompt=pieces(str(first.canonical.get("prompt") or ""), mentions_of(first)),
        shots=shots_of(first),
        negative=str(first.canonical.get("negative_prompt") or ""),
        groups=groups_of(first, links),
        badge=badge_of(first),
        facts=[*(fact for fact in facts_of(first) if fact.label not in _OWN), Fact("Price", _price(records))],
        details=[(record.id, details_of(record)) for record in records],
        call=call_text(first),
        panel=f"kn.panel({quoted(first.id)})",
    )


def _tile(record: Record, links: Links) -> dict[str, Any]:
    failure = record.failure
    return {
        "screen": screen_of(record, links, POSTER_BYTES // 2),  # half as wide as the clip of a card
        "record": record,
        "shots": shots_of(record) if record.clip else [],
        "number": f"{record.index + 1} of {record.generations}",
        "figures": figures_of(record, price=False) if record.clip else "",
        "took": timings(record).partition(" (")[0],
        "stars": stars_of(record),
        "reason": f"{failure.message} {failure.remedy}".strip() if failure else "",
    }


def _price(records: Sequence[Record]) -> str:
    each, local = price_of(records[0]), records[0].local
    return each if local else f"{counted(len(records), 'clip')} × {each}"
