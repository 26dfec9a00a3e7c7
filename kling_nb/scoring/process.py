"""A process that runs scorers one at a time. It is killed when one hangs, and replaced when it dies.

It speaks over its own pipes: functions that are defined in a cell travel to it (cloudpickle), and what a scorer prints
goes nowhere. It needs no rights that a worker of a cluster lacks, where `multiprocessing` may not start processes.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import struct
import subprocess
import sys
import threading
from typing import IO, Any

from kling_nb.errors import KlingError
from kling_nb.scoring.footage import RequestInfo
from kling_nb.scoring.measure import Measure, measure
from kling_nb.scoring.registry import Scorer

#: One thread for each process: there are as many processes as cores.
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}
_LENGTH = struct.Struct("<Q")
_CANNOT_TRAVEL = "it cannot be run in another process: "


class ScorerProcess:
    """A process for scorers, which starts with the first one."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._lock = threading.Lock()

    def measure(self, packed: bytes, path: str, info: RequestInfo, timeout: float) -> Measure:
        """Run a packed scorer on a clip for at most `timeout` seconds."""
        process = self._ready()
        if process is None:
            return Measure(None, "its process died", failed=True)
        late = threading.Event()
        timer = threading.Timer(timeout, lambda: (late.set(), process.kill()))
        timer.start()
        try:
            _send(process.stdin, pickle.dumps((packed, path, info)))
            answer = _receive(process.stdout)
        except (OSError, ValueError):  # it ended before it had read everything, or was closed
            answer = None
        finally:
            timer.cancel()
        if answer is not None and not late.is_set():
            return pickle.loads(answer)  # noqa: S301 - from our own process
        self._end()
        return Measure(None, f"it took longer than {timeout:g} s" if late.is_set() else "its process died", failed=True)

    def close(self) -> None:
        """Kill the process, busy or not, and start no other."""
        with self._lock:
            self._closed = True
        self._end()

    def _ready(self) -> subprocess.Popen[bytes] | None:
        """Return a process that has started, so that its start does not count as the scorer's time."""
        with self._lock:
            if self._process is not None or self._closed:
                return None if self._closed else self._process
            self._process = process = subprocess.Popen(
                [sys.executable, "-c", "from kling_nb.scoring.process import serve; serve()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **_ENVIRONMENT, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                start_new_session=True,  # an interrupt of the kernel does not reach it
            )
        return process if _receive(process.stdout) is not None else None

    def _end(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):  # it may still hold bytes for the process
                    pipe.close()  # pyright: ignore[reportOptionalMemberAccess]


def pack(scorer: Scorer) -> bytes | Measure:
    """Return a scorer as bytes for a `ScorerProcess`, or a failure if it cannot travel.

    Raises:
        KlingError: cloudpickle is not installed.
    """
    try:
        import cloudpickle
    except ImportError as exc:
        raise KlingError("Scoring needs the extra metrics: pip install 'kling-nb[metrics]'.") from exc
    try:
        return cloudpickle.dumps(scorer)
    except Exception as exc:  # noqa: BLE001 - a function can fail to be sent with any error
        return Measure(None, f"{_CANNOT_TRAVEL}{exc}"[:300], failed=True)


def serve() -> None:
    """Run what comes in on standard input, in the process of a `ScorerProcess`."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a scorer that prints must not disturb the answers
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, waiting), daemon=True).start()
    _send(answers, b"ready")
    while True:
        packed, path, info = pickle.loads(waiting.get())  # noqa: S301 - from the process that started this one
        try:
            scorer = pickle.loads(packed)  # noqa: S301 - the user's own function
        except Exception as exc:  # noqa: BLE001 - a module that is missing here, or any error in loading it
            result = Measure(None, f"{_CANNOT_TRAVEL}{exc}"[:300], failed=True)
        else:
            result = measure(scorer, path, info)
        _send(answers, pickle.dumps(result))


def _listen(requests: IO[bytes], waiting: queue.SimpleQueue[bytes]) -> None:
    while (request := _receive(requests)) is not None:
        waiting.put(request)
    os._exit(0)  # the process that started this one has gone, and a scorer may hang


def _send(pipe: Any, data: bytes) -> None:
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


def _receive(pipe: Any) -> bytes | None:
    """Return the next message; None at the end."""
    try:
        head = pipe.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack(head)
        data = pipe.read(length)
    except (OSError, ValueError):  # closed by another thread
        return None
    return data if len(data) == length else None
