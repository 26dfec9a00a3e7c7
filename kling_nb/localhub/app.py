"""The ASGI application: every route of HUB_API.md, and the private ones under `/_local/`."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from . import admin, catalogue, events, files, queue, responses, uploads
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
        Route("/api/events", events.stream),
        Route("/api/users/me", uploads.me),
        Route("/api/repos", uploads.create, methods=["POST"]),
        Route("/api/repos/", uploads.create, methods=["POST"]),
        Route(repo, uploads.show, methods=["GET"]),
        Route(repo + "/workbench/context", uploads.to_context, methods=["POST"]),
        Route(repo + "/file/presigned_url/{branch}/{path:path}", uploads.presigned, methods=["GET"]),
        Route(repo + "/file/{branch}/{path:path}", uploads.put, methods=["PUT"]),
        Route(repo + "/file/{branch}/{path:path}", files.repo_file, methods=["GET"]),
        Route(repo + "/workspaces/{job_id}/files/{path:path}", files.result, methods=["GET"]),
        *admin.routes(),
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
