"""One event loop on one daemon thread owns all waiting, so that jobs go on while cells run and while none does."""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import inspect
import logging
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")
logger = logging.getLogger(__name__)


class BackgroundLoop:
    """An asyncio loop on a thread of its own, started by the first thing that is submitted.

    A process that was forked off starts a loop of its own: a thread does not survive a fork.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._closers: list[Callable[[], Coroutine[Any, Any, None]]] = []

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine on the loop, from any thread, and return its future.

        It runs in an empty context: with the caller's, ipykernel 7 would count every widget message of the job as
        output of the cell that started it, and nbclient drop those that come later.
        """
        loop = self._started()
        return contextvars.Context().run(asyncio.run_coroutine_threadsafe, work, loop)

    def at_stop(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `close()` on the loop before it ends, for a second at most: what opens connections closes them so."""
        self._closers.append(close)

    @property
    def on_loop(self) -> bool:
        """Whether the caller runs on this loop's thread, where waiting for it would wait for ever."""
        return self._thread is threading.current_thread()

    def stop(self, timeout: float = 2.0) -> None:
        """End the loop: its tasks are cancelled and the thread is joined for up to `timeout` seconds."""
        with self._guard:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None or self._pid != os.getpid() or not thread.is_alive():
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout)

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._guard:
            if self._loop is None or self._pid != os.getpid():
                self._pid = os.getpid()
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_serve, args=(self._loop, self._closers), name="kling_nb", daemon=True
                )
                self._thread.start()
                atexit.register(self.stop)
            return self._loop


def interpreter_exits(exc: BaseException) -> bool:
    """Whether a failure only means that the interpreter exits: it runs nothing on threads any more."""
    return isinstance(exc, RuntimeError) and "cannot schedule new futures" in str(exc)


_CLOSE_WITHIN = 1.0
_TURNS = 100


async def _close(closers: list[Callable[[], Coroutine[Any, Any, None]]]) -> None:
    for close in reversed(closers):
        try:
            await close()
        except Exception:
            logger.exception("something did not close")


async def _cancel(loop: asyncio.AbstractEventLoop) -> None:
    for _ in range(
        _TURNS
    ):  # cancelled before its first step, a task of anyio's leaves a coroutine that Python warns of
        tasks = asyncio.all_tasks(loop) - {asyncio.current_task()}
        if not any(_is_new(task) for task in tasks):
            break
        await asyncio.sleep(0)
    tasks = asyncio.all_tasks(loop) - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # transports that were closed are gone a turn later


def _is_new(task: asyncio.Task[Any]) -> bool:
    work = task.get_coro()
    return inspect.iscoroutine(work) and inspect.getcoroutinestate(work) == inspect.CORO_CREATED


def _serve(loop: asyncio.AbstractEventLoop, closers: list[Callable[[], Coroutine[Any, Any, None]]]) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        # What is under way ends first: a request that went on beside its client's end would leave a connection open.
        loop.run_until_complete(_cancel(loop))
        with suppress(TimeoutError):
            loop.run_until_complete(asyncio.wait_for(_close(closers), _CLOSE_WITHIN))
        loop.run_until_complete(_cancel(loop))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


def allow_nested_loops() -> None:
    """Let a cell call `asyncio.run(...)` and `loop.run_until_complete(...)` although the kernel's loop runs.

    Prefers the maintained `nest_asyncio2` where it is importable, else `nest_asyncio`. Raises `ValueError` for a loop
    that cannot be patched, such as uvloop's.
    """
    try:
        import nest_asyncio2 as nest
    except ImportError:
        import nest_asyncio as nest
    try:
        nest.apply(asyncio.get_running_loop())
    except RuntimeError:
        nest.apply()
