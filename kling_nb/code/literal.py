"""Values as Python literals, broken over lines as a formatter would."""

from __future__ import annotations

from typing import Any

WIDTH = 80


class Code(str):
    """Text that stands in a literal as it is: an expression, not a string."""

    __slots__ = ()


def literal(value: Any, indent: int = 0, taken: int = 0) -> str:
    """Return the literal of a JSON-like value, broken over lines when it is longer than the width.

    `indent` is that of the line it stands on, `taken` what stands before it there.
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
