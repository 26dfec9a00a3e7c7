"""Values as Python literals, broken over lines as a formatter would, and the choices that the code tab offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Flavour = Literal["kling_nb", "requests", "httpx", "fal_client", "javascript", "curl", "json"]
Flow = Literal["sync", "poll", "events"]

FLAVOURS: Mapping[Flavour, str] = {
    "kling_nb": "kling_nb",
    "requests": "requests",
    "httpx": "httpx",
    "curl": "cURL",
    "json": "JSON",
}
FAL_FLAVOURS: Mapping[Flavour, str] = {
    "kling_nb": "kling_nb",
    "fal_client": "fal_client",
    "javascript": "JavaScript",
    "curl": "cURL",
    "json": "JSON",
}
FLOWS: Mapping[Flow, str] = {"poll": "Queue", "events": "Queue + events", "sync": "One call"}

HUB = "https://hub.oxen.ai"
QUEUE, GENERATE = "/api/ai/queue", "/api/ai/videos/generate"
WIDTH = 80


class Code(str):
    """An expression, which a literal contains without quotes."""

    __slots__ = ()


def literal(value: Any, indent: int = 0, taken: int = 0) -> str:
    """Return the literal of a JSON-like value, broken over lines if it is longer than the width.

    Args:
        value: The value: text, numbers, lists and dictionaries.
        indent: The indent of the line that the literal is on.
        taken: The number of characters before the literal on that line.
    """
    flat = flat_literal(value)
    if indent + taken + len(flat) < WIDTH or not value or not isinstance(value, dict | list | tuple):
        return flat
    inner, outer = " " * (indent + 4), " " * indent
    if isinstance(value, dict):
        items = [f"{quoted(str(key))}: {literal(item, indent + 4, len(str(key)) + 4)}" for key, item in value.items()]
        return "{\n" + "".join(f"{inner}{item},\n" for item in items) + outer + "}"
    return "[\n" + "".join(f"{inner}{literal(item, indent + 4)},\n" for item in value) + outer + "]"


def flat_literal(value: Any) -> str:
    """Return the literal on one line."""
    match value:
        case Code():
            return str(value)
        case str():
            return quoted(value)
        case dict():
            return "{" + ", ".join(f"{quoted(str(key))}: {flat_literal(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(flat_literal, value)) + "]"
        case _:
            return repr(value)


def quoted(text: str) -> str:
    """Return a string literal, in double quotes unless that would need escapes."""
    plain = repr(text)
    return plain if '"' in plain else f'"{plain[1:-1]}"'
