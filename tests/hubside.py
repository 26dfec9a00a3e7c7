"""A local hub for tests: its faults can be switched on, and its requests are counted."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import httpx
from PIL import Image, ImageDraw

from kling_nb.localhub.serve import ensure, stop

POST, LIST, READ, DELETE = (
    "POST /api/ai/queue",
    "GET /api/ai/queue",
    "GET /api/ai/queue/:generation_id",
    "DELETE /api/ai/queue/:generation_id",
)
RESULT = "GET /api/repos/:result"
UPLOAD = "POST /api/repos/:workbench"
SIGN = "GET /api/repos/:file"


class HubSide:
    """A local hub process with its state in a folder, controlled by its private routes; counts start at `mark`."""

    provider = "oxen"
    #: How submits are counted, and the faults of each kind of request: `hub.fault("upstream", **hub.SUBMIT)`.
    POSTED = POST
    SUBMIT: ClassVar[dict[str, str]] = {"method": "POST", "path": "/api/ai/queue"}
    LOOK: ClassVar[dict[str, str]] = {"method": "GET", "path": "/api/ai/queue"}
    SEARCH: ClassVar[dict[str, str]] = LOOK

    def __init__(self, folder: Path, *arguments: str, speed: float = 100) -> None:
        self.folder, self._arguments, self._speed = folder, ("--size", "90p", *arguments), speed
        self.url = ""
        self.start()
        self._http = httpx.Client(base_url=self.url, trust_env=False, verify=False, timeout=60)  # noqa: S501 - no TLS on loopback
        self.mark()

    def start(self) -> None:
        """Start it, or start it again after `kill`, at the same address and with its jobs."""
        self.url = ensure(self.folder, speed=self._speed, idle=900, arguments=self._arguments, provider=self.provider)

    @property
    def address(self) -> str:
        """The hub as a studio's setting."""
        return self.url

    def kill(self) -> None:
        """Kill it with SIGKILL, as a crash would."""
        pid = self._http.get("/_local/health").json()["pid"]
        os.kill(pid, signal.SIGKILL)
        until(lambda: not Path(f"/proc/{pid}").exists() or _is_zombie(pid))

    def close(self) -> None:
        self._http.close()
        stop(self.folder)

    def mark(self) -> None:
        """Clear the faults and count from here."""
        self._http.delete("/_local/faults")
        self._before = self.stats()

    def fault(self, name: str, *, method: str = "", path: str = "", **more: Any) -> None:
        """Switch a fault on, for requests with this `method` and `path` only."""
        match = {key: value for key, value in (("method", method), ("path_prefix", path)) if value}
        answer = self._http.post("/_local/faults", content=json.dumps({"fault": name, "match": match, **more}))
        assert answer.status_code == 200, answer.text

    def clear(self) -> None:
        self._http.delete("/_local/faults")

    def stats(self) -> dict[str, Any]:
        return self._http.get("/_local/stats").json()

    def asked(self, label: str) -> int:
        """Return the number of such requests since `mark`."""
        return self.stats()["requests"].get(label, 0) - self._before["requests"].get(label, 0)

    @property
    def posts(self) -> int:
        return self.asked(self.POSTED)

    @property
    def enqueued(self) -> int:
        return self.stats()["enqueued"] - self._before["enqueued"]

    def enqueue(self, body: dict[str, Any]) -> str:
        """Submit a request without our client, as if the hub had accepted one whose answer was lost; return its id."""
        answer = self._http.post("/api/ai/queue", json=body, headers={"Authorization": "Bearer other"})
        return answer.json()["generations"][0]["generation_id"]

    def status(self, generation_id: str) -> str:
        answer = self._http.get(f"/api/ai/queue/{generation_id}", headers={"Authorization": "Bearer other"})
        return answer.json()["status"]

    def prompted(self, prompt: str, status: str) -> list[str]:
        """Return the ids of the jobs with this prompt in this state; other jobs belong to other tests."""
        answer = self._http.get("/api/ai/queue", params={"status": status}, headers={"Authorization": "Bearer other"})
        return [job["generation_id"] for job in answer.json()["generations"] if job["prompt"] == prompt]


class FalSide(HubSide):
    """The stand-in for fal.ai."""

    provider = "fal"
    POSTED = "POST /:endpoint"
    SUBMIT: ClassVar[dict[str, str]] = {"method": "POST", "path": "/:endpoint"}
    LOOK: ClassVar[dict[str, str]] = {"method": "GET", "path": "/:app/requests/"}
    SEARCH: ClassVar[dict[str, str]] = {"method": "GET", "path": "/v1/models/requests/"}

    @property
    def address(self) -> str:
        return f"fal+{self.url}"

    @property
    def media(self) -> str:
        """The address of the media host."""
        return self._http.get("/_local/health").json()["media_url"]

    def enqueue(self, body: dict[str, Any]) -> str:
        """Submit a request without our client, and return its ticket."""
        fields = {name: value for name, value in body.items() if name != "model"}
        answer = self._http.post(f"/{body['model']}", json=fields, headers={"Authorization": "Key other"})
        return f"{body['model']}/requests/{answer.json()['request_id']}"

    def jobs(self) -> list[dict[str, Any]]:
        """Return what was submitted, as it arrived."""
        return self._http.get("/_local/jobs").json()

    def prompted(self, prompt: str, status: str) -> list[str]:
        jobs = [job for job in self.jobs() if job["request"].get("prompt") == prompt and job["status"] == status]
        return [f"{job['model']}/requests/{job['id']}" for job in jobs]


def until(condition: Callable[[], Any], within: float = 60) -> Any:
    """Wait until a condition is true, and return its value."""
    deadline = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.01)
    return value


def png_image(colour: str = "#c04030", size: tuple[int, int] = (400, 320)) -> bytes:
    """Return a PNG that the hub accepts."""
    image = Image.new("RGB", size, colour)
    ImageDraw.Draw(image).ellipse((90, 60, 240, 260), fill="#f0d060")
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _is_zombie(pid: int) -> bool:
    try:
        return " Z " in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
