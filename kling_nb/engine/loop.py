"""`BackgroundLoop`: one event loop on a daemon thread, so that jobs continue while cells run and while none does."""

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
    """An asyncio loop on its own thread, started by the first `submit`.

    A forked process starts its own loop: a thread does not survive a fork.
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
        output of the cell that started it, and nbclient would drop those that come later.
        """
        with self._guard:
            if self._loop is None or self._pid != os.getpid():
                self._pid = os.getpid()
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._run, args=(self._loop,), name="kling_nb", daemon=True)
                self._thread.start()
                atexit.register(self.stop)
            loop = self._loop
        return contextvars.Context().run(asyncio.run_coroutine_threadsafe, work, loop)

    def at_stop(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `close()` on the loop before it stops, for up to a second, to close connections."""
        self._closers.append(close)

    @property
    def on_loop(self) -> bool:
        """Whether the caller runs on this loop's thread, where waiting for the loop would never end."""
        return self._thread is threading.current_thread()

    def stop(self, timeout: float = 2.0) -> None:
        """Stop the loop: cancel its tasks and join the thread for up to `timeout` seconds."""
        with self._guard:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None or self._pid != os.getpid() or not thread.is_alive():
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            # Running tasks end first: a request that outlived its client would leave a connection open.
            loop.run_until_complete(_cancel_tasks())
            with suppress(TimeoutError):
                loop.run_until_complete(asyncio.wait_for(self._close(), 1.0))
            loop.run_until_complete(_cancel_tasks())
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()

    async def _close(self) -> None:
        for close in reversed(self._closers):
            try:
                await close()
            except Exception:
                logger.exception("closing failed")


async def _cancel_tasks() -> None:
    def others() -> set[asyncio.Task[Any]]:
        return asyncio.all_tasks() - {asyncio.current_task()}

    def is_new(task: asyncio.Task[Any]) -> bool:
        work = task.get_coro()
        return inspect.iscoroutine(work) and inspect.getcoroutinestate(work) == inspect.CORO_CREATED

    for _ in range(100):  # a task of anyio's that is cancelled before its first step causes a warning
        if not any(map(is_new, others())):
            break
        await asyncio.sleep(0)
    tasks = others()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # closed transports are gone a turn later


def interpreter_exits(exc: BaseException) -> bool:
    """Whether a failure only means that the interpreter exits, and no longer runs work on threads."""
    return isinstance(exc, RuntimeError) and "cannot schedule new futures" in str(exc)


def allow_nested_loops() -> None:
    """Allow `asyncio.run(...)` and `loop.run_until_complete(...)` in a cell, although the kernel's loop is running.

    For your own code; kling_nb does not need it. Uses `nest_asyncio2` if it is installed, else `nest_asyncio`.

    Raises:
        ValueError: The loop cannot be patched, such as uvloop's.
    """
    try:
        import nest_asyncio2 as nest
    except ImportError:
        import nest_asyncio as nest
    try:
        nest.apply(asyncio.get_running_loop())
    except RuntimeError:
        nest.apply()
