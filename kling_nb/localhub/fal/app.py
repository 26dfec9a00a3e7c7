"""The ASGI application of fal's stand-in."""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from kling_nb.localhub.faults import parse
from kling_nb.localhub.private import Guard, private_routes, routes_of
from kling_nb.localhub.responses import Rejection, json_of, rejected

from . import platform, queue, storage
from .hub import FalHub
from .responses import FAULT_RESPONSES, fault_response, gateway

_HOSTS = ("queue.fal.run", "queue.falrun.com", "fal.run", "falrun.com", "rest.fal.ai", "api.fal.ai", "fal.ai")
_NO_KEY_NEEDED = ("/v1/models", "/v1/models/")
_PUBLIC = "/api/openapi/"


def build(hub: FalHub) -> ASGIApp:
    """Return the application of a hub."""
    handlers: list[tuple[str, str, Any]] = [
        ("POST", "/storage/auth/token", storage.token),
        ("POST", "/storage/upload/initiate", storage.initiate),
        ("GET", "/v1/models", platform.models),
        ("GET", "/v1/models/pricing", platform.pricing),
        ("POST", "/v1/models/pricing/estimate", platform.estimate),
        ("GET", "/v1/models/requests/by-endpoint", platform.by_endpoint),
        ("GET", "/v1/models/requests/search", platform.search),
        ("GET", "/v1/models/usage", platform.admin_only),
        ("GET", "/v1/models/billing-events", platform.admin_only),
        ("GET", "/v1/account/billing", platform.admin_only),
        ("GET", "/api/openapi/queue/openapi.json", platform.openapi),
        ("GET", "/{path:path}", queue.read),
        ("PUT", "/{path:path}", queue.change),
        ("POST", "/{path:path}", queue.submit),
    ]
    exception_handlers: dict[Any, Any] = {HTTPException: _http_error, Rejection: rejected}
    app = Starlette(routes=[*private_routes(hub), *routes_of(handlers, hub)], exception_handlers=exception_handlers)
    return _Hosts(Guard(app, hub, partial(_answer, hub), partial(storage.at_media_host, hub)))


class _Hosts:
    """Takes the host that a path begins with out of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        first, _, rest = scope.get("path", "").lstrip("/").partition("/")
        if first in _HOSTS:
            scope = {**scope, "path": f"/{rest}", "fal_host": first}
        await self._app(scope, receive, send)


async def _answer(hub: FalHub, request: Request) -> Response | None:
    """Answer a request by a fault or for want of a key, or return None."""
    path = request.scope["path"]
    request.state.route = label = hub.label(request)
    if request.method == "POST":
        request.state.body = await json_of(request)
        request.state.model = path.strip("/") if label == "/:endpoint" else None
    try:
        asked = request.headers.get("x-local-fault")
        request.state.fault = parse(asked, hub.known_faults) if asked else None
    except ValueError as exc:
        return gateway(400, str(exc))
    if (fault := hub.faults.take(request, *FAULT_RESPONSES)) is not None:
        return fault_response(fault, path)
    reads = request.method in ("GET", "HEAD")
    if (reads and (path in _NO_KEY_NEEDED or path.startswith(_PUBLIC))) or hub.accepts_key_of(request.headers):
        return None
    return fault_response(parse("unauthenticated", hub.known_faults), path)


async def _http_error(request: Request, exc: HTTPException) -> Response:
    return gateway(exc.status_code, exc.detail)
