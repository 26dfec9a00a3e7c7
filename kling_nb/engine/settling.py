"""Which entries of the hub's queue are ours? Decides after a lost answer; pure (HUB_API sections 3 and 5)."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from kling_nb.models.asset import redact_url, sha256
from kling_nb.models.generation import Generation
from kling_nb.models.request import DELIVERY

#: How far the hub's clock may be behind what we take it for, in seconds.
CLOCK_SKEW = 120.0


def ours(
    listed: Iterable[Generation],
    sent: Mapping[str, Any],
    *,
    since: datetime.datetime,
    claimed: Collection[str],
) -> list[Generation]:
    """Return the queue entries that are the request `sent`, the nearest first: same model and parameters, since then.

    `since` is a moment of the hub's clock. Entries that another record has claimed are left out.
    """
    earliest = since.timestamp() - CLOCK_SKEW
    found = [
        entry
        for entry in listed
        if entry.generation_id not in claimed and (entry.enqueued_at or earliest) >= earliest and alike(entry.raw, sent)
    ]
    found.sort(key=lambda entry: abs((entry.enqueued_at or 0) - since.timestamp()))
    return found


def alike(echo: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    """Whether the hub's record of a request can be that of `sent`, or one body be taken for another.

    Addresses are compared without their signatures; a parameter that is not echoed does not speak against it.
    """
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


def public(value: Any) -> Any:
    """Return a body as a record may keep it: addresses without signatures, data URIs by the hash of their data."""
    match value:
        case str() if value.startswith("data:"):
            head, _, data = value.partition(",")
            return value if data.startswith("sha256:") else f"{head},{sha256(data.encode())}"
        case str() if value.startswith(("http://", "https://")):
            return redact_url(value)
        case dict():
            return {name: public(item) for name, item in value.items()}
        case list():
            return [public(item) for item in value]
        case _:
            return value


def _plain(value: Any) -> Any:
    match value:
        case str():
            return public(value)
        case list():
            return [_plain(item) for item in value]
        case Mapping():
            return {name: _plain(item) for name, item in value.items() if item not in (None, [])}
        case _:
            return value
