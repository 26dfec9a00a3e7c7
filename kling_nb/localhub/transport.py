"""The connection under a request: how a fault cuts it, which no ASGI message can."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["Dropped", "LocalProtocol", "Server"]

_open: dict[tuple[str, int], Any] = {}


class LocalProtocol(H11Protocol):
    """uvicorn's HTTP protocol, with its transports known by the caller's address."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # asyncio does this for sockets that it opened itself; ours was handed over, and a reply is two writes:
        # without it each waits 40 ms for the caller's delayed acknowledgement.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _open[transport.get_extra_info("peername")[:2]] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        _open.pop(self.transport.get_extra_info("peername")[:2], None)
        super().connection_lost(exc)


class Server(uvicorn.Server):
    """A uvicorn server that leaves the process's signals alone."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class Dropped(Response):
    """No reply: the connection is cut, after `sent` was written to it."""

    def __init__(self, start: Message | None = None, sent: bytes = b"") -> None:
        super().__init__()
        self._start = start
        self._sent = sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._start is not None:
            await send(self._start)
            await send({"type": "http.response.body", "body": self._sent, "more_body": True})
        transport = _open.get(tuple(scope["client"]))
        if transport is None:
            return
        if self._start is None:
            transport.abort()
        else:
            transport.close()  # lets what was written go out
        # uvicorn would answer 500 for a route that returned nothing, unless it has seen the end of the connection.
        while transport in _open.values():  # noqa: ASYNC110  # connection_lost is told to uvicorn only
            await asyncio.sleep(0.001)
