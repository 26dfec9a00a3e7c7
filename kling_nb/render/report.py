"""A report on records: one self-contained HTML page, light and dark, printable; and its paragraph on methods."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kling_nb.models.judgements import Score
from kling_nb.models.price import format_money
from kling_nb.models.record import Record
from kling_nb.render.card import card_html
from kling_nb.render.formatting import counted, format_time, listed
from kling_nb.render.images import Links
from kling_nb.render.page import render_template
from kling_nb.render.plan import MatrixSheet


@dataclass(frozen=True)
class Heading:
    """The heading of a report."""

    title: str
    description: str = ""
    authors: tuple[str, ...] = ()
    licence: str = ""


@dataclass(frozen=True)
class PlanSection:
    """A plan in a report: its axes with their values, its clips over two of them, and how many records it has."""

    name: str
    axes: Mapping[str, Sequence[str]]
    matrix: MatrixSheet
    clips: int = 0


@dataclass(frozen=True)
class Judgements:
    """The votes on the clips, by how many people; rankings as (title, HTML); and scores."""

    votes: int = 0
    people: int = 0
    rankings: Sequence[tuple[str, str]] = ()
    scorers: Sequence[str] = ()
    scores: Sequence[tuple[str, str, Sequence[Score | None]]] = ()
    """For each scored record: its ID, its label, and its score by each of `scorers`."""


def report_html(
    records: Sequence[Record],
    links: Links,
    heading: Heading,
    now: datetime.datetime,
    *,
    plans: Sequence[PlanSection] = (),
    judged: Judgements | None = None,
) -> str:
    """Return the page: heading, methods, plans over two axes, rankings, scores, and the records' cards."""
    judged = judged or Judgements()
    sweeps = [(plan.axes, plan.clips) for plan in plans]
    paragraph = methods(records, plans=sweeps, votes=judged.votes, people=judged.people)
    return render_template(
        "report",
        heading=heading,
        created=format_time(now),
        methods=paragraph,
        plans=plans,
        judged=judged,
        cards=[(record.id, card_html(record, links)) for record in records],
    )


class Paragraph(str):
    """Text for a paper: a `str` that a cell shows wrapped."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return render_template("methods", text=str(self))

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))


def methods(
    records: Sequence[Record],
    *,
    plans: Sequence[tuple[Mapping[str, Sequence[str]], int]] = (),
    votes: int = 0,
    people: int = 0,
) -> Paragraph:
    """Return a paragraph on how records were made.

    Args:
        records: The records.
        plans: The axes of each sweep, and how many of the records belong to it.
        votes: The number of votes on pairs of their clips.
        people: The number of people who cast them.
    """
    if not records:
        return Paragraph("No clips were generated.")
    sentences = (*_what(records), *_how(records), *_planned(records, plans), *_judged(votes, people), *_limits(records))
    return Paragraph(" ".join(sentences))


def _what(records: Sequence[Record]) -> Iterable[str]:
    days = sorted(record.times.created.date() for record in records)
    when = f"On {days[0]}" if days[0] == days[-1] else f"Between {days[0]} and {days[-1]}"
    models = Counter(record.model for record in records)
    names = [model if len(models) == 1 else f"{model} ({count})" for model, count in models.most_common()]
    hubs = sorted({"kling_nb's local hub" if record.local else record.hub for record in records})
    requests = counted(len({record.batch for record in records}), "request")
    yield (
        f"{when}, {counted(len(records), 'generation')} in {requests} "
        f"{'was' if len(records) == 1 else 'were'} submitted to the model{'s' if len(models) > 1 else ''} "
        f"{listed(names)} through {listed(hubs)}."
    )
    clips = [record.clip for record in records if record.clip and record.status == "succeeded"]
    others = Counter(record.status for record in records if record.status != "succeeded")
    rest = ", ".join(f"{count} {status}" for status, count in sorted(others.items()))
    seconds = sum(clip.duration or 0 for clip in clips)
    lasting = f" with a total duration of {seconds:g} s" if seconds else ""
    subject = "It" if len(records) == 1 else "They"
    yield f"{subject} produced {counted(len(clips), 'clip')}{lasting}{f' ({rest})' if rest else ''}."


def _how(records: Sequence[Record]) -> Iterable[str]:
    requests = [record.canonical for record in records]
    images = all(record.estimate.unit == "image" for record in records)
    seconds = sorted({record.estimate.seconds for record in records} - {0})
    length = "" if not seconds else f"{seconds[0]} s" if len(seconds) == 1 else f"{seconds[0]} to {seconds[-1]} s"
    ratios = sorted({str(request["aspect_ratio"]) for request in requests if request.get("aspect_ratio")})
    audible = sum(bool(request.get("generate_audio")) for request in requests)
    audio = "audio" if audible == len(requests) else f"audio in {audible} of them" if audible else "no audio"
    specified = [
        f"a duration of {length}" if length else "an image" if images else "the duration of the source video",
        f"{'an aspect ratio' if len(ratios) == 1 else 'aspect ratios'} of {'/'.join(ratios)}" if ratios else "",
        "" if images else audio,
    ]
    subject = "request" if len({record.batch for record in records}) == 1 else "requests"
    yield f"The {subject} specified {listed(list(filter(None, specified)))}."
    referring = sum(bool(record.references) for record in records)
    shots = sum(bool(request.get("multi_prompt")) for request in requests)
    if referring:
        different = len({reference.identity for record in records for reference in record.references})
        yield f"{counted(referring, 'generation')} used {counted(different, 'reference image')}."
    if shots:
        yield f"{counted(shots, 'generation')} used a storyboard of several shots."


def _planned(records: Sequence[Record], plans: Sequence[tuple[Mapping[str, Sequence[str]], int]]) -> Iterable[str]:
    for axes, count in plans:
        varied = [f"{name} ({len(values)} values)" for name, values in axes.items() if len(values) > 1]
        if varied and count:
            subject = "They" if count == len(records) > 1 else f"{count} of the {len(records)}"
            yield f"{subject} {'was' if count == 1 else 'were'} planned as a sweep over {listed(varied)}."


def _judged(votes: int, people: int) -> Iterable[str]:
    if votes:
        voters = "one person" if people == 1 else f"{people} people"
        yield f"{counted(votes, 'blind vote')} on pairs of clips {'was' if votes == 1 else 'were'} cast by {voters}."


def _limits(records: Sequence[Record]) -> Iterable[str]:
    paid = [record for record in records if not record.local]
    prices = [record.price for record in paid if record.status == "succeeded" and record.price is not None]
    if prices:
        yield f"The finished clips cost {format_money(sum(prices, Decimal(0)))} according to the hub's price list."
    elif paid:
        yield "The price of the finished clips is not known."
    if len(paid) < len(records):
        yield "The local hub draws animatics, which are not output of the model and are free."
    if paid and not any("seed" in record.canonical for record in paid):
        yield "No seed was given: repeating a request yields a similar clip, not an identical one."
    versions = sorted({record.versions.get("kling_nb", "") for record in records} - {""})
    if versions:
        yield f"The requests were sent and recorded with kling_nb {listed(versions)}."
