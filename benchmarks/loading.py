"""What a kernel waits for before anything happens: the import, and the first `kn.generate`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

from benchmarks.hub import KEY, BenchHub
from benchmarks.table import Row

#: What a kernel has loaded before its first cell runs.
_KERNEL = "import ipykernel.ipkernel; "
_TIMED = "import time; began = time.{clock}(); import {name}; print(time.{clock}() - began)"
_NEEDED = "kling_nb.studio"
#: The libraries among it; the rest is ours.
_LIBRARIES = "asyncio, filelock, httpx, pydantic, rfc8785, sqlalchemy"
# What comes after the first call stays loaded.
_FIRST = """
import time
import ipykernel.ipkernel
import kling_nb as kn
kn.configure(hub={url!r}, key={key!r}, log={log!r})
for prompt in ("first", "second"):
    began = time.{clock}()
    job = kn.generate(prompt, duration=3)
    print(time.{clock}() - began)
    job.wait()
"""


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Measure in fresh processes, one after the other in turn."""
    codes = {name: _TIMED.format(name=name, clock="perf_counter") for name in ("kling_nb", "httpx")}
    codes |= {name: _KERNEL + _TIMED.format(name=name, clock="process_time") for name in (_NEEDED, _LIBRARIES)}
    took: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(5 if quick else 9):
        for name, code in codes.items():
            took[name] += seconds_of(code)
    ours, httpx, needed, libraries = (median(each) * 1000 for each in took.values())
    yield Row("import kling_nb", ours, "ms", httpx, "import httpx", aim=100)
    what = "processor time to import what kn.generate needs"
    yield Row(what, needed, "ms", libraries, "its libraries alone", aim=300)
    with BenchHub(folder / "hub", takes=0.5) as hub:
        runs = [_first(hub.url, folder / f"log{number}") for number in range(2 if quick else 5)]
    first, second = (median(run[at] for run in runs) * 1000 for at in (0, 1))
    yield Row("first kn.generate returns", first, "ms", second, "the second one", aim=60)
    yield Row("second kn.generate returns", second, "ms", aim=20)


def _first(url: str, log: Path) -> list[float]:
    return seconds_of(_FIRST.format(url=url, key=KEY, log=str(log), clock="perf_counter"))


def seconds_of(code: str) -> list[float]:
    """Return the numbers that a fresh interpreter prints."""
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    return [float(line) for line in _lines(said)]


def _lines(text: str) -> Iterable[str]:
    return text.strip().splitlines()
