"""A hub that cannot be reached, and a proxy or certificates that cannot be used: named, in our own words."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hubside import until

from kling_nb import errors
from kling_nb.hubs.client import HubClient
from kling_nb.hubs.responses import transport_error
from kling_nb.studio import Studio

ELSEWHERE = "https://hub.example"
PROXIES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, *map(str.lower, PROXIES), "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


async def refusal(hub: str = ELSEWHERE) -> errors.HubError:
    client = HubClient(hub, None)
    with pytest.raises(errors.HubError) as caught:
        await client.send("GET", "/api/ai/models")
    await client.aclose()
    return caught.value


@pytest.mark.parametrize("variable", [*PROXIES, "all_proxy"])
@pytest.mark.parametrize("proxy", ["socks5://me:PASSWORD@127.0.0.1:9", "socks4://x", "htp://x", "http://[::1"])
async def test_a_proxy_that_cannot_be_used_is_named_immediately_without_its_password(
    monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str
) -> None:
    monkeypatch.setenv(variable, proxy)
    error = await refusal()
    assert variable in str(error)
    assert "PASSWORD" not in str(error) + repr(error.__cause__)
    assert (type(error), ("httpx[socks]" in str(error))) == (errors.HubError, proxy.startswith("socks5"))


@pytest.mark.parametrize("content", [None, b"", b"not a certificate", bytes(100)])
async def test_certificates_that_cannot_be_used_are_named_immediately(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "certificates.pem"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    error = await refusal()
    assert (type(error), error.__cause__) == (errors.HubError, None)
    assert "SSL_CERT_FILE" in str(error)
    assert str(file) in str(error)


async def test_a_hub_on_this_machine_needs_neither(monkeypatch: pytest.MonkeyPatch, silent: str) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    client = HubClient(silent, None)
    assert isinstance(client._http.api, httpx.AsyncClient)
    await client.aclose()


def test_a_setting_of_the_environment_ends_a_job_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    studio = Studio(hub=ELSEWHERE, key="test-key", log=tmp_path / "log")
    job = studio.generate("a boat", duration=3)
    with pytest.raises(errors.JobFailed, match="SSL_CERT_FILE"):
        job.result(60)
    assert "SSL_CERT_FILE" in repr(studio.hub())
    studio.close()


def test_after_a_proxys_refusal_nothing_was_sent() -> None:
    assert isinstance(transport_error(httpx.ProxyError("403 Forbidden"), at=ELSEWHERE), errors.Unreachable)


async def test_silence_is_counted_from_the_first_request_without_an_answer(silent: str) -> None:
    client = HubClient(silent, None, attempts=1)
    assert client.silence() == 0.0
    began = time.monotonic()
    with pytest.raises(errors.NoResponse):
        await client.send("GET", "/", timeout=httpx.Timeout(0.1))
    assert 0.1 <= client.silence() <= time.monotonic() - began
    await client.aclose()


def test_a_hub_that_does_not_answer_is_named_by_the_row_and_by_the_wait(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, silent: str
) -> None:
    monkeypatch.setattr("kling_nb.engine.sender._SILENT", 0.2)
    monkeypatch.setattr("kling_nb.session.PATIENCE", 0.1)
    studio = Studio(hub=silent, key="test-key", log=tmp_path / "log")
    job = studio.generate("a boat", duration=3)
    until(lambda: job.progress.trouble, within=60)
    words = rf"The hub at {silent} has not answered for \d+ s\."
    with pytest.raises(errors.WaitTimeout, match=words):
        job.result(0)
    assert not [message for message in job.record.messages if "has not answered" in message.text]
    with pytest.raises(errors.WaitTimeout, match=rf"The hub \({silent}\) has not answered for"):
        studio.session.wait(studio.session.connection.main.models(), 0.1)
    studio.close()
