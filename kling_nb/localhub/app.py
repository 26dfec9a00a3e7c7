"""The ASGI application of Oxen's stand-in."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from . import catalogue, files, queue
from .faults import parse
from .hub import Hub
from .private import Guard, private_routes, routes_of
from .responses import FAULT_RESPONSES, Rejection, error_response, fault_response, json_of, model_not_found, rejected

_NO_KEY_NEEDED = re.compile(r"/api/ai/models(/|$)")
# These routes check access themselves, since a signature can replace the key.
_SIGNED = re.compile(r"/api/repos/[^/]+/[^/]+/(file/(?!presigned_url/)|workspaces/)")


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
    ]
    routes = [*routes_of(handlers, hub), *private_routes(hub)]
    exception_handlers: dict[Any, Any] = {HTTPException: _http_error, Rejection: rejected}
    app = Starlette(routes=routes, exception_handlers=exception_handlers)
    return Guard(app, hub, partial(_answer, hub), partial(_at_other_origin, hub))


async def _answer(hub: Hub, request: Request) -> Response | None:
    """Answer a request by a fault or the rules for User-Agents and keys, or return None."""
    headers, path = request.headers, request.scope["path"]
    if request.method == "POST" and path.startswith("/api/ai/"):
        request.state.body = body = await json_of(request)
        request.state.model = body.get("model") if isinstance(body, dict) else None
    if "oxen" in headers.get("user-agent", "").lower():
        return error_response("update_required")
    try:
        request.state.fault = parse(headers["x-local-fault"]) if headers.get("x-local-fault") else None
    except ValueError as exc:
        return error_response("invalid_params", str(exc))
    if (fault := hub.faults.take(request, *FAULT_RESPONSES)) is not None:
        return fault_response(fault, getattr(request.state, "model", None))
    is_public = request.method in ("GET", "HEAD") and (_NO_KEY_NEEDED.match(path) or _SIGNED.match(path))
    if is_public or hub.accepts_key_of(headers):
        return None
    return error_response("unauthenticated")


async def _at_other_origin(hub: Hub, request: Request) -> Response:
    return files.at_other_origin(hub, request)


async def _models(hub: Hub, request: Request) -> Response:
    found = catalogue.search(request.query_params.get("search", ""), catalogue.current(hub.faults))
    return JSONResponse({"object": "list", "data": found})


async def _model(hub: Hub, request: Request) -> Response:
    model_id = request.path_params["model_id"]
    model = catalogue.find(model_id, catalogue.current(hub.faults))
    return JSONResponse(model) if model else model_not_found(model_id)


async def _http_error(request: Request, exc: HTTPException) -> Response:
    kinds = {404: "resource_not_found", 405: "method_not_allowed"}
    return error_response(kinds.get(exc.status_code, "invalid_params"), None if exc.status_code == 404 else exc.detail)
