"""The server half by plain HTTP: what it answers, and what it refuses."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.records import make_record
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from extension.conftest import Server
from kling_nb.store import Log

ROOT = Path(__file__).parents[2]


def media_of(server: Server, log: str) -> tuple[str, dict[str, str]]:
    clip = server.ask("record", id="job00000", log=log).json()
    return f"media/{clip['media']}", {"log": log}


@pytest.fixture(autouse=True)
def _noted(server: Server) -> None:
    """Kernels note their logs; here the tests do."""
    noted = server.root.parent / "home" / "state" / "kling_nb" / "logs.json"
    noted.parent.mkdir(parents=True, exist_ok=True)
    folders = [server.root / "one", server.root / "linked", server.root.parent / "outside"]
    noted.write_text(json.dumps([str(folder / "kling_log") for folder in folders]))


def test_an_overview_has_the_logs_that_kernels_noted_below_the_root_and_no_other(server: Server) -> None:
    logs = server.ask("overview").json()["logs"]
    assert [log["name"] for log in logs] == ["one/kling_log"]
    assert [clip["notebook"] for clip in logs[0]["clips"]] == ["one.ipynb"]
    assert (logs[0]["jobs"], logs[0]["today"], logs[0]["error"]) == ([], "0", "")


def test_a_log_of_a_running_notebook_appears_with_its_jobs_and_limits(server: Server) -> None:
    log = Log(server.root / "two" / "kling_log")
    log.budget.change(lambda limits: limits.changed(day="20", total="100"))
    log.save(make_record(7, status="queued", notebook="two.ipynb", generation_id="g7"))
    session = {"path": "two/two.ipynb", "type": "notebook", "name": "", "kernel": {"name": "python3"}}
    started = server.client.post(f"{server.url}/api/sessions", json=session).json()
    try:
        found = {each["name"]: each for each in server.ask("overview").json()["logs"]}["two/kling_log"]
        assert [(job["id"], job["text"], job["notebook"]) for job in found["jobs"]] == [
            ("job00007", "Queued", "two.ipynb")
        ]
        assert [(row["label"], row["limit"]) for row in found["limits"]] == [("Today", "20"), ("Total", "100")]
    finally:
        server.client.delete(f"{server.url}/api/sessions/{started['id']}")


def test_a_clip_comes_whole_or_in_a_range_and_may_be_kept_by_the_browser(server: Server, movie: bytes) -> None:
    path, log = media_of(server, "one/kling_log")
    whole = server.ask(path, **log)
    assert (whole.status_code, whole.content, whole.headers["Content-Type"]) == (200, movie, "video/mp4")
    assert "private" in whole.headers["Cache-Control"] and "immutable" in whole.headers["Cache-Control"]
    assert "sandbox" in whole.headers["Content-Security-Policy"]
    address = f"{server.url}/kling_nb/api/{path}"
    part = server.client.get(address, params=log, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, movie[10:20])
    assert server.client.get(address, params=log, headers={"Range": f"bytes={len(movie)}-"}).status_code == 416
    assert server.client.head(address, params=log).headers["Content-Length"] == str(len(movie))


@pytest.mark.parametrize(
    "name",
    ["../outside/kling_log", "one/../../outside/kling_log", "linked/kling_log", "/etc", "one", "none", "@server"],
)
def test_a_log_that_is_not_one_of_this_servers_is_refused(server: Server, name: str) -> None:
    path, _ = media_of(server, "one/kling_log")
    assert server.ask(path, log=name).status_code == 404
    assert server.ask("record", id="job00000", log=name).status_code == 404


def test_what_is_not_media_of_the_log_is_refused(server: Server, movie: bytes) -> None:
    folder = server.root / "one" / "kling_log" / "media" / "ee"
    folder.mkdir(exist_ok=True)
    secret = server.root.parent / "outside" / "secret.mp4"
    secret.write_bytes(movie)
    page, link = "ee" * 32, "ee" * 31 + "ef"
    (folder / f"{page}.html").write_text("<script>alert(1)</script>")
    (folder / f"{link}.mp4").unlink(missing_ok=True)
    (folder / f"{link}.mp4").symlink_to(secret)
    for path in (f"media/{page}", f"media/{link}", "media/../index.sqlite", "media/index.sqlite", f"media/{page}.html"):
        assert server.ask(path, log="one/kling_log").status_code == 404, path
    shutil.rmtree(folder)


def test_users_who_are_not_logged_in_get_no_answer(server: Server) -> None:
    path, log = media_of(server, "one/kling_log")
    base = f"{server.url}/kling_nb/api"
    for asked in ("about", "overview", "record?id=job00000"):
        assert httpx.get(f"{base}/{asked}").status_code == 403, asked
    assert httpx.get(f"{base}/{path}", params=log).status_code in (302, 403)
    assert httpx.post(f"{base}/cancel", json={}).status_code == 403


def test_another_site_can_neither_change_nor_embed_anything(server: Server) -> None:
    path, log = media_of(server, "one/kling_log")
    with httpx.Client() as browser:  # with the cookie of someone who is logged in, and no more
        browser.get(f"{server.url}/login", params={"token": server.client.headers["Authorization"].split()[1]})
        base = f"{server.url}/kling_nb/api"
        assert browser.post(f"{base}/cancel", json={"id": "x", "log": "y"}).status_code == 403
        for referer in ({}, {"Referer": "https://other.example/page"}):
            assert browser.get(f"{base}/{path}", params=log, headers=referer).status_code == 403
        assert browser.get(f"{base}/{path}", params=log, headers={"Referer": f"{server.url}/lab"}).status_code == 200


@contextlib.asynccontextmanager
async def listening(server: Server, path: str) -> AsyncGenerator[tuple[Callable[[], Awaitable[Any]], Any]]:
    """Open a websocket like a page; gives what waits for the next message, and what sends one."""
    address = f"{server.url.replace('http', 'ws')}/kling_nb/api/{path}"
    socket = await websocket_connect(HTTPRequest(address, headers=dict(server.client.headers)))

    async def following() -> Any:
        message = await asyncio.wait_for(socket.read_message(), 20)
        return json.loads(message) if isinstance(message, str) else message

    async def say(**content: Any) -> None:
        await socket.write_message(json.dumps(content))

    try:
        yield following, say
    finally:
        socket.close()
        while await socket.read_message() is not None:
            pass


async def test_news_come_by_websocket_with_the_version_the_state_and_each_change(server: Server) -> None:
    log = Log(server.root / "one" / "kling_log")
    async with listening(server, "news") as (following, _):
        assert await following() == {"kind": "about", "version": "0.1.0"}
        assert [each["name"] for each in (await following())["logs"]] == ["one/kling_log"]
        running = log.save(make_record(3, status="processing", generation_id="g3", notebook="one.ipynb"))
        while "job00003" not in [job["id"] for job in (await following())["logs"][0]["jobs"]]:
            pass
        log.save(running.model_copy(update={"status": "failed"}))
        ended = await following()
        assert (ended["kind"], ended["record"]["id"], ended["record"]["status"]) == ("ended", "job00003", "failed")
    log.close()


async def test_the_gallery_needs_no_kernel_and_rates_and_plays_but_never_spends(server: Server, movie: bytes) -> None:
    async with listening(server, "gallery?log=one%2Fkling_log") as (following, say):
        while "ready" not in await following():
            pass

        async def answer(kind: str) -> Any:
            while (found := await following()).get("message", {}).get("kind") != kind:
                pass
            return found

        await say(kind="records", call="1", filters={"status": "succeeded"}, offset=0, limit=24)
        (tile,) = (await answer("records"))["message"]["tiles"]
        assert (tile["id"], tile["clip"], tile["poster"][:10]) == ("job00000", True, "data:image")
        await say(kind="clip", call="2", id="job00000")
        assert (await answer("clip"))["buffers"] == 1
        assert await following() == movie
        await say(kind="annotate", id="job00000", changes={"stars": 4, "tags": ["best"]})
        assert (await answer("record"))["message"]["tile"]["stars"] == 4
        await say(kind="price", call="3", ids=["job00000"])
        price = (await answer("price"))["message"]["price"]
        await say(kind="generate", id="press", ids=["job00000"], price=price)
        while (alert := await following()).get("trait") != "alert":
            pass
        assert "notebook" in alert["value"]["message"]
    log = Log(server.root / "one" / "kling_log")
    assert (log.get("job00000").tags, len(log.find(status="prepared"))) == (("best",), 0)
    log.close()


async def test_a_gallery_of_a_log_that_may_not_be_shown_says_so(server: Server) -> None:
    async with listening(server, "gallery?log=..%2Foutside%2Fkling_log") as (following, _):
        assert "outside" in (await following())["error"]


def test_a_foreign_origin_or_a_stranger_hears_no_news(server: Server) -> None:
    news = f"{server.url}/kling_nb/api/news"
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    with httpx.Client() as browser:
        browser.get(f"{server.url}/login", params={"token": server.client.headers["Authorization"].split()[1]})
        assert browser.get(news, headers={**upgrade, "Origin": "https://other.example"}).status_code == 403
        assert httpx.get(news, headers=upgrade).status_code == 403


def test_a_job_that_cannot_be_cancelled_from_here_says_why(server: Server) -> None:
    log = Log(server.root / "one" / "kling_log")
    log.save(make_record(4, status="queued", hub="https://hub.example", local=False, generation_id="g4"))
    log.save(make_record(5, status="submitting"))
    log.close()

    def cancel(record_id: str) -> httpx.Response:
        body = {"id": record_id, "log": "one/kling_log"}
        return server.client.post(f"{server.url}/kling_nb/api/cancel", json=body)

    for record_id, status in {"job00004": 409, "job00005": 409, "job00000": 409, "none": 404}.items():
        answer = cancel(record_id)
        assert (answer.status_code, bool(answer.json()["message"])) == (status, True), record_id
    assert "hub.example" in cancel("job00004").json()["message"]


def test_the_versions_of_page_server_and_package_agree() -> None:
    from importlib.metadata import version

    package = json.loads((ROOT / "kling_nb" / "lab" / "labextension" / "package.json").read_text("utf-8"))
    assert package["version"] == version("kling-nb")


def test_the_server_loads_no_log_before_the_first_question(server: Server) -> None:
    assert "pydantic_core" not in server.loaded_at_first
    server.ask("overview")
    assert "pydantic_core" in server.loaded()


def test_the_documentation_is_there_without_a_network(server: Server) -> None:
    text = server.ask("documentation").json()["text"]
    assert text.startswith("# kling_nb") and "kn.panel()" in text
    assert "](docs/" not in text
