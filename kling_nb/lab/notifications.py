"""Notifies open pages of changes in the logs. It checks only while a page listens."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kling_nb.lab.extension import Extension

_log = logging.getLogger(__name__)
#: Seconds between two checks of the files, between two searches for logs, and during which changes are collected.
_LOOK, _KNOWN, _TOGETHER = 0.15, 0.8, 0.02

Listener = Callable[[dict[str, Any]], None]


class Notifications:
    """The pages that listen, and the task that checks the logs for them. Used on the server's loop only.

    Each log that has changed is read by its own task: a team's database that does not answer delays no other log.
    """

    def __init__(self, extension: Extension) -> None:
        self._extension = extension
        self._listeners: list[Listener] = []
        self._task: asyncio.Task[None] | None = None
        self._reads: dict[str, asyncio.Task[None]] = {}
        self._logs: dict[str, dict[str, Any]] = {}
        self._telling: asyncio.TimerHandle | None = None

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
            for task in (self._task, *self._reads.values()):
                task.cancel()
            self._task = None
            self._reads.clear()

    def tell(self, news: dict[str, Any]) -> None:
        """Notify all listeners."""
        for listener in list(self._listeners):
            listener(news)

    async def _look(self) -> None:
        seen: dict[str, tuple[int, ...]] = {}
        queries = self._extension.queries
        known, asked = dict[str, Path](), float("-inf")
        told = False
        while True:
            if time.monotonic() - asked > _KNOWN:
                notebooks, asked = await self._extension.notebooks(), time.monotonic()
                known = await asyncio.to_thread(queries.logs.known, notebooks)
            now = await asyncio.to_thread(queries.signatures, known)
            if gone := self._logs.keys() - now.keys():
                for name in gone:
                    del self._logs[name]
                self._tell_soon()
            seen = {name: value for name, value in seen.items() if name in now}
            for name, value in now.items():
                # A log whose last change is still being read is seen to have changed again afterwards.
                if seen.get(name) != value and name not in self._reads:
                    seen[name] = value
                    self._begin_reading(name)
            if not (now or told):
                self._tell_soon()
            told = True
            await asyncio.sleep(_LOOK)

    def _begin_reading(self, name: str) -> None:
        task = self._reads[name] = asyncio.ensure_future(self._read(name))

        def done(task: asyncio.Task[None]) -> None:
            if self._reads.get(name) is task:
                del self._reads[name]
            if not task.cancelled() and (exc := task.exception()):
                _log.error("kling_nb cannot read the log %s", name, exc_info=exc)

        task.add_done_callback(done)

    async def _read(self, name: str) -> None:
        before = self._logs.get(name)
        self._logs[name] = now = await asyncio.to_thread(self._extension.queries.of_log, name)
        for ended in await asyncio.to_thread(self._extension.queries.ended, name, before, now):
            self.tell({"kind": "ended", "record": ended})
        if now != before:
            self._tell_soon()

    def _tell_soon(self) -> None:
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(_TOGETHER, self._tell_logs)

    def _tell_logs(self) -> None:
        self._telling = None
        self.tell({"kind": "logs", "logs": [self._logs[name] for name in sorted(self._logs)]})
