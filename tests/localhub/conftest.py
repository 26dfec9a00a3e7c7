"""Real hub processes on real sockets, each in a folder of its own."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image, ImageDraw

from kling_nb.localhub.serve import ensure, stop

TARGET = "kling-video-o3-pro-reference-to-video"
#: Films of a few kilobytes: what a test wants of most of them is that they are there.
SMALL = ("--size", "180p")
OVER = ("succeeded", "failed", "cancelled")


class Caller(httpx.Client):
    """A client with a key, and the few sequences that every test needs."""

    def enqueue(self, headers: dict[str, str] | None = None, **body: Any) -> str:
        answer = self.post("/api/ai/queue", json=request(**body), headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()["generations"][0]["generation_id"]

    def record(self, job_id: str) -> dict[str, Any]:
        return self.get(f"/api/ai/queue/{job_id}").json()

    def finished(self, job_id: str, within: float = 30) -> dict[str, Any]:
        return until(lambda: (found := self.record(job_id))["status"] in OVER and found, within)

    def fault(self, name: str, **more: Any) -> None:
        answer = self.post("/_local/faults", json={"fault": name, **more})
        assert answer.status_code == 200, answer.text

    def stats(self) -> dict[str, Any]:
        return self.get("/_local/stats").json()


def request(**body: Any) -> dict[str, Any]:
    if "multi_prompt" not in body:
        body = {"prompt": "a paper boat sets sail", "duration": 3, **body}
    return {"model": TARGET, **body}


def until(condition: Callable[[], Any], within: float = 60) -> Any:
    deadline = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)
    return value


def picture(size: tuple[int, int] = (640, 360), colour: str = "#c04030", kind: str = "PNG") -> bytes:
    image = Image.new("RGB", size, colour)
    ImageDraw.Draw(image).ellipse((size[0] * 0.3, size[1] * 0.2, size[0] * 0.6, size[1] * 0.8), fill="#f0d060")
    out = BytesIO()
    image.save(out, kind)
    return out.getvalue()


def data_uri(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Caller]]:
    """Start a hub of one's own: `start("--open", "resign=never", speed=50)`."""
    folders: list[Path] = []
    callers: list[Caller] = []

    def starter(*arguments: str, folder: Path | None = None, speed: float = 50, idle: float | None = 120) -> Caller:
        home = folder or tmp_path / f"hub{len(folders)}"
        folders.append(home)
        callers.append(caller(ensure(home, speed=speed, idle=idle, arguments=(*SMALL, *arguments))))
        return callers[-1]

    yield starter
    for each in callers:
        each.close()
    for home in folders:
        stop(home)


@pytest.fixture(scope="session")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    folder = tmp_path_factory.mktemp("shared-hub")
    with caller(ensure(folder, speed=50, idle=3600, arguments=(*SMALL, "--keep-alive", "0.2"))) as client:
        yield client
    stop(folder)


@pytest.fixture(scope="session")
def finished(_shared: Caller) -> str:
    """A job that has its film."""
    job = _shared.enqueue()
    assert _shared.finished(job)["status"] == "succeeded"
    return job


@pytest.fixture
def hub(_shared: Caller) -> Iterator[Caller]:
    """The hub that most tests share, without faults."""
    yield _shared
    _shared.delete("/_local/faults")


def caller(url: str, key: str = "test-key") -> Caller:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return Caller(base_url=url, headers=headers, trust_env=False, timeout=30)
