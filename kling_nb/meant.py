"""What was probably meant by a name that there is not."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `did you mean …?` with the nearest of the known names; nothing when none is near."""
    near = get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]}?" if near else ""


def there_are(name: str, known: Iterable[str]) -> str:
    """Return all the known names, and with them which was probably meant: `there are key, hub; did you mean key?`."""
    meant, every = did_you_mean(name, known), f"there are {', '.join(known)}"
    return f"{every}; {meant}" if meant else every
