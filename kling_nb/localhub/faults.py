"""Faults that can be switched on: errors of the hub, or of the connection to it.

Switch a fault on with `--fault NAME[:TIMES]`, with `POST /_local/faults`, or for one request with the header
`X-Local-Fault`.

`withdrawn`, `changed_schema` and `changed_price` change the catalogue while they are on, for the model in `match`:
`changed_schema` merges `properties` into the bundled ones (null removes a property), and `changed_price` multiplies
every rate by `factor` or merges `pricing` into the bundled one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

_ALL = ("", "/api/")
_GENERATE = ("POST", "/api/ai/")
_QUEUE = ("POST", "/api/ai/queue")
_RECORDS = ("GET", "/api/ai/queue")
_FILES = ("GET", "/api/repos/")
_EVENTS = ("GET", "/api/events")
_CATALOGUE = ("", "/no request/")

# The method and the path prefix that a fault applies to unless its `match` says otherwise.
FAULTS: Mapping[str, tuple[str, str]] = {
    "unauthenticated": _ALL,
    "insufficient_credits": _GENERATE,
    "not_found": _ALL,
    "model_not_found": _GENERATE,
    "update_required": _ALL,
    "rate_limited": _ALL,
    "unknown_error": _ALL,
    "upstream": _ALL,
    "html": _ALL,
    "nested_json": _ALL,
    "empty_200": _QUEUE,
    "lost_reply": _QUEUE,
    "lost_to_proxy": _QUEUE,
    "dropped_connection": _ALL,
    "slow_reply": _QUEUE,
    "changed_ids": _QUEUE,
    "late_listing": _RECORDS,
    "changed_record": _RECORDS,
    "ignored_cancel": ("DELETE", "/api/ai/queue"),
    "stuck": _QUEUE,
    "failed": _QUEUE,
    "interrupted_download": _FILES,
    "slow_download": _FILES,
    "expired_url": _FILES,
    "redirect_result": _FILES,
    "wrong_result": _FILES,
    "endless_result": _FILES,
    "dropped_events": _EVENTS,
    "silent_events": _EVENTS,
    "withdrawn": _CATALOGUE,
    "changed_schema": _CATALOGUE,
    "changed_price": _CATALOGUE,
}


@dataclass
class Fault:
    """A fault that is on, and how many requests it still applies to (None: no limit)."""

    name: str
    times: int | None = None
    match: Mapping[str, str] = field(default_factory=dict[str, str])
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    scope: tuple[str, str] = _ALL

    def applies_to(self, method: str, path: str, model: str | None) -> bool:
        """Return whether the fault affects this request."""
        default_method, default_prefix = self.scope
        return (
            self.times != 0
            and method in (self.match.get("method", default_method).upper() or method)
            and path.startswith(self.match.get("path_prefix", default_prefix))
            and self.match.get("model") in (None, model)
        )


class Faults(list[Fault]):
    """The faults that are on, oldest first."""

    def take(self, request: Request, *names: str) -> Fault | None:
        """Return the fault that applies to a request: from its header, or the first of these names that is on.

        The latter counts as used.
        """
        asked: Fault | None = getattr(request.state, "fault", None)
        if asked is not None and asked.name in names:
            return asked
        method = "GET" if request.method == "HEAD" else request.method
        for fault in self:
            # Not `request.url.path`, which ends at a `#` or `?` in a file name.
            path = getattr(request.state, "route", request.scope["path"])
            if fault.name in names and fault.applies_to(method, path, getattr(request.state, "model", None)):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def to_json(self) -> list[dict[str, Any]]:
        """Return the faults as JSON values."""
        return [{"fault": on.name, "times": on.times, "match": dict(on.match), **on.extra} for on in self]


def parse(text: str, known: Mapping[str, tuple[str, str]] = FAULTS) -> Fault:
    """Parse `NAME` or `NAME:TIMES`; `known` are the faults of a provider.

    Raises:
        ValueError: The name is unknown, or the count is not an integer.
    """
    name, _, times = text.strip().partition(":")
    if name not in known:
        raise ValueError(f"Unknown fault {name!r}. Choose from {', '.join(sorted(known))}.")
    return Fault(name, int(times) if times else None, scope=known[name])
