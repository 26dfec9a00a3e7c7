"""The log with many records: one more written, and a filtered question, each beside the naive way."""

from __future__ import annotations

import datetime
import json
import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any

from PIL import Image

from benchmarks.hub import MODEL
from benchmarks.table import Row
from kling_nb.models.canonical import canonical_json
from kling_nb.models.price import Estimate
from kling_nb.models.record import File, Record, Times
from kling_nb.models.urls import sha256
from kling_nb.store.log import Log
from kling_nb.store.sidecars import FileVersion
from kling_nb.studio import Studio

_START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
_WORDS = ("lantern", "harbour", "fox", "meadow", "storm", "paper", "boat", "neon", "alley", "astronaut", "tea", "snow")
_RARE = "zeppelin"
#: So many tiles the browser asks for at once (ui/static/pages.js).
_PAGE = 24


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Fill a log, then ask and write in turn with the naive way."""
    count = 10_000 if quick else 100_000
    log = filled(folder / "log", count)
    naive = _naive(folder / "naive.sqlite", log.find())
    for what, word in (("a common word", "lantern"), ("a rare word", _RARE)):

        def ours(word: str = word) -> None:
            log.find(text=word, status="failed", limit=50)

        def scan(word: str = word) -> None:
            like = "SELECT json FROM records WHERE json LIKE ? AND json LIKE ? ORDER BY id DESC LIMIT 50"
            bodies = naive.execute(like, (f"%{word}%", '%"status":"failed"%')).fetchall()
            _ = [json.loads(body) for (body,) in bodies]

        figure, baseline = in_turn(ours, scan, 21)
        yield Row(f"{count:,} records: find {what} among the failed", figure, "ms", baseline, "LIKE in SQLite", aim=20)
    numbers = iter(range(count, count + 1000))
    alone = folder / "alone"
    alone.mkdir()
    figure, baseline = in_turn(lambda: log.save(record_of(next(numbers))), lambda: _file(alone, next(numbers)), 101)
    what = f"{count:,} records: save one more"
    yield Row(what, figure, "ms", baseline, "a JSON file, synced", aim=2 * baseline)
    log.close()
    yield _gallery(folder / "log", naive, count)
    naive.close()


def _gallery(folder: Path, naive: sqlite3.Connection, count: int) -> Row:
    """The first page of a gallery that was just opened, with its stills, as the browser asks for it."""
    studio = Studio(log=folder)
    posters = [studio.store.add_media(poster(number), ".jpg") for number in range(_PAGE)]
    for number, still in enumerate(posters):
        record = record_of(count + 2000 + number)
        clip = File(file=f"clips/{record.id}.mp4", digest=sha256(still.encode()), size=1, poster=still)
        studio.store.save(record.model_copy(update={"clip": clip, "status": "succeeded"}))

    def ours() -> None:
        studio.gallery()._on_records({"ask": 1, "offset": 0, "limit": _PAGE}, [])

    def scan() -> None:
        bodies = naive.execute("SELECT json FROM records ORDER BY id DESC LIMIT ?", (_PAGE,)).fetchall()
        _ = [json.loads(body) for (body,) in bodies], naive.execute("SELECT COUNT(*) FROM records").fetchone()
        for still in posters:
            if file := studio.store.file(still):
                with Image.open(file) as image:
                    image.thumbnail((320, 320))
                    image.save(BytesIO(), "JPEG")

    figure, baseline = in_turn(ours, scan, 11)
    studio.close()
    what = f"{count:,} records: a gallery's first page, {_PAGE} stills"
    return Row(what, figure, "ms", baseline, "SQLite and Pillow", aim=200)


def poster(number: int) -> bytes:
    out = BytesIO()
    Image.effect_noise((160, 90), 20 + number).resize((1280, 720)).convert("RGB").save(out, "JPEG")
    return out.getvalue()


def filled(folder: Path, count: int) -> Log:
    log = Log(folder)
    index(log, map(record_of, range(count)))
    return log


def index(log: Log, records: Iterable[Record]) -> None:
    """Straight into the index: the sidecars of as many records would take minutes to be written and synced."""
    log._records.ready(writing=True)
    log._records.index.replace_all((record, FileVersion(number, 1)) for number, record in enumerate(records))


def _naive(file: Path, records: list[Record]) -> sqlite3.Connection:
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE records (id TEXT PRIMARY KEY, json TEXT)")
    connection.executemany("INSERT INTO records VALUES (?, ?)", ((one.id, one.model_dump_json()) for one in records))
    connection.commit()
    return connection


def _file(folder: Path, number: int) -> None:
    with (folder / f"{number}.json").open("w") as file:
        file.write(record_of(number).model_dump_json(indent=2))
        file.flush()
        os.fsync(file.fileno())


def in_turn(ours: Callable[[], Any], theirs: Callable[[], Any], times: int) -> tuple[float, float]:
    """Medians in milliseconds."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        for each, work in zip(took, (ours, theirs), strict=True):
            began = time.perf_counter()
            work()
            each.append(1000 * (time.perf_counter() - began))
    return median(took[0]), median(took[1])


def record_of(number: int) -> Record:
    dice = random.Random(number)  # noqa: S311 - filler, no secret
    prompt = " ".join(dice.choices(_WORDS, k=4)) + (f" {_RARE}" if number % 2500 == 0 else "")
    request = {"model": MODEL, "prompt": prompt, "duration": 5}
    return Record(
        id=f"job{number:06}",
        batch=f"batch{number:06}",
        hub="https://hub.example",
        local=False,
        model=MODEL,
        status="failed" if number % 7 == 0 or number % 2500 == 0 else "succeeded",
        canonical=request,
        request_hash=sha256(canonical_json(request)),
        estimate=Estimate(each=None, total=None, seconds=5, generations=1, rate=None, source="unknown"),
        times=Times(created=_START + datetime.timedelta(minutes=number)),
        tags=("keep",) if number % 5 == 0 else (),
    )
