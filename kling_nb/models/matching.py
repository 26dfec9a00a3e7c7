"""Pure decisions about a lost answer: the entries of a hub's list or history that may be the request's."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kling_nb.models.asset import redact_url, sha256
from kling_nb.models.generation import Generation, from_unix
from kling_nb.models.request import DELIVERY

#: How many seconds before a request was sent an entry of it may be dated: the hub's clock is known to the second.
CLOCK_SKEW = 5.0
#: How many seconds our idea of the hub's clock may be behind: an answer's date is as old as the answer took.
SLOW_ANSWER = 60.0


@dataclass(frozen=True)
class LostRequest:
    """A request whose answer was lost.

    Attributes:
        sent: The body, as the record keeps it.
        since: When it was submitted at the earliest, by the hub's clock.
        until: When it was submitted at the latest.
        wanted: How many equal ones are looked for.
    """

    sent: Mapping[str, Any]
    since: datetime.datetime
    until: datetime.datetime
    wanted: int = 1


@dataclass(frozen=True)
class Found:
    """The hub has these jobs, which may be those that are looked for; the nearest in time first.

    `odd` names another job like them that was not taken, because of its time.
    """

    tickets: tuple[str, ...]
    odd: str = ""


@dataclass(frozen=True)
class Absent:
    """The hub has listed everything that it accepted, and the request is not there."""


@dataclass(frozen=True)
class Undecided:
    """The hub may have accepted the request, for the reason `why`, a sentence for the user."""

    why: str


def matching(listed: Iterable[Generation], lost: LostRequest) -> tuple[list[Generation], str]:
    """Return the entries with the model and parameters of a lost request that were enqueued in its time, nearest first.

    The times are of the hub's clock. Also returns a sentence about an entry of another time: it may be an equal job of
    another user, or the hub's times may be wrong. If one is dated in the future they are, and none is returned.
    """
    earliest, latest = lost.since.timestamp() - CLOCK_SKEW, lost.until.timestamp() + SLOW_ANSWER
    same = [entry for entry in listed if alike(entry.raw, lost.sent)]
    found = [entry for entry in same if earliest <= (entry.enqueued_at or earliest) <= latest]
    found.sort(key=lambda entry: abs((entry.enqueued_at or 0) - lost.since.timestamp()))
    others = [entry for entry in same if entry not in found]
    if not others:
        return found, ""
    dated = from_unix(others[0].enqueued_at)
    odd = f"The hub's queue has a job like this one, but dated {dated:%d %b %H:%M} UTC, when it was not sent."
    return ([] if any((entry.enqueued_at or 0) > latest for entry in others) else found), odd


def alike(echo: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    """Return whether the hub's record of a request may be that of `sent`, or two bodies the same request.

    URLs are compared without their signatures, numbers whether they are text or not, and prompts without regard to
    spaces. A parameter that is not echoed does not count.
    """
    if sent.get("model") not in (echo.get("model_name"), echo.get("model")):
        return False
    for name, value in sent.items():
        if name in DELIVERY or name == "model" or name not in echo:
            continue
        if name == "prompt" and not echo[name] and "multi_prompt" in sent:
            continue  # the echoed prompt of a multi-shot job is open: null or ""
        if echo[name] is None and name != "prompt":
            continue
        if comparable(echo[name]) != comparable(value):
            return False
    return True


def public(value: Any) -> Any:
    """Return a body as a record keeps it: URLs without signatures, data URIs with the hash of their data."""
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


def comparable(value: Any) -> Any:
    """Return a value in the form in which `alike` compares it."""
    match value:
        case str():
            text = " ".join(public(value).split())
            return float(text) if re.fullmatch(r"-?\d{1,9}(\.\d+)?", text) else text
        case list():
            return [comparable(item) for item in value]
        case Mapping():
            return {name: comparable(item) for name, item in value.items() if item not in (None, [])}
        case _:
            return value
