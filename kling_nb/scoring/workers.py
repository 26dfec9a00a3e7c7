"""Worker processes that survive what they run: each does one thing at a time, within a time limit.

Each lane is a pool of one process (loky: it takes functions of a notebook's cells along, and starts workers afresh
rather than forked beside running threads). So a limit counts from the moment the work begins, and a worker that hangs
or dies is replaced without anything else being lost.
"""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import BrokenExecutor
from concurrent.futures import TimeoutError as TooLong
from dataclasses import dataclass, field
from typing import Any

from kling_nb.errors import KlingError
from kling_nb.scoring.footage import Asked
from kling_nb.scoring.measure import Measure, measured
from kling_nb.scoring.registry import Scorer

#: One thread for each worker: there are as many workers as cores.
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}


@dataclass(frozen=True)
class Work:
    """A clip and the scorers that are to look at it; `about` is handed back with each answer."""

    path: str
    asked: Asked
    scorers: Sequence[Scorer]
    about: Any


def carried_out(works: Sequence[Work], *, lanes: int, timeout: float) -> Generator[tuple[Work, Scorer, Measure]]:
    """Yield every answer as it comes, in any order. Leaving the loop early ends all workers.

    Raises `KlingError` without the library.
    """
    executor_type()
    waiting: queue.SimpleQueue[Work] = queue.SimpleQueue()
    answers: queue.SimpleQueue[tuple[Work, Scorer, Measure] | Exception] = queue.SimpleQueue()
    for work in works:
        waiting.put(work)
    team = [Lane(waiting, answers, timeout) for _ in range(min(lanes, len(works)))]
    threads = [threading.Thread(target=lane.go, name="kling_nb scoring", daemon=True) for lane in team]
    try:
        for thread in threads:
            thread.start()
        for _ in range(sum(len(work.scorers) for work in works)):
            answer = answers.get()
            if isinstance(answer, Exception):
                raise answer
            yield answer
    finally:
        for lane in team:
            lane.stop()
        for thread in threads:
            thread.join()


@dataclass
class Lane:
    """One worker process and the thread that waits on it."""

    waiting: queue.SimpleQueue[Work]
    answers: queue.SimpleQueue[Any]
    seconds: float
    _stopped: bool = False
    _executor: Any = None
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def go(self) -> None:
        """Take clips until there are none."""
        try:
            while not self._stopped:
                work = self.waiting.get_nowait()
                for scorer in work.scorers:
                    if not self._stopped:
                        self.answers.put((work, scorer, self._answer(scorer, work)))
        except queue.Empty:
            pass
        except Exception as exc:  # noqa: BLE001 - ours, not a scorer's: the cell that waits is to know
            self.answers.put(exc)
        finally:
            self._end()

    def stop(self) -> None:
        """Begin nothing more and end the worker."""
        with self._guard:
            self._stopped = True
        self._end()

    def _answer(self, scorer: Scorer, work: Work) -> Measure:
        try:
            future = self._ready().submit(measured, scorer, work.path, work.asked)
            return future.result(self.seconds)
        except TooLong:
            self._end()
            return Measure(None, f"it took longer than {self.seconds:g} s", failed=True)
        except BrokenExecutor:
            self._end()
            return Measure(None, "its process died", failed=True)
        except Exception as exc:  # noqa: BLE001 - what keeps a function from being sent can be anything
            return Measure(None, f"it cannot be run in another process: {exc}"[:300], failed=True)

    def _ready(self) -> Any:
        """The worker, begun and warm: what it takes to begin is no scorer's time."""
        with self._guard:
            if self._stopped:  # else a worker would be begun that nobody ends
                raise BrokenExecutor
            if self._executor is None:
                self._executor = executor_type()(max_workers=1, initializer=_deaf, env=_ENVIRONMENT)
            executor = self._executor
        executor.submit(_nothing).result()
        return executor

    def _end(self) -> None:
        with self._guard:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=False, kill_workers=True)


def executor_type() -> Callable[..., Any]:
    """Return loky's executor. Raises `KlingError` without it."""
    try:
        from loky import ProcessPoolExecutor
    except ImportError as exc:
        raise KlingError("kn.score needs the extra metrics: pip install 'kling-nb[metrics]'") from exc
    return ProcessPoolExecutor


def _deaf() -> None:
    # Jupyter interrupts the whole process group; the kernel is told, and ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _nothing() -> None:
    pass
