"""`HubClient`: HTTP requests to one hub, with its key and the retry rules of hub-api.md section 5."""

from __future__ import annotations

import asyncio
import datetime
import logging
import os
import re
import ssl
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import cache, cached_property, lru_cache
from typing import Any, NamedTuple, cast
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from kling_nb import errors, retry
from kling_nb.hubs.responses import clean_text, date_of, error_of, key_of, read_json, transport_error
from kling_nb.models.urls import is_loopback, printable, redact_url

#: Takes a message for the record of the job that a request belongs to: why it was tried again, for example.
Note = Callable[[str], None]

#: Must not contain the hub's own name: it would take this client for its command-line tool (hub-api.md section 1).
USER_AGENT = "kling-nb/0.1"
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
#: The hub may take two minutes to answer a submission.
_BILLED_TIMEOUT = httpx.Timeout(120.0, connect=10.0)
#: The most bytes of an answer, and the most seconds between its head and its end. The catalogue is the largest one.
_LARGEST_ANSWER, _LONGEST_ANSWER = 32_000_000, 60.0
#: The most bytes of one event. The hub's have a few hundred.
_LARGEST_EVENT = 1_000_000
_END_OF_EVENT = re.compile(rb"\r\n\r\n|\n\n|\r\r")
#: Three of the event stream's keep-alives.
_STREAM_TIMEOUT = httpx.Timeout(50.0, connect=10.0)


class _Events(httpx.AsyncByteStream):
    """A stream in which an event that does not end is an error, before it fills the memory."""

    def __init__(self, stream: httpx.SyncByteStream | httpx.AsyncByteStream) -> None:
        self._stream = cast(httpx.AsyncByteStream, stream)

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        event = b""
        async for chunk in self._stream:
            event = _END_OF_EVENT.split(event + chunk)[-1]
            if len(event) > _LARGEST_EVENT:
                raise errors.ServerError(f"An event of the hub is longer than {_LARGEST_EVENT // 10**6} MB.")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class HubClient:
    """Sends requests to one hub; opens no connection before the first, and `aclose` ends them all.

    The key goes to the hub's own origin and nowhere else: other addresses get `files`, a client without it.

    Args:
        address: The hub's base URL, or a blocking function that starts a hub on this machine and returns its URL.
            It is called before the first request, and again when that hub has ended.
        key: Sent with every request, after the word that `scheme` is.
        headers: Sent with every request to the hub.
        attempts: How often one request is sent at most.
    """

    def __init__(
        self,
        address: str | Callable[[], str],
        key: SecretStr | None,
        *,
        scheme: str = "Bearer",
        headers: Mapping[str, str] | None = None,
        attempts: int = retry.ATTEMPTS,
    ) -> None:
        self._start = address if callable(address) else None
        self._address = None if callable(address) else address.rstrip("/")
        self._starting = asyncio.Lock()
        self._key = key
        self.auth = _KeyHeader(key, scheme) if key else None
        """Adds the key to a request, for requests to the hub's own origin only."""
        self._headers = dict(headers or {})
        self._attempts = attempts
        self._dated: tuple[datetime.datetime, float] | None = None
        self._unanswered: float | None = None
        logging.getLogger("httpx").addFilter(_UNSIGNED)  # the same one each time: it is added once

    async def address(self) -> str:
        """Return the hub's base URL, starting the hub if need be. Raises `Unreachable` if it cannot be started."""
        async with self._starting:
            if self._address is None and self._start:
                try:
                    self._address = await asyncio.to_thread(self._start)
                except (OSError, RuntimeError) as exc:
                    raise errors.Unreachable(f"The local hub could not be started: {exc}") from exc
            return self._address or ""

    @property
    def clock(self) -> datetime.datetime | None:
        """The time at the hub, to the second, by the `Date` of its last answer; None before one had it."""
        if self._dated is None:
            return None
        date, then = self._dated
        return date + datetime.timedelta(seconds=time.monotonic() - then)

    def silence(self) -> float:
        """Return for how many seconds the hub has left a request unanswered; 0.0 if it has."""
        return 0.0 if self._unanswered is None else time.monotonic() - self._unanswered

    async def send(
        self,
        method: str,
        path: str,
        *,
        read: Callable[[httpx.Response], dict[str, Any]] = read_json,
        attempts: int | None = None,
        **content: Any,
    ) -> dict[str, Any]:
        """Send a request that may be repeated without harm, and return what `read` makes of the answer.

        Raises the `HubError` that fits, once the attempts are used up or a retry would not help.
        """

        async def call() -> dict[str, Any]:
            return await self._request(self._http.api, method, path, read, content)

        wait = _waits(attempts or self._attempts, billed=False)
        return await self._restarting(lambda: retry.retrying(call, wait))

    async def send_once(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        note: Note,
        unwanted: asyncio.Event,
        read: Callable[[httpx.Response], dict[str, Any]] = read_json,
        **content: Any,
    ) -> dict[str, Any]:
        """POST a request that may be billed; sent again only when the hub cannot have received it.

        Between two attempts, setting `unwanted` raises `RequestCancelled`. After `NoResponse` and `ServerError` the hub
        may have carried it out.
        """

        async def sleep(seconds: float) -> None:
            with suppress(TimeoutError):
                await asyncio.wait_for(unwanted.wait(), seconds)
            if unwanted.is_set():
                raise errors.RequestCancelled("It was cancelled before the hub had accepted it.")

        async def call() -> dict[str, Any]:
            sent = {"json": dict(body), "timeout": _BILLED_TIMEOUT, **content}
            return await self._request(self._http.billed, "POST", path, read, sent)

        def on_retry(exc: Exception, seconds: float) -> None:
            note(f"{exc} Retrying in {seconds:.1f} s.")

        wait = _waits(self._attempts, billed=True)
        return await self._restarting(lambda: retry.retrying(call, wait, on_retry=on_retry, sleep=sleep))

    @asynccontextmanager
    async def stream(self, path: str, accept: str) -> AsyncGenerator[httpx.Response]:
        """Open a response that stays open.

        Raises a `HubError` when it cannot be opened, breaks, falls silent, or has an event without an end.
        """
        address = await self.address()
        headers = {"Accept": accept, "Accept-Encoding": "identity", "Cache-Control": "no-store"}
        try:
            async with self._http.api.stream(
                "GET", address + path, headers=headers, auth=self.auth, timeout=_STREAM_TIMEOUT
            ) as response:
                if response.is_error:
                    raise error_of(await self.whole(response))
                response.stream = _Events(response.stream)
                yield response
        except (httpx.TransportError, httpx.DecodingError, TimeoutError) as exc:
            raise transport_error(exc, at=address, key=key_of(exc)) from exc

    @property
    def files(self) -> httpx.AsyncClient:
        """The client for addresses that are not the hub's own: it sends no key."""
        return self._http.files

    async def whole(self, response: httpx.Response) -> httpx.Response:
        """Return an open response with its body, which must end; the key is taken out of it when it is read.

        Raises `ServerError` for a body that is too long, and TimeoutError for one that takes too long.
        """
        body = bytearray()
        async with asyncio.timeout(_LONGEST_ANSWER):
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _LARGEST_ANSWER:
                    most = f"The hub's answer is longer than {_LARGEST_ANSWER // 10**6} MB."
                    raise errors.ServerError(most, status=response.status_code)
        headers = [(name, value) for name, value in response.headers.multi_items() if name != "content-encoding"]
        return httpx.Response(
            response.status_code,
            headers=headers,
            content=bytes(body),
            request=response.request,
            extensions={"key": self._key},
        )

    def cleaned(self, text: str) -> str:
        """Return a text of the hub's as it can be kept, without the key."""
        return clean_text(text, self._key.get_secret_value() if self._key else "")

    async def aclose(self) -> None:
        """Close every connection."""
        for client in vars(self).get("_http", ()):
            await client.aclose()

    @cached_property
    def _http(self) -> _Clients:
        # A proxy of the environment is for the world outside, not for this machine.
        proxied = self._start is None and not is_loopback(httpx.URL(self._address or "").host)
        common: dict[str, Any] = {"timeout": _TIMEOUT, "trust_env": proxied, "follow_redirects": False}
        common["verify"] = _certificates(trust_env=proxied)
        agent = {"User-Agent": USER_AGENT}
        headers = {**agent, **self._headers}
        # A connection of its own for each: after a reused one that the hub has just closed, it would be unknown
        # whether the request was received.
        fresh = httpx.Limits(max_keepalive_connections=0)
        try:
            return _Clients(
                api=httpx.AsyncClient(headers=headers, **common),
                billed=httpx.AsyncClient(headers=headers, limits=fresh, **common),
                files=httpx.AsyncClient(headers=agent, **common),
            )
        except (ImportError, ValueError, httpx.InvalidURL):
            raise _unusable_proxy() from None

    async def _request(
        self,
        client: httpx.AsyncClient,
        method: str,
        path: str,
        read: Callable[[httpx.Response], dict[str, Any]],
        content: dict[str, Any],
    ) -> dict[str, Any]:
        address = await self.address()
        self._unanswered = self._unanswered or time.monotonic()
        try:
            async with client.stream(method, _url(address + path), auth=self.auth, **content) as opened:
                self._unanswered = None
                response = await self.whole(opened)
        except (httpx.TransportError, httpx.DecodingError, TimeoutError) as exc:
            raise transport_error(exc, at=address, key=key_of(exc)) from exc
        except httpx.InvalidURL as exc:
            raise errors.ServerError(f"The hub cannot be asked for {path[:80]}… ({exc}).") from exc
        if date := date_of(response):
            self._dated = date, time.monotonic()
        return read(response)

    async def _restarting(self, send: Callable[[], Any]) -> dict[str, Any]:
        """Send again after a restart if the hub on this machine has ended; its jobs are in its folder."""
        address = await self.address()
        try:
            return await send()
        except errors.Unreachable:
            if self._start is None:
                raise
            if self._address == address:
                self._address = None
            await self.address()
            return await send()


def _waits(attempts: int, *, billed: bool) -> Callable[[int, Exception], float | None]:
    def wait(failures: int, exc: Exception) -> float | None:
        again = failures < attempts and retry.may_resend(exc, billed=billed)
        return retry.delay(failures, exc, retry.jitter()) if again else None

    return wait


@cache
def _usual_certificates() -> ssl.SSLContext:
    """Read the root certificates once in a process, which takes 40 ms."""
    return httpx.create_ssl_context(trust_env=False)


def _certificates(*, trust_env: bool) -> ssl.SSLContext:
    if not trust_env or not (os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")):
        return _usual_certificates()
    try:
        return httpx.create_ssl_context()
    except OSError as exc:
        name = next((name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)), "SSL_CERT_FILE")
        why = "it has no certificates" if isinstance(exc, ssl.SSLError) else exc.strerror
        value = printable(os.environ.get(name, ""))
        message = (
            f"The environment variable {name} names {value!r}, which cannot be used: {why}. Correct it, or unset it."
        )
        raise errors.HubError(message) from None


def _unusable_proxy() -> errors.HubError:
    """Return the error for a proxy that the HTTP library refuses. Its address is not shown: it may have a password."""
    names = [each for name in ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY") for each in (name, name.lower())]
    given = [(name, os.environ[name].partition(":")[0].lower()) for name in names if os.environ.get(name)]
    shown = ", ".join(f"{name}={printable(scheme)}:…" for name, scheme in given)
    socks = any(scheme.startswith("socks5") for _, scheme in given)
    remedy = 'install its support with pip install "httpx[socks]", or unset it' if socks else "or unset it"
    return errors.HubError(f"The proxy of the environment cannot be used ({shown}): use an http:// proxy, {remedy}.")


class _KeyHeader(httpx.Auth):
    """Adds the key to a request, so that no variable and no `dict` in a traceback holds it."""

    def __init__(self, key: SecretStr, scheme: str) -> None:
        self._key, self._scheme = key, scheme

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"{self._scheme} {self._key.get_secret_value()}"
        yield request


class _Clients(NamedTuple):
    """The HTTP clients of a hub: for requests, for requests that may be billed, and for files elsewhere."""

    api: httpx.AsyncClient
    billed: httpx.AsyncClient
    files: httpx.AsyncClient


class _Unsigned(logging.Filter):
    """Removes signatures from the addresses in httpx's log lines, which are kept and shown for long."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(redact_url(str(arg)) if isinstance(arg, httpx.URL) else arg for arg in record.args)
        return True


_UNSIGNED = _Unsigned()
#: Parsing an address takes as long as everything else about a request.
_url = lru_cache(maxsize=64)(httpx.URL)


def route(*parts: str) -> str:
    """Return a path with each part quoted as one: an ID such as `../users/me` must not lead to another route."""
    return "".join(
        f"/{part.replace('.', '%2E') if set(part) == {'.'} else quote(part, '', errors='replace')}" for part in parts
    )


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL, always with the port."""
    parts = httpx.URL(url)
    return f"{parts.scheme}://{parts.host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
