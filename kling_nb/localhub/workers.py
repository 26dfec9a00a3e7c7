"""Rendering apart from serving: a pool of worker processes, so that a film never stalls a status call."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

__all__ = ["Order", "Renders", "make"]


@dataclass(frozen=True)
class Order:
    """Everything a worker needs: the request, its pictures and the video it edits as files, where the result goes."""

    body: Mapping[str, Any]
    media_type: str
    pictures: Mapping[str, str]
    out: str
    size: str = "720p"
    index: int = 0
    video: str | None = None


class Renders:
    """The worker processes, started when the first order comes."""

    def __init__(self, workers: int = 2) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    async def make(self, order: Order) -> str | None:
        """Render the order; the result is None, or the upstream's message of what was wrong with it."""
        return await asyncio.get_running_loop().run_in_executor(self._started(), make, order)

    def close(self) -> None:
        """End the workers without waiting for what they are at: an unfinished film is made again at the next start."""
        if self._pool is None:
            return
        processes = list((self._pool._processes or {}).values())  # no public way to end a busy worker
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self._workers, mp_context=get_context("spawn"), initializer=_begin)
        return self._pool


def make(order: Order) -> str | None:
    """Render one order in this process."""
    from . import animatic, inputs  # imported in the worker only: the server needs no codec

    try:
        images = inputs.opened(order.body, order.pictures)
        edited = inputs.footage_of(Path(order.video)) if order.video else None
    except inputs.BadPicture as fault:
        return str(fault)
    out = Path(order.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        if order.media_type == "image":
            animatic.write_image(part, order.body, images, size=order.size, index=order.index)
        else:
            animatic.write_video(part, order.body, images, size=order.size, index=order.index, edited=edited)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return None


def _begin() -> None:
    with contextlib.suppress(OSError, AttributeError):
        os.nice(15)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A hub that was killed cannot stop its workers, and an idle worker would wait for orders for ever.
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
