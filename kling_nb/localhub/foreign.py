"""A second origin on loopback, for the fault `redirect_result`: it counts the keys that should never reach it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .hub import Hub
from .transport import LocalProtocol

__all__ = ["Server", "origin"]


class Server(uvicorn.Server):
    """A uvicorn server that leaves the process's signals alone."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def origin(hub: Hub) -> str:
    """The address of the foreign origin, opened when it is first needed."""
    if hub.foreign_origin is None:
        listener = socket.create_server(("127.0.0.1", 0))
        hub.foreign_origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = Starlette(routes=[Route("/{path:path}", _serve)])
        app.state.hub = hub
        server = Server(
            uvicorn.Config(app, http=LocalProtocol, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
        )
        hub.keep(asyncio.create_task(server.serve(sockets=[listener])))
        hub.keep(asyncio.create_task(_end(hub, server)))
    return hub.foreign_origin


async def _end(hub: Hub, server: uvicorn.Server) -> None:
    await hub.closing.wait()
    server.should_exit = True


async def _serve(request: Request) -> Response:
    from .files import answer  # files asks this module for the origin, which has files to serve

    hub: Hub = request.app.state.hub
    hub.foreign["requests"] += 1
    hub.foreign["authorization"] += "authorization" in request.headers
    path = hub.result_file(request.scope["path"].split("/")[6])
    return answer(request, path) if path is not None else Response(status_code=404)
