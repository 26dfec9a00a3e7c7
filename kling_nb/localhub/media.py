"""Media as both providers serve them: whole files and ranges of them, and the faults of a download."""

from __future__ import annotations

import asyncio
import io
import os
import re
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from PIL import Image
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from .faults import Fault, Faults
from .responses import disconnected, transport_of

_ONE_RANGE = re.compile(rb"bytes=(?:(\d+)-(\d*)|-\d+)")
_TYPES = {
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
}


def clip_response(path: Path, faults: Faults, request: Request) -> Response:
    """Return a clip, or the bytes that a fault replaces it with."""
    if (wrong := faults.take(request, "wrong_result")) is not None:
        return Response(_WRONG[wrong.extra.get("content", "page")](path.read_bytes()), media_type="video/mp4")
    if (endless := faults.take(request, "endless_result")) is not None:
        headers = {"Content-Length": str(endless.extra["length"])} if "length" in endless.extra else {}
        return StreamingResponse(_endless(path.read_bytes()), headers=headers, media_type="video/mp4")
    return MediaResponse(path, faults.take(request, "interrupted_download", "slow_download"))


def _png(_: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (320, 180), "teal").save(buffer, "PNG")
    return buffer.getvalue()


#: What can arrive in place of a clip, made from the clip.
_WRONG: Mapping[str, Callable[[bytes], bytes]] = {
    "page": lambda _: b"<!doctype html><html><head><title>Sign in</title></head></html>",
    "png": _png,
    "bytes": lambda _: b"abc",
    "header": lambda clip: clip[: clip.index(b"mdat") + 4],
    "half": lambda clip: clip[: len(clip) // 2],
    "noise": lambda clip: clip[:32] + os.urandom(len(clip)),
}


async def _endless(start: bytes) -> AsyncIterator[bytes]:
    yield start
    while True:
        await asyncio.sleep(0)  # for the other requests
        yield bytes(65536)


class MediaResponse(FileResponse):
    """A file, whose transfer a fault slows down or interrupts."""

    chunk_size = 256 * 1024

    def __init__(self, path: Path, fault: Fault | None = None) -> None:
        media_type = _TYPES.get(path.suffix.lower(), "application/octet-stream")
        super().__init__(path, headers={"Cache-Control": "private"}, media_type=media_type, stat_result=path.stat())
        self._fault = fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = {**scope, "headers": [header for header in scope["headers"] if not _is_unsupported_range(*header)]}
        if self._fault is not None and self._fault.name == "slow_download":
            rate = float(self._fault.extra.get("bytes_per_second", 65536))
            self.chunk_size = max(1, int(rate / 10))
            send = _slow(send, rate)
        elif self._fault is not None and scope["method"] == "GET":
            send = _interrupted(send, receive)
        await super().__call__(scope, receive, send)


def _is_unsupported_range(name: bytes, value: bytes) -> bool:
    """Return whether this is a Range header of several ranges, in another unit or backwards: it is ignored."""
    if name != b"range":
        return False
    match = _ONE_RANGE.fullmatch(value)
    return match is None or (bool(match[2]) and int(match[2]) < int(match[1]))


def _slow(send: Send, bytes_per_second: float) -> Send:
    async def slow(message: Message) -> None:
        await send(message)
        await asyncio.sleep(len(message.get("body", b"")) / bytes_per_second)

    return slow


def _interrupted(send: Send, receive: Receive) -> Send:
    """Send half of the body, then close the connection."""
    left = 0

    async def interrupted(message: Message) -> None:
        nonlocal left
        if message["type"] == "http.response.start":
            left = int(dict(message["headers"])[b"content-length"]) // 2
        elif left:
            message = {**message, "body": message["body"][:left], "more_body": True}
            left -= len(message["body"])
        await send(message)
        if message["type"] == "http.response.body" and not left:
            transport_of(receive).close()
            await disconnected(receive)

    return interrupted
