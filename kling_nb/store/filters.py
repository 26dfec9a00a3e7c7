"""The filters of `find`, checked and turned into conditions."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypedDict, get_args

from sqlalchemy import ColumnElement, and_, select

from kling_nb.errors import ArgumentError, ArgumentTypeError, did_you_mean
from kling_nb.models.record import Kind, Status
from kling_nb.store.tables import microseconds, records, tags, words

When = datetime.datetime | datetime.date | datetime.timedelta
_STATUSES, _KINDS = get_args(Status), get_args(Kind)


class Search(TypedDict, total=False):
    """The filters of `find` and `count`; None, and a filter that is not given, matches any value.

    `text` is words, each the beginning of a word in the prompts, the negative prompt, the note or the id, in upper or
    lower case; a word with letters outside ASCII matches anywhere, since not every script puts spaces between words.
    `stars` is a minimum. `since` and `until` are an aware time, a date (whole days of this machine's calendar) or a
    timedelta before now. `kind` is "result" if it is not given.
    """

    model: str | None
    status: str | Iterable[str] | None
    text: str | None
    tag: str | None
    stars: int | None
    since: When | None
    until: When | None
    kind: str | None
    hub: str | None
    local: bool | None
    batch: str | None
    request_hash: str | None
    plan: str | None
    notebook: str | None
    by: str | None


def conditions(search: Search, now: datetime.datetime) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of all filters but `text`. Raises `ArgumentError` or `ArgumentTypeError`."""
    check_names(search)
    given: dict[str, Any] = {"kind": "result", **search}
    _check_values(given)
    for name in ("model", "kind", "hub", "local", "batch", "request_hash", "plan", "notebook", "by"):
        if (value := given.get(name)) is not None:
            yield records.c[name] == value
    if (stars := given.get("stars")) is not None:
        yield records.c.stars >= stars
    if (since := given.get("since")) is not None:
        yield records.c.created >= microseconds(_moment("since", since, now))
    if (until := given.get("until")) is not None:
        yield records.c.created <= microseconds(_moment("until", until, now, end_of_day=True))
    if (status := given.get("status")) is not None:
        wanted = [status] if isinstance(status, str) else list(status)
        if unknown := [one for one in wanted if one not in _STATUSES]:
            raise ArgumentError(f"status must be one of {', '.join(_STATUSES)}, got {unknown[0]!r}.")
        yield records.c.status == wanted[0] if len(wanted) == 1 else records.c.status.in_(wanted)
    if (tag := given.get("tag")) is not None:
        yield records.c.seq.in_(select(tags.c.seq).where(tags.c.tag == tag))


def _check_values(given: Mapping[str, Any]) -> None:
    for name in ("model", "text", "tag", "kind", "hub", "batch", "request_hash", "plan", "notebook", "by"):
        if not isinstance(given.get(name), str | None):
            raise ArgumentTypeError(f"{name} must be a string or None, got {given[name]!r}.")
    if not isinstance(local := given.get("local"), bool | None):
        raise ArgumentTypeError(f"local must be True, False or None, got {local!r}.")
    if (stars := given.get("stars")) is not None and (type(stars) is not int or not 1 <= stars <= 5):
        raise ArgumentError(f"stars must be 1 to 5, got {stars!r}.")
    if not isinstance(status := given.get("status"), str | Iterable | None):
        raise ArgumentTypeError(f"status must be one of {', '.join(_STATUSES)}, got {status!r}.")
    if (kind := given["kind"]) is not None and kind not in _KINDS:
        raise ArgumentError(f"kind must be one of {', '.join(_KINDS)}, or None for all, got {kind!r}.")


def check_names(given: Iterable[str]) -> None:
    """Raise `ArgumentTypeError` for names that are not filters, with a hint for each."""
    if unknown := [name for name in given if name not in Search.__annotations__]:
        hints = [f"Unknown filter {name!r}. {_hint(name)}".rstrip() for name in unknown]
        raise ArgumentTypeError("\n".join([*hints, f"The filters are {', '.join(Search.__annotations__)}."]))


def with_text(text: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return filters with a text that was given without a name. Raises `ArgumentTypeError` if there are two."""
    if text is None:
        return dict(given)
    if "text" in given:
        raise ArgumentTypeError(f"text was given twice: {text!r} and text={given['text']!r}.")
    return {**given, "text": text}


def _hint(name: str) -> str:
    if name in ("limit", "offset"):
        return "Slice the result instead: kn.log()[:5]."
    if name in ("prompt", "note", "words"):
        return "Did you mean 'text'? text=\"camera\" searches prompts and notes."
    hint = did_you_mean(name, Search.__annotations__)
    return hint[:1].upper() + hint[1:]


def _moment(name: str, value: Any, now: datetime.datetime, *, end_of_day: bool = False) -> datetime.datetime:
    """Return the time of a filter. Raises `ArgumentError` for a time without a zone."""
    match value:
        case datetime.timedelta():
            try:
                return now - value
            except OverflowError:  # before the first year, or after the last
                return now if value < datetime.timedelta(0) else datetime.datetime.min.replace(tzinfo=datetime.UTC)
        case datetime.datetime() if value.tzinfo is not None:
            return value
        case datetime.datetime():
            raise ArgumentError(f"{name} must have a time zone, got {value}. Use {name}=when.astimezone().")
        case datetime.date():
            clock = datetime.time.max if end_of_day else datetime.time.min
            return datetime.datetime.combine(value, clock).astimezone()
        case _:
            said = f"{name} must be a datetime with a time zone, a date, or a timedelta before now, got {value!r}."
            raise ArgumentTypeError(said)


def containing(wanted: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that `words` contains all these words, for any database."""
    parts = [word if not word.isascii() else f" {word}" for word in wanted]
    return and_(*(words.c.text.contains(part, autoescape=True) for part in parts))


def matching(wanted: Sequence[str]) -> str:
    """Return the words as an FTS5 query; empty if it would not find the same as `containing`."""
    return " ".join(f'"{word}"*' for word in wanted) if all(map(str.isascii, wanted)) else ""
