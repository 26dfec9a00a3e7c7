"""The result of reading pasted code. Its notes never show a key, a password or a signature."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kling_nb.code.literal import GENERATE, QUEUE
from kling_nb.models.urls import redact_secrets

LIMIT = 160
_SECRET = re.compile(r"(?i)\b(basic|token)\s+[^\s'\"]{4,}|(\b(?:api[_-]?key|token|secret|passw\w*)=)[^\s'\",)]{8,}")
#: A key of fal.ai: an id and a secret.
_FAL_KEY = re.compile(r"(?i)\b(?:key\s+[\w-]{6,}:[\w-]{6,}|[0-9a-f]{8}-[0-9a-f-]{27}:[0-9a-f]{16,})")
_FAL_URL = re.compile(r"(?:^|/)(?:queue\.)?fal(?:\.run|run\.com)/([\w.-]+(?:/[\w.-]+)+)/?(?:[?#]|\Z)")
_USER = re.compile(r"(?<![\w.%+-])[\w.%+-]{1,60}:[^\s/'\"@]{1,200}@(?=[\w.-]+(?:[:/?]|$))")


class Reading(NamedTuple):
    """The fields of a request, and a note on each part of the text that was not understood."""

    fields: dict[str, Any]
    not_understood: list[str]


@dataclass
class Found:
    """A request's body as written (None if there is none), and notes on the rest.

    `endpoint` is that of fal.ai, whose requests name the model in the address instead of the body.
    """

    body: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list[str])
    endpoint: str = ""


def presentable(note: str) -> str:
    """Return a note as one short line without anything that looks like a secret."""
    # A URL may have no scheme: `name:password@localhost:3000/api?key=…`
    plain = redact_secrets(_USER.sub("", _FAL_KEY.sub("Key …", " ".join(note.split()))))
    plain = re.sub(r"[\ud800-\udfff]", "\ufffd", plain)
    plain = _SECRET.sub(lambda found: f"{found[1] or found[2]} …", plain)
    return plain if len(plain) <= LIMIT else f"{plain[: LIMIT - 1]}…"


def is_hub(url: str) -> bool:
    """Whether a URL is where Oxen's hub accepts requests, on any host, or fal.ai."""
    if endpoint_in(url):
        return True
    path = re.split(r"[?#]", url, maxsplit=1)[0].rstrip("/")
    return path.endswith((QUEUE, GENERATE, QUEUE.removeprefix("/api"), GENERATE.removeprefix("/api")))


def endpoint_in(url: str) -> str:
    """Return fal's endpoint in the URL of a submit, or an empty text."""
    found = _FAL_URL.search(url.removeprefix("https://"))
    return found[1] if found and "/requests/" not in found[1] else ""


def wrong_address(url: str) -> str:
    """Return the note on a request to another URL than the hub's."""
    return f"not an address of the hub: {url or 'the URL is not in the text'}"
