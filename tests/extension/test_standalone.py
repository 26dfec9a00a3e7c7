"""`python -m kling_nb serve`: the gallery of a log without Jupyter, for those who have its token."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from extension.conftest import with_clip
from kling_nb.lab.standalone import Standalone
from kling_nb.store import Log


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory, movie: bytes) -> Log:
    log = Log(tmp_path_factory.mktemp("served") / "kling_log")
    with_clip(log, movie)
    return log


@pytest.fixture(scope="module")
def page(log: Log) -> Iterator[Standalone]:
    page = Standalone(log)
    thread = threading.Thread(target=page.run)
    thread.start()
    yield page
    page.stop()
    thread.join(60)


@pytest.fixture(scope="module")
def client(page: Standalone) -> Iterator[httpx.Client]:
    """A browser that has opened the address with the token."""
    with httpx.Client(base_url=base(page), trust_env=False, follow_redirects=True) as client:
        assert client.get(page.url).status_code == 200
        yield client


def base(page: Standalone) -> str:
    return page.url.partition("/?")[0]


def ask(url: str) -> tuple[int, dict[str, str]]:
    """Ask without any cookie; return the status and the headers."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    with contextlib.closing(connection):
        connection.request("GET", f"{parts.path}?{parts.query}")
        with connection.getresponse() as answer:
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}


def talk(page: Standalone, client: httpx.Client, *, origin: str | None = None, cookie: bool = True) -> ClientConnection:
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    headers = {"Cookie": cookies} if cookie else {}
    url = base(page).replace("http", "ws") + "/messages"
    return connect(url, origin=origin or base(page), additional_headers=headers, proxy=None)


def told(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """Return the next message of a kind."""
    while True:
        data = socket.recv(60)
        message = json.loads(data).get("message") if isinstance(data, str) else None
        if message and message["kind"] == kind:
            return message


@pytest.mark.parametrize("path", ["/", "/ui/static/gallery.js", "/page.js", "/?token=guess", "/?token="])
def test_a_request_without_the_token_gets_no_answer(page: Standalone, path: str) -> None:
    assert ask(base(page) + path)[0] == 403


def test_the_token_does_not_stay_in_the_address_and_no_other_site_may_use_the_page(
    page: Standalone, client: httpx.Client
) -> None:
    status, headers = ask(page.url)
    cookie = headers["set-cookie"].lower()
    assert (status, headers["location"]) == (303, "/")
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
    for refused in ({"origin": "http://evil.example"}, {"cookie": False}):
        with pytest.raises(InvalidStatus):
            talk(page, client, **refused)


def test_the_address_in_the_command_line_of_a_browser_works_once(page: Standalone) -> None:
    answers = [ask(page.once)[0] for _ in range(2)]
    assert answers == [303, 403]


def test_clips_are_shown_and_rated_and_what_a_kernel_adds_is_announced(
    page: Standalone, client: httpx.Client, log: Log, movie: bytes
) -> None:
    with talk(page, client) as socket:
        socket.send(json.dumps({"kind": "records", "call": "1", "filters": {}, "offset": 0, "limit": 24}))
        (tile,) = told(socket, "records")["tiles"]
        socket.send(json.dumps({"kind": "clip", "call": "2", "id": tile["id"]}))
        told(socket, "clip")
        assert socket.recv(60) == movie
        socket.send(json.dumps({"kind": "annotate", "id": tile["id"], "changes": {"stars": 4}}))
        assert told(socket, "record")["tile"]["stars"] == log.get(tile["id"]).stars == 4
        socket.send(json.dumps({"kind": "open", "call": "3", "id": tile["id"]}))
        assert f'kn.panel("{tile["id"]}")' in told(socket, "done")["text"]
        told(socket, "changed")  # of the rating
        other = Log(log.folder)
        with_clip(other, movie, 1)
        other.close()
        told(socket, "changed")


def test_the_command_prints_an_address_and_ends_with_ctrl_c(log: Log) -> None:
    command = [sys.executable, "-m", "kling_nb", "--log", str(log.folder), "serve", "--no-browser"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        status, _ = ask(url)
        process.send_signal(signal.SIGINT)
        assert (status, urlsplit(url).hostname) == (303, "127.0.0.1")
        assert process.wait(60) == 0
