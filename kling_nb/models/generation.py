"""What the hub answers (HUB_API sections 3 and 4), read tolerantly, with the raw JSON kept beside it."""

from __future__ import annotations

import datetime
import json
from typing import Annotated, Any, Self

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field


def _seconds_or_none(value: Any) -> float | None:
    """A time that cannot be read is no reason to lose sight of a paid job."""
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds < _YEAR_5138 else None


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _said(value: Any) -> str | None:
    """What went wrong, in whatever shape it came."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _word(value: Any) -> Any:
    """A status or an id of another type is better than a paid job that nobody sees; a missing one is `unknown`."""
    return value if isinstance(value, str) else str(value)


def _truth_or_none(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


_YEAR_5138 = 1e11
Text = Annotated[str | None, BeforeValidator(_text_or_none)]
UnixSeconds = Annotated[float | None, BeforeValidator(_seconds_or_none)]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    raw: dict[str, Any] = Field(default_factory=dict, repr=False, exclude=True)

    @classmethod
    def read(cls, raw: dict[str, Any]) -> Self:
        """Validate one answer and keep its JSON."""
        given = {name: value for name, value in raw.items() if value is not None}
        return cls.model_validate({**given, "raw": raw})


class Generation(_Answer):
    """A queue record. Times are unix seconds on the hub's clock, or None (HUB_API section 3).

    `status` is `queued`, `processing`, `succeeded`, `failed` or `cancelled`; a word that we do not know changes nothing
    of what is known of a paid job.
    """

    generation_id: Annotated[str, BeforeValidator(_word)] = ""
    """Empty in an entry of a list that does not say whose it is; a record that was asked for by its id has one."""
    status: Annotated[str, BeforeValidator(_word)] = "unknown"
    model_name: Text = Field(default="", validation_alias=AliasChoices("model_name", "model"))
    media_type: Text = "video"
    result_url: Text = None
    error_message: Annotated[str | None, BeforeValidator(_said)] = None
    error_retryable: Annotated[bool | None, BeforeValidator(_truth_or_none)] = None
    enqueued_at: UnixSeconds = None
    started_at: UnixSeconds = None
    completed_at: UnixSeconds = None

    @property
    def ended(self) -> bool:
        """Whether the hub will do nothing more about it."""
        return self.status in ("succeeded", "failed", "cancelled")


class Completion(_Answer):
    """A `media_generation_completed` event: a hint to look at the queue, which is the truth (HUB_API section 4)."""

    generation_id: str = Field(min_length=1)
    status: str
    url: str | None = None
    error: str | None = None


def from_unix(unix: float | None) -> datetime.datetime | None:
    """Return unix seconds as an aware UTC time."""
    return None if unix is None else datetime.datetime.fromtimestamp(unix, datetime.UTC)
