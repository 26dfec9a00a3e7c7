"""A plan of many requests at a quick hub: what it takes beyond the hub's own time, and what it costs this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.hub import BenchHub
from benchmarks.table import Row

#: Seconds that the hub takes for a clip, and so many at once: ten a second, about what it can draw beside the client.
_TAKES, _LIMIT = 5.0, 50


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Carry a plan out, then let the script make fewer of the same at the same pace."""
    count, few = (60, 30) if quick else (1000, 200)
    ours = _run(folder / "ours", count, "--sweep", str(_LIMIT))
    script = _run(folder / "script", few, "--every", "1")
    what, beside = f"a sweep of {count:,} requests", f"asking each 1 s, {few} requests"
    yield Row(f"{what}: each beyond the hub's own time", ours["beyond"] * 1e3, "ms", script["beyond"] * 1e3, beside)
    yield Row(f"{what}: share of a core", ours["share"], "%", script["share"], beside)
    yield Row(f"{what}: processor time for each", ours["each"], "ms", script["each"], beside)
    yield Row(f"{what}: peak memory", ours["peak"], "MB", script["peak"], beside)
    yield Row(f"{what}: requests to the hub for each", ours["requests"], "", script["requests"], beside, aim=5)


def _run(folder: Path, count: int, *how: str) -> dict[str, Any]:
    with BenchHub(folder / "hub", takes=_TAKES) as hub:
        command = [sys.executable, "-m", "benchmarks.client", hub.url, str(folder / "clips"), str(count)]
        command += ["--gap", str(_TAKES / _LIMIT), *how]
        said = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        spans, asked = hub.spans(), sum(hub.requests().values())
    took = [(job["ended"] - job["asked"], spans[job["generation"]]) for job in said["jobs"]]
    return {
        "beyond": median(whole - (done - begun) for whole, (begun, done) in took),
        "share": 100 * said["cpu"] / said["wall"],
        "each": 1000 * said["cpu"] / count,
        "peak": said["peak"],
        "requests": asked / count,
    }
