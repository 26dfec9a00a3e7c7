"""`read_question`: what follows `%kling`, as a verb and its arguments. Pure."""

from __future__ import annotations

import datetime
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from kling_nb.errors import KlingError, did_you_mean

VERBS = ("log", "spending", "hub", "resume")
_AGO = re.compile(r"(\d{1,5})([dhm])\Z")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def read_question(line: str) -> tuple[str, dict[str, Any]]:
    """Return the verb (empty for an empty line) and its keywords. Raises `KlingError` with all that is wrong."""
    try:
        verb, *words = shlex.split(line) or [""]
    except ValueError as exc:
        raise KlingError(f"%kling {line}: {exc}; write texts in a pair of quotation marks") from None
    if verb not in ("", *VERBS):
        raise KlingError(f"%kling {verb}: {did_you_mean(verb, VERBS) or f'give {_listed(VERBS)}'}")
    if verb == "log":
        return verb, _filters(words)
    if verb == "spending" and len(words) <= 1:
        return verb, {"by": words[0]} if words else {}
    if words:
        raise KlingError(f"%kling {verb} takes no {' '.join(words)}")
    return verb, {}


def _filters(words: list[str]) -> dict[str, Any]:
    filters: dict[str, Any] = {}
    free: list[str] = []
    faults: list[str] = []
    for word in words:
        name, sign, value = word.partition("=")
        if not sign:
            free.append(word)
        elif name not in FILTERS:
            faults.append(f"{name}: {did_you_mean(name, FILTERS) or f'filters are {_listed(FILTERS)}'}")
        else:
            try:
                filters[name] = FILTERS[name](value)
            except ValueError as exc:
                faults.append(f"{name}: {exc}")
    if faults:
        raise KlingError("\n".join(["%kling log cannot be read", *(f"  ✗ {fault}" for fault in faults)]))
    return {**filters, **({"text": " ".join(free)} if free else {})}


def _stars(text: str) -> int:
    if text not in ("1", "2", "3", "4", "5"):
        raise ValueError(f"{text!r} is no number of stars; give 1 to 5")
    return int(text)


def _when(text: str) -> datetime.date | datetime.timedelta:
    if ago := _AGO.match(text):
        return datetime.timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no day; give 2026-11-24, or 7d, 12h, 30m ago") from None


FILTERS: Mapping[str, Callable[[str], Any]] = {
    "tag": str,
    "status": str,
    "model": str,
    "notebook": str,
    "plan": str,
    "kind": str,
    "stars": _stars,
    "since": _when,
    "until": _when,
}


def _listed(names: Any) -> str:
    return ", ".join(names)
