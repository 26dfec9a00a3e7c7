"""What one would write without a toolkit: enqueue, ask each job every so many seconds, download, note it in JSON.

It is fair to it: one client for all, streamed downloads, and nothing that the package does beside (no intent on disk,
no hash, no poster, no check of the file).
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import httpx

from benchmarks.hub import KEY, MODEL


async def fetch_all(url: str, folder: Path, count: int, *, gap: float, every: float) -> list[dict[str, Any]]:
    """Make `count` clips, one begun each `gap` seconds; return what `client.Done` says of each."""
    folder.mkdir(parents=True)
    headers = {"Authorization": f"Bearer {KEY}"}
    # A server closes an idle connection after 5 s, which is httpx's default too: a request then may meet a closed one.
    limits = httpx.Limits(keepalive_expiry=3)
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=300, limits=limits) as hub:

        async def make(number: int) -> dict[str, Any]:
            await asyncio.sleep(number * gap)
            return await _made(hub, folder, number, every)

        return list(await asyncio.gather(*map(make, range(count))))


async def _made(hub: httpx.AsyncClient, folder: Path, number: int, every: float) -> dict[str, Any]:
    asked = time.time()
    body = {"model": MODEL, "prompt": f"A paper boat sets sail, take {number}", "duration": 3}
    generation = (await hub.post("/api/ai/queue", json=body)).raise_for_status().json()["generations"][0]
    while generation["status"] in ("queued", "processing"):
        await asyncio.sleep(every)
        answer = await hub.get(f"/api/ai/queue/{generation['generation_id']}")
        generation = answer.raise_for_status().json()
    target = folder / f"{generation['generation_id']}.mp4"
    async with hub.stream("GET", generation["result_url"]) as clip:
        with target.open("wb") as file:
            async for chunk in clip.aiter_bytes():
                file.write(chunk)
    target.with_suffix(".json").write_text(json.dumps({"request": body, "record": generation}))
    return {"generation": generation["generation_id"], "asked": asked, "ended": time.time()}
