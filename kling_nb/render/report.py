"""A report on some records: one HTML page that needs nothing else, light and dark, and printable."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kling_nb.models.record import Record
from kling_nb.models.score import Score
from kling_nb.render.card import card_html
from kling_nb.render.links import Links
from kling_nb.render.matrix import MatrixSheet
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


@dataclass(frozen=True)
class SeriesSheet:
    """A plan as a report shows it: its axes with their values, and its clips over two of them."""

    name: str
    axes: Mapping[str, Sequence[str]]
    matrix: MatrixSheet


@dataclass(frozen=True)
class Judged:
    """What was said of the clips: how many votes, by how many people, rankings as (what of, HTML), and scores."""

    votes: int = 0
    people: int = 0
    rankings: Sequence[tuple[str, str]] = ()
    scorers: Sequence[str] = ()
    scores: Sequence[tuple[str, str, Sequence[Score | None]]] = ()
    """For each record that has some: its id, its name here, and its score by each of `scorers`."""


def report_html(
    records: Sequence[Record],
    links: Links,
    heading: Heading,
    now: datetime.datetime,
    *,
    plans: Sequence[SeriesSheet] = (),
    judged: Judged | None = None,
) -> str:
    """Return the page: heading, methods, plans over two axes, rankings, and each record's card, oldest first."""
    judged = judged or Judged()
    told = methods(records, plans=[plan.axes for plan in plans], votes=judged.votes, people=judged.people)
    return fill(
        "report",
        heading=heading,
        made=day(now),
        methods=told,
        plans=plans,
        judged=judged,
        cards=[(record.id, card_html(record, links)) for record in records],
    )
