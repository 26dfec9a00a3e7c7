"""`HubClient`: the hub's verbs, each one request with the retry rules of HUB_API section 5."""

from __future__ import annotations

import asyncio
import datetime
import logging
import random
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeVar, cast

import httpx
from pydantic import SecretStr, ValidationError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from kling_nb import errors, retry
from kling_nb.hubs.catalogue import bundled
from kling_nb.hubs.responses import date_of, error_of, read_json, read_status, transport_error
from kling_nb.models.catalogue import Model, alternatives
from kling_nb.models.generation import Completion, Generation
from kling_nb.models.urls import is_loopback, public_url

A = TypeVar("A", Generation, Model)
logger = logging.getLogger(__name__)

#: Takes, in words, what a reader of the record should know of the way: that something was tried again.
Say = Callable[[str], None]

#: Must not contain the hub's own name: it would take us for its command-line tool (HUB_API section 1).
USER_AGENT = "kling-nb/0.1"
#: Whoever reads the list reads it again anyway, and should say soon that the hub does not answer.
_LOOKS = 2
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)


class _Unsigned(logging.Filter):
    """Takes signatures out of the lines that httpx logs of each request: a log line is kept, and shown, for long."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(public_url(str(arg)) if isinstance(arg, httpx.URL) else arg for arg in record.args)
        return True


_UNSIGNED = _Unsigned()


def silently(_words: str) -> None:
    """Where nobody keeps what is said."""


class HubClient:
    """One hub, spoken to as HUB_API says.

    The key goes into requests to `base_url`'s origin and nowhere else: files at other addresses are fetched by a
    second client that does not have it. Opens no connection before the first request; `aclose` ends them all.
    """

    def __init__(
        self,
        base_url: str,
        key: SecretStr | None,
        *,
        headers: Mapping[str, str] | None = None,
        attempts: int = retry.ATTEMPTS,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.origin = origin_of(self.base_url)
        self._key = key
        self._attempts = attempts
        self._said: tuple[datetime.datetime, float] | None = None
        logging.getLogger("httpx").addFilter(_UNSIGNED)  # the same one each time: it is added once
        # A proxy of the environment is for the world outside, not for this machine.
        beyond = not is_loopback(httpx.URL(self.base_url).host)
        common: dict[str, Any] = {"timeout": _TIMEOUT, "trust_env": beyond, "follow_redirects": False}
        common["verify"] = httpx.create_ssl_context(trust_env=beyond)  # one for all: it reads every root there is
        agent = {"User-Agent": USER_AGENT}
        self._api = httpx.AsyncClient(base_url=self.base_url, headers={**agent, **(headers or {})}, **common)
        # An enqueue gets a connection of its own: on a reused one that the hub has just closed, nobody could tell
        # whether it was received.
        fresh = httpx.Limits(max_keepalive_connections=0)
        self._enqueues = httpx.AsyncClient(
            base_url=self.base_url, headers={**agent, **(headers or {})}, limits=fresh, **common
        )
        self.files = httpx.AsyncClient(headers=agent, **common)

    @property
    def clock(self) -> datetime.datetime | None:
        """What time it is at the hub, to the second, by the `Date` of its last answer; None when it never said so."""
        if self._said is None:
            return None
        date, then = self._said
        return date + datetime.timedelta(seconds=time.monotonic() - then)

    # --- the queue (HUB_API section 3) ---

    async def enqueue(
        self, body: Mapping[str, Any], say: Say = silently, unwanted: asyncio.Event | None = None
    ) -> list[str]:
        """Send one request and return the ids of its generations. Sent again only when it cannot have been received,
        and not once it is `unwanted`.

        Raises the `HubError` that fits; after `ReplyLost` and `HubFault` the job may exist. `CalledOff`: it does not.
        """
        try:
            answer = await self._send("enqueue", "POST", "/api/ai/queue", say=say, unwanted=unwanted, json=dict(body))
        except errors.ModelNotFound as exc:
            raise await self._with_alternatives(exc) from exc
        entries = answer.get("generations")
        if answer.get("error") and not entries:
            raise errors.InvalidParams(_said(answer["error"]), status=200, body=str(answer)[:300])
        if not isinstance(entries, list) or not all(
            isinstance(entry, dict) and entry.get("generation_id") for entry in entries
        ):
            raise errors.HubFault("The hub queued something, but did not say what.", status=200, body=str(answer)[:300])
        return [str(entry["generation_id"]) for entry in entries]

    async def active(self) -> list[Generation]:
        """Return every queued or processing generation of this user: one call serves all jobs."""
        return await self.listed()

    async def listed(self, **filters: str) -> list[Generation]:
        """Return the queue's list, filtered by `status`, `model`, `media_type`, `namespace`, ...

        Of an entry that does not say whose it is the `generation_id` is empty.
        """
        answer = await self._send("repeatable", "GET", "/api/ai/queue", attempts=_LOOKS, params=filters)
        entries = answer.get("generations")
        if answer.get("error") or not isinstance(entries, list):  # taken for an empty list, it would end paid jobs
            raise errors.HubFault("The hub's queue came without its list.", status=200, body=str(answer)[:300])
        return _readable(Generation, cast("list[Any]", entries))

    async def generation(self, generation_id: str) -> Generation:
        """Return one generation's record. Raises `NotFound` for an id that the hub does not know."""
        found = _read(Generation, await self._send("repeatable", "GET", f"/api/ai/queue/{generation_id}"))
        if not found.generation_id:
            said = "The hub's answer is not as its contract says: it has no generation_id"
            raise errors.HubFault(said, body=str(found.raw)[:300])
        return found

    async def cancel(self, generation_id: str) -> Generation:
        """Ask the hub to stop a generation and return its record afterwards, which alone says what became of it."""
        # One that has ended may be answered with 400 or 404 (open in the contract); the record decides.
        with suppress(errors.InvalidParams, errors.NotFound):
            await self._send("repeatable", "DELETE", f"/api/ai/queue/{generation_id}", read=read_status)
        return await self.generation(generation_id)

    # --- events (HUB_API section 4) ---

    async def events(self) -> AsyncGenerator[Completion | None]:
        """Yield None once connected, then each completion, until the stream ends.

        Raises a `HubError` when it cannot be opened or breaks; silence of three keep-alives counts as broken.
        """
        from httpx_sse import EventSource, SSEError

        headers = {**self.authorization(), "Accept": "text/event-stream", "Cache-Control": "no-store"}
        timeout = httpx.Timeout(50.0, connect=10.0)
        try:
            async with self._api.stream("GET", "/api/events", headers=headers, timeout=timeout) as response:
                if response.is_error:
                    await response.aread()
                    raise error_of(response)
                yield None
                async for event in EventSource(response).aiter_sse():
                    if event.event == "media_generation_completed" and (completion := _completion(event.data)):
                        yield completion
        except SSEError as exc:
            raise errors.HubFault(f"The hub's event stream is none: {exc}") from exc
        except httpx.TransportError as exc:
            raise transport_error(exc, at=self.base_url) from exc

    # --- the catalogue and the user (HUB_API sections 6 and 7) ---

    async def models(self) -> list[Model]:
        """Return the catalogue, without entries that cannot be read. Raises `HubFault` when there is no list."""
        answer = await self._send("repeatable", "GET", "/api/ai/models")
        entries = answer.get("data")
        if not isinstance(entries, list):
            raise errors.HubFault("The hub's catalogue came without its list.", status=200, body=str(answer)[:300])
        return _readable(Model, cast("list[Any]", entries))

    async def model(self, model_id: str) -> Model:
        """Return one model. Raises `ModelNotFound` with the alternatives that the catalogue has."""
        try:
            return _read(Model, await self._send("repeatable", "GET", f"/api/ai/models/{model_id}"))
        except errors.NotFound as exc:
            raise await self._with_alternatives(errors.ModelNotFound(model_id, body=exc.body)) from exc

    async def _with_alternatives(self, exc: errors.ModelNotFound) -> errors.ModelNotFound:
        try:
            known = [model.id for model in await self.models()]
        except errors.HubError:  # that the model is not there was said, whatever becomes of a second question
            known = [name for name in bundled() if name != exc.model]
        return errors.ModelNotFound(exc.model, alternatives=alternatives(exc.model, known), body=exc.body)

    async def get(self, path: str) -> dict[str, Any]:
        """GET a JSON object."""
        return await self._send("repeatable", "GET", path)

    async def send(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        """Send something that costs nothing and may be repeated, such as an upload."""
        return await self._send("repeatable", method, path, **content)

    async def do(self, method: str, path: str, **content: Any) -> None:
        """Do what may be repeated; only the answer's status counts, since the contract says nothing of its body."""
        await self._send("repeatable", method, path, read=read_status, **content)

    def authorization(self) -> dict[str, str]:
        """The header with the key, for requests to the hub's own origin only."""
        return {"Authorization": f"Bearer {self._key.get_secret_value()}"} if self._key else {}

    async def aclose(self) -> None:
        """Close every connection."""
        for client in (self._api, self._enqueues, self.files):
            await client.aclose()

    async def _send(
        self,
        sending: retry.Sending,
        method: str,
        path: str,
        attempts: int | None = None,
        say: Say = silently,
        unwanted: asyncio.Event | None = None,
        read: Callable[[httpx.Response], dict[str, Any]] = read_json,
        **content: Any,
    ) -> dict[str, Any]:
        client = self._enqueues if sending == "enqueue" else self._api
        unwanted = unwanted or asyncio.Event()
        async for attempt in _attempts(sending, attempts or self._attempts, say, unwanted):
            with attempt:
                if unwanted.is_set() and attempt.retry_state.attempt_number > 1:
                    raise errors.CalledOff("It was called off before the hub had taken it.")
                try:
                    url = _url(self.base_url + path)
                    response = await client.request(method, url, headers=self.authorization(), **content)
                except (httpx.TransportError, httpx.DecodingError) as exc:
                    raise transport_error(exc, at=self.base_url) from exc
                if date := date_of(response):
                    self._said = date, time.monotonic()
                return read(response)
        raise AssertionError("unreachable: the last attempt returns or raises")


#: Taking an address to pieces takes as long as all else about a request.
_url = lru_cache(maxsize=64)(httpx.URL)


def _attempts(sending: retry.Sending, most: int, say: Say, unwanted: asyncio.Event) -> AsyncRetrying:
    def wait(state: RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        return retry.delay(state.attempt_number, failure, random.random())  # noqa: S311 - spreads load, keeps no secret

    def tell(state: RetryCallState) -> None:
        failure = state.outcome.exception() if state.outcome else None
        say(f"{failure} Trying again in {state.upcoming_sleep:.1f} s.")

    async def sleep(seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(unwanted.wait(), seconds)

    return AsyncRetrying(
        before_sleep=tell,
        sleep=sleep,
        retry=retry_if_exception(lambda failure: retry.may_resend(sending, failure)),
        wait=wait,
        stop=stop_after_attempt(most),
        reraise=True,
    )


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL, the port always spelt out."""
    parts = httpx.URL(url)
    return f"{parts.scheme}://{parts.host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def _readable(kind: type[A], entries: list[Any]) -> list[A]:
    """Read a list as far as it can be read: one odd entry must not hide the others."""
    found: list[A] = []
    for entry in entries:
        try:
            found.append(_read(kind, entry))
        except errors.HubFault as exc:
            logger.debug("an entry of the hub's list was passed over: %s", exc)
    return found


def _read(kind: type[A], raw: Any) -> A:
    try:
        if not isinstance(raw, dict):
            raise TypeError(f"{type(raw).__name__} where an object is due")
        return kind.read(cast("dict[str, Any]", raw))
    except (ValidationError, TypeError) as exc:
        raise errors.HubFault(f"The hub's answer is not as its contract says: {exc}", body=str(raw)[:300]) from exc


def _completion(data: str) -> Completion | None:
    try:
        return Completion.model_validate_json(data)
    except ValidationError:
        return None  # a hint that cannot be read is no hint; the queue is the truth


def _said(error: Any) -> str:
    if isinstance(error, dict):
        error = error.get("detail") or error.get("message") or error.get("title")
    return f"The hub queued nothing: {error or 'it did not say why'}"
