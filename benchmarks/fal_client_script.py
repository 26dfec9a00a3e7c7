"""fal's own Python client on the stand-in: `subscribe` for each clip, at its own pace, and the download."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import httpx

from benchmarks.hub import KEY

ENDPOINT = "fal-ai/kling-video/o3/pro/reference-to-video"


async def fetch_all(url: str, folder: Path, count: int, *, gap: float) -> list[dict[str, Any]]:
    """Make `count` clips, one begun each `gap` seconds; return what `client.Done` says of each."""
    os.environ["NO_PROXY"] = "127.0.0.1"
    import fal_client
    import fal_client.client

    fal_client.client.QUEUE_URL_FORMAT = f"{url}/"
    folder.mkdir(parents=True)
    client = fal_client.AsyncClient(key=KEY)

    async def make(number: int, media: httpx.AsyncClient) -> dict[str, Any]:
        await asyncio.sleep(number * gap)
        asked, ids = time.time(), list[str]()
        arguments = {"prompt": f"A paper boat sets sail, take {number}", "duration": "3"}
        result = await client.subscribe(ENDPOINT, arguments, on_enqueue=ids.append)
        (folder / f"{ids[0]}.mp4").write_bytes((await media.get(result["video"]["url"])).content)
        return {"generation": ids[0], "asked": asked, "ended": time.time()}

    async with httpx.AsyncClient(trust_env=False, timeout=300) as media:
        return list(await asyncio.gather(*(make(number, media) for number in range(count))))
