"""Another kernel for a test: it runs a plan or single jobs, at the same time as the test or until it is killed.

`python kernel.py HUB LOG plan|jobs [POINT]` prints READY, waits for a line, runs, and prints how many clips it paid
for. With a POINT it stops there, prints `AT <point>` and waits to be killed.

`python kernel.py HUB LOG each` runs a plan of two clips again and again, each time with a new log, killed at its first
save, at its second, and so on to the last; then it prints how many saves there were.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

from kling_nb import connection, errors
from kling_nb.engine.pace import LOCAL_PACE
from kling_nb.hubs.oxen import Oxen
from kling_nb.store.records import RecordStore
from kling_nb.studio import Studio

HUB, FOLDER, MODE, POINT = [*sys.argv[1:], "", "", "", ""][:4]


def sweep_of(log: Path) -> dict[str, Any]:
    """Four clips whose prompts belong to this log: at a hub that tests share, equal requests could be mixed up."""
    return {"prompt": [f"a {thing} at {log.parent.name}" for thing in ("boat", "kite")], "duration": 3, "repeat": 2}


def stop_after_a_state_is_saved() -> None:
    real = RecordStore._write
    seen: list[str] = []
    lock = threading.Lock()

    def write(self: RecordStore, record: Any) -> Any:
        saved = real(self, record)
        with lock:  # jobs are saved on several threads: all of them stop here
            seen.append(f"saved {saved.status}")
            if POINT in (seen[-1], f"{seen[-1]} {seen.count(seen[-1])}", f"save number {len(seen)}"):
                print(f"AT {POINT}", flush=True)
                threading.Event().wait()
        return saved

    RecordStore._write = write  # type: ignore[method-assign]


def stop_when_the_hub_has_replied() -> None:
    real = Oxen.submit

    async def submit(self: Oxen, *args: Any, **kwargs: Any) -> Any:
        await real(self, *args, **kwargs)
        print(f"AT {POINT}", flush=True)
        await asyncio.Event().wait()

    Oxen.submit = submit  # type: ignore[method-assign]


def killed_at(number: int, log: Path) -> bool:
    """Run a small plan in a process that is killed at one of its saves; return whether it was killed."""
    sys.stdout.flush()
    if child := os.fork():  # safe: this process has no other thread yet
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    real, lock, seen = RecordStore._write, threading.Lock(), list[int]()

    def write(self: RecordStore, record: Any) -> Any:
        with lock:
            saved = real(self, record)
            seen.append(1)
            if len(seen) == number:
                os.kill(os.getpid(), signal.SIGKILL)
        return saved

    RecordStore._write = write  # type: ignore[method-assign]
    Studio(hub=HUB, key="test-key", log=log).sweep(**small_sweep(log)).run(limit=2).wait(60)
    os._exit(0)


def small_sweep(log: Path) -> dict[str, Any]:
    """Two clips whose prompts belong to this log."""
    return {"prompt": [f"a {thing} at {log.parent.name} {log.name}" for thing in ("boat", "kite")], "duration": 3}


def each_save() -> None:
    print("READY", flush=True)
    sys.stdin.readline()
    warnings.simplefilter("ignore", errors.LogWarning)  # each log is new, and beside the others
    number = 1
    while killed_at(number, Path(FOLDER, str(number))):
        number += 1
    print(number - 1, flush=True)


def main() -> None:
    connection.HUB_PACE = LOCAL_PACE
    if MODE == "each":
        each_save()
        return
    stop_after_a_state_is_saved()
    if POINT == "replied":
        stop_when_the_hub_has_replied()
    studio = Studio(hub=HUB, key="test-key", log=FOLDER)
    print("READY", flush=True)
    sys.stdin.readline()
    if MODE == "plan":
        run = studio.sweep(**sweep_of(Path(FOLDER))).run(limit=2)
        run.wait(60)
        print(sum(status.started for status in run.statuses), flush=True)
    else:
        jobs: list[Any] = []
        for number in range(3):
            with contextlib.suppress(errors.BudgetError):
                jobs.append(studio.generate(f"a boat {number} at {Path(FOLDER).parent.name}", duration=3))
        studio.gather(jobs).wait(60)
        print(sum(job.state == "succeeded" for job in jobs), flush=True)
    studio.close()


if __name__ == "__main__":
    main()
