"""Many records as a table: what `kn.log()` shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from kling_nb.models.record import Record
from kling_nb.render.card import badge_of, stars_of
from kling_nb.render.facts import headline
from kling_nb.render.images import smaller
from kling_nb.render.links import Links
from kling_nb.render.page import fill
from kling_nb.render.words import STATUS_WORDS, day, money, price_of, prompt_line

#: A row's still weighs a tenth of a card's poster, so that a long table stays light.
POSTER_BYTES = 420


@dataclass(frozen=True)
class Row:
    """A record on one line."""

    record: Record
    poster: str | None
    prompt: str
    status: str
    when: str
    length: str
    price: str
    badge: str
    stars: str


def records_html(
    records: Sequence[Record], links: Links, *, total: int | None = None, spent: Decimal | None = None
) -> str:
    """Return the records as a table, newest first as they come.

    `total` is how many the log has in all, `spent` what they cost in all; without them the figures are those of the
    records given.
    """
    return fill("records", rows=[_row(record, links) for record in records], summary=_summary(records, total, spent))


def records_text(records: Sequence[Record], *, total: int | None = None, spent: Decimal | None = None) -> str:
    """Return the records one a line under a line that counts them."""
    lines = [
        f"{record.id}  {STATUS_WORDS[record.status]:<10}  {price_of(record):>8}  {prompt_line(record, 60)}"
        for record in records
    ]
    return "\n".join([_summary(records, total, spent), *lines])


def spent_on(records: Sequence[Record]) -> Decimal:
    """Return what the records cost by their estimates, in dollars: those that ended with a clip on a paid hub."""
    paid = (record.price for record in records if record.status == "succeeded" and not record.local)
    return sum((price for price in paid if price), Decimal(0))


def _summary(records: Sequence[Record], total: int | None, spent: Decimal | None) -> str:
    count, whole = len(records), len(records) if total is None else total
    shown = f"{count} of {whole} records" if count < whole else f"{count} record{'' if count == 1 else 's'}"
    if not whole:
        return "No records"
    cost = spent_on(records) if spent is None else spent
    among = " by these" if spent is None and count < whole else ""
    return f"{shown} · {money(cost)} spent{among}"


def _row(record: Record, links: Links) -> Row:
    poster = links.poster(record) if record.clip else None
    return Row(
        record=record,
        poster=smaller(poster, POSTER_BYTES) if poster else None,
        prompt=prompt_line(record, 120),
        status=STATUS_WORDS[record.status],
        when=day(record.times.created),
        length=next((fact.value for fact in headline(record) if fact.label == "length"), ""),
        price="–" if record.status in ("failed", "cancelled") else price_of(record).partition(" · ")[0],
        badge=badge_of(record).partition(" – ")[0],
        stars=stars_of(record),
    )
