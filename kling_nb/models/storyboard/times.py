"""Times in shot lists: clock times, ranges and lengths as people write them, and durations that add up."""

from __future__ import annotations

import re
from collections.abc import Sequence

UNIT = r"(?:seconds?|secs?\.?|s|秒钟?)(?![A-Za-z0-9])"
CLOCK = r"(?:\d{1,2}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?|\d{1,3}(?:\.\d+)?"
RANGE = rf"({CLOCK})[ \t]*({UNIT})?[ \t]*(?:-->|-|–|—|~|→|to|until|till|至|到)[ \t]*({CLOCK})[ \t]*({UNIT})?"
_ABOUT = r"(?:(?:duration|length|time|timing|approx\.?|about|ca\.?)\s*:?\s*)?[~≈]?[ \t]*"
_LENGTH = rf"{_ABOUT}(\d{{1,3}}(?:\.\d+)?)[ \t]*(?:-[ \t]*)?{UNIT}"
_OPEN, _CLOSE = r"[\[(（【]\s*", r"\s*[\])）】]"

#: The places where a shot's block may give its time, in the order in which they are tried. A match is removed.
_RANGES = (
    re.compile(
        rf"^[\s|,:：–—-]*(?:{_OPEN})?{_ABOUT}{RANGE}(?:{_CLOSE})?(?=\s*(?:[|,:：;–—\n*_-]|$)|\s)", re.IGNORECASE
    ),
    re.compile(rf"{_OPEN}{_ABOUT}{RANGE}{_CLOSE}", re.IGNORECASE),
    re.compile(
        rf"(?:^|\n|[|;])[ \t>*_-]*(?:duration|length|time(?:code)?|timing)\**\s*[:：=]\**\s*{RANGE}[ \t*.]*(?=$"
        rf"|\n|[|;])",
        re.IGNORECASE,
    ),
)
_LENGTHS = (
    re.compile(rf"^[\s|,:：–—-]*{_OPEN}{_LENGTH}{_CLOSE}", re.IGNORECASE),
    re.compile(rf"^[\s|,:：–—-]*{_LENGTH}(?=\s*(?:[|,:：;–—\n-]|$))", re.IGNORECASE),
    re.compile(rf"{_OPEN}{_LENGTH}{_CLOSE}", re.IGNORECASE),
    re.compile(
        rf"(?:^|\n|[|;])[ \t>*_-]*(?:duration|length|time|timing"
        rf"|seconds)\**\s*[:：=]\**\s*[~≈]?[ \t]*(\d{{1,3}}(?:\.\d+)?)"
        rf"[ \t]*(?:{UNIT})?[ \t*.]*(?=$|\n|[|;])",
        re.IGNORECASE,
    ),
    re.compile(rf"(?<=[|–—,，、])[ \t]*{_LENGTH}[ \t。.]*(?=[|–—]|\n|$)", re.IGNORECASE),
    re.compile(rf"[ \t]-[ \t]+{_LENGTH}[ \t]*(?=\n|$|[ \t]-[ \t])", re.IGNORECASE),
)


def seconds(clock: str) -> float:
    """Return a clock time in seconds: `0:03`, `00:00:03,500` or `3.5`."""
    total = 0.0
    for part in clock.replace(",", ".").split(":"):
        total = total * 60 + float(part)
    return total


def is_range(found: Sequence[str | None], *, bracketed: bool) -> bool:
    """Return whether the groups of `RANGE` are a range of time: `0-3s` and `[0-3]` are, `5-10` people are not."""
    begin, unit, until, last_unit = found[:4]
    timed = bool(unit or last_unit or bracketed or ":" in str(begin) or ":" in str(until))
    return bool(begin and until) and timed and seconds(str(until)) > seconds(str(begin))


def take_time(text: str) -> tuple[str, float | None, float | None]:
    """Return the text of a shot without its time, the length in seconds, and the second at which it begins."""
    for pattern in _RANGES:
        found = pattern.search(text)
        if found and is_range(found.groups(), bracketed=found[0].strip()[:1] in "[(（【" or ":" in found[0]):
            begin = seconds(found[1])
            return _without(text, found), seconds(found[3]) - begin, begin
    for pattern in _LENGTHS:
        if (found := pattern.search(text)) and float(found[1]) > 0:
            return _without(text, found), float(found[1]), None
    return text, None, None


def _without(text: str, found: re.Match[str]) -> str:
    before, after = text[: found.start()].rstrip(" \t|,;，、–—-"), text[found.end() :].lstrip(" \t|,;:：–—-")
    gap = "\n" if "\n" in found[0] else " "
    return f"{before}{gap}{after}".strip(" \t") if before and after else before or after


def allot(given: Sequence[float | None], natural: Sequence[float], total: int) -> list[int]:
    """Return whole seconds for each shot, at least one, that add up to `total`.

    Lengths that are given are kept if they fit; shots without one share the rest by their `natural` length.
    """
    known = sum(length or 0 for length in given)
    missing = [index for index, length in enumerate(given) if length is None]
    if missing and total - known >= len(missing):
        weight = sum(natural[index] for index in missing)
        shares = [
            (total - known) * natural[index] / weight if length is None else length
            for index, length in enumerate(given)
        ]
    else:
        parts = [natural[index] if length is None else length for index, length in enumerate(given)]
        shares = [part * total / sum(parts) for part in parts]
    whole = [max(1, int(share + 1e-9)) for share in shares]
    by_rest = sorted(range(len(shares)), key=lambda index: whole[index] - shares[index])
    for index in by_rest[: max(0, total - sum(whole))]:
        whole[index] += 1
    while (over := sum(whole) - total) > 0 and max(whole) > 1:
        longest = max(
            range(len(whole)),
            key=lambda index: (whole[index] - shares[index], whole[index]) if whole[index] > 1 else (-1e9, 0),
        )
        whole[longest] -= min(over, 1)
    while sum(whole) < total:
        shortest = min(range(len(whole)), key=lambda index: whole[index] - shares[index])
        whole[shortest] += 1
    return whole
