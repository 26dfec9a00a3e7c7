"""Worker processes that render clips, so that rendering does not delay the server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

from .inputs import InputError, Refusal, decode_image, read_video

CRASHED = Refusal("Internal Server Error", "internal_server_error")


@dataclass(frozen=True)
class RenderTask:
    """All that a worker needs: the request, its images and the video to edit as files, and the path of the result."""

    body: Mapping[str, Any]
    media_type: str
    images: Mapping[str, str]
    out: str
    size: str = "720p"
    index: int = 0
    video: str | None = None


class Workers:
    """A pool of worker processes, which starts with the first task."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool: ProcessPoolExecutor | None = None

    async def render(self, task: RenderTask) -> Refusal | None:
        """Render a task; return None, or why it failed."""
        for _ in range(2):
            if self._pool is None:
                self._pool = ProcessPoolExecutor(self._count, mp_context=get_context("spawn"), initializer=_initialize)
            pool = self._pool
            try:
                return await asyncio.get_running_loop().run_in_executor(pool, render, task)
            except BrokenProcessPool:
                if self._pool is pool:  # else another task has replaced it
                    self.close()
        return CRASHED

    def close(self) -> None:
        """End the workers immediately; the next start renders their unfinished clips again."""
        if self._pool is None:
            return
        pool, self._pool = self._pool, None
        processes = list((pool._processes or {}).values())  # there is no public way to end a busy worker
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()


def render(task: RenderTask) -> Refusal | None:
    """Render a task in this process; return None, or why it failed."""
    from . import animatic  # imported in the worker only: the server needs no codec

    try:
        images = {url: decode_image(Path(path).read_bytes(), url) for url, path in task.images.items()}
        video = read_video(Path(task.video)) if task.video else None
    except InputError as exc:
        return exc.refusal
    out = Path(task.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        if task.media_type == "image":
            animatic.write_image(part, task.body, images, size=task.size, index=task.index)
        else:
            animatic.write_video(part, task.body, images, size=task.size, index=task.index, edited=video)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return None


def _initialize() -> None:
    with contextlib.suppress(OSError, AttributeError):
        os.nice(15)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    # A killed hub cannot stop its workers, and idle workers would wait for tasks forever.
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
