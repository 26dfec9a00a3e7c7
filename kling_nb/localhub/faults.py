"""Faults on request: what can go wrong at the hub or on the way to it, switched on by name.

`withdrawn`, `changed_schema` and `changed_price` strike no request: while one is on, the catalogue is another. They
take the model in `match`; `changed_schema` the `properties` that are laid over the bundled ones (null takes one away),
and `changed_price` the `factor` by which every rate is another.
By the switch `--fault NAME[:times]`, by `POST /_local/faults`, or for one request by the header `X-Local-Fault`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["FAULTS", "Fault", "Faults", "parse"]

_ALL = ("", "/api/")
_MAKE = ("POST", "/api/ai/")
_QUEUE = ("POST", "/api/ai/queue")
_FILES = ("GET", "/api/repos/")
_EVENTS = ("GET", "/api/events")
_NONE = ("", "/no request/")

# name -> (method, path prefix) that it strikes unless `match` says otherwise.
FAULTS: Mapping[str, tuple[str, str]] = {
    "unauthenticated": _ALL,
    "insufficient_credits": _MAKE,
    "not_found": _ALL,
    "model_not_found": _MAKE,
    "update_required": _ALL,
    "rate_limited": _ALL,
    "unknown_error": _ALL,
    "upstream": _ALL,
    "html": _ALL,
    "empty_200": _QUEUE,
    "lost_reply": _QUEUE,
    "dropped_connection": _ALL,
    "stuck": _QUEUE,
    "failed": _QUEUE,
    "interrupted_download": _FILES,
    "slow_download": _FILES,
    "expired_url": _FILES,
    "redirect_result": _FILES,
    "dropped_events": _EVENTS,
    "silent_events": _EVENTS,
    "withdrawn": _NONE,
    "changed_schema": _NONE,
    "changed_price": _NONE,
}


@dataclass
class Fault:
    """One fault that is switched on, and how often it still strikes (None: for as long as it is on)."""

    name: str
    times: int | None = None
    match: Mapping[str, str] = field(default_factory=dict[str, str])
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def strikes(self, method: str, path: str, model: str | None) -> bool:
        """Whether the fault is meant for this request."""
        usual_method, usual_prefix = FAULTS[self.name]
        wanted_model = self.match.get("model")
        return (
            self.times != 0
            and method in (self.match.get("method", usual_method).upper() or method)
            and path.startswith(self.match.get("path_prefix", usual_prefix))
            and (wanted_model is None or wanted_model == model)
        )


class Faults:
    """The faults that are on, in the order they were switched on."""

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self._on = [parse(name) for name in names]

    def add(self, fault: Fault) -> None:
        """Switch a fault on."""
        self._on.append(fault)

    def clear(self) -> None:
        """Switch all faults off."""
        self._on.clear()

    def listing(self) -> list[dict[str, Any]]:
        """What is on, as plain values."""
        return [{"fault": on.name, "times": on.times, "match": dict(on.match), **on.extra} for on in self._on]

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._on)

    def take(self, names: frozenset[str], method: str, path: str, model: str | None = None) -> Fault | None:
        """The first fault of these names that strikes the request; it is used up by one."""
        for fault in self._on:
            if fault.name in names and fault.strikes(method, path, model):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def wants_model(self) -> bool:
        """Whether any fault that is on asks for the model of a request."""
        return any("model" in fault.match for fault in self._on)


def parse(text: str) -> Fault:
    """A fault from `NAME` or `NAME:times`; an unknown name is a ValueError that lists the known ones."""
    name, _, times = text.strip().partition(":")
    if name not in FAULTS:
        raise ValueError(f"no such fault: {name!r}; known: {', '.join(sorted(FAULTS))}")
    return Fault(name, int(times) if times else None)
