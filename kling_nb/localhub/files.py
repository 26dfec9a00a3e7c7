"""The routes under `/api/repos`: uploads, and downloads with the faults that can interrupt them.

Paths come from the scope, because `request.url.path` ends at a `#` or `?` in a file name.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from .faults import Fault
from .hub import USER, Hub
from .repos import PathError, safe_path
from .responses import Rejection, disconnected, error_response, transport_of

_PRESIGNED_SECONDS = 3600
_ONE_RANGE = re.compile(rb"bytes=(?:(\d+)-(\d*)|-\d+)")
_TYPES = {
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
}


async def me(hub: Hub, request: Request) -> Response:
    """`GET /api/users/me`."""
    return JSONResponse({"user": {"username": USER, "name": "Local Hub", "email": "local@localhost"}})


async def create(hub: Hub, request: Request) -> Response:
    """`POST /api/repos`."""
    try:
        body: Any = await request.json()
        name, namespace = str(body["name"]), str(body.get("namespace") or USER)
        public = body.get("visibility", "public") != "private" and body.get("is_public", True)
        created = hub.repos.create(namespace, name, visibility="public" if public else "private")
    except (ValueError, KeyError, AttributeError, TypeError) as exc:
        return error_response("invalid_params", f"A repository needs a valid name: {exc}")
    if not created:
        return error_response("resource_already_exists")
    return _repository(hub, namespace, name, "resource_created", 201)


async def show(hub: Hub, request: Request) -> Response:
    """`GET /api/repos/{namespace}/{repo}`."""
    params = request.path_params
    return _repository(hub, params["namespace"], params["repo"], "resource_found", 200)


def _repository(hub: Hub, namespace: str, name: str, message: str, status: int) -> Response:
    if (repository := hub.repos.get(namespace, name)) is None:
        return error_response("resource_not_found")
    return JSONResponse({"status": "success", "status_message": message, "repository": repository}, status)


async def put(hub: Hub, request: Request) -> Response:
    """`PUT /api/repos/{namespace}/{repo}/file/{branch}/{path}`.

    The path is that of the file if its last part has a suffix, else that of its folder.
    """
    path = request.path_params["path"]
    async with request.form() as form:
        file = form.get("file")
        folder, _, last = path.rpartition("/")
        name = last if "." in last else getattr(file, "filename", None) or "file"
        await _save(hub, request, file, f"{folder if '.' in last else path}/{_base_name(name)}")
        commit = {"id": uuid.uuid4().hex, "message": str(form.get("message") or f"Add {name}")}
        return JSONResponse({"status": "success", "status_message": "resource_created", "commit": commit})


async def to_context(hub: Hub, request: Request) -> Response:
    """`POST /api/repos/{namespace}/{repo}/workbench/context`."""
    async with request.form() as form:
        file = form.get("file")
        file_id = str(uuid.uuid4())
        name = _base_name(getattr(file, "filename", None) or "file")
        path = f"{form.get('directory') or 'context'}/{file_id}-{name}"
        await _save(hub, request, file, path)
        return JSONResponse({"status": "success", "asset_path": safe_path(path).as_posix(), "uuid": file_id})


async def _save(hub: Hub, request: Request, file: UploadFile | str | None, path: str) -> None:
    namespace, repo = request.path_params["namespace"], request.path_params["repo"]
    if not isinstance(file, UploadFile):
        raise Rejection(error_response("invalid_params", "The multipart field 'file' is required."))
    if hub.repos.get(namespace, repo) is None:
        raise Rejection(error_response("resource_not_found"))
    try:
        hub.repos.write(namespace, repo, path, await file.read())
    except PathError as exc:
        raise Rejection(error_response("invalid_params", str(exc))) from exc


def _base_name(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


async def presigned(hub: Hub, request: Request) -> Response:
    """`GET /api/repos/{namespace}/{repo}/file/presigned_url/{branch}/{path}`."""
    params = request.path_params
    if hub.repos.find(params["namespace"], params["repo"], params["path"]) is None:
        return error_response("resource_not_found")
    path = f"/api/repos/{params['namespace']}/{params['repo']}/file/{params['branch']}/{params['path']}"
    return JSONResponse({"url": hub.base_url + hub.signer.sign(path, int(time.time()) + _PRESIGNED_SECONDS)})


async def repo_file(hub: Hub, request: Request) -> Response:
    """`GET /api/repos/{namespace}/{repo}/file/{branch}/{path}`."""
    params = request.path_params
    _check_access(hub, request)
    path = hub.repos.find(params["namespace"], params["repo"], params["path"])
    if path is None:
        return error_response("resource_not_found")
    return _FileResponse(path, hub.faults.take(request, "interrupted_download", "slow_download"))


async def result(hub: Hub, request: Request) -> Response:
    """`GET /api/repos/{namespace}/{repo}/workspaces/{job_id}/files/{path}`."""
    job_id = request.path_params["job_id"]
    path = hub.result_file(job_id)
    if path is None:
        return error_response("resource_not_found")
    _check_access(hub, request)
    # This fault affects the URLs handed out so far; reading the record returns a new one.
    if hub.faults.take(request, "expired_url") is not None and job_id not in hub.renewed:
        hub.expired.add(job_id)
        return error_response("forbidden")
    fault = hub.faults.take(request, "interrupted_download", "slow_download", "redirect_result")
    if fault is not None and fault.name == "redirect_result":
        query = request.scope["query_string"].decode("ascii")
        return RedirectResponse(f"{hub.other_origin}{quote(request.scope['path'])}?{query}", 302)
    if (wrong := hub.faults.take(request, "wrong_result")) is not None:
        return Response(_WRONG[wrong.extra.get("content", "page")](path.read_bytes()), media_type="video/mp4")
    if (endless := hub.faults.take(request, "endless_result")) is not None:
        headers = {"Content-Length": str(endless.extra["length"])} if "length" in endless.extra else {}
        return StreamingResponse(_endless(path.read_bytes()), headers=headers, media_type="video/mp4")
    return _FileResponse(path, fault)


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


def _check_access(hub: Hub, request: Request) -> None:
    has_key = hub.accepts_key_of(request.headers)
    status = hub.access_error(request.scope["path"], request.query_params, has_key=has_key)
    if status is not None:
        raise Rejection(error_response("unauthenticated" if status == 401 else "forbidden"))


def at_other_origin(hub: Hub, request: Request) -> Response:
    """Return a result at the second address of the hub, which counts the keys that a client must not send to it."""
    hub.other_origin_requests += 1
    hub.other_origin_keys += "authorization" in request.headers
    path = hub.result_file((request.scope["path"].split("/") + [""] * 6)[6])
    return _FileResponse(path) if path is not None else Response(status_code=404)


class _FileResponse(FileResponse):
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
