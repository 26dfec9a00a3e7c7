"""What code can be had: the flavours, the flows, and their names for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Flavour = Literal["kling_nb", "requests", "httpx", "curl", "json"]
Flow = Literal["sync", "poll", "events"]

FLAVOURS: Mapping[Flavour, str] = {
    "kling_nb": "kling_nb",
    "requests": "requests",
    "httpx": "httpx",
    "curl": "cURL",
    "json": "JSON",
}
FLOWS: Mapping[Flow, str] = {"poll": "Queue", "events": "Queue + events", "sync": "One call"}
#: Flavours whose code does not depend on the flow: kling_nb knows how to wait, and a body is a body.
FLOWLESS: frozenset[Flavour] = frozenset({"kling_nb"})

HUB = "https://hub.oxen.ai"
QUEUE, GENERATE = "/api/ai/queue", "/api/ai/videos/generate"
