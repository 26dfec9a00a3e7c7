"""The ASGI application: all routes, including the private ones under `/_local/`."""

from __future__ import annotations

import os
import time
from collections import Counter
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from . import NAME, __version__, catalogue, files, queue
from .faults import FAULTS, Fault, parse
from .hub import Hub
from .middleware import Middleware
from .responses import Rejection, error_response, model_not_found, not_found

__all__ = ["build"]


def build(hub: Hub) -> ASGIApp:
    """Return the application of a hub."""
    handlers: dict[Any, Any] = {HTTPException: _http_error, Rejection: _rejection}
    app = Starlette(routes=_routes(), exception_handlers=handlers)
    app.state.hub = hub
    return Middleware(app, hub)


def _routes() -> list[Route]:
    repo = "/api/repos/{namespace}/{repo}"
    return [
        Route("/api/ai/queue", queue.enqueue, methods=["POST"]),
        Route("/api/ai/queue", queue.listing, methods=["GET"]),
        Route("/api/ai/queue/{generation_id}", queue.read, methods=["GET"]),
        Route("/api/ai/queue/{generation_id}", queue.cancel, methods=["DELETE"]),
        Route("/api/ai/videos/generate", queue.generate, methods=["POST"], name="videos"),
        Route("/api/ai/images/generate", queue.generate, methods=["POST"], name="images"),
        Route("/api/ai/models", _models),
        Route("/api/ai/models/search", _models),
        Route("/api/ai/models/{model_id:path}", _model),
        Route("/api/events", queue.events),
        Route("/api/users/me", files.me),
        Route("/api/repos", files.create, methods=["POST"]),
        Route("/api/repos/", files.create, methods=["POST"]),
        Route(repo, files.show, methods=["GET"]),
        Route(repo + "/workbench/context", files.to_context, methods=["POST"]),
        Route(repo + "/file/presigned_url/{branch}/{path:path}", files.presigned, methods=["GET"]),
        Route(repo + "/file/{branch}/{path:path}", files.put, methods=["PUT"]),
        Route(repo + "/file/{branch}/{path:path}", files.repo_file, methods=["GET"]),
        Route(repo + "/workspaces/{job_id}/files/{path:path}", files.result, methods=["GET"]),
        # The real hub does not have these.
        Route("/_local/health", _health),
        Route("/_local/stats", _stats),
        Route("/_local/faults", _list_faults, methods=["GET"]),
        Route("/_local/faults", _add_fault, methods=["POST"]),
        Route("/_local/faults", _clear_faults, methods=["DELETE"]),
        Route("/_local/shutdown", _shutdown, methods=["POST"]),
    ]


async def _models(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    found = catalogue.search(request.query_params.get("search", ""), catalogue.current(hub.faults))
    return JSONResponse({"object": "list", "data": found})


async def _model(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    model_id = request.path_params["model_id"]
    model = catalogue.find(model_id, catalogue.current(hub.faults))
    return JSONResponse(model) if model else model_not_found(model_id)


async def _health(request: Request) -> Response:
    hub: Hub = request.app.state.hub
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


async def _stats(request: Request) -> Response:
    hub: Hub = request.app.state.hub
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


async def _list_faults(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    return JSONResponse({"on": hub.faults.to_json(), "known": sorted(FAULTS)})


async def _add_fault(request: Request) -> Response:
    """Switch on the fault of a body such as `{"fault": "failed", "times": 1, "match": {"model": ...}}`."""
    hub: Hub = request.app.state.hub
    try:
        extra: dict[str, Any] = dict(await request.json())
        fault = parse(str(extra.pop("fault")))
        times, match = extra.pop("times", fault.times), extra.pop("match", None)
        hub.faults.append(Fault(fault.name, times, match or {}, extra))
    except (ValueError, KeyError, TypeError) as exc:
        return JSONResponse({"error": str(exc)}, 400)
    return JSONResponse({"on": hub.faults.to_json()})


async def _clear_faults(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    hub.faults.clear()
    return JSONResponse({"on": []})


async def _shutdown(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    hub.closing.set()
    return JSONResponse({"status": "success"})


async def _rejection(request: Request, exc: Rejection) -> Response:
    return exc.response


async def _http_error(request: Request, exc: HTTPException) -> Response:
    if exc.status_code == 404:
        return not_found()
    return error_response(exc.status_code, "method_not_allowed" if exc.status_code == 405 else "bad_request", str(exc))
