"""Lets one press of a button start one job, however often it arrives."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

#: Two presses with the same draft within this many seconds are one double click.
DOUBLE = 1.0


class PressGuard:
    """Remembers presses: `admit` is true once for each, and never while another is being carried out."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: deque[str] = deque(maxlen=100)
        self._last: tuple[str, Mapping[str, Any]] | None = None
        self._ended = float("-inf")
        self._busy = False

    def admit(self, press: str, what: str, draft: Mapping[str, Any]) -> bool:
        """Whether this press is to be carried out; if so, `release` must follow."""
        same = (what, {name: value for name, value in draft.items() if name != "edit"})
        with self._lock:
            recent = self._clock() - self._ended < DOUBLE
            if self._busy or press in self._seen or (recent and same == self._last):
                return False
            self._seen.append(press)
            self._last, self._busy = same, True
            return True

    def release(self, *, asked: bool = False) -> None:
        """The press was carried out, well or not; one that was only answered by a question is no half of a double."""
        with self._lock:
            self._busy, self._ended = False, self._clock()
            if asked:
                self._last = None
