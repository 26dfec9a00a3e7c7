"""Tables and short panels: records, saved values, options, problems, the hub and its models, a job's progress."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from kling_nb.models.catalogue import Model
from kling_nb.models.price import format_money
from kling_nb.models.problem import Problem
from kling_nb.models.progress import Progress
from kling_nb.models.record import Record
from kling_nb.render.card import badge_of, stars_of
from kling_nb.render.facts import duration_of
from kling_nb.render.formatting import (
    STATUS_WORDS,
    counted,
    format_clock,
    format_duration,
    format_time,
    price_of,
    prompt_line,
    shorten,
)
from kling_nb.render.images import SHEET_BYTES, Links, smaller
from kling_nb.render.page import render_template

#: A row's image has a tenth of the size of a card's poster, so that a long table stays small.
POSTER_BYTES = 420


def _row_poster(record: Record, links: Links) -> str | None:
    poster = links.poster(record, SHEET_BYTES) if record.clip else None
    return smaller(poster, POSTER_BYTES) if poster else None


def records_html(records: Sequence[Record], links: Links, *, total: int | None = None, note: str = "") -> str:
    """Return records as a table, in the given order, above a note.

    `total` is the number of all records in the log; without it the given records are all.
    """
    rows = [
        {
            "record": record,
            "poster": _row_poster(record, links),
            "prompt": prompt_line(record, 120),
            "status": STATUS_WORDS[record.status],
            "when": format_time(record.times.created),
            "duration": duration_of(record),
            "price": "–" if record.status in ("failed", "cancelled") else price_of(record).partition(" · ")[0],
            "badge": badge_of(record).partition(" – ")[0],
            "stars": stars_of(record),
        }
        for record in records
    ]
    return render_template("records", rows=rows, summary=_records_summary(records, total), note=note)


def records_text(records: Sequence[Record], *, total: int | None = None) -> str:
    """Return records as lines of plain text under a summary."""
    lines = [
        f"{record.id}  {STATUS_WORDS[record.status]:<11}  {price_of(record):>8}  {prompt_line(record, 60)}"
        for record in records
    ]
    return "\n".join([_records_summary(records, total), *lines])


def _records_summary(records: Sequence[Record], total: int | None) -> str:
    count, whole = len(records), len(records) if total is None else total
    if not whole:
        return "No records"
    shown = f"{count} of {whole:,} records" if count < whole else counted(count, "record")
    paid = (record.price for record in records if record.status == "succeeded" and not record.local)
    spent = sum((price for price in paid if price), Decimal(0))
    return f"{shown} · {format_money(spent)} spent{' on these' if count < whole else ''}"


@dataclass(frozen=True)
class SavedRow:
    """One saved value: its name, a text and a note that describe it, images as data URIs, when it was saved."""

    name: str
    text: str
    note: str
    images: tuple[str, ...]
    at: datetime.datetime


def saved_html(rows: Sequence[SavedRow], noun: str) -> str:
    """Return saved values of one kind (`noun`) as a table."""
    return render_template("saved", rows=[(row, format_time(row.at)) for row in rows], summary=_saved(rows, noun))


def saved_text(rows: Sequence[SavedRow], noun: str) -> str:
    """Return saved values as lines of plain text under a summary."""
    lines = [" · ".join(filter(None, (f"{row.name:<16}", row.text, row.note))) for row in rows]
    return "\n".join([_saved(rows, noun), *lines])


def _saved(rows: Sequence[SavedRow], noun: str) -> str:
    return counted(len(rows), noun) if rows else f"No {noun}s yet. Save one with kn.{noun}s['name'] = …"


class OptionRow(NamedTuple):
    """One option: its name, its value as text, its meaning."""

    name: str
    value: str
    meaning: str


def options_html(rows: Sequence[OptionRow]) -> str:
    """Return the options as a table."""
    return render_template("options", rows=rows)


def options_text(rows: Sequence[OptionRow]) -> str:
    """Return the options as lines of plain text."""
    return "\n".join(f"kn.options.{row.name} = {row.value}  ({row.meaning})" for row in rows)


def problems_html(problems: Sequence[Problem]) -> str:
    """Return problems as a list, each with its field and remedy, under a summary."""
    return render_template("problems", problems=problems, summary=_problems_summary(problems))


def problems_text(problems: Sequence[Problem]) -> str:
    """Return problems as lines of plain text under a summary."""
    return "\n".join([_problems_summary(problems), *(f"  {problem.mark} {problem}" for problem in problems)])


def _problems_summary(problems: Sequence[Problem]) -> str:
    errors = sum(problem.severity == "error" for problem in problems)
    counts = {"error": errors, "warning": len(problems) - errors}
    return ", ".join(counted(count, noun) for noun, count in counts.items() if count) or "No problems"


@dataclass(frozen=True)
class HubInfo:
    """A hub and its state. `key_source` says where the key was found, never the key itself.

    `in_catalogue` is None if the catalogue could not be read; `error` is then the reason. `others` are the hubs that a
    request can name besides.
    """

    name: str
    base_url: str
    local: bool
    model: str
    key_source: str | None = None
    in_catalogue: bool | None = None
    alternatives: tuple[str, ...] = ()
    error: str = ""
    others: tuple[str, ...] = ()

    def __repr__(self) -> str:
        (_, key), (_, model), *_ = _hub_rows(self)
        return f"<{self.name} · {self.base_url} · API key: {key} · {self.error or model}>"

    def __str__(self) -> str:
        return hub_text(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": hub_html(self), "text/plain": hub_text(self)}


def hub_html(info: HubInfo) -> str:
    """Return the hub as a small panel."""
    problem = info.error or info.in_catalogue is False or not (info.local or info.key_source)
    tone = "warning" if problem else "off" if info.local else "good"
    return render_template("hub", info=info, tone=tone, rows=_hub_rows(info), lead=_hub_lead(info))


def hub_text(info: HubInfo) -> str:
    """Return the hub in a few lines of plain text."""
    rows = [f"{label}: {value}" for label, value in _hub_rows(info)]
    lines = [f"{info.name} · {info.base_url}", _hub_lead(info), *rows, info.error]
    return "\n".join(filter(None, lines))


def _hub_lead(info: HubInfo) -> str:
    if info.local:
        return "Draws free animatics of your requests on this machine."
    return "Runs the real model. Clips cost money."


def _hub_rows(info: HubInfo) -> list[tuple[str, str]]:
    known = {True: "in the catalogue", False: "not in the catalogue", None: "catalogue not available"}
    key = info.key_source or ("not needed" if info.local else "not found")
    rows = [("API key", key), ("Model", f"{info.model} · {known[info.in_catalogue]}")]
    more = {"Alternatives": info.alternatives, "Also usable": info.others}
    return [*rows, *((label, ", ".join(names)) for label, names in more.items() if names)]


def progress_html(progress: Progress, now: datetime.datetime) -> str:
    """Return a job's state at `now` as one row."""
    return render_template(
        "progress",
        progress=progress,
        title=shorten(progress.title, 90),
        elapsed=_elapsed(progress, now),
        remaining=_remaining(progress, now),
    )


def progress_text(progress: Progress, now: datetime.datetime) -> str:
    """Return a job's state at `now` on one line: `Generating · 0:42 · about 2 min left`."""
    parts = (progress.label, _elapsed(progress, now), _remaining(progress, now), progress.trouble)
    failure = progress.failure.message if progress.failure else ""
    return " · ".join(part for part in (*parts, shorten(failure, 200), shorten(progress.title, 60)) if part)


def _elapsed(progress: Progress, now: datetime.datetime) -> str:
    end = progress.since if progress.ended else now
    return format_clock((end - progress.created).total_seconds())


def _remaining(progress: Progress, now: datetime.datetime) -> str:
    """Return the remaining time as the log's history predicts it; never a percentage."""
    if progress.ended or progress.expected is None:
        return ""
    left = (progress.expected - now).total_seconds()
    if left <= 0:
        return "any moment now" if left > -30 else "taking longer than usual"
    return f"about {format_duration(round(left, -1) if left >= 10 else left)} left"


def models_html(hubs: Mapping[str, Sequence[Model]], notes: Sequence[str] = ()) -> str:
    """Return the models of each hub as one table."""
    models = [(title, model, _rate_of(model)) for title, each in hubs.items() for model in each]
    return render_template("models", models=models, several=len(hubs) + len(notes) > 1, notes=notes)


def models_text(hubs: Mapping[str, Sequence[Model]], notes: Sequence[str] = ()) -> str:
    """Return the models of each hub as lines of plain text."""
    lines: list[str] = []
    width = max((len(model.id) for models in hubs.values() for model in models), default=0)
    for title, models in hubs.items():
        lines += [title] if len(hubs) + len(notes) > 1 else []
        lines += [f"{model.id:<{width}}  {_rate_of(model) or 'price unknown'}" for model in models]
    return "\n".join([*lines, *notes])


def _rate_of(model: Model) -> str:
    return model.pricing.text if model.pricing else ""
