"""The parts that only stand-ins have: the guard around all routes, and the private `/_local/` routes."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from . import NAME, __version__
from .faults import Fault, parse
from .responses import Ascii
from .runner import Runner

_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
Answer = Callable[[Request], Awaitable[Response | None]]


class Guard:
    """Admits only this machine, counts requests, and lets the provider answer before its routes do.

    Args:
        app: The routes.
        hub: What they serve.
        answer: Answers a request itself, by a fault or for want of a key, or returns None.
        at_other_origin: Answers all requests to the second address.
    """

    def __init__(self, app: ASGIApp, hub: Runner, answer: Answer, at_other_origin: Answer) -> None:
        self._app, self._hub, self._answer, self._at_other_origin = app, hub, answer, at_other_origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        request = Request(scope, receive)
        try:
            response = await self._response(request)
        except ClientDisconnect:
            return
        await (response or self._app)(scope, receive, send)

    async def _response(self, request: Request) -> Response | None:
        hub, headers = self._hub, request.headers
        if not _is_loopback(headers.get("host", "")):
            return PlainTextResponse("Forbidden: host is not loopback.", 403)
        # A browser sends a simple POST of any page without asking, and such a page must not stop the hub.
        origin, reads = headers.get("origin"), request.method in ("GET", "HEAD")
        if not reads and origin is not None and not _is_loopback(origin.partition("://")[2]):
            return PlainTextResponse("Forbidden: origin is not loopback.", 403)
        if hub.other_origin.endswith(f":{request.scope['server'][1]}"):
            return await self._at_other_origin(request)
        if request.scope["path"].startswith("/_local/"):
            return None
        hub.touch()
        hub.wrong_keys += "authorization" in headers and not hub.accepts_key_of(headers)
        hub.requests[f"{request.method} {hub.label(request)}"] += 1
        return await self._answer(request)


def _is_loopback(host: str) -> bool:
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return name.lower() in _LOOPBACK


def routes_of(handlers: Iterable[tuple[str, str, Any]], hub: Runner) -> list[Route]:
    """Return the routes of handlers that take the hub and a request."""
    return [Route(path, partial(handler, hub), methods=[method]) for method, path, handler in handlers]


def private_routes(hub: Runner) -> list[Route]:
    """Return the routes that no provider has."""
    handlers = [
        ("GET", "/_local/health", _health),
        ("GET", "/_local/stats", _stats),
        ("GET", "/_local/faults", _list_faults),
        ("POST", "/_local/faults", _add_fault),
        ("DELETE", "/_local/faults", _clear_faults),
        ("GET", "/_local/jobs", _jobs),
        ("POST", "/_local/shutdown", _shutdown),
    ]
    return routes_of(handlers, hub)


async def _health(hub: Runner, request: Request) -> Response:
    if "touch" in request.query_params:
        hub.touch()  # a client is about to use the hub, which must not exit now
    return JSONResponse(
        {
            "name": NAME,
            "version": __version__,
            "pid": os.getpid(),
            "url": hub.base_url,
            "provider": hub.provider,
            "media_url": hub.other_origin,
            "speed": hub.options.speed,
            "state": str(hub.folder),
        }
    )


async def _stats(hub: Runner, request: Request) -> Response:
    now = time.time()
    jobs = [job for job in hub.jobs if job.listed]
    return JSONResponse(
        {
            "requests": dict(hub.requests),
            "enqueued": len(jobs),
            "jobs": dict(Counter(job.status(now) for job in jobs)),
            "subscribers": len(hub.subscribers),
            "wrong_keys": hub.wrong_keys,
            "other_origin_requests": hub.other_origin_requests,
            "other_origin_keys": hub.other_origin_keys,
        }
    )


async def _list_faults(hub: Runner, request: Request) -> Response:
    return Ascii({"on": hub.faults.to_json(), "known": sorted(hub.known_faults)})


async def _add_fault(hub: Runner, request: Request) -> Response:
    """Switch on the fault of a body such as `{"fault": "failed", "times": 1, "match": {"model": ...}}`."""
    try:
        extra: dict[str, Any] = dict(await request.json())
        fault = parse(str(extra.pop("fault")), hub.known_faults)
        times, match = extra.pop("times", fault.times), extra.pop("match", None)
        hub.faults.append(Fault(fault.name, times, match or {}, extra, fault.scope))
    except (ValueError, KeyError, TypeError) as exc:
        return JSONResponse({"error": str(exc)}, 400)
    return Ascii({"on": hub.faults.to_json()})


async def _clear_faults(hub: Runner, request: Request) -> Response:
    hub.faults.clear()
    return JSONResponse({"on": []})


async def _jobs(hub: Runner, request: Request) -> Response:
    """Return what was submitted, as it arrived, and the state of each: for tests."""
    now = time.time()
    return Ascii(
        [
            {
                "id": job.id,
                "model": job.model,
                "status": job.status(now),
                "request": dict(job.request),
                "headers": job.details.get("headers", {}),
            }
            for job in hub.jobs
            if job.listed
        ]
    )


async def _shutdown(hub: Runner, request: Request) -> Response:
    hub.closing.set()
    return JSONResponse({"status": "success"})
