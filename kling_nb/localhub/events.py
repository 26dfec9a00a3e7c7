"""`GET /api/events`: server-sent events, with no buffering and no replay (HUB_API section 4)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from .faults import Fault
from .hub import Hub
from .middleware import fault_of

__all__ = ["stream"]


async def stream(request: Request) -> Response:
    """One subscriber's stream."""
    hub: Hub = request.app.state.hub
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    body = _lines(hub, fault_of(request, "dropped_events", "silent_events"))
    return StreamingResponse(body, media_type="text/event-stream", headers=headers)


async def _lines(hub: Hub, fault: Fault | None) -> AsyncIterator[str]:
    mailbox: asyncio.Queue[str | None] = asyncio.Queue()
    if not hub.closing.is_set():
        hub.subscribers.add(mailbox)
    dropped = fault is not None and fault.name == "dropped_events"
    silent = fault is not None and fault.name == "silent_events"
    after = fault.extra.get("after") if fault is not None else None
    closes = time.monotonic() + float(after) if dropped and after is not None else None
    try:
        # Says at once that the stream is open; a comment is no event.
        yield ": connected\n\n"
        while not hub.closing.is_set():
            wait = hub.options.keep_alive if closes is None else min(hub.options.keep_alive, closes - time.monotonic())
            try:
                event = await asyncio.wait_for(mailbox.get(), max(0.0, wait))
            except TimeoutError:
                if closes is not None and time.monotonic() >= closes:
                    return
                yield ": keep-alive\n\n"
                continue
            if event is None:
                return
            if not silent:
                yield event
            if dropped and closes is None:
                return
    finally:
        hub.subscribers.discard(mailbox)
