"""A network between a client and the tests' PostgreSQL: it counts round trips, may take its time, and may hang."""

from __future__ import annotations

import queue
import re
import socket
import threading
import time
from urllib.parse import unquote


class Distance:
    """A way to a server's socket on loopback; `url` leads over it."""

    def __init__(self, url: str, seconds: float = 0.0) -> None:
        folder = unquote(re.search(r"host=([^&]+)", url)[1])  # type: ignore[index]
        self._target, self._seconds = f"{folder}/.s.PGSQL.5432", seconds
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.url = url.replace("@/", f"@127.0.0.1:{self.port}/").replace(f"host={folder}&", "")
        self.trips = 0
        #: Cleared while the server hangs: it takes what is sent, and does not answer.
        self.answers = threading.Event()
        self.answers.set()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Close every connection."""
        for one in (self._listening, *self._sockets):
            one.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._target)
            self._sockets += [client, server]
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            turn = ["server"]
            for source, target, name in ((client, server, "client"), (server, client, "server")):
                threading.Thread(target=self._carry, args=(source, target, name, turn), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, name: str, turn: list[str]) -> None:
        """Read immediately, and pass on later: what is sent without waiting for an answer is under way together."""
        under_way: queue.Queue[tuple[float, bytes]] = queue.Queue()
        threading.Thread(target=self._deliver, args=(under_way, target, name), daemon=True).start()
        while True:
            try:
                data = source.recv(1 << 16)
            except OSError:
                data = b""
            if data and name == "client" and turn[0] == "server":
                self.trips += 1
            turn[0] = name
            under_way.put((time.monotonic() + self._seconds / 2, data))
            if not data:
                return

    def _deliver(self, under_way: queue.Queue[tuple[float, bytes]], target: socket.socket, name: str) -> None:
        while True:
            at, data = under_way.get()
            time.sleep(max(0.0, at - time.monotonic()))
            if name == "server":
                self.answers.wait()
            try:
                target.sendall(data) if data else target.close()
            except OSError:
                return
            if not data:
                return
