"""Responses of the hub's queue, read tolerantly, with their raw JSON."""

from __future__ import annotations

import datetime
import json
import math
import re
from typing import Annotated, Any, Self

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field


def _seconds_or_none(value: Any) -> float | None:
    """An unreadable time must not make us lose a paid job; one in another form is a time all the same."""
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = _iso_seconds(value)
    for unit in (1, 1e3, 1e6, 1e9):  # seconds, or thousandths, millionths and billionths of them
        if 0 <= seconds / unit < _YEAR_5138:
            return seconds / unit
    return None


def _iso_seconds(value: Any) -> float:
    try:
        time = datetime.datetime.fromisoformat(value)
        return (time if time.tzinfo else time.replace(tzinfo=datetime.UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _error_text(value: Any) -> str | None:
    """An error may have any shape."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _text(value: Any) -> Any:
    """A status or an ID of another type must not make us lose a paid job either."""
    return value if isinstance(value, str) else str(value)


def _status(value: Any) -> str:
    """Return the contract's word for a status, or the hub's own word if it means nothing to us."""
    word = re.sub(r"[\s_-]+", "_", str(value).strip().lower())
    return _STATUSES.get(word, str(value))


def _bool_or_none(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


_YEAR_5138 = 1e11
#: The words of the contract, each with the other spellings of this and other hubs.
_SPELLINGS = {
    "queued": "queued enqueued in_queue pending waiting scheduled submitted created accepted not_started",
    "processing": "processing in_progress inprogress running generating rendering started starting active working",
    "succeeded": "succeeded success successful completed complete done finished ok",
    "failed": "failed fail failure error errored expired timeout timed_out time_out rejected blocked moderated",
    "cancelled": "cancelled canceled cancel aborted stopped terminated deleted",
}
_STATUSES = {word: status for status, words in _SPELLINGS.items() for word in words.split()}
Text = Annotated[str | None, BeforeValidator(_text_or_none)]
UnixSeconds = Annotated[float | None, BeforeValidator(_seconds_or_none)]


class _Response(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    raw: dict[str, Any] = Field(default_factory=dict, repr=False, exclude=True)

    @classmethod
    def read(cls, raw: dict[str, Any]) -> Self:
        """Validate one response and keep its JSON."""
        given = {name: value for name, value in raw.items() if value is not None}
        return cls.model_validate({**given, "raw": raw})


class Generation(_Response):
    """An entry of the queue. Times are unix seconds of the hub's clock, or None.

    `status` is `queued`, `processing`, `succeeded`, `failed` or `cancelled`, whatever the hub's spelling; or a word of
    the hub's that means nothing to us.
    """

    generation_id: Annotated[str, BeforeValidator(_text)] = ""
    """Empty if the entry of a list has none; never empty in the response to a request for one generation."""
    status: Annotated[str, BeforeValidator(_status)] = "unknown"
    model_name: Text = Field(default="", validation_alias=AliasChoices("model_name", "model"))
    media_type: Text = "video"
    result_url: Text = None
    error_message: Annotated[str | None, BeforeValidator(_error_text)] = None
    error_retryable: Annotated[bool | None, BeforeValidator(_bool_or_none)] = None
    enqueued_at: UnixSeconds = None
    started_at: UnixSeconds = None
    completed_at: UnixSeconds = None

    @property
    def outcome(self) -> str:
        """The status; beside a word that means nothing to us, an address or an error message decides."""
        if self.status in _SPELLINGS:
            return self.status
        return "succeeded" if self.result_url else "failed" if self.error_message else self.status

    @property
    def status_text(self) -> str:
        """The status in the hub's own word, shortened."""
        return str(self.raw.get("status") or self.status)[:60]


class Completion(_Response):
    """A `media_generation_completed` event: a hint to poll the queue, which is authoritative."""

    generation_id: str = Field(min_length=1)
    status: Annotated[str, BeforeValidator(_status)] = "unknown"
    url: Text = Field(default=None, validation_alias=AliasChoices("url", "result_url"))
    error: Annotated[str | None, BeforeValidator(_error_text)] = Field(
        default=None, validation_alias=AliasChoices("error", "error_message")
    )

    @property
    def report(self) -> Generation:
        """The event as an entry of the queue, for a hub whose queue no longer has it."""
        fields = {"status": self.status, "result_url": self.url, "error_message": self.error}
        return Generation.read({"generation_id": self.generation_id, **fields})


def from_unix(unix: float | None) -> datetime.datetime | None:
    """Return unix seconds as an aware UTC time."""
    return None if unix is None else datetime.datetime.fromtimestamp(unix, datetime.UTC)
