"""What `find` can be asked, checked and turned into conditions."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, get_args

from sqlalchemy import ColumnElement, and_, select

from kling_nb.errors import LogError, choose_from
from kling_nb.models.record import Kind, Status
from kling_nb.store.tables import microseconds, records, split, tags, words

When = datetime.datetime | datetime.date | datetime.timedelta
_STATUSES, _KINDS = get_args(Status), get_args(Kind)


class Search(TypedDict, total=False):
    """The keywords of `find` and `count`; see `Filters` for what each means."""

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
    """The conditions of one search; None means any.

    `text` is words, each the beginning of a word in the prompts, the negative prompt, the note or the id, whatever
    its case; a word with letters outside ASCII may begin anywhere, since not all scripts put spaces between words.
    `stars` is at least so many. `since` and `until` are an aware time, a date (whole days of this machine's calendar)
    or a timedelta before now.
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
        """Return these filters. Raises `LogError` for a name that is none."""
        check_names(given)
        return cls(**given)

    def conditions(self, now: datetime.datetime) -> list[ColumnElement[bool]]:
        """Everything but `text`. Raises `LogError` for a value that no record can have."""
        self._check()
        return [*self._equals(), *self._ranges(now), *self._statuses(), *self._tagged()]

    def words(self) -> list[str]:
        """The words to look for."""
        return split(self.text or "")

    def _check(self) -> None:
        value: Any
        for name in ("model", "text", "tag", "kind", "hub", "batch", "request_hash", "plan", "notebook"):
            value = getattr(self, name)
            if not isinstance(value, str | None):
                raise LogError(f"{name}={value!r} is no text: give a string, or None for any.")
        value = self.local
        if not isinstance(value, bool | None):
            raise LogError(f"local={value!r} is unknown: use True, False, or None for any.")
        if self.stars is not None and (type(self.stars) is not int or not 1 <= self.stars <= 5):
            raise LogError(f"stars={self.stars!r} is unknown: use 1 to 5.")
        value = self.status
        if not isinstance(value, str | Iterable | None):
            raise LogError(f"status={value!r} is unknown: use one of {', '.join(_STATUSES)}.")

    def _equals(self) -> Iterator[ColumnElement[bool]]:
        if self.kind is not None and self.kind not in _KINDS:
            raise LogError(f"kind={self.kind!r} is unknown: use one of {', '.join(_KINDS)}, or None for all.")
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
            raise LogError(f"status={unknown[0]!r} is unknown: use one of {', '.join(_STATUSES)}.")
        yield records.c.status == wanted[0] if len(wanted) == 1 else records.c.status.in_(wanted)

    def _tagged(self) -> Iterator[ColumnElement[bool]]:
        if self.tag is not None:
            yield records.c.seq.in_(select(tags.c.seq).where(tags.c.tag == self.tag))

    def _ranges(self, now: datetime.datetime) -> Iterator[ColumnElement[bool]]:
        if self.stars is not None:
            yield records.c.stars >= self.stars
        if self.since is not None:
            yield records.c.created >= microseconds(moment("since", self.since, now))
        if self.until is not None:
            yield records.c.created <= microseconds(moment("until", self.until, now, end_of_day=True))


def check_names(given: Iterable[str]) -> None:
    """Raise `LogError`, with all that is wrong, for names that are no filters."""
    if faults := [f"{name}: {_instead(name)}" for name in given if name not in Search.__annotations__]:
        raise LogError("\n".join(["The log cannot be filtered so.", *(f"  ✗ {fault}" for fault in faults)]))


def with_text(text: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return filters with the text that was given without a name. Raises `LogError` when there are two."""
    if text is None:
        return dict(given)
    if "text" in given:
        raise LogError(f"The text is given twice, {text!r} and text={given['text']!r}: give one.")
    return {**given, "text": text}


def _instead(name: str) -> str:
    if name in ("limit", "offset"):
        return "take a part of what is found, such as kn.log()[:5]"
    if name in ("prompt", "note", "words"):
        return f'did you mean text? text="camera" looks into the {"notes" if name == "note" else "prompts"} too'
    return choose_from(name, Search.__annotations__)


def moment(name: str, value: Any, now: datetime.datetime, *, end_of_day: bool = False) -> datetime.datetime:
    """Return the time that a filter means. Raises `LogError` for a time without a zone, or anything else."""
    match value:
        case datetime.timedelta():
            try:
                return now - value
            except OverflowError:  # longer ago than there are years
                return now if value < datetime.timedelta(0) else datetime.datetime.min.replace(tzinfo=datetime.UTC)
        case datetime.datetime() if value.tzinfo is not None:
            return value
        case datetime.datetime():
            raise LogError(f"{name}={value} has no time zone: use {name}=when.astimezone().")
        case datetime.date():
            clock = datetime.time.max if end_of_day else datetime.time.min
            return datetime.datetime.combine(value, clock).astimezone()
        case _:
            raise LogError(f"{name}={value!r} is no time: use a datetime with a zone, a date, or a timedelta (ago).")


def containing(wanted: Sequence[str]) -> ColumnElement[bool]:
    """The words, as a condition on the `words` table that every database understands."""
    parts = [word if not word.isascii() else f" {word}" for word in wanted]
    return and_(*(words.c.text.contains(part, autoescape=True) for part in parts))


def matching(wanted: Sequence[str]) -> str:
    """The words in FTS5's language; empty when it could not find them as `containing` does."""
    return " ".join(f'"{word}"*' for word in wanted) if all(map(str.isascii, wanted)) else ""
