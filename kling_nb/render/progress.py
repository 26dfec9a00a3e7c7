"""A job under way as a static row, for frontends that show no widgets."""

from __future__ import annotations

import datetime

from kling_nb.models.progress import Progress
from kling_nb.render.page import fill
from kling_nb.render.words import clock, shortened, span


def progress_html(progress: Progress, now: datetime.datetime) -> str:
    """Return how a job stands at `now` as one row."""
    return fill(
        "progress",
        progress=progress,
        title=shortened(progress.title, 90),
        elapsed=_elapsed(progress, now),
        ahead=_ahead(progress, now),
    )


def progress_text(progress: Progress, now: datetime.datetime) -> str:
    """Return how a job stands at `now` on one line: `Generating · 0:42 · about 2 min left`."""
    parts = (progress.words, _elapsed(progress, now), _ahead(progress, now), progress.trouble)
    why = progress.failure.message if progress.failure else ""
    return " · ".join(part for part in (*parts, shortened(why, 200), shortened(progress.title, 60)) if part)


def _elapsed(progress: Progress, now: datetime.datetime) -> str:
    end = progress.since if progress.ended else now
    return clock((end - progress.created).total_seconds())


def _ahead(progress: Progress, now: datetime.datetime) -> str:
    """Return what is left, when the log's history knows; never a percentage."""
    if progress.ended or progress.expected is None:
        return ""
    left = (progress.expected - now).total_seconds()
    if left <= 0:
        return "any moment now" if left > -30 else "longer than usual"
    return f"about {span(round(left, -1) if left >= 10 else left)} left"
