"""Uploads and downloads (section 8): `rest.fal.ai`, and the media host at the second address."""

from __future__ import annotations

import hashlib
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kling_nb.localhub.media import MediaResponse, clip_response
from kling_nb.localhub.responses import Rejection

from .hub import FalHub
from .responses import gateway


async def token(hub: FalHub, request: Request) -> Response:
    """`POST /storage/auth/token`: a token for uploads, which is all that the media host may be shown."""
    value = secrets.token_urlsafe(24)
    hub.tokens.add(value)
    expires = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    return JSONResponse({"token": value, "token_type": "Bearer", "base_url": hub.other_origin, "expires_at": expires})


async def initiate(hub: FalHub, request: Request) -> Response:
    """`POST /storage/upload/initiate`: a URL to put a file at, and the URL that it will have."""
    body: Any = request.state.body
    if not isinstance(body, dict) or not body.get("content_type") or not body.get("file_name"):
        return gateway(422, "content_type and file_name are required")
    path = hub.new_upload(str(body["file_name"]))
    ticket = secrets.token_urlsafe(16)
    hub.announced[ticket] = path
    upload_url = f"{hub.other_origin}/upload{path}?signature={ticket}"
    return JSONResponse({"upload_url": upload_url, "file_url": hub.other_origin + path})


async def at_media_host(hub: FalHub, request: Request) -> Response:
    """Answer a request to the media host, which takes upload tokens and no keys."""
    hub.touch()
    hub.other_origin_requests += 1
    path, authorization = request.scope["path"], request.headers.get("authorization", "")
    hub.requests[f"{request.method} {hub.label(request)}"] += 1
    request.state.route = path
    has_key = authorization.lower().startswith("key ")
    hub.other_origin_keys += has_key
    # fal's own client sends its key with the file that it puts at an announced URL.
    if has_key and not path.startswith("/upload/"):
        return gateway(401, "The media host takes no keys")
    try:
        if request.method in ("GET", "HEAD"):
            return _download(hub, request, path)
        return await _upload(hub, request, path, authorization)
    except Rejection as exc:
        return exc.response


def _download(hub: FalHub, request: Request, path: str) -> Response:
    file = hub.media_file(path)
    if file is None:
        return gateway(404, "Not found")
    if hub.faults.take(request, "expired_url") is not None:
        return gateway(404, "The file has expired")
    if file.parent == hub.uploads:
        kind = hub.upload_path(f"{path}:type")
        response = MediaResponse(file, hub.faults.take(request, "interrupted_download", "slow_download"))
        if kind.is_file():
            response.headers["content-type"] = kind.read_text("utf-8")
        return response
    return clip_response(file, hub.faults, request)


async def _upload(hub: FalHub, request: Request, path: str, authorization: str) -> Response:
    if request.method == "PUT" and path.startswith("/upload/"):
        if hub.announced.pop(request.query_params.get("signature", ""), None) != path.removeprefix("/upload"):
            raise Rejection(gateway(403, "The signature is not valid"))
        await _keep(hub, path.removeprefix("/upload"), request)
        return Response(status_code=200)
    scheme, _, value = authorization.partition(" ")
    if scheme != "Bearer" or value not in hub.tokens:
        raise Rejection(gateway(401, "An upload token is required"))
    target, _, part = path.partition("/multipart/")
    if request.method == "POST" and path == "/files/upload":
        target = hub.new_upload(request.headers.get("x-fal-file-name", "file"))
        await _keep(hub, target, request)
        return JSONResponse({"access_url": hub.other_origin + target})
    if request.method == "POST" and path == "/files/upload/multipart":
        target = hub.new_upload(request.headers.get("x-fal-file-name", "file"))
        hub.upload_path(f"{target}:type").write_text(request.headers.get("content-type", ""), "utf-8")
        return JSONResponse({"access_url": hub.other_origin + target, "uploadId": secrets.token_hex(8)})
    if request.method == "PUT" and part:
        data = await request.body()
        hub.upload_path(f"{target}:{part.rpartition('/')[2]}").write_bytes(data)
        return Response(headers={"ETag": f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'})
    if request.method == "POST" and part.endswith("/complete"):
        parts = sorted((await request.json())["parts"], key=lambda each: each["partNumber"])
        joined = b"".join(hub.upload_path(f"{target}:{each['partNumber']}").read_bytes() for each in parts)
        hub.upload_path(target).write_bytes(joined)
        return JSONResponse({"access_url": hub.other_origin + target, "completed_at": time.time()})
    raise Rejection(gateway(404, "Not found"))


async def _keep(hub: FalHub, path: str, request: Request) -> None:
    hub.upload_path(path).write_bytes(await request.body())
    hub.upload_path(f"{path}:type").write_text(request.headers.get("content-type", ""), "utf-8")
