"""fal's history of requests, and the search in it for a request whose answer was lost (fal-api.md section 6)."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from kling_nb.models.matching import comparable


@dataclass(frozen=True)
class Row:
    """A request of the history: its input and its output, if fal keeps them."""

    ticket: str
    sent_at: datetime.datetime | None
    input: Mapping[str, Any] | None = None
    output: Mapping[str, Any] | None = None

    @classmethod
    def all_in(cls, answer: Mapping[str, Any], endpoint: str) -> list[Self]:
        """Read the rows of an answer; those without an ID are left out."""
        items = answer.get("items")
        rows: list[Self] = []
        for item in cast("list[Any]", items) if isinstance(items, list) else []:
            raw = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
            if request_id := raw.get("request_id"):
                name = raw.get("endpoint_id") or endpoint
                given, made = _mapping(raw.get("json_input")), _mapping(raw.get("json_output"))
                rows.append(cls(f"{name}/requests/{request_id}", _time(raw.get("sent_at")), given, made))
        return rows


def requests_like(
    rows: Iterable[Row], sent: Mapping[str, Any], *, since: datetime.datetime, until: datetime.datetime
) -> tuple[list[Row], list[Row]]:
    """Return the rows of a span of time whose whole input is `sent`, nearest first, and those without an input."""
    wanted = comparable({name: value for name, value in sent.items() if name != "model"})
    within = [row for row in rows if row.sent_at is None or since <= row.sent_at <= until]
    found = [row for row in within if row.input is not None and comparable(row.input) == wanted]
    found.sort(key=lambda row: abs((row.sent_at or since) - since))
    return found, [row for row in within if row.input is None]


def _mapping(value: Any) -> Mapping[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _time(value: Any) -> datetime.datetime | None:
    try:
        time = datetime.datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=datetime.UTC)
