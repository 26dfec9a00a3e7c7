"""`python -m benchmarks.client`: one process that makes clips, ours or the script's, and says what that cost it."""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.hub import KEY


def main() -> None:
    """Make the clips and print what they cost as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--gap", type=float, required=True, help="seconds between two requests")
    parser.add_argument("--every", type=float, help="the script, asking each job every so many seconds; else ours")
    parser.add_argument("--fal-client", action="store_true", help="fal's own client, at its own pace")
    parser.add_argument("--cards", action="store_true", help="ours, with a card drawn for each job, as in a cell")
    parser.add_argument("--sweep", type=int, help="ours, as one plan with so many jobs at once")
    given = parser.parse_args()
    make = _fal_client if given.fal_client else _script if given.every is not None else _ours
    make = _sweep if given.sweep else make
    print(json.dumps(make(given)))


def _script(given: argparse.Namespace) -> dict[str, Any]:
    from benchmarks.script import fetch_all

    with _Costs() as costs:
        jobs = asyncio.run(fetch_all(given.url, given.folder, given.count, gap=given.gap, every=given.every))
    return {"jobs": jobs, **costs.said()}


def _fal_client(given: argparse.Namespace) -> dict[str, Any]:
    from benchmarks.fal_client_script import fetch_all

    with _Costs() as costs:
        jobs = asyncio.run(fetch_all(given.url, given.folder, given.count, gap=given.gap))
    return {"jobs": jobs, **costs.said()}


def _ours(given: argparse.Namespace) -> dict[str, Any]:
    maker = _studio(given)
    pool = ThreadPoolExecutor(1)
    ended: dict[str, float] = {}

    def carded(job: Any) -> None:
        job.wait()
        if given.cards:
            job.card()
        ended[job.id] = time.time()

    with _Costs() as costs:
        asked: dict[str, float] = {}
        jobs: list[Any] = []
        for number in range(given.count):
            time.sleep(given.gap if number else 0)
            at = time.time()
            job: Any = maker.generate(f"A paper boat sets sail, take {number}", duration=3)
            asked[job.id] = at
            jobs.append(job)
            job.subscribe(lambda progress, job=job: pool.submit(carded, job) if progress.ended else None)
        for job in jobs:
            job.wait()
        pool.shutdown()
    assert all(job.state == "succeeded" for job in jobs), [job.record.failure for job in jobs]
    said = [
        {"generation": _id_of(job.record.generation_id), "asked": asked[job.id], "ended": ended[job.id]} for job in jobs
    ]
    maker.close()
    return {"jobs": said, **costs.said()}


def _id_of(ticket: str) -> str:
    return ticket.rpartition("/")[2]  # fal's have the endpoint before it


def _sweep(given: argparse.Namespace) -> dict[str, Any]:
    maker = _studio(given)
    with _Costs() as costs:
        plan = maker.sweep("A paper boat sets sail, take {take}", take=list(range(given.count)), duration=3)
        records = plan.run(limit=given.sweep).result()
    said = [
        {"generation": record.generation_id, "asked": record.times.created.timestamp(), "ended": ended.timestamp()}
        for record in records
        if (ended := record.times.ended)
    ]
    maker.close()
    return {"jobs": said, **costs.said()}


def _studio(given: argparse.Namespace) -> Any:
    # Modules are loaded outside the clock, here as with the script; what loading costs has rows of its own.
    import av  # noqa: F401 - the log's probe loads it late
    import PIL.Image  # noqa: F401 - same

    from kling_nb.engine import pace

    # A hub on loopback would be asked at the local hub's quick pace; this one stands for the real hub. Before the
    # rest is loaded, since others take the name from there.
    pace.LOCAL_PACE = pace.HUB_PACE
    from kling_nb.render.card import card_bundle  # noqa: F401 - loaded here, as above
    from kling_nb.studio import Studio

    return Studio(key=KEY, hub=given.url, log=given.folder)


class _Costs:
    def __enter__(self) -> _Costs:
        self._wall, self._cpu = time.monotonic(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self._wall, self._cpu = time.monotonic() - self._wall, time.process_time() - self._cpu

    def said(self) -> dict[str, float]:
        return {"wall": self._wall, "cpu": self._cpu, "peak": _peak()}


def _peak() -> float:
    """The most memory that this process held, in MB.

    Linux counts what the parent held at the fork into `ru_maxrss`, which is more than a client ever does.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    kept = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kept / (1024**2 if sys.platform == "darwin" else 1024)  # bytes on macOS, kilobytes elsewhere


if __name__ == "__main__":
    main()
