"""A plan of many cells, checked and looked up in a log of many records, and the same with one query per cell."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.hub import KEY, BenchHub
from benchmarks.logbook import record_of
from benchmarks.table import Row
from kling_nb.models.lint import parse
from kling_nb.models.record import Record
from kling_nb.models.request import TARGET
from kling_nb.store.log import Log
from kling_nb.store.sidecars import FileVersion
from kling_nb.studio import Studio
from kling_nb.sweeps.axes import points
from kling_nb.sweeps.design import Cell, build_design

_BASE = {"prompt": "a paper boat {doing}, {camera}, {light}", "aspect_ratio": "1:1"}


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Fill a log with two thirds of a plan's clips, then plan."""
    count, values = (10_000, 4) if quick else (100_000, 10)
    axes: dict[str, Any] = {name: [f"{name} {n}" for n in range(values)] for name in ("doing", "camera", "light")}
    axes["duration"] = list(range(3, 3 + values))
    design = build_design(_BASE, points(axes), parse)
    existing = [cell for number, cell in enumerate(design.unique_cells) if number % 3]
    with BenchHub(folder / "hub", takes=1) as hub:
        _fill(folder / "log", count, existing, hub.url)
        studio = Studio(hub=hub.url, key=KEY, log=folder / "log")
        studio.hub.model(TARGET)  # its price is asked for once in each kernel
        seconds: list[float] = []
        for _ in range(5):
            start = time.perf_counter()
            plan = studio.sweep(_BASE, axes)
            text = plan._repr_mimebundle_()["text/html"]
            seconds.append(time.perf_counter() - start)
            assert f"{len(existing)} of {len(design.unique_cells)} done" in text
        start = time.perf_counter()
        for cell in design.unique_cells[:: len(design.unique_cells) // 50]:
            studio.store.find(request_hash=cell.request_hash, limit=1)
        one_by_one = (time.perf_counter() - start) / 50 * len(design.unique_cells)
        studio.close()
    name = f"{len(design.cells):,} cells planned and shown, {count:,} records in the log"
    yield Row(name, median(seconds), "s", one_by_one, "one query per cell", aim=2)


def _fill(folder: Path, count: int, cells: list[Cell], hub: str) -> None:
    log = Log(folder)
    log._records.ready(writing=True)
    log._records.index.replace_all((_record(number, cells, hub), FileVersion(number, 1)) for number in range(count))
    log.close()


def _record(number: int, cells: list[Cell], hub: str) -> Record:
    record = record_of(number)
    if number >= len(cells):
        return record
    cell = cells[number]
    changes = {"hub": hub, "request_hash": cell.request_hash, "cell": cell.id, "status": "succeeded"}
    return record.model_copy(update=changes)
