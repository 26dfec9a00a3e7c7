"""Notifies open pages of changes in the logs. It checks only while a page listens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kling_nb.lab.extension import Extension

#: Seconds between two checks of the files, and between two searches for logs.
_LOOK, _KNOWN = 0.15, 0.8

Listener = Callable[[dict[str, Any]], None]


class News:
    """The pages that listen, and the task that checks the logs for them. Used on the server's loop only."""

    def __init__(self, extension: Extension) -> None:
        self._extension = extension
        self._listeners: list[Listener] = []
        self._task: asyncio.Task[None] | None = None
        self._logs: dict[str, dict[str, Any]] = {}

    def add(self, listener: Listener) -> None:
        """Send a listener the state of all logs, and from now on every change."""
        self._listeners.append(listener)
        if self._task is None:
            self._task = asyncio.ensure_future(self._look())
        else:
            listener({"kind": "logs", "logs": list(self._logs.values())})

    def remove(self, listener: Listener) -> None:
        """Remove a listener."""
        if listener in self._listeners:
            self._listeners.remove(listener)
        if not self._listeners and self._task:
            self._task.cancel()
            self._task = None

    def tell(self, news: dict[str, Any]) -> None:
        """Notify all listeners."""
        for listener in list(self._listeners):
            listener(news)

    async def _look(self) -> None:
        seen: dict[str, tuple[int, ...]] | None = None
        reading = self._extension.reading
        known, asked = dict[str, Path](), float("-inf")
        while True:
            if time.monotonic() - asked > _KNOWN:
                notebooks, asked = await self._extension.notebooks(), time.monotonic()
                known = await asyncio.to_thread(reading.logs.known, notebooks)
            now = await asyncio.to_thread(reading.signatures, known)
            if now != seen:
                changed = [name for name in now if (seen or {}).get(name) != now[name]]
                gone = [name for name in self._logs if name not in now]
                seen = now
                await self._read(changed, gone)
            await asyncio.sleep(_LOOK)

    async def _read(self, changed: Iterable[str], gone: Iterable[str]) -> None:
        for name in gone:
            del self._logs[name]
        different = bool(gone) or not self._logs
        for name in changed:
            before = self._logs.get(name)
            self._logs[name] = now = await asyncio.to_thread(self._extension.reading.of_log, name)
            different = different or now != before
            for ended in await asyncio.to_thread(self._extension.reading.ended, name, before, now):
                self.tell({"kind": "ended", "record": ended})
        if different:
            self.tell({"kind": "logs", "logs": [self._logs[name] for name in sorted(self._logs)]})
