"""Real hub processes on real sockets, each with its own folder."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from PIL import Image, ImageDraw

from kling_nb.localhub.serve import ensure, stop

TARGET = "kling-video-o3-pro-reference-to-video"
# Most tests do not look at the clip, so it may be small.
SMALL = ("--size", "90p")
TERMINAL = ("succeeded", "failed", "cancelled")


class HubClient(httpx.Client):
    """An HTTP client with a key, and the calls that most tests make."""

    def enqueue(self, headers: dict[str, str] | None = None, **body: Any) -> str:
        response = self.post("/api/ai/queue", json=request(**body), headers=headers)
        assert response.status_code == 200, response.text
        return response.json()["generations"][0]["generation_id"]

    def record(self, job_id: str) -> dict[str, Any]:
        return self.get(f"/api/ai/queue/{job_id}").json()

    def finished(self, job_id: str, within: float = 60) -> dict[str, Any]:
        return wait_for(lambda: (record := self.record(job_id))["status"] in TERMINAL and record, within)

    def fault(self, name: str, **settings: Any) -> None:
        response = self.post("/_local/faults", json={"fault": name, **settings})
        assert response.status_code == 200, response.text

    def stats(self) -> dict[str, Any]:
        return self.get("/_local/stats").json()

    def pid(self) -> int:
        return self.get("/_local/health").json()["pid"]


C = TypeVar("C", bound=HubClient)


def connect(url: str, key: str = "test-key") -> HubClient:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return HubClient(base_url=url, headers=headers, trust_env=False, timeout=60)


def request(**body: Any) -> dict[str, Any]:
    if "multi_prompt" not in body:
        body = {"prompt": "a paper boat sets sail", "duration": 3, **body}
    return {"model": TARGET, **body}


def wait_for(condition: Callable[[], Any], within: float = 60) -> Any:
    deadline = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.02)
    return value


def image_bytes(size: tuple[int, int] = (640, 360), colour: str = "#c04030", kind: str = "PNG") -> bytes:
    image = Image.new("RGB", size, colour)
    ImageDraw.Draw(image).ellipse((size[0] * 0.3, size[1] * 0.2, size[0] * 0.6, size[1] * 0.8), fill="#f0d060")
    out = BytesIO()
    image.save(out, kind)
    return out.getvalue()


def data_uri(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


@contextmanager
def starting(tmp_path: Path, connect: Callable[[str], C], **more: Any) -> Iterator[Callable[..., C]]:
    """Return a function that starts hubs, which end with the context, and connects to them."""
    folders: list[Path] = []
    clients: list[C] = []

    def start(*arguments: str, folder: Path | None = None, speed: float = 50, idle: float | None = 120) -> C:
        home = folder or tmp_path / f"hub{len(folders)}"
        folders.append(home)
        clients.append(connect(ensure(home, speed=speed, idle=idle, arguments=(*SMALL, *arguments), **more)))
        return clients[-1]

    yield start
    for client in clients:
        client.close()
    for home in folders:
        stop(home)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., HubClient]]:
    """Start a hub for one test alone: `start("--choice", "resign=never", speed=50)`."""
    with starting(tmp_path, connect) as started:
        yield started


@pytest.fixture(scope="session")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubClient]:
    folder = tmp_path_factory.mktemp("shared-hub")
    with connect(ensure(folder, speed=50, idle=3600, arguments=(*SMALL, "--keep-alive", "0.2"))) as client:
        yield client
    stop(folder)


@pytest.fixture(scope="session")
def finished(_shared: HubClient) -> str:
    """A succeeded job."""
    job = _shared.enqueue()
    assert _shared.finished(job)["status"] == "succeeded"
    return job


@pytest.fixture
def hub(_shared: HubClient) -> Iterator[HubClient]:
    """The hub that most tests share, without faults."""
    yield _shared
    _shared.delete("/_local/faults")


@pytest.fixture
def result_url(hub: HubClient, finished: str) -> str:
    """The URL of a finished clip."""
    return hub.record(finished)["result_url"]
