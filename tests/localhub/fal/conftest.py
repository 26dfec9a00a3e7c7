"""fal's stand-in on a real socket, and fal's own client pointed at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import fal_client
import fal_client.client
import httpx
import pytest

from kling_nb.localhub.serve import ensure, stop
from tests.localhub.conftest import SMALL, HubClient, starting

ENDPOINT = "fal-ai/kling-video/o3/pro/reference-to-video"
FAL_KEY = "an-id:a-secret"
SUBMIT, STATUS, RESULT = "POST /:endpoint", "GET /:app/requests/:id/status", "GET /:app/requests/:id"


class FalSide(HubClient):
    """The stand-in as plain HTTP, with a key, and its private routes."""

    def submit(self, endpoint: str = ENDPOINT, *, headers: dict[str, str] | None = None, **body: Any) -> dict[str, Any]:
        response = self.post(f"/{endpoint}", json={"duration": "3", **body}, headers=headers)
        assert response.status_code == 200, response.text
        return response.json()

    def ended(self, reply: dict[str, Any]) -> dict[str, Any]:
        """Wait for the end of a request, and return its last status object."""
        stream = self.get(f"{reply['status_url']}/stream", params={"logs": 1})
        return httpx.Response(200, text=stream.text.strip().rpartition("data: ")[2]).json()

    def asked(self, label: str) -> int:
        return self.stats()["requests"].get(label, 0)

    def history(self, **query: Any) -> list[dict[str, Any]]:
        response = self.get("/v1/models/requests/by-endpoint", params={"endpoint_id": ENDPOINT, **query})
        assert response.status_code == 200, response.text
        return response.json()["items"]

    def row(self, request_id: str, **query: Any) -> dict[str, Any] | None:
        return next(iter(self.history(request_id=request_id, **query)), None)


def connect(url: str, key: str = FAL_KEY) -> FalSide:
    headers = {"Authorization": f"Key {key}"} if key else {}
    return FalSide(base_url=url, headers=headers, trust_env=False, timeout=60)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., FalSide]]:
    """Start a stand-in for one test alone."""
    with starting(tmp_path, connect, provider="fal") as started:
        yield started


@pytest.fixture(scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FalSide]:
    folder = tmp_path_factory.mktemp("shared-fal")
    with connect(ensure(folder, speed=50, idle=3600, arguments=SMALL, provider="fal")) as client:
        yield client
    stop(folder)


@pytest.fixture
def fal(_shared: FalSide) -> Iterator[FalSide]:
    """The stand-in that most tests share, without faults."""
    yield _shared
    _shared.delete("/_local/faults")


@pytest.fixture
def client(fal: FalSide, monkeypatch: pytest.MonkeyPatch) -> Iterator[fal_client.SyncClient]:
    """fal's own client (the wheel), whose hosts are constants without an option."""
    base = str(fal.base_url).rstrip("/")
    for name, value in {
        "QUEUE_URL_FORMAT": f"{base}/queue.fal.run/",
        "RUN_URL_FORMAT": f"{base}/fal.run/",
        "REST_URL": f"{base}/rest.fal.ai",
        "CDN_URL": fal.get("/_local/health").json()["media_url"],
        "BASE_DELAY": 0.01,
        "MAX_DELAY": 0.02,
    }.items():
        monkeypatch.setattr(fal_client.client, name, value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ExitStack() as closing:  # it closes none of its connections
        opened = httpx.Client.__init__

        def recorded(self: httpx.Client, *args: Any, **kwargs: Any) -> None:
            opened(self, *args, **kwargs)
            closing.callback(self.close)

        monkeypatch.setattr(httpx.Client, "__init__", recorded)
        yield fal_client.SyncClient(key=FAL_KEY)
