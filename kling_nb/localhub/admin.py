"""The private routes under `/_local/`, which the real hub does not have: health, statistics, faults, shutdown."""

from __future__ import annotations

import os
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import NAME, __version__
from .faults import FAULTS, Fault, parse
from .hub import Hub

__all__ = ["routes"]

_OWN = {"fault", "times", "match"}


def routes() -> list[Route]:
    """The private routes."""
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
