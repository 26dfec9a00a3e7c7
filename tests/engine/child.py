"""A kernel to be killed: it starts a job, stops at a named point, prints it, and waits there for ever.

`python child.py HUB LOG POINT [IMAGE]`; the parent reads `AT <point>` and kills it.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path
from typing import Any

import kling_nb.connection
from kling_nb.engine.pace import Pace
from kling_nb.hubs import download
from kling_nb.hubs.fal import Fal
from kling_nb.hubs.oxen import Oxen
from kling_nb.hubs.upload import Uploads
from kling_nb.store.log import Log
from kling_nb.studio import Studio

HUB, FOLDER, POINT = sys.argv[1:4]


def hang() -> None:
    print(f"AT {POINT}", flush=True)
    threading.Event().wait()


async def hang_here() -> None:
    print(f"AT {POINT}", flush=True)
    await asyncio.Event().wait()


def before_and_after(owner: Any, verb: str, before: str, after: str) -> None:
    """Stop before or after a blocking method."""
    real = getattr(owner, verb)

    def stopped(*args: Any, **kwargs: Any) -> Any:
        if before == POINT:
            hang()
        done = real(*args, **kwargs)
        if after == POINT:
            hang()
        return done

    setattr(owner, verb, stopped)


def async_before_and_after(owner: Any, verb: str, before: str, after: str) -> None:
    real = getattr(owner, verb)

    async def stopped(*args: Any, **kwargs: Any) -> Any:
        if before == POINT:
            await hang_here()
        done = await real(*args, **kwargs)
        if after == POINT:
            await hang_here()
        return done

    setattr(owner, verb, stopped)


def after_a_state_is_saved(verb: str) -> None:
    real = getattr(Log, verb)

    def save(self: Log, given: Any) -> Any:
        saved = real(self, given)
        if any(record and f"saved {record.status}" == POINT for record in (saved if verb == "spend" else [saved])):
            hang()
        return saved

    setattr(Log, verb, save)


async def receive_a_little(response: Any, target: Path, *_: Any, **__: Any) -> None:
    with target.open("wb") as file:
        async for chunk in response.aiter_bytes(1000):
            file.write(chunk)
            file.flush()
            await hang_here()


before_and_after(Log, "add_reference", "nothing saved", "")
before_and_after(Log, "add_clip", "downloaded", "adopted")
async_before_and_after(Uploads, "url_of", "uploading", "uploaded")
for hub in (Oxen, Fal):
    async_before_and_after(hub, "submit", "", "replied")
for verb in ("save", "spend", "claim"):
    after_a_state_is_saved(verb)
if POINT == "mid-download":
    download._receive = receive_a_little

kling_nb.connection.HUB_PACE = Pace(0.1, 0.2, 0.1, 0.5)  # sees every state of a job that takes a second
studio = Studio(hub=HUB, key="test-key", log=FOLDER)
fields: dict[str, Any] = {"input_image": sys.argv[4:]} if sys.argv[4:] else {}
studio.generate("@Image1 sails" if fields else "a paper boat", duration=3, **fields)
threading.Event().wait()
