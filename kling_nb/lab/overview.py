"""The sidebar's view of a log, as JSON: jobs under way, the newest clips, and today's spending."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from kling_nb.engine.pace import expected_seconds
from kling_nb.engine.states import progress_of
from kling_nb.lab.team import waiting_records
from kling_nb.models.budget import Scope
from kling_nb.models.record import Record
from kling_nb.render.card import badge_of
from kling_nb.render.facts import duration_of, is_image
from kling_nb.render.formatting import STATUS_WORDS, price_of, prompt_line, shorten
from kling_nb.store.log import Log

#: How many of the newest clips of a log are shown.
NEWEST = 24


def overview(name: str, log: Log) -> dict[str, Any]:
    """Return what the sidebar shows of a log. Raises `KlingError` if it cannot be read."""
    expected = _Expected(log)
    jobs = [job_of(record, name, expected(record)) for record in log.unfinished()]
    clips = [clip_of(record, name) for record in log.find(limit=NEWEST, status="succeeded", kind="result")]
    return {"name": name, "jobs": jobs, "clips": clips, **_spending(log), "error": ""}


def overview_of_cache(name: str, folder: Path, why: Exception) -> dict[str, Any]:
    """Return the records that wait in the cache of a team's log, which cannot be read, with the reason."""
    waiting = waiting_records(folder)
    jobs = [job_of(record, name) for record in waiting if not record.ended]
    clips = [clip_of(record, name) for record in reversed(waiting) if record.status == "succeeded"][:NEWEST]
    return nothing(name, str(why)) | {"jobs": jobs, "clips": clips}


def nothing(name: str, error: str) -> dict[str, Any]:
    """Return the overview of a log that cannot be read, with the reason."""
    return {"name": name, "jobs": [], "clips": [], "today": "0", "limits": [], "error": error}


def job_of(record: Record, log: str, expected: float | None = None) -> dict[str, Any]:
    """Return a job as a row; times are Unix seconds, so that the browser can keep the clock running."""
    progress = progress_of(record, expected_seconds=expected)
    return {
        "id": record.id,
        "log": log,
        "notebook": record.notebook or "",
        "by": record.by,
        "status": record.status,
        "text": progress.label,
        "title": progress.title,
        "preview": progress.preview,
        "price": progress.price,
        "since": progress.since.timestamp(),
        "expected": progress.expected.timestamp() if progress.expected else None,
        "reason": shorten(record.failure.message, 200) if record.failure else "",
        "poster": _hex(record.clip.poster) if record.clip else "",
    }


def clip_of(record: Record, log: str) -> dict[str, Any]:
    """Return a record as a clip; its `media` and `poster` are digests in hexadecimal, and everything else is text."""
    clip = record.clip
    return {
        "id": record.id,
        "log": log,
        "notebook": record.notebook or "",
        "by": record.by,
        "status": record.status,
        "status_text": STATUS_WORDS[record.status],
        "ended": record.ended,
        "reason": shorten(record.failure.message, 200) if record.failure else "",
        "prompt": prompt_line(record, 300),
        "badge": badge_of(record).replace(" – ", " · ").partition(" · ")[0],
        "length": duration_of(record),
        "price": price_of(record),
        "created": record.times.created.timestamp(),
        "image": is_image(record),
        "shape": clip.width / clip.height if clip and clip.width and clip.height else 16 / 9,
        "media": _hex(clip.digest) if clip else "",
        "poster": _hex(clip.poster) if clip else "",
    }


def _spending(log: Log) -> dict[str, Any]:
    limits = log.budget.limits()
    today = log.budget.counted(Scope("day", Decimal(0)))
    rows: list[dict[str, str]] = []
    if limits.day is not None:
        rows.append({"label": "Today", "limit": str(limits.day), "spent": str(today)})
    if limits.total is not None:
        spent = log.budget.counted(Scope("total", limits.total))
        rows.append({"label": "Total", "limit": str(limits.total), "spent": str(spent)})
    return {"today": str(today), "limits": rows}


class _Expected:
    """The time that jobs should take, by the log's history of each model."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._histories: dict[tuple[str, str], list[tuple[float, float]]] = {}

    def __call__(self, record: Record) -> float | None:
        key = record.model, record.hub
        if key not in self._histories:
            self._histories[key] = self._log.durations(*key)
        return expected_seconds(self._histories[key], record.estimate.seconds)


def _hex(digest: str | None) -> str:
    return (digest or "").removeprefix("sha256:")
