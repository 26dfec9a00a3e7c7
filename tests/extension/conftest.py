"""One Jupyter server for the files of this folder, with three logs below its root and one outside."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from lab import laid_out
from support.records import make_record
from support.videos import video_file

from kling_nb.models.record import Record
from kling_nb.store import Log

TOKEN = "extension-of-the-tests"  # noqa: S105 - of a server on loopback that lives as long as these tests


@dataclass
class Server:
    """A running server, its root folder, and a client that is logged in."""

    url: str
    root: Path
    client: httpx.Client
    pid: int
    loaded_at_first: str = ""

    def __post_init__(self) -> None:
        self.loaded_at_first = self.loaded()

    def loaded(self) -> str:
        """Return the libraries that its process has loaded."""
        return Path(f"/proc/{self.pid}/maps").read_text()

    def ask(self, path: str, **query: str) -> httpx.Response:
        return self.client.get(f"{self.url}/kling_nb/api/{path}", params=query)


@pytest.fixture(scope="session")
def movie(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return video_file(tmp_path_factory.mktemp("movie") / "clip.mp4", 1, (320, 180)).read_bytes()


def with_clip(log: Log, movie: bytes, number: int = 0, **changes: Any) -> Record:
    """Save a record whose clip is a real one."""
    record = log.save(make_record(number, **changes))
    part = log.partial(record.id)
    part.write_bytes(movie)
    from kling_nb.store.media import digest_of

    clip = log.add_clip(record.id, part, digest_of(part))
    return log.save(record.model_copy(update={"status": "succeeded", "clip": clip}))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, movie: bytes) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("jupyter")
    root, outside, home = base / "root", base / "outside", base / "home"
    for name in ("one", "two"):
        log = Log(root / name / "kling_log")
        with_clip(log, movie, notebook=f"{name}.ipynb")
        log.close()
    log = Log(outside / "kling_log")
    with_clip(log, movie)
    log.close()
    (root / "linked").mkdir()
    (root / "linked" / "kling_log").symlink_to(outside / "kling_log")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"),
        *(f"--ServerApp.port={port}", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={root}"),
        *("--ServerApp.port_retries=0", "--ServerApp.terminals_enabled=False"),
        "--ServerApp.jpserver_extensions={'kling_nb.lab': True}",
    ]
    environment = os.environ | {"HOME": str(home), "XDG_STATE_HOME": str(home / "state"), **laid_out(home)}
    environment.pop("KLING_NB_LOG", None)
    with (base / "server.log").open("wb") as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=subprocess.STDOUT, cwd=base)
    url = f"http://127.0.0.1:{port}"
    with httpx.Client(headers={"Authorization": f"token {TOKEN}"}, timeout=60) as client:
        end = time.monotonic() + 60
        while True:
            try:
                client.get(f"{url}/api/status").raise_for_status()
                break
            except httpx.HTTPError:
                assert process.poll() is None and time.monotonic() < end, (base / "server.log").read_text()[-3000:]
                time.sleep(0.05)
        yield Server(url, root, client, process.pid)
    process.terminate()
    process.wait(60)
    shutil.rmtree(base, ignore_errors=True)
