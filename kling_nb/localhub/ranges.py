"""HTTP Range as a pure decision (RFC 9110 section 14): a player cannot seek without it."""

from __future__ import annotations

import re

__all__ = ["UNSATISFIABLE", "chosen"]

UNSATISFIABLE = "unsatisfiable"
_ONE = re.compile(r"bytes=(\d*)-(\d*)")


def chosen(header: str | None, size: int) -> tuple[int, int] | str | None:
    """First and last byte asked for; None for the whole; `UNSATISFIABLE` when nothing of it is there."""
    match = _ONE.fullmatch(header.replace(" ", "")) if header else None
    if match is None or match.groups() == ("", ""):
        return None  # several ranges, or another unit: the whole is a legal answer
    first, last = match.groups()
    if not first:
        return UNSATISFIABLE if int(last) == 0 or size == 0 else (max(0, size - int(last)), size - 1)
    start, end = int(first), min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return None
    return UNSATISFIABLE if start >= size else (start, end)
