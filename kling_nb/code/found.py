"""The result of reading pasted code. Its notes never show a key, a password or a signature."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kling_nb.code.literal import GENERATE, QUEUE
from kling_nb.models.urls import redact_secrets

LIMIT = 160
_SECRET = re.compile(r"(?i)\b(basic|token)\s+[^\s'\"]{4,}|(\b(?:api[_-]?key|token|secret|passw\w*)=)[^\s'\",)]{8,}")
_USER = re.compile(r"(?<![\w.%+-])[\w.%+-]{1,60}:[^\s/'\"@]{1,200}@(?=[\w.-]+(?:[:/?]|$))")


class Reading(NamedTuple):
    """The fields of a request, and a note on each part of the text that was not understood."""

    fields: dict[str, Any]
    not_understood: list[str]


@dataclass
class Found:
    """A request's body as written (None if there is none), and notes on the rest."""

    body: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list[str])


def presentable(note: str) -> str:
    """Return a note as one short line without anything that looks like a secret."""
    # A URL may have no scheme: `name:password@localhost:3000/api?key=…`
    plain = redact_secrets(_USER.sub("", " ".join(note.split())))
    plain = re.sub(r"[\ud800-\udfff]", "\ufffd", plain)
    plain = _SECRET.sub(lambda found: f"{found[1] or found[2]} …", plain)
    return plain if len(plain) <= LIMIT else f"{plain[: LIMIT - 1]}…"


def is_hub(url: str) -> bool:
    """Whether a URL is where the hub accepts requests, on any host."""
    path = re.split(r"[?#]", url, maxsplit=1)[0].rstrip("/")
    return path.endswith((QUEUE, GENERATE, QUEUE.removeprefix("/api"), GENERATE.removeprefix("/api")))


def wrong_address(url: str) -> str:
    """Return the note on a request to another URL than the hub's."""
    return f"not an address of the hub: {url or 'the URL is not in the text'}"
