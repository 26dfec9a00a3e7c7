"""`Embed`: when a clip is put into an output itself, as a data URI, instead of a link to its file. Pure.

A link costs the notebook nothing and survives in one that is not trusted, where an embedded clip may be taken out. A
data URI shows where links lead nowhere, and costs the notebook 1.33 bytes for each byte of the clip.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from kling_nb.errors import SettingsError
from kling_nb.models.frontend import Frontend

MEGABYTE = 1_000_000
#: What one output embeds at most, in megabytes: where links cannot work, and when all is to be embedded. A browser
#: takes about 2 s to show the first, 8 s for the second.
CAP, LARGEST = 10.0, 50.0


class Film(NamedTuple):
    """A clip as a page can show it: what plays it, what opens its file, and what its viewer should know."""

    src: str | None = None
    href: str | None = None
    hint: str = ""


@dataclass(frozen=True)
class Embed:
    """The user's word: `auto` (where links cannot work), `never` or `always`; at most `cap` megabytes an output."""

    mode: str = "auto"
    cap: float = CAP

    @classmethod
    def parse(cls, value: Any) -> Embed:
        """Read `"auto"`, `"never"`, `"always"`, or megabytes: always, up to so many. Raises `SettingsError`."""
        match value:
            case None | "auto":
                return cls()
            case "never":
                return cls("never")
            case "always":
                return cls("always", LARGEST)
            case int() | float() if not isinstance(value, bool) and math.isfinite(value) and value > 0:
                return cls("always", float(value))
            case _:
                raise SettingsError(
                    f"embed is {value!r}, which says nothing: give 'auto', 'never', 'always', or the megabytes that "
                    "one output may embed (kn.options.embed = 20)"
                )

    @property
    def value(self) -> str | float:
        """The same as `parse` reads it."""
        return self.cap if self.mode == "always" and self.cap != LARGEST else self.mode

    def wanted(self, frontend: Frontend) -> bool:
        """Whether clips are to be embedded there at all."""
        return self.mode == "always" or (self.mode == "auto" and frontend.embeds)

    def chosen(self, sizes: Sequence[int | None], frontend: Frontend) -> list[bool]:
        """Return which of one output's clips are embedded, by their sizes in bytes (None: not there), first come."""
        left = self.cap * MEGABYTE if self.wanted(frontend) else -1.0
        chosen: list[bool] = []
        for size in sizes:
            chosen.append(size is not None and size <= left)
            left -= size or 0 if chosen[-1] else 0
        return chosen
