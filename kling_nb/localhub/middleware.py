"""Middleware around all routes: access from this machine only, the User-Agent rule, faults and the API key."""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .faults import Fault, parse
from .hub import Hub
from .responses import FAULT_RESPONSES, fault_response, invalid_params, unauthenticated, update_required
from .transport import DroppedConnection

__all__ = ["Middleware", "active_fault", "is_authorized"]

_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
_NO_KEY_NEEDED = re.compile(r"/_local/|/api/ai/models(/|$)")
# These routes check access themselves, since a signature can replace the key.
_SIGNED = re.compile(r"/api/repos/[^/]+/[^/]+/(file/(?!presigned_url/)|workspaces/)")
_GENERAL_FAULTS = frozenset(FAULT_RESPONSES) | {"dropped_connection"}
# Patterns that replace IDs and paths in the request counts.
_LABELS = (
    (re.compile(r"^/api/ai/queue/.+"), "/api/ai/queue/:generation_id"),
    (re.compile(r"^/api/ai/models/(?!search$).+"), "/api/ai/models/:id"),
    (re.compile(r"^/api/repos/.+/workspaces/.+"), "/api/repos/:result"),
    (re.compile(r"^/api/repos/[^/]+/[^/]+/(file|workbench)/.+"), r"/api/repos/:\1"),
)


class Middleware:
    """ASGI middleware that answers a request itself or passes it on."""

    def __init__(self, app: ASGIApp, hub: Hub) -> None:
        self._app = app
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers, method, path = Headers(scope=scope), scope["method"], scope["path"]
        if not _is_loopback(headers.get("host", "")):
            return await PlainTextResponse("Forbidden: host is not loopback.", 403)(scope, receive, send)
        # A browser sends a simple POST of any page without asking, and such a page must not stop the hub.
        origin = headers.get("origin")
        if method not in ("GET", "HEAD") and origin is not None and not _is_loopback(origin.partition("://")[2]):
            return await PlainTextResponse("Forbidden: origin is not loopback.", 403)(scope, receive, send)
        if path.startswith("/_local/"):
            return await self._app(scope, receive, send)
        self._count(method, path)
        model = None
        if method == "POST" and path.startswith("/api/ai/"):
            body, receive = await _read_body(receive)
            model = _model_of(body)
            scope.setdefault("state", {})["model"] = model
        response = self._response(scope, headers, model) or self._app
        return await response(scope, receive, send)

    def _count(self, method: str, path: str) -> None:
        self._hub.touch()
        for pattern, label in _LABELS:
            path = pattern.sub(label, path)
        self._hub.requests[f"{method} {path}"] += 1

    def _response(self, scope: Scope, headers: Headers, model: str | None) -> ASGIApp | None:
        method, path = scope["method"], scope["path"]
        if "oxen" in headers.get("user-agent", "").lower():
            return update_required()
        fault = None
        if name := headers.get("x-local-fault"):
            try:
                fault = scope.setdefault("state", {})["fault"] = parse(name)
            except ValueError as exc:
                return invalid_params(str(exc))
        if fault is None or fault.name not in _GENERAL_FAULTS:
            fault = self._hub.faults.take(_GENERAL_FAULTS, method, path, model)
        if fault is not None:
            return DroppedConnection() if fault.name == "dropped_connection" else fault_response(fault, model)
        reads_file = method in ("GET", "HEAD") and _SIGNED.match(path) is not None
        if _NO_KEY_NEEDED.match(path) or reads_file or is_authorized(headers, self._hub):
            return None
        return unauthenticated()


def is_authorized(headers: Headers, hub: Hub) -> bool:
    """Return whether the request has a key that the hub accepts: any key, or one that `--key` lists."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    key = key.strip()
    return scheme.lower() == "bearer" and bool(key) and (not hub.options.keys or key in hub.options.keys)


def active_fault(request: Request, *names: str) -> Fault | None:
    """Return the fault that applies to a request: from its header, or the first of these names that is on."""
    requested = getattr(request.state, "fault", None)
    if requested is not None and requested.name in names:
        return requested
    hub: Hub = request.app.state.hub
    method = "GET" if request.method == "HEAD" else request.method
    return hub.faults.take(frozenset(names), method, request.scope["path"], getattr(request.state, "model", None))


def _is_loopback(host: str) -> bool:
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return name.lower() in _LOOPBACK


async def _read_body(receive: Receive) -> tuple[bytes, Receive]:
    """Return the request body, and a `receive` that returns it once more."""
    chunks: list[bytes] = []
    more = True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)
    body = b"".join(chunks)
    replayed = False

    async def replay() -> Message:
        nonlocal replayed
        if replayed:
            return await receive()
        replayed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return body, replay


def _model_of(body: bytes) -> str | None:
    try:
        data: Any = json.loads(body)
    except ValueError:
        return None
    return data.get("model") if isinstance(data, dict) else None
