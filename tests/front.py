"""A proxy in front of the local hub, on a real socket: a test may answer any request itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

#: A test's answer: status, body (JSON unless bytes) and headers. None forwards the request; a status of None does too,
#: and replaces the body.
Answer = tuple[int | None, Any] | tuple[int | None, Any, Mapping[str, str]]
_HOPS = {
    "connection",
    "transfer-encoding",
    "keep-alive",
    "host",
    "content-length",
    "server",
    "date",
    "content-encoding",
}


@dataclass
class Front:
    """Stands in front of the hub at `behind`; `answer(method, path, headers)` returns its own answer or None."""

    behind: str
    answer: Callable[[str, str, Mapping[str, str]], Answer | None]
    asked: list[tuple[str, str]] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._http = httpx.Client(base_url=self.behind, trust_env=False, verify=False, timeout=60)  # noqa: S501 - no TLS on loopback
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def count(self, method: str, path: str = "") -> int:
        """Return the number of requests whose path starts with `path`."""
        return sum(one == method and where.startswith(path) for one, where in self.asked)

    def close(self) -> None:
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()
        self._http.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                front.asked.append((self.command, self.path))
                found = front.answer(self.command, self.path, dict(self.headers.items()))
                if found is None and self.path.startswith("/api/events"):
                    self.stay_silent()
                    return
                if found is None or found[0] is None:
                    through = front._through(self, body)
                    found = (through[0], found[1]) if found else through
                status, content, headers = _whole(found)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content)), "Connection": "close"}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def stay_silent(self) -> None:
                """Open an event stream without events: polling finds everything."""
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(b": keep-alive\n\n")
                self.wfile.flush()
                front.closed.wait()

            def log_message(self, *_: Any) -> None:
                """Print nothing."""

        for method in ("GET", "POST", "PUT", "DELETE"):
            setattr(Handler, f"do_{method}", Handler.handle_one)
        return Handler

    def _through(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOPS}
        got = self._http.request(request.command, request.path, headers=headers, content=body)
        back = {name: value for name, value in got.headers.items() if name.lower() not in _HOPS}
        return got.status_code, got.content.replace(self.behind.encode(), self.url.encode()), back


def _whole(answer: Answer) -> tuple[int, bytes, dict[str, str]]:
    status, content, *more = answer
    headers = dict(more[0]) if more else {}
    if isinstance(content, bytes):
        return status or 200, content, headers
    return status or 200, json.dumps(content).encode(), {"Content-Type": "application/json", **headers}
