"""The ASGI application: every route of HUB_API.md, and the private ones under `/_local/`."""

from __future__ import annotations

import os
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from . import NAME, __version__, catalogue, files, queue, responses
from .faults import FAULTS, Fault, parse
from .hub import Hub
from .middleware import Gate

__all__ = ["build"]


def build(hub: Hub) -> ASGIApp:
    """The application around one hub."""
    app = Starlette(routes=_routes(), exception_handlers={HTTPException: _as_envelope})
    app.state.hub = hub
    return Gate(app, hub)


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
        *_private_routes(),
    ]


async def _models(request: Request) -> Response:
    left = catalogue.offered(request.app.state.hub.faults)
    return JSONResponse(catalogue.listing(request.query_params.get("search", ""), left))


async def _model(request: Request) -> Response:
    wanted = request.path_params["model_id"]
    model = catalogue.find(wanted, catalogue.offered(request.app.state.hub.faults))
    return JSONResponse(model) if model else JSONResponse({"error": {"message": f"Model not found: {wanted}"}}, 404)


async def _as_envelope(request: Request, exc: Exception) -> Response:
    del request
    status = exc.status_code if isinstance(exc, HTTPException) else 500
    if status == 404:
        return responses.not_found()
    return responses.refused(status, "method_not_allowed" if status == 405 else "bad_request", str(exc))


_OWN = {"fault", "times", "match"}


def _private_routes() -> list[Route]:
    return [
        Route("/_local/health", _health),
        Route("/_local/stats", _stats),
        Route("/_local/faults", _faults, methods=["GET"]),
        Route("/_local/faults", _add_fault, methods=["POST"]),
        Route("/_local/faults", _clear_faults, methods=["DELETE"]),
        Route("/_local/shutdown", _shutdown, methods=["POST"]),
    ]


async def _health(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    if "touch" in request.query_params:
        hub.touch()  # somebody is about to use it: not the moment to end for idleness
    return JSONResponse(
        {
            "name": NAME,
            "version": __version__,
            "pid": os.getpid(),
            "url": hub.base,
            "speed": hub.options.speed,
            "state": str(hub.folder),
        }
    )


async def _stats(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    return JSONResponse(
        {
            "requests": dict(hub.requests),
            "enqueued": sum(job.listed for job in hub.jobs),
            "jobs": hub.counts(),
            "subscribers": len(hub.subscribers),
            "other_origin_requests": hub.foreign["requests"],
            "other_origin_keys": hub.foreign["authorization"],
        }
    )


async def _faults(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    return JSONResponse({"on": hub.faults.listing(), "known": sorted(FAULTS)})


async def _add_fault(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    try:
        asked: Any = await request.json()
        fault = parse(str(asked["fault"]))
        times = asked.get("times", fault.times)
        extra = {name: value for name, value in asked.items() if name not in _OWN}
        hub.faults.add(Fault(fault.name, times, asked.get("match") or {}, extra))
    except (ValueError, KeyError, AttributeError, TypeError) as exc:
        return JSONResponse({"error": str(exc)}, 400)
    return JSONResponse({"on": hub.faults.listing()})


async def _clear_faults(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    hub.faults.clear()
    return JSONResponse({"on": []})


async def _shutdown(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    hub.closing.set()
    return JSONResponse({"status": "success"})
