"""Figures in words: times, sizes, prices, states. Short, and the same everywhere."""

from __future__ import annotations

import datetime
from decimal import Decimal

from kling_nb.models.price import Estimate
from kling_nb.models.progress import WORDS
from kling_nb.models.record import Record, Status

#: As a row of progress says it, but short enough for a badge.
STATUS_WORDS: dict[Status, str] = {**WORDS, "uncertain": "Uncertain"}


def format_clock(seconds: float) -> str:
    """Return a length as a clock shows it: `0:42`, `12:05`, `1:02:05`."""
    whole = max(0, int(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def format_duration(seconds: float) -> str:
    """Return a length in words: `0.4 s`, `42 s`, `3 min 5 s`, `1 h 2 min`."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def format_size(count: int) -> str:
    """Return a number of bytes in words: `812 kB`, `1.7 MB`."""
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1e6:.1f} MB" if count >= 999_500 else f"{count / 1e3:.0f} kB"


def format_time(moment: datetime.datetime) -> str:
    """Return a moment as `22 Nov 2026, 14:03 UTC`."""
    utc = moment.astimezone(datetime.UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M} UTC"


def prompt_line(record: Record, most: int) -> str:
    """Return the prompt on one line, its shots with a stroke between them."""
    return shorten(record.prompt.replace("\n", " / "), most)


def format_money(amount: Decimal) -> str:
    """Return dollars as `$1.12`."""
    return f"${amount:,.2f}"


def price_of(record: Record) -> str:
    """Return what one generation costs, in words: `$1.12`, `free · local hub`, `price unknown`."""
    if record.local or record.estimate.source == "free":
        return "free · local hub" if record.local else "free"
    return "price unknown" if record.price is None else format_money(record.price)


def estimate_text(estimate: Estimate) -> str:
    """Return a price before it is paid: `$4.48 (4 × $1.12)`."""
    return str(estimate)


def estimate_note(estimate: Estimate) -> str:
    """Return where a price comes from and how it is made up: `5 s × $0.224 · live price of the hub's catalogue`."""
    sources = {
        "live": "live price of the hub's catalogue",
        "bundled": f"documentation's figure of {estimate.as_of}",
        "free": "the local hub costs nothing",
        "unknown": "nobody gave a rate for this model",
    }
    if estimate.rate is None or estimate.source == "free":
        return sources[estimate.source]
    of = "an image at" if estimate.unit == "image" else f"{estimate.seconds} s ×"
    return f"{of} ${estimate.rate.normalize():f} · {sources[estimate.source]}"


def shorten(text: str, limit: int) -> str:
    """Return the text on one line, cut at `limit` characters with an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"
