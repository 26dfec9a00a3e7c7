"""A team's log beside a folder's with the same records: on a PostgreSQL server and a Swift object store of its own."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import filling, scoring
from benchmarks.loading import seconds_of
from benchmarks.logbook import in_turn, index, poster
from benchmarks.table import LeftOut, Row
from kling_nb.models.budget import Scope
from kling_nb.models.record import File, Record
from kling_nb.scoring.registry import scorers
from kling_nb.store.log import Log
from kling_nb.store.team import TeamLog
from kling_nb.studio import Studio
from tests.support import postgres, swift
from tests.support.distance import Distance

#: Seconds there and back.
_FAR = 0.020
_PAGE, _SENDERS = 24, 8
_FOLDER, _TOTAL = "a folder", Scope("total", Decimal(0))
_MEDIA = "s3://clips/bench"
_ROOT = Path(__file__).resolve().parents[1]


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Start both servers, fill the tables, and measure each thing in turn with the folder's log."""
    if missing := postgres.UNAVAILABLE or swift.UNAVAILABLE:
        raise LeftOut(missing)
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        with _step("PostgreSQL and Swift", 60):
            server = stack.enter_context(closing(postgres.Postgres()))
            store = stack.enter_context(closing(swift.Swift()))
        stack.enter_context(_environment(**store.environment))
        url, count = server.schema(), 10_000 if quick else 100_000
        team = stack.enter_context(closing(TeamLog(folder / "ann", url, _MEDIA, "ann")))
        alone = stack.enter_context(closing(Log(folder / "alone")))
        with _step(f"fill both with {count:,} records", 180):
            with _environment(KLING_NB_DATABASE=url, KLING_NB_MEDIA=_MEDIA):
                real = filling.real_record(folder)
            filling.fill(url, real, count)
            index(alone, team.find(newest_first=False))
        bench = Bench(folder, url, f"{count:,} records", real, team, alone, quick)
        yield from bench.words()
        yield from bench.saves()
        yield bench.lag()
        yield from bench.senders()
        yield from bench.galleries()
        yield bench.loaded()
    yield from _cluster(folder, quick=quick)


@dataclass
class Bench:
    """The two logs with the same records, and the measurements of both."""

    folder: Path
    url: str
    many: str
    real: Record
    team: TeamLog
    alone: Log
    quick: bool
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(10**6)))

    def words(self) -> Iterator[Row]:
        """Words in the prompts, as the gallery searches."""
        for what, word in (("a common word", filling.COMMON), ("a rare word", filling.RARE)):
            with _step(f"find {what}", 60):
                ours, theirs = (lambda log=log, w=word: log.find(text=w, limit=50) for log in (self.team, self.alone))
                figures = in_turn(ours, theirs, 9)
            yield self._row(f"find 50 with {what}", figures, aim=40)
        with _step("count a word", 60):
            ours, theirs = (lambda log=log: log.count(text=filling.COMMON) for log in (self.team, self.alone))
            figures = in_turn(ours, theirs, 9)
        yield self._row("count a common word", figures)

    def saves(self) -> Iterator[Row]:
        """A record's way to the hub: saved, allowed by the limits, and saved with its ticket."""
        with (
            closing(Distance(self.url, _FAR)) as way,
            closing(TeamLog(self.folder / "f", way.url, _MEDIA, "eve")) as far,
        ):
            for log in (self.team, self.alone):
                log.budget.change(lambda limits: limits.changed(total="1000000000.00"))
            for where, team, aim in (("", self.team, 10), (f", {1000 * _FAR:.0f} ms there and back", far, 60)):
                took: dict[str, tuple[list[float], list[float]]] = {}
                with _step(f"save and send{where}", 90):
                    for _ in range(7 if self.quick else 31):
                        for side, log in enumerate((team, self.alone)):
                            for what, seconds in self._sent(log):
                                took.setdefault(what, ([], []))[side].append(1000 * seconds)
                for what, (ours, theirs) in took.items():
                    yield self._row(f"{what}{where}", (median(ours), median(theirs)), aim=aim)

    def _sent(self, log: Log) -> Iterator[tuple[str, float]]:
        record = filling.fresh(self.real, next(self._numbers), log)
        began = time.perf_counter()
        saved = log.save(record)
        yield "save a new record", time.perf_counter() - began
        began = time.perf_counter()
        (sent,) = log.spend([saved.model_copy(update={"status": "submitting"})])
        yield "decide that it may be sent", time.perf_counter() - began
        assert sent
        began = time.perf_counter()
        log.save(sent.model_copy(update={"status": "queued", "generation_id": f"g-{record.id}"}))
        yield "save its ticket", time.perf_counter() - began

    def lag(self) -> Row:
        """The delay from the last of many saves until everything is in the bucket."""
        with _step("save 20 times a second", 60):
            self.team.sync()
            began = time.perf_counter()
            for number in range(60):
                time.sleep(max(0.0, began + number / 20 - time.perf_counter()))
                self.team.save(filling.fresh(self.real, next(self._numbers), self.team))
            last = time.perf_counter()
            while any(self.team.team().late):
                time.sleep(0.02)
            took = time.perf_counter() - last
        return Row("20 saves a second: all sidecars in the bucket after the last", took, "s", aim=1)

    def senders(self) -> Iterator[Row]:
        """Several kernels at one limit that has room for three quarters of what they want to send."""
        few = self.quick
        bucket = f"file://{self.folder}/bucket"  # an object store on the same cores would take half of them
        folder = self._tries(self.alone, 4 if few else 12, "")
        what = f"{self.many}: {_SENDERS} senders at one limit, tries a second"
        yield Row(
            what, self._tries(self.team, 15 if few else 100, bucket), "", folder, _FOLDER, 200, more_is_better=True
        )
        yield Row(
            "the same, with the object store on the same cores", self._tries(self.team, 15 if few else 50, _MEDIA)
        )

    def _tries(self, log: Log, each: int, media: str) -> float:
        room = each * _SENDERS * 3 // 4
        most = log.budget.counted(_TOTAL) + room * Decimal("0.10")
        log.budget.change(lambda limits: limits.changed(total=most))
        with _step(f"{_SENDERS} senders, {media or 'a folder'}", 90):
            sent, seconds = self._raced(log, each, media)
        assert sent == room, f"{sent} sent, with room for {room}"
        return each * _SENDERS / seconds

    def _raced(self, log: Log, each: int, media: str) -> tuple[int, float]:
        """Return how many were sent, and the seconds from the start to the end of the last sender."""
        with ExitStack() as stack:
            stack.enter_context(_environment(KLING_NB_DATABASE=self.url))
            started: list[subprocess.Popen[str]] = []
            for _ in range(_SENDERS):
                name = f"s{next(self._numbers)}"
                where = self.folder / name if media else log.folder
                arguments = ("-m", "benchmarks.sender", where, name, str(each), *([media] if media else []))
                pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": _ROOT}
                sender = subprocess.Popen([sys.executable, *map(str, arguments)], **pipes)
                stack.callback(sender.kill)
                started.append(sender)
            for sender in started:
                assert sender.stdout and sender.stdout.readline() == "ready\n"
            began = time.perf_counter()
            for sender in started:
                assert sender.stdin
                sender.stdin.write("\n")
                sender.stdin.flush()
            sent = [int(sender.stdout.readline()) for sender in started if sender.stdout]
            return sum(sent), time.perf_counter() - began

    def galleries(self) -> Iterator[Row]:
        """The first page of a gallery that was just opened, on a machine that has none of its stills."""
        with _step("clips with stills", 60):
            for number in range(_PAGE):
                self._add_clip(poster(number))
            assert self.team.sync()[0].problems == []
        for what, aim in (("cold", 500), ("warm", 200)):
            took: tuple[list[float], list[float]] = ([], [])
            with _step(f"a gallery, {what}", 60):
                for number in range(3 if self.quick else 7):
                    with _environment(KLING_NB_DATABASE=self.url, KLING_NB_MEDIA=_MEDIA):
                        took[0].append(_opened(self.folder / f"machine{number}"))
                    took[1].append(_opened(self.alone.folder))
            figures = median(took[0]), median(took[1])
            yield self._row(f"a gallery's first page, {_PAGE} stills, {what}", figures, aim=aim)

    def _add_clip(self, still: bytes) -> None:
        for log in (self.team, self.alone):
            record = filling.fresh(self.real, next(self._numbers), log)
            digest = log.add_media(still, ".jpg")
            clip = File(file=f"clips/{record.id}.mp4", digest=digest, size=1, poster=digest)
            log.save(record.model_copy(update={"clip": clip, "status": "succeeded"}))

    def loaded(self) -> Row:
        """Importing the package, with the addresses in the environment."""
        code = "import time; began = time.perf_counter(); import kling_nb; print(time.perf_counter() - began)"
        took: dict[bool, list[float]] = {True: [], False: []}
        with _step("import kling_nb", 60):
            for team in (True, False) * (3 if self.quick else 15):
                both = {"KLING_NB_DATABASE": self.url, "KLING_NB_MEDIA": _MEDIA} if team else {}
                with _environment(**both):
                    took[team] += [1000 * one for one in seconds_of(code)]
        ours, theirs = median(took[True]), median(took[False])
        return Row("import kling_nb with a team's addresses", ours, "ms", theirs, "without", aim=theirs * 1.1)

    def _row(self, what: str, figures: tuple[float, float], aim: float | None = None) -> Row:
        return Row(f"{self.many}: {what}", figures[0], "ms", figures[1], _FOLDER, aim=aim)


def _opened(folder: Path) -> float:
    """Return the milliseconds in which a new kernel's gallery has its first page."""
    studio = Studio(log=folder)
    studio.store.count()  # connected: the first page is asked for by a browser, after the gallery was drawn
    gallery = studio.gallery()
    began = time.perf_counter()
    gallery._on_records({"call": 1, "offset": 0, "limit": _PAGE}, [])
    took = 1000 * (time.perf_counter() - began)
    studio.close()
    return took


def _cluster(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Clips scored by the two workers of a dask cluster on this machine, in turn with this machine's own processes."""
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        return
    count = 2 if quick else 8
    studio = Studio(log=folder / "clips")
    with _step("clips to score", 60):
        (folder / "made").mkdir()
        records = scoring.filled(studio, folder / "made", count)
    names = [name for name, scorer in scorers.items() if scorer.built_in]
    took: dict[bool, list[float]] = {True: [], False: []}
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
        client.get_executor() as executor,
    ):
        for turn in range(2 if quick else 4):
            for there in (True, False):
                with _step(f"score {count} clips {'by dask' if there else 'here'}", 120):
                    began = time.perf_counter()
                    studio.log(records).score(*names, recompute=True, on=executor if there else None)
                    if turn:  # the first one starts the workers' processes
                        took[there].append(time.perf_counter() - began)
    studio.close()
    speed, here = (count * scoring.SECONDS / min(took[there]) for there in (True, False))
    what = f"{len(names)} scorers on {count} clips, 2 dask workers"
    yield Row(what, speed, "x", here, "own processes, started again", aim=0.9 * here, more_is_better=True)


@contextlib.contextmanager
def _step(what: str, seconds: int) -> Generator[None]:
    """Print the name of a measurement, and end with an error and every thread's stack if it takes too long."""

    def late(*_: Any) -> None:
        faulthandler.dump_traceback()
        raise TimeoutError(f"{what}: not done after {seconds} s")

    print(f"  {what} …", end=" ", file=sys.stderr, flush=True)
    began, before = time.perf_counter(), signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        print(f"{time.perf_counter() - began:.1f} s", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _environment(**values: str) -> Generator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
