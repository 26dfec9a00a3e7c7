"""Reading files: results by signed address, files of repositories, with Range and every way a download goes wrong.

A path is taken from the scope: that of `request.url` ends at a `#` or `?` that stands in a name.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from email.utils import formatdate
from pathlib import Path
from typing import IO
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from . import ranges
from .faults import Fault
from .foreign import origin
from .hub import Hub
from .middleware import authorized, fault_of
from .responses import not_found, refused, unauthenticated
from .transport import Dropped

__all__ = ["repo_file", "result"]

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
