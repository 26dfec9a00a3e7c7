"""Holds a stream of updates to a few messages a second; the last one is always sent."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

#: The server drops messages above 1,000 in a second, the last ones too (JUPYTER.md section 3).
INTERVAL = 0.125


class Throttle:
    """Call it when something has changed; it calls `send` at once, or a little later and once for many changes.

    Late sends are set on the event loop that runs in the calling thread (the engine's). Where there is none, every
    change is sent at once. `lock` is held while `send` runs, so that the last message is the last state: whoever calls
    with a lock held that `send` takes, too, gives that very one. Two would be taken in both orders, by two threads.
    """

    def __init__(
        self,
        send: Callable[[], None],
        *,
        interval: float = INTERVAL,
        clock: Callable[[], float] = time.monotonic,
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:
        self._send, self._interval, self._clock = send, interval, clock
        self._lock = lock or threading.RLock()
        self._last = float("-inf")
        self._waiting = False

    def __call__(self) -> None:
        """Something has changed."""
        with self._lock:
            if self._waiting:
                return
            wait = self._last + self._interval - self._clock()
            loop = _loop_here()
            if wait > 0 and loop is not None:
                self._waiting = True
                loop.call_later(wait, self.flush)
                return
            self.flush()

    def flush(self) -> None:
        """Send now."""
        with self._lock:
            self._waiting = False
            self._last = self._clock()
            self._send()


def _loop_here() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
