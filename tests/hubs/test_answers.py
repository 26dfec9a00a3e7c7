"""The answers of a hub, at the socket: nothing unwritable and no key comes in, and no answer is read without an end."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast
from urllib.parse import unquote

import pytest
from front import Answer, Front
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from kling_nb import errors
from kling_nb.hubs.client import HubClient, route
from kling_nb.hubs.oxen import Oxen
from kling_nb.hubs.responses import parsed
from kling_nb.models.asset import Asset
from kling_nb.models.generation import Generation

T = TypeVar("T")
KEY = "oxk-PLANTED/7d41 <c0ffee>".replace(" ", "+")
#: Each way in which an answer can be unfit to keep: what a hub sends, and what is read.
HOSTILE = {
    "half a surrogate pair": ('"a \\ud83d b"', "a \ufffd b"),
    "the other half": ('"a \\udc31 b"', "a \ufffd b"),
    "a whole pair": ('"a \\ud83d\\udc31 b"', "a 🐱 b"),
    "NUL": ('"a \\u0000 b"', "a \ufffd b"),
    "a control character": ('"a \\u001b[31m b"', "a \ufffd[31m b"),
    "lines": ('"a\\n\\tb"', "a\n\tb"),
    "the key": (json.dumps(f"Bearer {KEY} is invalid"), "Bearer … is invalid"),
    "the key in capitals": (json.dumps(KEY.upper()), "…"),
    "the key, escaped": ('"' + "".join(f"\\u{ord(letter):04x}" for letter in KEY) + '"', "…"),
    "the key in HTML": (json.dumps(KEY.replace("<", "&lt;").replace(">", "&gt;")), "…"),
    "the key in an address": ('"https://h/?k=oxk-PLANTED%2F7d41%2B%3Cc0ffee%3E"', "https://h/?k=…"),
    "no number": ("NaN", None),
    "an infinite number": ("-1e999", None),
}


@pytest.fixture
def answers() -> Iterator[Callable[..., Front]]:
    """Start a hub that answers as told: `answers(lambda method, path, headers: (200, {}))`."""
    fronts: list[Front] = []

    def start(answer: Callable[..., Answer | None]) -> Front:
        fronts.append(Front("http://127.0.0.1:9", answer))
        return fronts[-1]

    yield start
    for front in fronts:
        front.close()


def asked(front: Front, ask: Callable[[Oxen], Awaitable[T]], *, attempts: int = 1) -> T:
    """Return what a hub with this address answers."""

    async def work() -> T:
        client = HubClient(front.url, SecretStr(KEY), attempts=attempts)
        try:
            return await ask(Oxen(client, SimpleNamespace(), "workbench", name=front.url))  # type: ignore[arg-type]
        finally:
            await client.aclose()

    return asyncio.run(work())


async def submit(hub: Oxen) -> list[str]:
    return await hub.submit({"model": "m"}, print, asyncio.Event())


def everything_in(error: BaseException) -> str:
    """Return the parts of an error that a traceback, a log or a record may show."""
    seen = [*traceback.format_exception(error)]
    each: BaseException | None = error
    while each:
        seen.append(f"{each!r} {vars(each)!r}")
        each = each.__cause__ or each.__context__
    return "".join(seen)


def test_an_unfit_value_is_cleaned_wherever_it_is_in_an_answer(answers: Callable[..., Front]) -> None:
    def answer(_: str, path: str, __: Any) -> Answer:
        name = unquote(path).rpartition("/")[2]
        sent, _ = HOSTILE[name]
        body = (
            f'{{"generation_id": "{name}", "status": "failed", "error_message": {sent}, "deep": [{{"er": [{sent}]}}]}}'
        )
        return 200, body.encode()

    async def ask(hub: Oxen) -> dict[str, Generation]:
        return {name: await hub.generation(name) for name in HOSTILE}

    found = asked(answers(answer), ask)
    assert {name: one.error_message for name, one in found.items()} == {
        name: read for name, (_, read) in HOSTILE.items()
    }
    for name, (_, read) in HOSTILE.items():
        assert found[name].raw["deep"] == [{"er": [read]}]
        assert json.dumps(found[name].raw, ensure_ascii=False, allow_nan=False).encode()


STATUSES = [200, 400, 401, 402, 404, 422, 429, 500, 503]


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"error": {"message": f"{KEY} \ud83d\0"}}),
        '{"error": "' + "".join(f"\\u{ord(letter):04x}" for letter in KEY) + '"}',
        f"<html><title>{KEY}\0</title></html>",
        f"Bearer {KEY}\0",
        json.dumps([KEY]),
    ],
)
def test_an_error_of_any_status_holds_neither_the_key_nor_an_unwritable_character(
    answers: Callable[..., Front], body: str
) -> None:
    left = iter(STATUSES)
    front = answers(lambda *_: (next(left), body.encode()))

    async def ask(hub: Oxen) -> list[errors.HubError]:
        found = []
        for _ in STATUSES:
            with pytest.raises(errors.HubError) as caught:
                await submit(hub)
            found.append(caught.value)
        return found

    for error in asked(front, ask):
        assert KEY not in everything_in(error)
        assert "\0" not in str(error) + error.body
        assert (str(error) + error.body).encode()
    assert front.count("POST") == len(STATUSES)


def error_of_server(handle: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> tuple[BaseException, int]:
    """Return the error that a server on a bare socket causes, and the number of requests that it got."""

    async def run() -> tuple[BaseException, int]:
        requests: list[asyncio.Task[Any]] = []

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            requests.append(cast("asyncio.Task[Any]", asyncio.current_task()))
            await reader.read(1000)
            with suppress(ConnectionError):
                await handle(writer)
            writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        client = HubClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", SecretStr(KEY))
        async with server:
            with pytest.raises(errors.NoResponse) as caught:
                await client.send_once("/api/ai/queue", {}, note=print, unwanted=asyncio.Event())
            await client.aclose()
            await asyncio.gather(*requests)
        return caught.value, len(requests)

    return asyncio.run(run())


def test_an_answer_that_is_not_http_does_not_bring_the_key_into_an_error() -> None:
    async def handle(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/9 {KEY}\r\n\r\n".encode())

    error, posts = error_of_server(handle)
    assert (KEY in everything_in(error), posts) == (False, 1)


def test_an_answer_that_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kling_nb.hubs.client._LONGEST_ANSWER", 0.1)

    async def handle(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
        for _ in range(50):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    assert error_of_server(handle)[1] == 1


def test_an_event_is_cleaned_too(answers: Callable[..., Front]) -> None:
    data = f'{{"generation_id": "g\\u0000", "status": "failed", "error": "{KEY} \\ud83d"}}'
    stream = f"event: media_generation_completed\ndata: {data}\n\n".encode()
    front = answers(lambda *_: (200, stream, {"Content-Type": "text/event-stream"}))

    async def first(hub: Oxen) -> Any:
        return [event async for event in hub.events()][1]

    assert asked(front, first).model_dump() == {
        "generation_id": "g\ufffd", "status": "failed", "url": None, "error": "… \ufffd",
    }  # fmt: skip


@pytest.mark.parametrize("unending", [b": x", b"data: x", b"data: x\n", b"x"], ids=repr)
def test_an_event_without_an_end_is_given_up(
    answers: Callable[..., Front], monkeypatch: pytest.MonkeyPatch, unending: bytes
) -> None:
    monkeypatch.setattr("kling_nb.hubs.client._LARGEST_EVENT", 20_000)
    before = b'event: media_generation_completed\ndata: {"generation_id": "g"}\n\n: alive\n\n' * 1000
    stream = before + unending * (40_000 // len(unending))
    front = answers(lambda *_: (200, stream, {"Content-Type": "text/event-stream"}))
    seen: list[Any] = []

    async def listen(hub: Oxen) -> None:
        async for event in hub.events():
            seen.append(event)

    with pytest.raises(errors.ServerError, match="longer than"):
        asked(front, listen)
    assert len(seen) > 100  # of those that came before it


@settings(max_examples=30)
@given(st.text(), st.text(min_size=8))
def test_whatever_is_read_can_be_written_and_never_holds_the_key(text: str, key: str) -> None:
    found = parsed(json.dumps({"a": [text + key, {key: text}]}), key)
    assert key not in json.dumps(found, ensure_ascii=False).encode().decode()


def test_an_error_of_a_download_holds_no_key_although_none_was_sent(
    answers: Callable[..., Front], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kling_nb.hubs.download._ATTEMPTS", 1)
    asked_with: list[str | None] = []

    def answer(_: str, __: str, headers: Any) -> Answer:
        asked_with.append(headers.get("Authorization"))
        return 500, {"error": {"message": f"the owner of {KEY} \0"}}

    front = answers(answer)
    with pytest.raises(errors.TransferError, match="the owner of …") as caught:
        asked(front, lambda hub: hub.download("/clip", tmp_path / "part", no_url, print))
    assert KEY not in everything_in(caught.value)
    assert asked_with == [None]


def test_the_mark_of_an_unfinished_download_holds_no_key(
    answers: Callable[..., Front], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kling_nb.hubs.download._ATTEMPTS", 1)
    front = answers(lambda *_: (200, b"", {"ETag": f'"{KEY}"'}))
    with pytest.raises(errors.TransferError):
        asked(front, lambda hub: hub.download("/clip", tmp_path / "part", no_url, print))
    assert KEY not in "".join(file.read_text() for file in tmp_path.glob("part*"))
    assert not (tmp_path / "part.etag").exists()


async def no_url() -> None:
    """The hub signs no other URL."""


def test_a_url_that_no_client_can_open_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kling_nb.hubs.download._ATTEMPTS", 1)
    urls = [
        "ftp://h/x",
        "https://h:99999/x",
        "https://127.0.0.1:70000",
        "http://127.0.0.1:-1/",
        "javascript:1",
    ]
    urls += ["https:///x", "http://h/\0", "http://h/" + "a" * 70_000, "http://xn--/", "http://\u2028/"]
    urls += ["data:video/mp4;base64,AAAA", "file:///etc/passwd"]

    async def ask(hub: Oxen) -> list[str]:
        found = []
        for url in urls:
            with pytest.raises(errors.TransferError) as caught:
                await hub.download(url, tmp_path / "part", no_url, print)
            found.append(str(caught.value))
        return found

    found = asked(SimpleNamespace(url="http://127.0.0.1:9"), ask)  # type: ignore[arg-type]
    assert [url for url, text in zip(urls, found, strict=True) if "must be a valid http or https URL" not in text] == []
    assert all(len(text) < 300 and text.isascii() for text in found)


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"generations":['])
def test_json_that_is_nested_too_deeply_is_the_hubs_error(answers: Callable[..., Front], opening: str) -> None:
    front = answers(lambda *_: (200, (opening * 200_000).encode()))
    with pytest.raises(errors.ServerError):
        asked(front, submit)
    assert front.count("POST") == 1


def test_a_value_that_is_nested_deeper_than_any_contract_is_left_out(answers: Callable[..., Front]) -> None:
    body = f'{{"generation_id": "g", "status": "queued", "extra": {"[" * 500}{"]" * 500}}}'
    found = asked(answers(lambda *_: (200, body.encode())), lambda hub: hub.generation("g"))
    assert len(json.dumps(found.raw["extra"])) < 200


@pytest.mark.parametrize(
    "wrong", [b'{"generation_id": "g", "error_message": "caf\xe9"}', b'\xef\xbb\xbf{"generation_id": "g"}']
)
def test_a_wrong_byte_does_not_make_an_answer_unreadable(answers: Callable[..., Front], wrong: bytes) -> None:
    assert asked(answers(lambda *_: (200, wrong)), lambda hub: hub.generation("g")).generation_id == "g"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("../../users/me", "/api/ai/queue/..%2F..%2Fusers%2Fme"),
        ("..", "/api/ai/queue/%2E%2E"),
        ("?status=all#", "/api/ai/queue/%3Fstatus%3Dall%23"),
        ("a b/é", "/api/ai/queue/a%20b%2F%C3%A9"),
    ],
)
def test_an_id_is_one_part_of_a_path(answers: Callable[..., Front], name: str, path: str) -> None:
    front = answers(lambda *_: (200, {"generation_id": name, "status": "cancelled"}))
    asked(front, lambda hub: hub.cancel(name))
    assert asked(front, lambda hub: hub.generation(name)).generation_id == name
    assert front.asked == [("DELETE", path), ("GET", path)]


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("maker/model-1.5", "/api/ai/models/maker/model-1.5"),
        ("../../users/me", "/api/ai/models/%2E%2E/%2E%2E/users/me"),
    ],
)
def test_a_models_id_may_have_parts_and_does_not_lead_to_another_route(
    answers: Callable[..., Front], model: str, path: str
) -> None:
    front = answers(lambda *_: (200, {"id": model}))
    assert asked(front, lambda hub: hub.model(model)).id == model
    assert front.asked == [("GET", path)]


def test_an_upload_goes_below_the_namespace_whatever_its_name(answers: Callable[..., Front]) -> None:
    def answer(_: str, path: str, __: Any) -> Answer:
        return 200, {"user": {"username": "../../ai"}, "asset_path": "../../queue", "url": "https://h/x"}

    front = answers(answer)
    cache = SimpleNamespace(upload_of=lambda *_: None, remember_upload=lambda *_: None)

    async def upload() -> str:
        hub = Oxen(HubClient(front.url, SecretStr(KEY)), cache, "workbench", name=front.url)  # type: ignore[arg-type]
        try:
            return await hub.upload(Asset.from_bytes(b"\x89PNG\r\n\x1a\n"))
        finally:
            await hub.client.aclose()

    assert asyncio.run(upload()) == "https://h/x"
    below = "/api/repos/..%2F..%2Fai/playground"
    assert [path for _, path in front.asked] == [
        "/api/users/me",
        below,
        f"{below}/workbench/context",
        f"{below}/file/presigned_url/main/%2E%2E/%2E%2E/queue",
    ]


@settings(max_examples=30)
@given(st.lists(st.text(min_size=1), min_size=1, max_size=4))
def test_a_route_has_as_many_parts_as_it_is_given(parts: list[str]) -> None:
    path = route("api", *parts)
    assert path.isascii()
    assert path.count("/") == len(parts) + 1
    assert not {".", ".."} & set(path.split("/"))


def test_an_answer_without_an_end_is_given_up(answers: Callable[..., Front], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kling_nb.hubs.client._LARGEST_ANSWER", 10_000)
    front = answers(lambda *_: (200, b'{"a": "' + b"x" * 20_000))
    with pytest.raises(errors.ServerError, match="longer than"):
        asked(front, submit)
    assert front.count("POST") == 1


@pytest.mark.parametrize(
    "asked_for", ["0", "-5", "nan", "inf", "-inf", "0.0", "soon", "Thu, 01 Jan 1970 00:00:00 GMT", ""]
)
def test_a_retry_after_never_makes_us_hurry(
    answers: Callable[..., Front], monkeypatch: pytest.MonkeyPatch, asked_for: str
) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def waited(awaitable: Any, seconds: float) -> Any:
        pauses.append(seconds)
        awaitable.close()
        await sleep(0)
        raise TimeoutError

    front = answers(lambda *_: (429, {"error": "slow down"}, {"Retry-After": asked_for}))

    async def hurried(hub: Oxen) -> list[str]:
        monkeypatch.setattr("kling_nb.hubs.client.asyncio.wait_for", waited)
        return await submit(hub)

    with pytest.raises(errors.RateLimited):
        asked(front, hurried, attempts=6)
    assert front.count("POST") == 6
    assert all(0.5 * 2**n <= pause <= 0.625 * 2**n for n, pause in enumerate(pauses))
    assert len(pauses) == 5
