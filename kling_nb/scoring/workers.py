"""Clips scored by an executor: threads of this process, or the workers of a cluster. A clip is one task.

On either side each scorer runs in a `ScorerProcess`, so one that hangs, dies or prints affects nothing else.
"""

from __future__ import annotations

import atexit
import contextlib
import pickle
import tempfile
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from kling_nb import __version__
from kling_nb.models.record import Record
from kling_nb.scoring.footage import RequestInfo
from kling_nb.scoring.measure import Measure
from kling_nb.scoring.process import ScorerProcess, pack
from kling_nb.scoring.registry import Scorer


@dataclass(frozen=True)
class Task:
    """A clip's file, its request and record, and the scorers to run on it."""

    path: str
    info: RequestInfo
    scorers: Sequence[Scorer]
    record: Record


@dataclass(frozen=True)
class Answer:
    """The results of a clip, or the files that the worker does not have; and the worker's version of the package."""

    results: Sequence[Measure] = ()
    missing: bool = False
    version: str = __version__


class ScorerProcesses:
    """The scorer processes of one process: as many as it scores clips at the same time."""

    def __init__(self) -> None:
        self._all: list[ScorerProcess] = []
        self._idle: list[ScorerProcess] = []
        self._closed = False

    def score(self, packed: Sequence[bytes], path: str, info: RequestInfo, timeout: float) -> list[Measure]:
        """Run the scorers of a clip in turn, in one process: they share its decoded frames."""
        process = self._idle.pop() if self._idle else self._new()
        try:
            return [process.measure(scorer, path, info, timeout) for scorer in packed]
        finally:
            self._idle.append(process)

    def close(self) -> None:
        """End them all."""
        self._closed = True
        for process in self._all:
            process.close()

    def _new(self) -> ScorerProcess:
        process = ScorerProcess()
        self._all.append(process)
        if self._closed:
            process.close()
        return process


def run_scorers(
    tasks: Sequence[Task], *, workers: int, timeout: float, on: Executor | None = None
) -> Generator[tuple[Task, list[tuple[Scorer, Measure]]]]:
    """Yield the results of each clip as they come, in any order. Leaving the loop early cancels those not begun.

    Args:
        tasks: The clips.
        workers: How many clips at the same time, on this machine.
        timeout: Seconds that one scorer may take for one clip.
        on: Where to score; this machine by default.

    Raises:
        KlingError: cloudpickle is not installed.
    """
    ready = dict[int, list[Scorer]]()
    packed = list[list[bytes]]()
    for number, task in enumerate(tasks):
        packs = {scorer.name: pack(scorer) for scorer in task.scorers}
        failed = {name: one for name, one in packs.items() if isinstance(one, Measure)}
        ready[number] = [scorer for scorer in task.scorers if scorer.name not in failed]
        packed.append([one for one in packs.values() if isinstance(one, bytes)])
        if failed:
            yield task, [(scorer, failed[scorer.name]) for scorer in task.scorers if scorer.name in failed]
    processes = ScorerProcesses()
    executor = on or ThreadPoolExecutor(workers, thread_name_prefix="kling_nb scoring")

    def submit(number: int, files: Mapping[str, bytes] | None = None) -> Future[Answer]:
        task = tasks[number]
        if on is None:
            return executor.submit(_here, processes, packed[number], task.path, task.info, timeout)
        return executor.submit(score_clip, pickle.dumps((packed[number], task.path, task.info, timeout, files)))

    futures: dict[Future[Answer], int] = {}
    try:
        futures = {submit(number): number for number in ready if ready[number]}
        waiting = dict(futures)
        while waiting:
            again = dict[Future[Answer], int]()  # those whose files have to be sent along
            for future in as_completed(waiting):
                number = waiting[future]
                answer = _answer(future, len(ready[number]))
                if answer.missing:
                    again[submit(number, _files(tasks[number]))] = number
                    futures |= again
                    continue
                yield tasks[number], list(zip(ready[number], answer.results, strict=True))
            waiting = again
    finally:
        for future in futures:
            future.cancel()
        processes.close()
        if on is None:
            executor.shutdown(cancel_futures=True)


def score_clip(task: bytes) -> Answer:
    """Score a clip in a worker of an executor."""
    packed, path, info, timeout, files = pickle.loads(task)  # noqa: S301 - from the kernel that submitted it
    if files is None:
        needed = [path, *(image.file for image in info.images)]
        if not all(Path(each).is_file() for each in needed):
            return Answer(missing=True)
        return Answer(_processes_of_worker().score(packed, path, info, timeout))
    with tempfile.TemporaryDirectory(prefix="kling_nb-") as folder:
        places = {name: Path(folder) / f"{number}{Path(name).suffix}" for number, name in enumerate(files)}
        for name, data in files.items():
            places[name].write_bytes(data)
        images = tuple(image._replace(file=places[str(image.file)]) for image in info.images)
        return Answer(_processes_of_worker().score(packed, str(places[path]), replace(info, images=images), timeout))


def _here(processes: ScorerProcesses, packed: Sequence[bytes], path: str, info: RequestInfo, timeout: float) -> Answer:
    return Answer(processes.score(packed, path, info, timeout))


@cache
def _processes_of_worker() -> ScorerProcesses:
    processes = ScorerProcesses()
    atexit.register(processes.close)
    return processes


def _answer(future: Future[Any], count: int) -> Answer:
    """Return a worker's answer; a worker that failed, or that has another version, is the reason of each result."""
    try:
        answer: Answer = future.result()
    except Exception as exc:  # noqa: BLE001 - whatever goes wrong between two machines
        return Answer([Measure(None, f"its worker failed: {type(exc).__name__}: {exc}"[:300], failed=True)] * count)
    if answer.version != __version__:
        note = f"its worker has kling_nb {answer.version}, this kernel {__version__}: install the same on both"
        return Answer([Measure(None, note, failed=True)] * count)
    return answer


def _files(task: Task) -> dict[str, bytes]:
    paths = [Path(task.path), *(image.file for image in task.info.images)]
    with contextlib.suppress(OSError):
        return {str(path): path.read_bytes() for path in paths}
    return {}
