"""What a kernel waits for before anything happens: the import, and the first `kn.generate`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

from benchmarks.hub import KEY, BenchHub
from benchmarks.table import Row

_TIMED = "import time; began = time.{clock}(); import {name}; print(time.{clock}() - began)"
# A warm kernel has IPython loaded; what comes after the first call stays loaded.
_FIRST = """
import sys, time
import IPython
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
    names = ("kling_nb", "httpx", "kling_nb.studio")
    took: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(5 if quick else 9):
        for name in names:
            took[name] += seconds_of(_TIMED.format(name=name, clock="perf_counter"))
    ours, httpx, studio = (median(took[name]) * 1000 for name in names)
    yield Row("import kling_nb", ours, "ms", httpx, "import httpx", aim=100)
    yield Row("import kling_nb.studio (all that a request needs)", studio, "ms", httpx, "import httpx")
    with BenchHub(folder / "hub", takes=0.5) as hub:
        runs = [_first(hub.url, folder / f"log{number}") for number in range(2 if quick else 5)]
    first, second = (median(run[at] for run in runs) * 1000 for at in (0, 1))
    yield Row("first kn.generate returns", first, "ms", second, "the second one", aim=1000)
    yield Row("second kn.generate returns", second, "ms", aim=20)


def _first(url: str, log: Path) -> list[float]:
    return seconds_of(_FIRST.format(url=url, key=KEY, log=str(log), clock="perf_counter"))


def seconds_of(code: str) -> list[float]:
    """Return the numbers that a fresh interpreter prints."""
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    return [float(line) for line in _lines(said)]


def _lines(text: str) -> Iterable[str]:
    return text.strip().splitlines()
