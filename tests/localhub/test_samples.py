"""Scripts in the style of the hub's documentation run on the local hub; only the host is changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import HubClient

ENQUEUE_AND_POLL = """
import os, time, requests

API_KEY = os.environ["OXEN_API_KEY"]
BASE = "HOST/api"
headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}

response = requests.post(
    f"{BASE}/ai/queue",
    headers=headers,
    json={
        "model": "kling-video-o3-pro-reference-to-video",
        "multi_prompt": [
            {"prompt": "A kite climbs over the dunes", "duration": 2},
            {"prompt": "Close on the hand that holds the line", "duration": 1},
        ],
        "aspect_ratio": "16:9",
        "generate_audio": True,
        "num_generations": 1,
    },
)
response.raise_for_status()
generation_id = response.json()["generations"][0]["generation_id"]

while True:
    generation = requests.get(f"{BASE}/ai/queue/{generation_id}", headers=headers).json()
    if generation["status"] in ("succeeded", "failed", "cancelled"):
        break
    time.sleep(0.1)

assert generation["status"] == "succeeded", generation["error_message"]
with open("video.mp4", "wb") as f:
    f.write(requests.get(generation["result_url"]).content)
print("done")
"""

LISTEN = """
import json, os, threading, requests

BASE = "HOST/api"
headers = {"Authorization": f"Bearer {os.environ['OXEN_API_KEY']}"}

with requests.get(f"{BASE}/events", headers=headers, stream=True, timeout=60) as events:
    response = requests.post(
        f"{BASE}/ai/queue",
        headers=headers,
        json={"model": "black-forest-labs-flux-2-klein-4b", "prompt": "An ox at the plough", "num_generations": 2},
    )
    waiting = {g["generation_id"] for g in response.json()["generations"]}
    event = None
    for line in events.iter_lines(decode_unicode=True):
        if line.startswith("event: "):
            event = line[len("event: "):]
        elif line.startswith("data: ") and event == "media_generation_completed":
            data = json.loads(line[len("data: "):])
            if data["generation_id"] in waiting:
                assert data["status"] == "succeeded", data
                waiting.discard(data["generation_id"])
                open(data["generation_id"] + ".png", "wb").write(requests.get(data["url"]).content)
            if not waiting:
                break
print("done")
"""

GENERATE = """
import os, requests

response = requests.post(
    "HOST/api/ai/videos/generate",
    headers={"Authorization": f"Bearer {os.environ['OXEN_API_KEY']}"},
    json={"model": "kling-video-o3-pro-reference-to-video", "prompt": "Rain on a tin roof", "duration": 3},
)
with open("video.mp4", "wb") as f:
    f.write(requests.get(response.json()["videos"][0]["url"]).content)
print("done")
"""

CURL = """
set -eu
curl -sS -X POST HOST/api/ai/queue \\
  -H "Authorization: Bearer $OXEN_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "kling-video-o3-pro-reference-to-video", "prompt": "A kite", "duration": 3}' > queued.json
ID=$(sed 's/.*"generation_id":"\\([^"]*\\)".*/\\1/' queued.json)
for _ in $(seq 200); do
  curl -sS HOST/api/ai/queue/$ID -H "Authorization: Bearer $OXEN_API_KEY" > record.json
  if grep -q '"status":"succeeded"' record.json; then break; fi
  sleep 0.1
done
curl -sS -o video.mp4 "$(sed 's/.*"result_url":"\\([^"]*\\)".*/\\1/' record.json)"
curl -sS "HOST/api/ai/queue?status=succeeded&media_type=video" -H "Authorization: Bearer $OXEN_API_KEY" | grep -q "$ID"
curl -sS -X DELETE HOST/api/ai/queue/$ID -H "Authorization: Bearer $OXEN_API_KEY" > /dev/null
echo done
"""


def environment() -> dict[str, str]:
    return {**os.environ, "OXEN_API_KEY": "any", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


@pytest.mark.parametrize("script", [ENQUEUE_AND_POLL, LISTEN, GENERATE], ids=["poll", "events", "synchronous"])
def test_a_python_sample_runs(hub: HubClient, script: str, tmp_path: Path) -> None:
    text = script.replace("HOST", str(hub.base_url).rstrip("/"))
    command = [sys.executable, "-c", text]
    process = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert process.stdout == "done\n", process.stderr
    assert all(b"ftyp" in path.read_bytes()[:12] for path in tmp_path.glob("*.mp4"))
    assert list(tmp_path.iterdir())


@pytest.mark.skipif(shutil.which("curl") is None or shutil.which("sh") is None, reason="curl is not on the PATH")
def test_a_curl_sample_runs(hub: HubClient, tmp_path: Path) -> None:
    text = CURL.replace("HOST", str(hub.base_url).rstrip("/"))
    command = ["sh", "-c", text]
    process = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert process.stdout == "done\n", process.stderr
    assert (tmp_path / "video.mp4").read_bytes()[4:8] == b"ftyp"
