"""The gallery of a log as its own page, without Jupyter: `python -m kling_nb serve`.

It listens on loopback only, and answers only those who know its token: other users of the machine reach loopback too.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import html
import json
import secrets
import socket
import string
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from kling_nb.errors import KlingError
from kling_nb.lab.gallery import TabGallery, browser_side
from kling_nb.lab.logs import signature
from kling_nb.store.log import Log

LOOPBACK = "127.0.0.1"
#: Seconds between two looks for changes of the log.
_LOOK = 0.5
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
        "img-src data: blob:; media-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_REFUSED = "This page needs the address with the token that python -m kling_nb serve prints."


class Standalone:
    """The page of one log.

    Attributes:
        url: The address with the token.
        once: An address that works once. The command line of a browser, which other users can see, has it.
    """

    def __init__(self, log: Log, port: int = 0) -> None:
        self._log = log
        self._listener = socket.create_server((LOOPBACK, port))
        port = self._listener.getsockname()[1]
        self._token, self._ticket = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._cookie = f"kling_nb_{port}"  # a browser sends the cookies of a host to all of its ports
        self.url = f"http://{LOOPBACK}:{port}/?token={self._token}"
        self.once = f"http://{LOOPBACK}:{port}/?token={self._ticket}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._application(),
                lifespan="off",
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )

    def run(self) -> None:
        """Answer until the process is interrupted."""
        with contextlib.suppress(KeyboardInterrupt):
            self._server.run(sockets=[self._listener])

    def stop(self) -> None:
        """Let `run` return soon. Any thread may call it."""
        self._server.should_exit = True

    def _application(self) -> Starlette:
        side = browser_side()
        texts = {
            "ui/static/gallery.js": side["esm"],
            "gallery.css": side["css"],
            "model.js": side["model"],
            "page.js": _file("page.js"),
            "page.css": _file("page.css"),
        }

        def answer(name: str) -> Callable[[Request], Response]:
            kind = "text/css" if name.endswith(".css") else "text/javascript"
            return lambda request: self._answered(request, Response(texts[name], media_type=kind, headers=_HEADERS))

        return Starlette(
            routes=[
                Route("/", self._page),
                *(Route(f"/{name}", answer(name)) for name in texts),
                WebSocketRoute("/messages", self._messages),
            ],
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[LOOPBACK, "localhost"])],
        )

    def _page(self, request: Request) -> Response:
        if given := request.query_params.get("token"):
            if self._ticket and _same(given, self._ticket):
                self._ticket = ""
            elif not _same(given, self._token):
                return PlainTextResponse(_REFUSED, 403)
            entered = RedirectResponse("/", 303, headers=_HEADERS)  # without the token, which would be in the history
            entered.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")
            return entered
        title = html.escape(f"Clips · {self._log.folder.parent.name or self._log.folder.name}")
        page = string.Template(_file("page.html")).substitute(title=title)
        return self._answered(request, Response(page, media_type="text/html", headers=_HEADERS))

    def _answered(self, request: Request, answer: Response) -> Response:
        return answer if self._entered(request) else PlainTextResponse(_REFUSED, 403)

    def _entered(self, asking: HTTPConnection) -> bool:
        return _same(asking.cookies.get(self._cookie, ""), self._token)

    async def _messages(self, page: WebSocket) -> None:
        origin = urlsplit(page.headers.get("origin", "")).netloc
        if not self._entered(page) or origin != page.headers.get("host"):
            await page.close(1008)
            return
        await page.accept()
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[tuple[Mapping[str, Any], list[bytes]]] = asyncio.Queue()

        def send(content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
            loop.call_soon_threadsafe(waiting.put_nowait, (content, [bytes(part) for part in buffers]))

        gallery = await asyncio.to_thread(TabGallery, self._log, send)
        tasks = [asyncio.create_task(_send(page, waiting)), asyncio.create_task(self._watch(send))]
        try:
            await asyncio.to_thread(gallery.start)
            async for text in page.iter_text():
                await asyncio.to_thread(gallery.receive, json.loads(text))
        except KlingError as exc:
            send({"error": str(exc)}, ())
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.to_thread(gallery.close)

    async def _watch(self, send: Callable[[Mapping[str, Any], Sequence[Any]], None]) -> None:
        seen = signature(self._log.folder)
        while True:
            await asyncio.sleep(_LOOK)
            now = await asyncio.to_thread(signature, self._log.folder)
            if now != seen:
                send({"message": {"kind": "changed"}}, ())
            seen = now


async def _send(page: WebSocket, waiting: asyncio.Queue[tuple[Mapping[str, Any], list[bytes]]]) -> None:
    while True:
        content, buffers = await waiting.get()
        await page.send_text(json.dumps({**content, "buffers": len(buffers)}, default=str))
        for part in buffers:
            await page.send_bytes(part)


def _file(name: str) -> str:
    return (files("kling_nb.lab") / "page" / name).read_text("utf-8")


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode())
