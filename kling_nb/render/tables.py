"""Many records as a table: what `kn.log()` shows."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from kling_nb.models.catalogue import Model
from kling_nb.models.problem import Problem
from kling_nb.models.progress import Progress
from kling_nb.models.record import Record
from kling_nb.render.card import badge_of, stars_of
from kling_nb.render.facts import headline
from kling_nb.render.formatting import (
    STATUS_WORDS,
    format_clock,
    format_duration,
    format_money,
    format_time,
    price_of,
    prompt_line,
    shorten,
)
from kling_nb.render.images import smaller
from kling_nb.render.links import Links
from kling_nb.render.page import fill

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
    return f"{shown} · {format_money(cost)} spent{among}"


def _row(record: Record, links: Links) -> Row:
    poster = links.poster(record) if record.clip else None
    return Row(
        record=record,
        poster=smaller(poster, POSTER_BYTES) if poster else None,
        prompt=prompt_line(record, 120),
        status=STATUS_WORDS[record.status],
        when=format_time(record.times.created),
        length=next((fact.value for fact in headline(record) if fact.label == "length"), ""),
        price="–" if record.status in ("failed", "cancelled") else price_of(record).partition(" · ")[0],
        badge=badge_of(record).partition(" – ")[0],
        stars=stars_of(record),
    )


@dataclass(frozen=True)
class SavedRow:
    """One kept value: its name, what it is in a line and a quiet second one, pictures as data URIs, since when."""

    name: str
    text: str
    note: str
    pictures: tuple[str, ...]
    at: datetime.datetime


def saved_html(rows: Sequence[SavedRow], noun: str) -> str:
    """Return the rows as a table; `noun` says what they are."""
    return fill("saved", rows=[(row, format_time(row.at)) for row in rows], summary=_summary_kept(rows, noun))


def saved_text(rows: Sequence[SavedRow], noun: str) -> str:
    """Return the rows one a line under a line that counts them."""
    lines = [" · ".join(filter(None, (f"{row.name:<16}", row.text, row.note))) for row in rows]
    return "\n".join([_summary_kept(rows, noun), *lines])


def _summary_kept(rows: Sequence[SavedRow], noun: str) -> str:
    if not rows:
        return f"No {noun}s yet: kn.{noun}s['a name'] = … keeps one"
    return f"{len(rows)} {noun}{'' if len(rows) == 1 else 's'}"


class OptionRow(NamedTuple):
    """One option: its name, its value in words, what it means."""

    name: str
    value: str
    meaning: str


def options_html(rows: Sequence[OptionRow]) -> str:
    """Return the options as a table."""
    return fill("options", rows=rows)


def options_text(rows: Sequence[OptionRow]) -> str:
    """Return the options one a line."""
    return "\n".join(f"kn.options.{row.name} = {row.value}  ({row.meaning})" for row in rows)


def problems_html(problems: Sequence[Problem]) -> str:
    """Return the problems as a list, each with its field and its remedy; a quiet word when there are none."""
    return fill("problems", problems=problems, heading=_heading(problems))


def problems_text(problems: Sequence[Problem]) -> str:
    """Return the problems, one a line, under a heading that counts them."""
    return "\n".join([_heading(problems), *(f"  {_MARKS[problem.severity]} {problem}" for problem in problems)])


_MARKS = {"error": "✗", "warning": "!"}


def _heading(problems: Sequence[Problem]) -> str:
    faults = sum(problem.severity == "error" for problem in problems)
    doubts = len(problems) - faults
    parts = [_count(faults, "problem"), _count(doubts, "doubt")]
    return " and ".join(part for part in parts if part) or "No problems"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}" if number else ""


@dataclass(frozen=True)
class HubInfo:
    """What is known of a hub. `key_source` says where the key came from, never what it is.

    `in_catalogue` is None when the catalogue could not be read; `trouble` then says why.
    """

    name: str
    base_url: str
    local: bool
    model: str
    key_source: str | None = None
    in_catalogue: bool | None = None
    alternatives: tuple[str, ...] = ()
    trouble: str = ""

    def __str__(self) -> str:
        return hub_text(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": hub_html(self), "text/plain": hub_text(self)}


def hub_html(info: HubInfo) -> str:
    """Return the hub as a small panel."""
    return fill("hub", info=info, tone=_tone(info), rows=_rows(info), lead=_lead(info))


def hub_text(info: HubInfo) -> str:
    """Return the hub in a few lines of plain text."""
    lines = [f"{info.name} · {info.base_url}", _lead(info), *(f"{label}: {value}" for label, value in _rows(info))]
    return "\n".join(line for line in (*lines, info.trouble) if line)


def _lead(info: HubInfo) -> str:
    if info.local:
        return "Animatics of your requests, made on this machine. They cost nothing."
    return "Generations here are real and are paid for."


def _rows(info: HubInfo) -> list[tuple[str, str]]:
    known = {True: "in the catalogue", False: "not in the catalogue", None: "catalogue not read"}[info.in_catalogue]
    key = info.key_source or ("none needed" if info.local else "none found")
    rows = [("Key", key), ("Model", f"{info.model} · {known}")]
    return [*rows, ("Instead", ", ".join(info.alternatives))] if info.alternatives else rows


def _tone(info: HubInfo) -> str:
    if info.trouble or info.in_catalogue is False or not (info.local or info.key_source):
        return "doubt"
    return "off" if info.local else "good"


def progress_html(progress: Progress, now: datetime.datetime) -> str:
    """Return how a job stands at `now` as one row."""
    return fill(
        "progress",
        progress=progress,
        title=shorten(progress.title, 90),
        elapsed=_elapsed(progress, now),
        ahead=_ahead(progress, now),
    )


def progress_text(progress: Progress, now: datetime.datetime) -> str:
    """Return how a job stands at `now` on one line: `Generating · 0:42 · about 2 min left`."""
    parts = (progress.words, _elapsed(progress, now), _ahead(progress, now), progress.trouble)
    why = progress.failure.message if progress.failure else ""
    return " · ".join(part for part in (*parts, shorten(why, 200), shorten(progress.title, 60)) if part)


def _elapsed(progress: Progress, now: datetime.datetime) -> str:
    end = progress.since if progress.ended else now
    return format_clock((end - progress.created).total_seconds())


def _ahead(progress: Progress, now: datetime.datetime) -> str:
    """Return what is left, when the log's history knows; never a percentage."""
    if progress.ended or progress.expected is None:
        return ""
    left = (progress.expected - now).total_seconds()
    if left <= 0:
        return "any moment now" if left > -30 else "longer than usual"
    return f"about {format_duration(round(left, -1) if left >= 10 else left)} left"


def models_html(models: Sequence[Model]) -> str:
    """Return the models of a catalogue as a table."""
    return fill("models", models=[(model, model.pricing.words if model.pricing else "") for model in models])


def models_text(models: Sequence[Model]) -> str:
    """Return the models of a catalogue one a line."""
    width = max((len(model.id) for model in models), default=0)
    prices = (model.pricing.words if model.pricing else "price unknown" for model in models)
    return "\n".join(f"{model.id:<{width}}  {price}" for model, price in zip(models, prices, strict=True))
