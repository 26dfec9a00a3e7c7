"""The cost of the Jupyter extension for a server, and the time until a page hears of a job."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import httpx
from websockets.sync.client import ClientConnection, connect

from benchmarks.hub import KEY, BenchHub
from benchmarks.loading import _TIMED, seconds_of
from benchmarks.logbook import index, record_of
from benchmarks.table import LeftOut, Row
from kling_nb.store.log import Log
from kling_nb.store.other_logs import remember
from kling_nb.studio import Studio

_TOKEN = "benchmark"  # noqa: S105 - of a server on loopback that lives as long as the run
_RECORDS, _LISTENERS = 2000, 5


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Measure a Jupyter server without and with the extension, one after the other."""
    try:
        import jupyter_server  # noqa: F401
    except ImportError as exc:
        raise LeftOut("jupyter_server is not installed") from exc
    times = 3 if quick else 9
    names = ("jupyter_server.serverapp", "jupyter_server.serverapp, kling_nb.lab.extension", "kling_nb.lab.queries")
    took = {
        name: [seconds_of(_TIMED.format(name=name, clock="process_time"))[0] for _ in range(times)] for name in names
    }
    server, ours, reading = (median(took[name]) * 1000 for name in names)
    yield Row("import at the server's start", ours, "ms", server, "a server without the extension")
    yield Row("import at the first question", reading, "ms")
    with _home(folder), _serving(folder / "plain", extended=False) as (_, pid):
        bare = _memory(pid)
    with _home(folder), BenchHub(folder / "hub", takes=1.0) as hub, _serving(folder, extended=True) as (url, pid):
        yield Row("memory of the server, before the first question", _memory(pid), "MB", bare, "without the extension")
        yield from _pages(folder / "root" / "many", url, times)
        yield from _news(folder / "root" / "one", url, hub, times)
        with contextlib.ExitStack() as stack:
            for _ in range(_LISTENERS):
                stack.enter_context(_listening(url))
            time.sleep(2)
            before, began = _processor(pid), time.monotonic()
            time.sleep(5 if quick else 20)
            share = 100 * (_processor(pid) - before) / (time.monotonic() - began)
        yield Row(f"a core, while {_LISTENERS} pages listen and nothing happens", share, "%", aim=2)
        yield Row("memory of the server, after all this", _memory(pid), "MB", bare, "without the extension")


def _pages(folder: Path, url: str, times: int) -> Iterator[Row]:
    log = Log(folder / "kling_log")
    index(log, map(record_of, range(_RECORDS)))
    (folder / "kling_log" / "records").mkdir(exist_ok=True)
    remember(folder / "kling_log")  # as a kernel does
    limit = iter(range(1, 100))
    with httpx.Client(headers={"Authorization": f"token {_TOKEN}"}, trust_env=False, timeout=60) as client:

        def asked(*, changed: bool) -> float:
            if changed:
                log.budget.change(lambda limits: limits.changed(day=str(next(limit))))
            began = time.perf_counter()
            answer = client.get(f"{url}/kling_nb/api/overview")
            took = (time.perf_counter() - began) * 1000
            (overview,) = answer.json()["logs"]
            assert len(overview["clips"]) == 24, overview
            return took

        cold = asked(changed=True)
        after = [asked(changed=True) for _ in range(times)]
        again = [asked(changed=False) for _ in range(times)]
    log.close()
    what = f"the overview with 24 clips, of {_RECORDS:,} records"
    yield Row(f"{what}, cold", cold, "ms")
    yield Row(f"{what}, after a change", median(after), "ms", aim=20)
    yield Row(f"{what}, unchanged", median(again), "ms", aim=20)


def _news(folder: Path, url: str, hub: BenchHub, times: int) -> Iterator[Row]:
    seen, ended = [], []
    studio = Studio(key=KEY, hub=hub.url, log=folder / "kling_log")
    studio.generate("first", duration=3).wait()
    with _listening(url) as heard:
        for number in range(times):
            job = studio.generate(f"take {number}", duration=3)
            began = time.perf_counter()
            _until(heard, lambda news, job=job: job.id in _under_way(news))
            seen.append(time.perf_counter() - began)
            job.result()
            began = time.perf_counter()
            _until(heard, lambda news, job=job: news["kind"] == "ended" and news["record"]["id"] == job.id)
            ended.append(time.perf_counter() - began)
    studio.close()
    yield Row("a page hears of a job, after kn.generate has returned", median(seen), "s", aim=1)
    yield Row("a page hears of its end, after job.result() has returned", median(ended), "s", aim=0.3)


def _under_way(news: dict[str, Any]) -> list[str]:
    return [job["id"] for log in news.get("logs", ()) for job in log["jobs"]]


def _until(heard: queue.Queue[dict[str, Any]], wanted: Any) -> None:
    while not wanted(heard.get(timeout=60)):
        pass


@contextlib.contextmanager
def _listening(url: str) -> Iterator[queue.Queue[dict[str, Any]]]:
    address = f"{url.replace('http', 'ws')}/kling_nb/api/news?token={_TOKEN}"
    heard: queue.Queue[dict[str, Any]] = queue.Queue()
    with connect(address, proxy=None, max_size=None) as page:
        thread = threading.Thread(target=_hear, args=(page, heard), daemon=True)
        thread.start()
        yield heard


def _hear(page: ClientConnection, heard: queue.Queue[dict[str, Any]]) -> None:
    for text in page:
        heard.put(json.loads(text))


@contextlib.contextmanager
def _home(folder: Path) -> Iterator[None]:
    """Keep the list of logs that kernels have used in a folder of the run."""
    with patch.dict(os.environ, {"XDG_STATE_HOME": str(folder / "state")}):
        os.environ.pop("KLING_NB_LOG", None)
        yield


@contextlib.contextmanager
def _serving(folder: Path, *, extended: bool) -> Iterator[tuple[str, int]]:
    (folder / "root").mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    homes = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    command = [
        *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", f"--ServerApp.port={port}"),
        *("--ServerApp.ip=127.0.0.1", f"--IdentityProvider.token={_TOKEN}", f"--ServerApp.root_dir={folder / 'root'}"),
        f"--ServerApp.jpserver_extensions={{'kling_nb.lab': {extended}}}",
    ]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=os.environ | homes, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{url}/api/status?token={_TOKEN}", trust_env=False).status_code == 200:
                    break
            time.sleep(0.1)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(20)


def _memory(pid: int) -> float:
    import psutil

    return psutil.Process(pid).memory_info().rss / 2**20


def _processor(pid: int) -> float:
    import psutil

    used = psutil.Process(pid).cpu_times()
    return used.user + used.system
