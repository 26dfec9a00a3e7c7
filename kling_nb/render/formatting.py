"""Times, sizes, prices and states as short text, the same everywhere."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from decimal import Decimal

from kling_nb.models.price import Estimate
from kling_nb.models.progress import LABELS
from kling_nb.models.record import Record, Status
from kling_nb.models.reprs import counted as counted
from kling_nb.models.reprs import format_size as format_size
from kling_nb.models.reprs import shorten as shorten

#: Each state as in a row of progress, but short enough for a badge.
STATUS_WORDS: dict[Status, str] = {**LABELS, "uncertain": "Unconfirmed"}


def format_clock(seconds: float) -> str:
    """Return a duration as on a clock: `0:42`, `12:05`, `1:02:05`."""
    whole = max(0, int(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def format_duration(seconds: float) -> str:
    """Return a duration with its units: `0.4 s`, `42 s`, `3 min 5 s`, `1 h 2 min`."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def format_time(moment: datetime.datetime) -> str:
    """Return a time on the clocks of this machine, with its zone: `22 Nov 2026, 15:03 CET`."""
    here = moment.astimezone()
    name, offset = here.tzname() or "", f"{here:%z}"
    zone = name if name.isascii() and name.isalpha() and len(name) <= 5 else f"UTC{offset[:3]}:{offset[3:5]}"
    return f"{here.day} {here:%b %Y, %H:%M} {zone}"


def listed(items: Sequence[str]) -> str:
    """Return items as in a sentence: `a, b and c`."""
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1]))) if items else ""


def prompt_line(record: Record, limit: int) -> str:
    """Return the prompt on one line, with ` / ` between shots."""
    return shorten(record.prompt.replace("\n", " / "), limit)


def price_of(record: Record) -> str:
    """Return the price of one generation: `$1.12`, `free · local hub`, `price unknown`."""
    return "free · local hub" if record.local else record.estimate.each_text


def estimate_note(estimate: Estimate) -> str:
    """Return how a price is computed and its source: `5 s × $0.224 · live price from the hub's catalogue`."""
    sources = {
        "live": "live price from the hub's catalogue",
        "bundled": f"documented price as of {estimate.as_of}",
        "free": "the local hub is free",
        "unknown": "no price is known for this request",
    }
    if estimate.rate is None or estimate.source == "free":
        return sources[estimate.source]
    rate = f"${estimate.rate.normalize():f}"
    units = 1 if estimate.unit == "image" else Decimal(str(estimate.seconds))
    if estimate.each != estimate.rate * units:  # a minimum, several images, or the seconds of an input video
        return f"{rate} per {estimate.unit} · {sources[estimate.source]}"
    most, count = "up to " if estimate.most else "", "one image" if estimate.unit == "image" else f"{units:g} s"
    return f"{most}{count} × {rate} · {sources[estimate.source]}"
