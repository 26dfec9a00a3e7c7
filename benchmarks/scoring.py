"""Clips scored by all built-in scorers, compared with decoding them alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av

from benchmarks.hub import MODEL
from benchmarks.logbook import record_of
from benchmarks.table import Row
from kling_nb.localhub import animatic
from kling_nb.localhub.inputs import decode_image
from kling_nb.models.record import Record
from kling_nb.scoring.registry import scorers
from kling_nb.store.media import digest_of
from kling_nb.studio import Studio

SECONDS = 5
_PHOTO = Path(__file__).resolve().parents[1] / "notebooks" / "images" / "astronaut.jpg"


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Score a log's clips once, then read the scores again; speeds are seconds of video per second."""
    folder.mkdir(parents=True)
    count = 2 if quick else 8
    studio = Studio(log=folder / "log")
    records = filled(studio, folder, count)
    files = [file for record in records if record.clip and (file := studio.store.file(record.clip.digest))]
    names = [name for name, scorer in scorers.items() if scorer.built_in]

    plain = _took(lambda: [_decoded(file) for file in files])
    first = _took(lambda: studio.log(records).score(*names))
    cached = _took(lambda: studio.log(records).score(*names))
    for record in records:
        assert record.clip
        assert len(studio.store.scores.of(records)[record.id]) == len(names)
    video_seconds = count * SECONDS
    name = f"{len(names)} scorers on {count} clips of {SECONDS} s, 720p"
    yield Row(name, video_seconds / first, "x", video_seconds / plain, "decoding alone, in one process", 20, True)
    yield Row("the same, from the log", cached * 1000, "ms", first * 1000, "computed")
    studio.close()


def filled(studio: Studio, folder: Path, count: int) -> list[Record]:
    """Return records of clips that differ in a word of their caption."""
    photo, records = {_PHOTO.name: decode_image(_PHOTO.read_bytes(), _PHOTO.name)}, list[Record]()
    for number in range(count):
        file = folder / f"{number}.mp4"
        request: dict[str, Any] = {"model": MODEL, "prompt": f"Take {number}", "duration": SECONDS}
        animatic.write_video(file, {**request, "input_image": [_PHOTO.name], "generate_audio": True}, photo)
        record = record_of(number)
        clip = studio.store.add_clip(record.id, file, digest_of(file))
        records.append(studio.store.save(record.model_copy(update={"status": "succeeded", "clip": clip})))
    return records


def _decoded(file: Path) -> int:
    with av.open(str(file)) as container:
        return sum(1 for _ in container.decode(video=0))


def _took(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
