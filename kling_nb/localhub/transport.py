"""The connection under a request, which ASGI cannot close."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["DroppedConnection", "close_connection", "make_server"]

_transports: dict[tuple[str, int], Any] = {}


def make_server(app: ASGIApp) -> uvicorn.Server:
    """Return a server whose connections `close_connection` can close."""
    return _Server(
        uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )


class DroppedConnection(Response):
    """A response that is never sent: the connection closes instead."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await close_connection(scope, abort=True)


async def close_connection(scope: Scope, *, abort: bool = False) -> None:
    """Close the connection of a request, after sending what was written unless `abort` is set."""
    transport = _transports.get(tuple(scope["client"]))
    if transport is None:
        return
    if abort:
        transport.abort()
    else:
        transport.close()
    # uvicorn answers 500 for an app that returns without a response while the connection is open.
    while transport in _transports.values():  # noqa: ASYNC110  # only uvicorn's protocol learns of the end
        await asyncio.sleep(0.001)


class _Server(uvicorn.Server):
    """A uvicorn server that does not handle the signals of the process."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class _Protocol(H11Protocol):
    """uvicorn's HTTP protocol, which registers its transports by the address of the client."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # asyncio sets this for sockets that it opens itself. Without it, the second write of each response waits
        # 40 ms for the client's delayed acknowledgement.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _transports[transport.get_extra_info("peername")[:2]] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        _transports.pop(self.transport.get_extra_info("peername")[:2], None)
        super().connection_lost(exc)
