"""Worker processes that survive the scorers that they run. Each runs one scorer at a time, with a timeout.

Each worker is a pool of one process (loky: it sends functions that are defined in a notebook's cells, and starts
processes without a fork beside running threads). So a timeout counts from the start of the scorer, and a worker that
hangs or dies is replaced alone.
"""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, field
from typing import Any

from kling_nb.errors import KlingError
from kling_nb.models.record import Record
from kling_nb.scoring.footage import RequestInfo
from kling_nb.scoring.measure import Measure, measure
from kling_nb.scoring.registry import Scorer

#: One thread for each worker: there are as many workers as cores.
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}


@dataclass(frozen=True)
class Task:
    """A clip's file, its request and record, and the scorers to run on it."""

    path: str
    info: RequestInfo
    scorers: Sequence[Scorer]
    record: Record


def run_scorers(tasks: Sequence[Task], *, workers: int, timeout: float) -> Generator[tuple[Task, Scorer, Measure]]:
    """Yield every result as it comes, in any order. Leaving the loop early ends all workers.

    Raises:
        KlingError: loky is not installed.
    """
    executor_type()
    waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
    results: queue.SimpleQueue[tuple[Task, Scorer, Measure] | Exception] = queue.SimpleQueue()
    for task in tasks:
        waiting.put(task)
    team = [Worker(waiting, results, timeout) for _ in range(min(workers, len(tasks)))]
    threads = [threading.Thread(target=worker.run, name="kling_nb scoring", daemon=True) for worker in team]
    try:
        for thread in threads:
            thread.start()
        for _ in range(sum(len(task.scorers) for task in tasks)):
            result = results.get()
            if isinstance(result, Exception):
                raise result
            yield result
    finally:
        for worker in team:
            worker.stop()
        for thread in threads:
            thread.join()


@dataclass
class Worker:
    """A worker process and the thread that waits for it."""

    waiting: queue.SimpleQueue[Task]
    results: queue.SimpleQueue[Any]
    timeout: float
    _stopped: bool = False
    _executor: Any = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """Run tasks until there are none."""
        try:
            while not self._stopped:
                task = self.waiting.get_nowait()
                for scorer in task.scorers:
                    if not self._stopped:
                        self.results.put((task, scorer, self._measure(scorer, task)))
        except queue.Empty:
            pass
        except Exception as exc:  # noqa: BLE001 - an error of ours, not of a scorer: the waiting cell raises it
            self.results.put(exc)
        finally:
            self._end()

    def stop(self) -> None:
        """Start nothing more and end the process."""
        with self._lock:
            self._stopped = True
        self._end()

    def _measure(self, scorer: Scorer, task: Task) -> Measure:
        try:
            future = self._ready().submit(measure, scorer, task.path, task.info)
            return future.result(self.timeout)
        except TimeoutError:
            self._end()
            return Measure(None, f"it took longer than {self.timeout:g} s", failed=True)
        except BrokenExecutor:
            self._end()
            return Measure(None, "its process died", failed=True)
        except Exception as exc:  # noqa: BLE001 - a function can fail to be sent with any error
            return Measure(None, f"it cannot be run in another process: {exc}"[:300], failed=True)

    def _ready(self) -> Any:
        """Return the executor of a started process, so that its start does not count as the scorer's time."""
        with self._lock:
            if self._stopped:  # a process that is started now would never be ended
                raise BrokenExecutor
            if self._executor is None:
                self._executor = executor_type()(max_workers=1, initializer=_ignore_interrupts, env=_ENVIRONMENT)
            executor = self._executor
        executor.submit(_nothing).result()
        return executor

    def _end(self) -> None:
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=False, kill_workers=True)


def executor_type() -> Callable[..., Any]:
    """Return loky's executor.

    Raises:
        KlingError: loky is not installed.
    """
    try:
        from loky import ProcessPoolExecutor
    except ImportError as exc:
        raise KlingError("Scoring needs the extra metrics: pip install 'kling-nb[metrics]'.") from exc
    return ProcessPoolExecutor


def _ignore_interrupts() -> None:
    # Jupyter interrupts the whole process group; the kernel ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _nothing() -> None:
    pass
