"""The cost of many jobs at fal.ai, ours beside fal's own Python client, on the same stand-in in one run."""

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
from kling_nb.engine.pace import HUB_PACE

_SPREAD = 5.0
_STATUS = "GET /:app/requests/:id/status"
_THEIRS = "fal_client.subscribe"


@dataclass(frozen=True)
class Run:
    """One client process: requests and status calls for each job, processor time for each job, and the lag."""

    requests: float
    looks: float
    cpu: float
    lag: float


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Run both clients side by side, each with a stand-in of its own, so that both meet the same machine."""
    # As long as clips usually take (`kling_nb.engine.pace`), half way between two looks, as in the benchmark `jobs`.
    count, takes = (10, 15.0) if quick else (50, 115.0)
    with ThreadPoolExecutor(2) as together:
        futures = [together.submit(_run, folder, count, takes, theirs=theirs) for theirs in (False, True)]
        ours, theirs = (future.result() for future in futures)
    what, aim = f"{count} jobs at fal", None if quick else theirs.looks / 20
    yield Row(f"{what}: requests per job", ours.requests, "", theirs.requests, _THEIRS)
    yield Row(f"{what}: status calls per job", ours.looks, "", theirs.looks, _THEIRS, aim)
    yield Row(f"{what}: processor time per job", ours.cpu, "ms", theirs.cpu, _THEIRS)
    beats = ours.lag / HUB_PACE.shortest
    yield Row("from fal's completion to the finished card, in beats", beats, "", None, "", None if quick else 2)
    yield Row("the same", ours.lag * 1e3, "ms", theirs.lag * 1e3, f"{_THEIRS}, file only")


def _run(folder: Path, count: int, takes: float, *, theirs: bool) -> Run:
    name = "theirs" if theirs else "ours"
    with BenchHub(folder / f"hub-{name}", takes=takes, provider="fal") as hub:
        address = hub.url if theirs else f"fal+{hub.url}"
        command = [sys.executable, "-m", "benchmarks.client", address, str(folder / f"clips-{name}"), str(count)]
        command += ["--gap", str(_SPREAD / count), "--fal-client" if theirs else "--cards"]
        said = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        spans, asked = hub.spans(), hub.requests()
    lags = [job["ended"] - spans[job["generation"]][1] for job in said["jobs"]]
    return Run(
        requests=sum(asked.values()) / count,
        looks=asked.get(_STATUS, 0) / count,
        cpu=1000 * said["cpu"] / count,
        lag=median(lags),
    )
