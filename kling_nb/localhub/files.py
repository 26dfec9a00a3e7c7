"""Reading files: results by signed address, files of repositories, with Range and every way a download goes wrong.

A path is taken from the scope: that of `request.url` ends at a `#` or `?` that stands in a name.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import time
import uuid
from collections.abc import AsyncIterator
from email.utils import formatdate
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from . import ranges
from .faults import Fault
from .hub import USER, Hub
from .middleware import authorized, fault_of
from .repos import BadPath, safe_path
from .responses import invalid, not_found, refused, unauthenticated
from .transport import Dropped, LocalProtocol, Server

__all__ = ["create", "me", "origin", "presigned", "put", "repo_file", "result", "show", "to_context"]

_CHUNK = 256 * 1024
_TYPES = {
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
}


async def result(request: Request) -> Response:
    """A finished job's file; its signature is the permission (HUB_API section 8)."""
    hub: Hub = request.app.state.hub
    job_id = request.path_params["job_id"]
    path = hub.result_file(job_id)
    if path is None:
        return not_found()
    if (answered := _barred(request)) is not None:
        return answered
    if _is_stale(hub, request, job_id):
        return _forbidden()
    fault = fault_of(request, "interrupted_download", "slow_download", "redirect_result")
    if fault is not None and fault.name == "redirect_result":
        query = request.scope["query_string"].decode("ascii")
        return RedirectResponse(f"{await origin(hub)}{quote(request.scope['path'])}?{query}", 302)
    return answer(request, path, fault)


async def repo_file(request: Request) -> Response:
    """A repository's file: with a key, with a signature, or when the repository is public (section 7)."""
    hub: Hub = request.app.state.hub
    where = request.path_params
    path = hub.repos.find(where["namespace"], where["repo"], where["path"])
    if (answered := _barred(request)) is not None:
        return answered
    if path is None:
        return not_found()
    return answer(request, path, fault_of(request, "interrupted_download", "slow_download"))


def answer(request: Request, path: Path, fault: Fault | None = None) -> Response:
    """The file, or the part of it that was asked for."""
    stat = path.stat()
    tag = f'"{hashlib.sha256(f"{path.name}{stat.st_mtime_ns}{stat.st_size}".encode()).hexdigest()[:32]}"'
    modified = formatdate(stat.st_mtime, usegmt=True)
    headers = {"Accept-Ranges": "bytes", "ETag": tag, "Last-Modified": modified, "Cache-Control": "private"}
    condition = request.headers.get("if-range")
    asked = request.headers.get("range") if condition in (None, tag, modified) else None
    part = ranges.chosen(asked, stat.st_size)
    if part == ranges.UNSATISFIABLE:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{stat.st_size}"})
    first, last = part if isinstance(part, tuple) else (0, stat.st_size - 1)
    if isinstance(part, tuple):
        headers["Content-Range"] = f"bytes {first}-{last}/{stat.st_size}"
    headers["Content-Length"] = str(last - first + 1)
    headers["Content-Type"] = _TYPES.get(path.suffix.lower(), "application/octet-stream")
    status = 206 if isinstance(part, tuple) else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    if fault is not None and fault.name == "interrupted_download":
        return _torn(path, first, last, status, headers)
    pace = float(fault.extra.get("bytes_per_second", 65536)) if fault is not None else None
    return StreamingResponse(_chunks(path, first, last, pace), status, headers)


def _torn(path: Path, first: int, last: int, status: int, headers: dict[str, str]) -> Response:
    with path.open("rb") as file:
        file.seek(first)
        half = file.read((last - first + 1) // 2)
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return Dropped({"type": "http.response.start", "status": status, "headers": raw}, half)


async def _chunks(path: Path, first: int, last: int, pace: float | None) -> AsyncIterator[bytes]:
    left = last - first + 1
    size = _CHUNK if pace is None else max(1, int(pace / 10))
    with path.open("rb") as file:
        file.seek(first)
        while left > 0:
            data = await asyncio.to_thread(_read, file, min(size, left))
            if not data:
                return
            left -= len(data)
            yield data
            if pace is not None:
                await asyncio.sleep(len(data) / pace)


def _read(file: IO[bytes], size: int) -> bytes:
    return file.read(size)


def _barred(request: Request) -> Response | None:
    hub: Hub = request.app.state.hub
    status = hub.barred(request.scope["path"], request.query_params, key=authorized(request.headers, hub))
    return None if status is None else unauthenticated() if status == 401 else _forbidden()


def _is_stale(hub: Hub, request: Request, job_id: str) -> bool:
    # The fault strikes addresses that were given out before; a record read after it gives one that answers.
    if fault_of(request, "expired_url") is None or job_id in hub.renewed:
        return False
    hub.stale.add(job_id)
    return True


def _forbidden() -> Response:
    return refused(403, "forbidden", "The signed URL has expired or is not valid.")


_PRESIGNED_FOR = 3600


async def me(request: Request) -> Response:
    """`GET /api/users/me`."""
    del request
    return JSONResponse({"user": {"username": USER, "name": "Local Hub", "email": "local@localhost"}})


async def create(request: Request) -> Response:
    """`POST /api/repos`: 409 when it exists."""
    hub: Hub = request.app.state.hub
    try:
        body: Any = await request.json()
        name, namespace = str(body["name"]), str(body.get("namespace") or USER)
        public = body.get("visibility", "public") != "private" and body.get("is_public", True)
        made = hub.repos.create(namespace, name, visibility="public" if public else "private")
    except (ValueError, KeyError, AttributeError, TypeError) as exc:
        return invalid(f"A repository needs a legal name: {exc}")
    if not made:
        return refused(409, "resource_already_exists", "A repository of that name exists.")
    return JSONResponse(_shown(hub, namespace, name, "resource_created"), 201)


async def show(request: Request) -> Response:
    """`GET /api/repos/{ns}/{repo}`: 404 when there is none."""
    hub: Hub = request.app.state.hub
    where = request.path_params
    if hub.repos.get(where["namespace"], where["repo"]) is None:
        return not_found()
    return JSONResponse(_shown(hub, where["namespace"], where["repo"], "resource_found"))


async def put(request: Request) -> Response:
    """`PUT /api/repos/{ns}/{repo}/file/{branch}/{path}`: multipart `file`, `message`, `name`, `email`.

    Whether the path is the file's or its folder's is told by its last piece: a name with a suffix is a file.
    """
    where = request.path_params
    async with request.form() as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            return invalid("The multipart field 'file' is required.")
        folder, _, last = where["path"].rpartition("/")
        name = last if "." in last else file.filename or "file"
        folder = folder if "." in last else where["path"]
        return await _kept(request, f"{folder}/{_plain(name)}", file, str(form.get("message") or f"Add {name}"))


async def to_context(request: Request) -> Response:
    """`POST /api/repos/{ns}/{repo}/workbench/context`: multipart `file`, `directory`."""
    async with request.form() as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            return invalid("The multipart field 'file' is required.")
        number = str(uuid.uuid4())
        path = f"{form.get('directory') or 'context'}/{number}-{_plain(file.filename or 'file')}"
        answer = await _kept(request, path, file, "")
        if answer.status_code >= 400:
            return answer
        return JSONResponse({"status": "success", "asset_path": safe_path(path).as_posix(), "uuid": number})


async def presigned(request: Request) -> Response:
    """`GET /api/repos/{ns}/{repo}/file/presigned_url/{branch}/{path}`: an address that needs no key for an hour."""
    hub: Hub = request.app.state.hub
    where = request.path_params
    if hub.repos.find(where["namespace"], where["repo"], where["path"]) is None:
        return not_found()
    path = f"/api/repos/{where['namespace']}/{where['repo']}/file/{where['branch']}/{where['path']}"
    return JSONResponse({"url": hub.base + hub.signer.signed(path, int(time.time()) + _PRESIGNED_FOR)})


async def _kept(request: Request, path: str, file: UploadFile, message: str) -> Response:
    hub: Hub = request.app.state.hub
    where = request.path_params
    if hub.repos.get(where["namespace"], where["repo"]) is None:
        return not_found()
    try:
        hub.repos.write(where["namespace"], where["repo"], path, await file.read())
    except BadPath as exc:
        return invalid(str(exc))
    commit = {"id": uuid.uuid4().hex, "message": message}
    return JSONResponse({"status": "success", "status_message": "resource_created", "commit": commit}, 201)


def _plain(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


def _shown(hub: Hub, namespace: str, name: str, message: str) -> dict[str, Any]:
    return {"status": "success", "status_message": message, "repository": hub.repos.get(namespace, name)}


async def origin(hub: Hub) -> str:
    """The address of the foreign origin, opened when it is first needed."""
    if hub.foreign_origin is None:
        listener = socket.create_server(("127.0.0.1", 0))
        hub.foreign_origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = Starlette(routes=[Route("/{path:path}", _serve)])
        app.state.hub = hub
        server = Server(
            uvicorn.Config(app, http=LocalProtocol, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
        )
        hub.keep(asyncio.create_task(server.serve(sockets=[listener])))
        hub.keep(asyncio.create_task(_end(hub, server)))
    return hub.foreign_origin


async def _end(hub: Hub, server: uvicorn.Server) -> None:
    await hub.closing.wait()
    server.should_exit = True


async def _serve(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    hub.foreign["requests"] += 1
    hub.foreign["authorization"] += "authorization" in request.headers
    path = hub.result_file(request.scope["path"].split("/")[6])
    return answer(request, path) if path is not None else Response(status_code=404)
