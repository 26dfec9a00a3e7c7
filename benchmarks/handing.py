"""Records handed on: a crate and a report, beside a zip of the same clips and their records."""

from __future__ import annotations

import itertools
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.hub import MODEL
from benchmarks.logbook import record_of
from benchmarks.table import Row
from kling_nb.localhub import animatic
from kling_nb.models.record import Record
from kling_nb.store.media import digest_of
from kling_nb.studio import Studio


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Fill a log with clips, then export all of it, in turn with the naive way."""
    folder.mkdir(parents=True)
    count = 10 if quick else 100
    studio = Studio(log=folder / "log")
    records = _filled(studio, folder, count)
    clips = [clip for record in records if record.clip and (clip := studio.store.file(record.clip.digest))]
    assert len(clips) == count
    megabytes = sum(clip.stat().st_size for clip in clips) / 2**20

    def zipped() -> None:
        with zipfile.ZipFile(folder / "naive.zip", "w") as archive:
            for clip, record in zip(clips, records, strict=True):
                archive.write(clip, clip.name)
                archive.writestr(f"{record.id}.json", record.model_dump_json(indent=2))

    whole, numbers = studio.log(), itertools.count()
    what = f"{count} records, {megabytes:,.0f} MB of clips"
    for form, name in (("an RO-Crate", "crate.zip"), ("a report", "report.html"), ("lines", "records.jsonl")):
        figure, baseline = _in_turn(
            lambda name=name: studio.log(whole).export(folder / f"{next(numbers)}-{name}"), zipped, 3
        )
        yield Row(f"export {what}: {form}", figure, "s", baseline, "a zip of clips and JSON")
    studio.close()


def _filled(studio: Studio, folder: Path, count: int) -> list[Record]:
    """Clips of three seconds at 720p, each its own file."""
    drawn = folder / "film.mp4"
    animatic.write_video(drawn, {"model": MODEL, "prompt": "A paper boat sets sail", "duration": 3}, {})
    body, records = drawn.read_bytes(), list[Record]()
    for number in range(count):
        file = folder / f"{number}.mp4"
        # A `free` box of its own makes another file of the same film.
        file.write_bytes(body + (12).to_bytes(4) + b"free" + number.to_bytes(4))
        record = record_of(number)
        clip = studio.store.add_clip(record.id, file, digest_of(file))
        records.append(studio.store.save(record.model_copy(update={"status": "succeeded", "clip": clip})))
    return records


def _in_turn(ours: Callable[[], Any], theirs: Callable[[], Any], times: int) -> tuple[float, float]:
    """Medians in seconds."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        for each, work in zip(took, (ours, theirs), strict=True):
            began = time.perf_counter()
            work()
            each.append(time.perf_counter() - began)
    return median(took[0]), median(took[1])
