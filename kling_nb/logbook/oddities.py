"""What no record can hold, though its types allow it: the index has no room for it, or nobody can count with it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal

from kling_nb.logbook.pointers import DIGEST, digests_of
from kling_nb.models.record import Record, Times

#: What a column of every database holds. Dollars of one generation, and seconds of it, are far below theirs.
_MOST_REVISIONS, _MOST_DOLLARS, _MOST_SECONDS = 2**31 - 1, Decimal(1_000_000), 1_000_000
#: Two days from the ends of the calendar: in any zone such a time is still one.
_FIRST = datetime.datetime.min.replace(tzinfo=datetime.UTC) + datetime.timedelta(days=2)
_LAST = datetime.datetime.max.replace(tzinfo=datetime.UTC) - datetime.timedelta(days=2)


def oddities(record: Record) -> Iterator[str]:
    """Yield in words what is odd about a record's values."""
    yield from _of_times(record)
    if not 0 <= record.revision <= _MOST_REVISIONS:
        yield f"its revision is {_short(record.revision)}"
    if record.stars is not None and not 1 <= record.stars <= 5:
        yield f"its stars are {_short(record.stars)}"
    for amount in (record.estimate.each, record.estimate.total, record.estimate.rate):
        if amount is not None and not 0 <= amount <= _MOST_DOLLARS:
            yield f"its price is ${_short(amount)}"
            break
    if not 0 <= record.estimate.seconds <= _MOST_SECONDS:
        yield f"its seconds are {_short(record.estimate.seconds)}"
    for digest, what in digests_of(record):
        if not DIGEST.fullmatch(digest):
            yield f"{what} is called {digest[:80]!r}"


def odd_time(when: datetime.datetime) -> str:
    """Return in words what is odd about a time, nothing when it is a sound one."""
    if when.utcoffset() is None:
        return f"{when.isoformat()}, has no zone"
    return "" if _FIRST <= when <= _LAST else f"{when.isoformat()}, is too far from now"


def _of_times(record: Record) -> Iterator[str]:
    for name in Times.model_fields:
        when: datetime.datetime | None = getattr(record.times, name)
        if when is not None and (odd := odd_time(when)):
            yield f"its time {name}, {odd}"
    for message in record.messages:
        if odd := odd_time(message.at):
            yield f"the time of a message, {odd}"
            break


def _short(value: object) -> str:
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
