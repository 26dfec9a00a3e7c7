"""A report on some records: one HTML page that needs nothing else, light and dark, and printable."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kling_nb.models.judgements import Score
from kling_nb.models.record import Record
from kling_nb.render.card import card_html
from kling_nb.render.formatting import format_money, format_time
from kling_nb.render.links import Links
from kling_nb.render.page import fill
from kling_nb.render.plan import MatrixSheet


@dataclass(frozen=True)
class Heading:
    """What stands above a report; `authors` and `licence` as given."""

    title: str
    description: str = ""
    authors: tuple[str, ...] = ()
    licence: str = ""


@dataclass(frozen=True)
class PlanSection:
    """A plan as a report shows it: its axes with their values, and its clips over two of them."""

    name: str
    axes: Mapping[str, Sequence[str]]
    matrix: MatrixSheet


@dataclass(frozen=True)
class Judgements:
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
    plans: Sequence[PlanSection] = (),
    judged: Judgements | None = None,
) -> str:
    """Return the page: heading, methods, plans over two axes, rankings, and each record's card, oldest first."""
    judged = judged or Judgements()
    told = methods(records, plans=[plan.axes for plan in plans], votes=judged.votes, people=judged.people)
    return fill(
        "report",
        heading=heading,
        made=format_time(now),
        methods=told,
        plans=plans,
        judged=judged,
        cards=[(record.id, card_html(record, links)) for record in records],
    )


class Paragraph(str):
    """Text for a paper: a `str` for files, which a cell's last expression shows wrapped at words."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return fill("methods", text=str(self))

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))


def methods(
    records: Sequence[Record],
    *,
    plans: Sequence[Mapping[str, Sequence[str]]] = (),
    votes: int = 0,
    people: int = 0,
) -> Paragraph:
    """Return the paragraph; a word that there is nothing to tell for no records.

    `plans` are the axes of the sweeps that they were made for; `votes` on pairs of them were cast by `people`.
    """
    if not records:
        return Paragraph("No clips were generated.")
    clips = [record for record in records if record.status == "succeeded"]
    told = (*_what(records, clips), *_how(records), *_planned(plans), *_judged(votes, people), *_limits(records))
    return Paragraph(" ".join(filter(None, told)))


def _what(records: Sequence[Record], clips: Sequence[Record]) -> Iterable[str]:
    days = sorted(record.times.created.date() for record in records)
    when = f"On {days[0]}" if days[0] == days[-1] else f"Between {days[0]} and {days[-1]}"
    requests = len({record.batch for record in records})
    models = Counter(record.model for record in records)
    named = _listed(
        [model if len(models) == 1 else f"{model} ({count} of them)" for model, count in models.most_common()]
    )
    yield (
        f"{when}, {_count(len(records), 'generation')} in {_count(requests, 'request')} "
        f"{'was' if len(records) == 1 else 'were'} asked of the model{'s' if len(models) > 1 else ''} {named}, through "
        f"{_listed(sorted({_hub(record) for record in records}))}."
    )
    lost = Counter(record.status for record in records if record.status != "succeeded")
    rest = _listed([f"{count} {status}" for status, count in sorted(lost.items())])
    whole = sum(record.clip.duration or 0 for record in clips if record.clip)
    yield f"{_count(len(clips), 'clip')} came of it, {whole:g} s in all{f'; of the rest, {rest}' if rest else ''}."


def _how(records: Sequence[Record]) -> Iterable[str]:
    asked = [record.canonical for record in records]
    lengths = sorted({record.estimate.seconds for record in records} - {0})
    span = "" if not lengths else f"{lengths[0]} s" if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]} s"
    frames = _listed(sorted({str(request["aspect_ratio"]) for request in asked if request.get("aspect_ratio")}))
    audible = sum(bool(request.get("generate_audio")) for request in asked)
    images = all(record.estimate.unit == "image" for record in records)
    sound = "with sound" if audible == len(asked) else "without sound" if not audible else f"{audible} with sound"
    made = f"to last {span}" if span else "to be an image" if images else "to last as long as its source"
    yield f"Each was {made}{f', in {frames}' if frames else ''}{'' if images else f', {sound}'}."
    pictured = sum(bool(record.references) for record in records)
    shots = sum(bool(request.get("multi_prompt")) for request in asked)
    seen = len({reference.identity for record in records for reference in record.references})
    if pictured:
        yield f"{pictured} of them used reference pictures, {_count(seen, 'picture')} in all."
    if shots:
        yield f"{shots} were storyboards of several shots."


def _planned(plans: Sequence[Mapping[str, Sequence[str]]]) -> Iterable[str]:
    for axes in plans:
        varied = [f"{name} ({len(values)} values)" for name, values in axes.items() if len(values) > 1]
        if varied:
            yield f"They were planned as a sweep over {_listed(varied)}."


def _judged(votes: int, people: int) -> Iterable[str]:
    if votes:
        cast = "was" if votes == 1 else "were"
        yield f"{_count(votes, 'vote')} on blind pairs of clips {cast} cast by {people} {_people(people)}."


def _people(count: int) -> str:
    return "person" if count == 1 else "people"


def _limits(records: Sequence[Record]) -> Iterable[str]:
    paid = [record for record in records if not record.local]
    prices = [record.price for record in paid if record.status == "succeeded" and record.price is not None]
    if paid:
        known = f"{format_money(sum(prices, Decimal(0)))} by the hub's price list" if prices else "not known"
        yield f"The price of the finished clips was {known}."
    if len(paid) < len(records):
        yield "The local hub draws animatics, which are no output of the model and cost nothing."
    if paid and not any("seed" in record.canonical for record in paid):
        yield "No seed was given, so the same request gives a similar clip, not the same one."
    versions = sorted({record.versions.get("kling_nb", "") for record in records} - {""})
    if versions:
        yield f"Requests were made and kept with kling_nb {_listed(versions)}."


def _hub(record: Record) -> str:
    return "kling_nb's local hub" if record.local else record.hub


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""
