"""Which entries of the hub's queue are ours? Decides after a lost answer; pure (HUB_API sections 3 and 5)."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from kling_nb.models.asset import public_url
from kling_nb.models.generation import Generation
from kling_nb.models.request import DELIVERY

#: How far the hub's clock may be behind ours, in seconds.
CLOCK_SKEW = 120.0


def ours(
    listed: Iterable[Generation],
    sent: Mapping[str, Any],
    *,
    since: datetime.datetime,
    claimed: Collection[str],
    count: int,
) -> list[Generation]:
    """Return up to `count` queue entries that are the request `sent`: same model, same parameters, enqueued since.

    Entries that another record has claimed are left out. Addresses are compared without their signatures, and a
    parameter that the hub does not echo does not speak against an entry.
    """
    earliest = since.timestamp() - CLOCK_SKEW
    found = [
        entry
        for entry in listed
        if entry.generation_id not in claimed and (entry.enqueued_at or earliest) >= earliest and _same(entry.raw, sent)
    ]
    found.sort(key=lambda entry: abs((entry.enqueued_at or 0) - since.timestamp()))
    return found[:count]


def _same(echo: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    if (echo.get("model_name") or echo.get("model")) != sent.get("model"):
        return False
    for name, value in sent.items():
        if name in DELIVERY or name == "model" or name not in echo:
            continue
        if name == "prompt" and not echo[name] and "multi_prompt" in sent:
            continue  # the prompt of a multi-shot job is open: null or ""
        if _plain(echo[name]) != _plain(value):
            return False
    return True


def _plain(value: Any) -> Any:
    match value:
        case str() if value.startswith(("http://", "https://")):
            return public_url(value)
        case list():
            return [_plain(item) for item in value]
        case Mapping():
            return {name: _plain(item) for name, item in value.items() if item not in (None, [])}
        case _:
            return value
