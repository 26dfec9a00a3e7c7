"""What a reader found in a text, and how it is said: never with a key, a password or a signature."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kling_nb.code.choices import GENERATE, QUEUE
from kling_nb.models.urls import without_secrets

LIMIT = 160
_SECRET = re.compile(
    r"(?i)\b(bearer|basic|token)\s+[^\s'\"]{4,}|((?:api[_-]?key|token|secret|passw\w*)['\"]?\s*[:=]\s*)['\"]?[^\s'\",)]{8,}"
)
_USER = re.compile(r"(?<![\w.%+-])[\w.%+-]{1,60}:[^\s/'\"@]{1,200}@(?=[\w.-]+(?:[:/?]|$))")


class Reading(NamedTuple):
    """The fields of a request, and in words what was not understood."""

    fields: dict[str, Any]
    not_understood: list[str]


@dataclass
class Found:
    """A request's body as it was written (None when there is none), and notes on the rest."""

    body: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list[str])


def said(text: str) -> str:
    """Return a text fit to be shown: one line, not long, without what looks like a secret."""
    # An address may have no scheme: `name:password@localhost:3000/api?key=…`
    plain = without_secrets(_USER.sub("", " ".join(text.split())))
    whole = re.sub(r"[\ud800-\udfff]", "\ufffd", plain)
    shown = _SECRET.sub(lambda found: f"{found[1] or found[2]} …", whole)
    return shown if len(shown) <= LIMIT else f"{shown[: LIMIT - 1]}…"


def is_hub(url: str) -> bool:
    """Whether an address is where the hub takes requests, whatever the host."""
    path = url.partition("?")[0].partition("#")[0].rstrip("/")
    return path.endswith((QUEUE, GENERATE, QUEUE.removeprefix("/api"), GENERATE.removeprefix("/api")))


def elsewhere(url: str) -> str:
    """Say that a request was meant for another address."""
    return f"the address {url or '(none)'} is not one where the hub takes requests"
