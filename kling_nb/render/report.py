"""A report on some records: one HTML page that needs nothing else, light and dark, and printable."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from kling_nb.models.record import Record
from kling_nb.render.card import card_html
from kling_nb.render.links import Links
from kling_nb.render.methods import methods
from kling_nb.render.page import fill
from kling_nb.render.words import day


@dataclass(frozen=True)
class Heading:
    """What stands above a report; `authors` and `licence` as given."""

    title: str
    description: str = ""
    authors: tuple[str, ...] = ()
    licence: str = ""


def report_html(records: Sequence[Record], links: Links, heading: Heading, now: datetime.datetime) -> str:
    """Return the page: heading, methods paragraph, and each record's card, oldest first."""
    return fill(
        "report",
        heading=heading,
        made=day(now),
        methods=methods(records),
        cards=[(record.id, card_html(record, links)) for record in records],
    )
