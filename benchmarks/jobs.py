"""What many jobs at once cost the hub and this machine, beside a script that asks each job again and again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.hub import BenchHub
from benchmarks.table import Row

#: Seconds over which the requests of one run are spread.
_SPREAD = 5.0
#: With so many jobs, each has a card. Others draw none, like jobs that no cell shows.
_DRAWN = 10
#: None is ours; else the script, asking each job every so many seconds.
Way = float | None


@dataclass(frozen=True)
class Run:
    """One client process and what it cost."""

    requests: float
    """To the hub, in all, for each job."""
    share: float
    """Processor time over wall time of the client, in percent of a core."""
    cpu: float
    """Milliseconds of processor time for each job."""
    lag: float
    """Seconds from the hub's completion to the finished card, median."""
    overhead: float
    """Seconds from the call to the finished card, less the hub's own, median."""


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Run the clients side by side, each with a hub of its own, so that all meet the same machine."""
    # Clips take one to fifteen minutes (HUB_API section 1), two usually (`kling_nb.engine.pace`).
    # Half way between two looks of each 10 s, as it falls on average.
    takes = 15.0 if quick else 115.0
    # Asked by 500 jobs each second, the hub would be what is measured: that one is left out.
    plan: list[tuple[int, Way]] = [(count, way) for count in (1, 10, 50) for way in (None, 10.0, 1.0)]
    runs = _side_by_side(folder, plan, takes)
    if not quick:
        runs |= _side_by_side(folder, [(500, None), (500, 10.0)], takes / 3)
    counts = (1, 10, 50) if quick else (1, 10, 50, 500)
    for count in counts:
        ours, slow = runs[count, None], runs[count, 10.0]
        aim = 5 if count == 50 else None
        yield Row(f"{_of(count)}: requests to the hub per job", ours.requests, "", slow.requests, _EACH_10, aim=aim)
        if quickly := runs.get((count, 1.0)):
            yield Row(f"{_of(count)}: the same", ours.requests, "", quickly.requests, _EACH_1)
    for count in counts:
        ours, slow = runs[count, None], runs[count, 10.0]
        aim = {50: 2, 500: 17}.get(count) if not quick else None
        yield Row(f"{_of(count)}: share of a core while they run", ours.share, "%", slow.share, _EACH_10, aim=aim)
        if quickly := runs.get((count, 1.0)):
            yield Row(f"{_of(count)}: the same", ours.share, "%", quickly.share, _EACH_1)
    for count in counts:
        ours, slow = runs[count, None], runs[count, 10.0]
        aim = 12 if count == 500 else None
        yield Row(f"{_of(count)}: processor time per job", ours.cpu, "ms", slow.cpu, _EACH_10, aim=aim)
    ours, slow, quickly = (runs[_DRAWN, way] for way in (None, 10.0, 1.0))
    yield Row("from the hub's completion to the finished card", ours.lag * 1e3, "ms", quickly.lag * 1e3, _EACH_1, 300)
    yield Row("the same", ours.lag * 1e3, "ms", slow.lag * 1e3, _EACH_10)
    more, theirs = ours.overhead * 1e3, quickly.overhead * 1e3
    yield Row("from call to card, beyond the hub's own time", more, "ms", theirs, _EACH_1)


_EACH_1, _EACH_10 = "asking each 1 s", "asking each 10 s"


def _of(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"


def _side_by_side(folder: Path, plan: list[tuple[int, Way]], takes: float) -> dict[tuple[int, Way], Run]:
    with ThreadPoolExecutor(len(plan)) as together:
        futures = {case: together.submit(_run, folder, *case, takes) for case in plan}
        return {case: future.result() for case, future in futures.items()}


def _run(folder: Path, count: int, every: Way, takes: float) -> Run:
    name = f"{count}-{'ours' if every is None else f'{every:g}'}"
    with BenchHub(folder / f"hub-{name}", takes=takes) as hub:
        command = [sys.executable, "-m", "benchmarks.client", hub.url, str(folder / f"clips-{name}"), str(count)]
        command += ["--gap", str(_SPREAD / count), *(["--every", str(every)] if every is not None else [])]
        command += ["--cards"] if count == _DRAWN else []
        said = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        spans, asked = hub.spans(), sum(hub.requests().values())
    took = [(job["ended"] - job["asked"], spans[job["generation"]], job["ended"]) for job in said["jobs"]]
    return Run(
        requests=asked / count,
        share=100 * said["cpu"] / said["wall"],
        cpu=1000 * said["cpu"] / count,
        lag=median(ended - done for _, (_, done), ended in took),
        overhead=median(whole - (done - begun) for whole, (begun, done), _ in took),
    )
