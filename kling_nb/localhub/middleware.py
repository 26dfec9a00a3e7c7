"""What every request passes before its route: loopback only, the User-Agent rule, faults, the key."""

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
from .responses import REPLIES, faulty, invalid, unauthenticated, update_required
from .transport import Dropped

__all__ = ["Gate", "authorized", "fault_of"]

_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
_WITHOUT_KEY = re.compile(r"/_local/|/api/ai/models(/|$)")
# Their own routes decide: a signature may stand for the key (section 8).
_SIGNED = re.compile(r"/api/repos/[^/]+/[^/]+/(file/(?!presigned_url/)|workspaces/)")
_GENERIC = frozenset(REPLIES) | {"dropped_connection"}
_LABELS = (
    (re.compile(r"^/api/ai/queue/.+"), "/api/ai/queue/:generation_id"),
    (re.compile(r"^/api/ai/models/(?!search$).+"), "/api/ai/models/:id"),
    (re.compile(r"^/api/repos/.+/workspaces/.+"), "/api/repos/:result"),
    (re.compile(r"^/api/repos/[^/]+/[^/]+/(file|workbench)/.+"), r"/api/repos/:\1"),
)


class Gate:
    """ASGI middleware around the routes."""

    def __init__(self, app: ASGIApp, hub: Hub) -> None:
        self._app = app
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers, path = Headers(scope=scope), scope["path"]
        if not _is_loopback(headers.get("host", "")):
            return await PlainTextResponse("Forbidden: this hub answers on loopback only.", 403)(scope, receive, send)
        if scope["method"] not in ("GET", "HEAD") and not _is_ours(headers.get("origin")):
            # A page from elsewhere can post without asking first: it shall not stop the hub, nor break it.
            return await PlainTextResponse("Forbidden: a page from elsewhere.", 403)(scope, receive, send)
        if path.startswith("/_local/"):
            return await self._app(scope, receive, send)
        self._count(scope["method"], path)
        model = None
        if scope["method"] == "POST" and path.startswith("/api/ai/"):
            body, receive = await _read(receive)
            model = _model_of(body)
            scope.setdefault("state", {})["model"] = model
        answer = await self._answer(scope, headers, model)
        if answer is None:
            return await self._app(scope, receive, send)
        return await answer(scope, receive, send)

    def _count(self, method: str, path: str) -> None:
        self._hub.touch()
        for pattern, label in _LABELS:
            path = pattern.sub(label, path)
        self._hub.requests[f"{method} {path}"] += 1

    async def _answer(self, scope: Scope, headers: Headers, model: str | None) -> ASGIApp | None:
        method, path = scope["method"], scope["path"]
        if "oxen" in headers.get("user-agent", "").lower():
            return update_required()
        try:
            fault = _asked_for(headers, scope)
        except ValueError as exc:
            return invalid(str(exc))
        if fault is None or fault.name not in _GENERIC:
            fault = self._hub.faults.take(_GENERIC, method, path, model)
        if fault is not None:
            return Dropped() if fault.name == "dropped_connection" else faulty(fault, model)
        reads_file = method in ("GET", "HEAD") and _SIGNED.match(path) is not None
        if _WITHOUT_KEY.match(path) or reads_file or authorized(headers, self._hub):
            return None
        return unauthenticated()


def authorized(headers: Headers, hub: Hub) -> bool:
    """Whether the request carries a key that the hub takes: any, or one of those given by `--key`."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    key = key.strip()
    return scheme.lower() == "bearer" and bool(key) and (not hub.options.keys or key in hub.options.keys)


def fault_of(request: Request, *names: str) -> Fault | None:
    """The fault of these names that strikes a request: the one in its header, or one that is switched on."""
    asked = getattr(request.state, "fault", None)
    if asked is not None and asked.name in names:
        return asked
    hub: Hub = request.app.state.hub
    method = "GET" if request.method == "HEAD" else request.method
    return hub.faults.take(frozenset(names), method, request.scope["path"], getattr(request.state, "model", None))


def _asked_for(headers: Headers, scope: Scope) -> Fault | None:
    named = headers.get("x-local-fault")
    if not named:
        return None
    fault = parse(named)
    scope.setdefault("state", {})["fault"] = fault
    return fault


def _is_loopback(host: str) -> bool:
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return name.lower() in _LOOPBACK


def _is_ours(origin: str | None) -> bool:
    return origin is None or _is_loopback(origin.partition("://")[2])


async def _read(receive: Receive) -> tuple[bytes, Receive]:
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
