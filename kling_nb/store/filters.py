"""The filters of `find`, checked and turned into conditions."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, get_args

from sqlalchemy import ColumnElement, and_, select

from kling_nb.errors import ArgumentError, ArgumentTypeError, did_you_mean
from kling_nb.models.record import Kind, Status
from kling_nb.store.tables import microseconds, records, split, tags, words

When = datetime.datetime | datetime.date | datetime.timedelta
_STATUSES, _KINDS = get_args(Status), get_args(Kind)


class Search(TypedDict, total=False):
    """The keywords of `find` and `count`; see `Filters`."""

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


@dataclass(frozen=True, kw_only=True)
class Filters:
    """The conditions of one search; None matches any value.

    `text` is words, each the beginning of a word in the prompts, the negative prompt, the note or the id, in upper or
    lower case; a word with letters outside ASCII matches anywhere, since not every script puts spaces between words.
    `stars` is a minimum. `since` and `until` are an aware time, a date (whole days of this machine's calendar) or a
    timedelta before now.
    """

    model: str | None = None
    status: str | Iterable[str] | None = None
    text: str | None = None
    tag: str | None = None
    stars: int | None = None
    since: When | None = None
    until: When | None = None
    kind: str | None = "result"
    hub: str | None = None
    local: bool | None = None
    batch: str | None = None
    request_hash: str | None = None
    plan: str | None = None
    notebook: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Filters:
        """Return these filters. Raises `ArgumentTypeError` for an unknown name."""
        check_names(given)
        return cls(**given)

    def conditions(self, now: datetime.datetime) -> list[ColumnElement[bool]]:
        """Return the conditions of everything but `text`. Raises `ArgumentError` or `ArgumentTypeError`."""
        self._check()
        return [*self._equals(), *self._ranges(now), *self._statuses(), *self._tagged()]

    def words(self) -> list[str]:
        """Return the words to search for."""
        return split(self.text or "")

    def _check(self) -> None:
        value: Any
        for name in ("model", "text", "tag", "kind", "hub", "batch", "request_hash", "plan", "notebook"):
            value = getattr(self, name)
            if not isinstance(value, str | None):
                raise ArgumentTypeError(f"{name} must be a string or None, got {value!r}.")
        value = self.local
        if not isinstance(value, bool | None):
            raise ArgumentTypeError(f"local must be True, False or None, got {value!r}.")
        if self.stars is not None and (type(self.stars) is not int or not 1 <= self.stars <= 5):
            raise ArgumentError(f"stars must be 1 to 5, got {self.stars!r}.")
        value = self.status
        if not isinstance(value, str | Iterable | None):
            raise ArgumentTypeError(f"status must be one of {', '.join(_STATUSES)}, got {value!r}.")

    def _equals(self) -> Iterator[ColumnElement[bool]]:
        if self.kind is not None and self.kind not in _KINDS:
            raise ArgumentError(f"kind must be one of {', '.join(_KINDS)}, or None for all, got {self.kind!r}.")
        for name in ("model", "kind", "hub", "local", "batch", "request_hash", "plan", "notebook"):
            value: Any = getattr(self, name)
            if value is not None:
                yield records.c[name] == value

    def _statuses(self) -> Iterator[ColumnElement[bool]]:
        if self.status is None:
            return
        wanted = [self.status] if isinstance(self.status, str) else list(self.status)
        unknown = [status for status in wanted if status not in _STATUSES]
        if unknown:
            raise ArgumentError(f"status must be one of {', '.join(_STATUSES)}, got {unknown[0]!r}.")
        yield records.c.status == wanted[0] if len(wanted) == 1 else records.c.status.in_(wanted)

    def _tagged(self) -> Iterator[ColumnElement[bool]]:
        if self.tag is not None:
            yield records.c.seq.in_(select(tags.c.seq).where(tags.c.tag == self.tag))

    def _ranges(self, now: datetime.datetime) -> Iterator[ColumnElement[bool]]:
        if self.stars is not None:
            yield records.c.stars >= self.stars
        if self.since is not None:
            yield records.c.created >= microseconds(_moment("since", self.since, now))
        if self.until is not None:
            yield records.c.created <= microseconds(_moment("until", self.until, now, end_of_day=True))


def check_names(given: Iterable[str]) -> None:
    """Raise `ArgumentTypeError` for names that are not filters, with a hint for each."""
    unknown = [name for name in given if name not in Search.__annotations__]
    if unknown:
        known = ", ".join(Search.__annotations__)
        hints = [f"Unknown filter {name!r}. {_hint(name)}".rstrip() for name in unknown]
        raise ArgumentTypeError("\n".join([*hints, f"The filters are {known}."]))


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
