"""The ASGI application: a middleware around all routes, and the private routes under `/_local/`."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from . import NAME, __version__, catalogue, files, queue
from .faults import FAULTS, Fault, parse
from .hub import Hub
from .responses import FAULT_RESPONSES, Ascii, Rejection, error_response, fault_response, model_not_found

_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
_NO_KEY_NEEDED = re.compile(r"/api/ai/models(/|$)")
# These routes check access themselves, since a signature can replace the key.
_SIGNED = re.compile(r"/api/repos/[^/]+/[^/]+/(file/(?!presigned_url/)|workspaces/)")
# Patterns that replace IDs and paths in the request counts.
_LABELS = (
    (re.compile(r"^/api/ai/queue/.+"), "/api/ai/queue/:generation_id"),
    (re.compile(r"^/api/ai/models/(?!search$).+"), "/api/ai/models/:id"),
    (re.compile(r"^/api/repos/.+/workspaces/.+"), "/api/repos/:result"),
    (re.compile(r"^/api/repos/[^/]+/[^/]+/(file|workbench)/.+"), r"/api/repos/:\1"),
)


def build(hub: Hub) -> ASGIApp:
    """Return the application of a hub."""
    repo = "/api/repos/{namespace}/{repo}"
    handlers = [
        ("POST", "/api/ai/queue", queue.enqueue),
        ("GET", "/api/ai/queue", queue.listing),
        ("GET", "/api/ai/queue/{generation_id}", queue.read),
        ("DELETE", "/api/ai/queue/{generation_id}", queue.cancel),
        ("POST", "/api/ai/videos/generate", queue.generate),
        ("POST", "/api/ai/images/generate", queue.generate),
        ("GET", "/api/ai/models", _models),
        ("GET", "/api/ai/models/search", _models),
        ("POST", "/api/ai/models/{model_id:path}/activate", _model),
        ("POST", "/api/ai/models/{model_id:path}/deactivate", _model),
        ("GET", "/api/ai/models/{model_id:path}", _model),
        ("GET", "/api/events", queue.events),
        ("GET", "/api/users/me", files.me),
        ("POST", "/api/repos", files.create),
        ("POST", "/api/repos/", files.create),
        ("GET", repo, files.show),
        ("POST", repo + "/workbench/context", files.to_context),
        ("GET", repo + "/file/presigned_url/{branch}/{path:path}", files.presigned),
        ("PUT", repo + "/file/{branch}/{path:path}", files.put),
        ("GET", repo + "/file/{branch}/{path:path}", files.repo_file),
        ("GET", repo + "/workspaces/{job_id}/files/{path:path}", files.result),
        # The real hub does not have these.
        ("GET", "/_local/health", _health),
        ("GET", "/_local/stats", _stats),
        ("GET", "/_local/faults", _list_faults),
        ("POST", "/_local/faults", _add_fault),
        ("DELETE", "/_local/faults", _clear_faults),
        ("POST", "/_local/shutdown", _shutdown),
    ]
    routes = [Route(path, partial(handler, hub), methods=[method]) for method, path, handler in handlers]
    exception_handlers: dict[Any, Any] = {HTTPException: _http_error, Rejection: _rejection}
    return _Middleware(Starlette(routes=routes, exception_handlers=exception_handlers), hub)


class _Middleware:
    """Answers a request itself, by a fault or the rules for hosts, User-Agents and keys, or passes it on."""

    def __init__(self, app: ASGIApp, hub: Hub) -> None:
        self._app = app
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._response(request)
        except ClientDisconnect:
            return
        await (response or self._app)(scope, receive, send)

    async def _response(self, request: Request) -> Response | None:
        hub, headers, path = self._hub, request.headers, request.scope["path"]
        if not _is_loopback(headers.get("host", "")):
            return PlainTextResponse("Forbidden: host is not loopback.", 403)
        # A browser sends a simple POST of any page without asking, and such a page must not stop the hub.
        origin, reads = headers.get("origin"), request.method in ("GET", "HEAD")
        if not reads and origin is not None and not _is_loopback(origin.partition("://")[2]):
            return PlainTextResponse("Forbidden: origin is not loopback.", 403)
        if hub.other_origin.endswith(f":{request.scope['server'][1]}"):
            return files.at_other_origin(hub, request)
        if path.startswith("/_local/"):
            return None
        hub.touch()
        hub.requests[f"{request.method} {_label(path)}"] += 1
        if request.method == "POST" and path.startswith("/api/ai/"):
            request.state.body = body = await _json(request)
            request.state.model = body.get("model") if isinstance(body, dict) else None
        if "oxen" in headers.get("user-agent", "").lower():
            return error_response("update_required")
        try:
            request.state.fault = parse(headers["x-local-fault"]) if headers.get("x-local-fault") else None
        except ValueError as exc:
            return error_response("invalid_params", str(exc))
        if (fault := hub.faults.take(request, *FAULT_RESPONSES)) is not None:
            return fault_response(fault, getattr(request.state, "model", None))
        is_public = reads and (_NO_KEY_NEEDED.match(path) or _SIGNED.match(path))
        if is_public or hub.accepts_key_of(headers):
            return None
        return error_response("unauthenticated")


def _label(path: str) -> str:
    for pattern, label in _LABELS:
        path = pattern.sub(label, path)
    return path


def _is_loopback(host: str) -> bool:
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return name.lower() in _LOOPBACK


async def _json(request: Request) -> Any:
    try:
        return await request.json()
    except ValueError:
        return None


async def _models(hub: Hub, request: Request) -> Response:
    found = catalogue.search(request.query_params.get("search", ""), catalogue.current(hub.faults))
    return JSONResponse({"object": "list", "data": found})


async def _model(hub: Hub, request: Request) -> Response:
    model_id = request.path_params["model_id"]
    model = catalogue.find(model_id, catalogue.current(hub.faults))
    return JSONResponse(model) if model else model_not_found(model_id)


async def _health(hub: Hub, request: Request) -> Response:
    if "touch" in request.query_params:
        hub.touch()  # a client is about to use the hub, which must not exit now
    return JSONResponse(
        {
            "name": NAME,
            "version": __version__,
            "pid": os.getpid(),
            "url": hub.base_url,
            "speed": hub.options.speed,
            "state": str(hub.folder),
        }
    )


async def _stats(hub: Hub, request: Request) -> Response:
    now = time.time()
    jobs = [job for job in hub.jobs if job.listed]
    return JSONResponse(
        {
            "requests": dict(hub.requests),
            "enqueued": len(jobs),
            "jobs": dict(Counter(job.status(now) for job in jobs)),
            "subscribers": len(hub.subscribers),
            "other_origin_requests": hub.other_origin_requests,
            "other_origin_keys": hub.other_origin_keys,
        }
    )


async def _list_faults(hub: Hub, request: Request) -> Response:
    return Ascii({"on": hub.faults.to_json(), "known": sorted(FAULTS)})


async def _add_fault(hub: Hub, request: Request) -> Response:
    """Switch on the fault of a body such as `{"fault": "failed", "times": 1, "match": {"model": ...}}`."""
    try:
        extra: dict[str, Any] = dict(await request.json())
        fault = parse(str(extra.pop("fault")))
        times, match = extra.pop("times", fault.times), extra.pop("match", None)
        hub.faults.append(Fault(fault.name, times, match or {}, extra))
    except (ValueError, KeyError, TypeError) as exc:
        return JSONResponse({"error": str(exc)}, 400)
    return Ascii({"on": hub.faults.to_json()})


async def _clear_faults(hub: Hub, request: Request) -> Response:
    hub.faults.clear()
    return JSONResponse({"on": []})


async def _shutdown(hub: Hub, request: Request) -> Response:
    hub.closing.set()
    return JSONResponse({"status": "success"})


async def _rejection(request: Request, exc: Rejection) -> Response:
    return exc.response


async def _http_error(request: Request, exc: HTTPException) -> Response:
    kinds = {404: "resource_not_found", 405: "method_not_allowed"}
    return error_response(kinds.get(exc.status_code, "invalid_params"), None if exc.status_code == 404 else exc.detail)
