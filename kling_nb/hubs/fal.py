"""`Fal`: fal.ai's queue, history, catalogue and files, as the engine and the catalogue use a hub (fal-api.md).

A submit is one POST, and never goes through fal's own client, which repeats it. The key goes to fal's API and nowhere
else: media, uploads and results are asked for without it.
"""

from __future__ import annotations

import asyncio
import datetime
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, cast

from pydantic import ValidationError

from kling_nb import errors
from kling_nb.hubs.catalogue import bundled
from kling_nb.hubs.client import HubClient, Note, origin_of, route
from kling_nb.hubs.download import download
from kling_nb.hubs.fal_responses import Outcome, is_transient, message_in, read_fal, read_outcome
from kling_nb.hubs.fal_upload import FalUploads
from kling_nb.hubs.upload import UploadCache, UploadMethod
from kling_nb.models.asset import Asset
from kling_nb.models.catalogue import Model, alternatives
from kling_nb.models.fal import O3_ENDPOINTS, endpoint_of, is_endpoint, translate
from kling_nb.models.fal_history import Row, requests_like
from kling_nb.models.fal_prices import pricing_of
from kling_nb.models.fal_schema import entry_of
from kling_nb.models.fields import resolved
from kling_nb.models.generation import Generation
from kling_nb.models.matching import Absent, Found, LostRequest, Undecided
from kling_nb.models.price import Pricing
from kling_nb.models.problem import Draft, Problem
from kling_nb.models.request import OMNI, TARGET, Request
from kling_nb.models.schema import Schema

#: How many requests are asked about at the same time, and how many pages of a list are read at most.
_MAX_REQUESTS, _MAX_PAGES = 8, 30
#: A request is listed under the time of fal's clock, which may differ by this many seconds.
_SKEW = datetime.timedelta(seconds=120)
_LOOK_ATTEMPTS = 2
_CATEGORIES = ("text-to-video", "image-to-video", "video-to-video")


class Apis(NamedTuple):
    """The clients of fal's API: of the queue, of uploads, and of the platform. They may be the same one."""

    queue: HubClient
    rest: HubClient
    platform: HubClient

    async def aclose(self) -> None:
        """Close every connection."""
        for client in {id(each): each for each in self}.values():
            await client.aclose()


class Fal:
    """The verbs of a hub, at fal.ai. A ticket is `{endpoint}/requests/{id}`.

    `name` stands for the hub in records. `lifetime` is the number of seconds for which fal keeps uploads and results;
    without it, the account's own setting decides, which is for ever by default.
    """

    provider, key_name = "fal", "FAL_KEY"
    uploads_are_public = True

    def __init__(
        self, apis: Apis, cache: UploadCache, method: UploadMethod, *, name: str, lifetime: int | None = None
    ) -> None:
        self.name, self.apis, self.client = name, apis, apis.queue
        self._headers = lifecycle(lifetime)
        self.upload = FalUploads(apis.rest, cache, method, lifetime).url_of
        self.download = partial(download, apis.queue)
        self.silence = apis.queue.silence
        self._paths: dict[str, str] = {}
        """The paths of tickets for which fal gave an unusual one."""
        self._stopped: set[str] = set()
        """Tickets that fal has removed from its queue at our request; it may no longer know them."""
        self._prices: dict[str, Mapping[str, Any]] = {}

    @property
    def clock(self) -> datetime.datetime | None:
        """The time at fal; see `HubClient.clock`."""
        return self.client.clock

    async def aclose(self) -> None:
        """Close every connection."""
        await self.apis.aclose()

    def serves(self, model: str) -> bool:
        """Return whether a model's name may be one of this provider's."""
        return endpoint_of({"model": model}) is not None

    def named(self, fields: Draft) -> dict[str, Any]:
        """Return a request's fields as they are: Oxen's names are translated when the request is sent."""
        return {**fields}

    def problems(self, draft: Draft, schema: Schema | None) -> list[Problem]:
        """Return a problem for each field that cannot be sent to fal."""
        return list(translate(draft, schema).problems)

    def pricing(self, draft: Draft, model: Model | None) -> tuple[Pricing | None, datetime.date | None]:
        """Return the pricing of a draft at its endpoint, and the day of the price if it is not live."""
        endpoint = endpoint_of(draft)
        return pricing_of(draft, self._prices.get(endpoint or ""), model.request_schema if model else None)

    # --- the queue (fal-api.md sections 2 and 3) ---

    def body(self, request: Request, resolve: Callable[[Asset], str]) -> dict[str, Any]:
        """Return the body of the POST, with the endpoint as `model`."""
        sent = translate(request.sendable())
        return {"model": sent.endpoint, **resolved(sent.body, resolve)}

    async def submit(self, body: Mapping[str, Any], note: Note, unwanted: asyncio.Event) -> list[str]:
        """Send one request and return its ticket; see `HubClient.send_once`."""
        fields = dict(body)
        endpoint = str(fields.pop("model"))
        path = route(*endpoint.split("/"))
        try:
            answer = await self.client.send_once(
                path, fields, note=note, unwanted=unwanted, read=read_fal, headers=self._headers
            )
        except errors.NotFound as exc:
            raise errors.ModelNotFound(endpoint, body=exc.body) from exc
        request_id = answer.get("request_id")
        if not isinstance(request_id, str) or not request_id.strip():
            message = "fal.ai accepted the request but returned no request ID."
            raise errors.ServerError(message, status=200, body=str(answer)[:300])
        ticket = f"{endpoint}/requests/{request_id}"
        await self._remember_path(ticket, answer.get("response_url"))
        return [ticket]

    async def look(self, tickets: Collection[str]) -> dict[str, Generation | errors.HubError]:
        """Return the report on each request: its status, and once it has ended its result."""
        gate = asyncio.Semaphore(_MAX_REQUESTS)

        async def ask(ticket: str) -> Generation | errors.HubError:
            async with gate:
                try:
                    return await self._report(ticket)
                except errors.NotFound as exc:
                    return _report(ticket, "cancelled") if ticket in self._stopped else exc
                except errors.HubError as exc:
                    return exc

        return dict(zip(tickets, await asyncio.gather(*map(ask, tickets)), strict=True))

    async def cancel(self, ticket: str) -> None:
        """Ask fal to stop a request. A running one may still complete, and be billed."""
        with suppress(errors.InvalidParams, errors.NotFound):  # it has ended already
            answer = await self._ask(ticket, "/cancel", "PUT")
            if str(answer.get("status", "")).upper() == "OK":
                self._stopped.add(ticket)

    def hints(self) -> None:
        """fal has no events of an account."""
        return

    async def _report(self, ticket: str) -> Generation:
        status = await self._ask(ticket, "/status")
        word, kind = str(status.get("status", "")), str(status.get("error_type") or "")
        if word.upper() != "COMPLETED":
            return _report(ticket, word)
        said = message_in({"detail": status.get("error")})
        if kind == "client_cancelled":
            return _report(ticket, "cancelled")
        try:
            outcome: Outcome = (await self._ask(ticket, "", read=read_outcome))["outcome"]
        except (errors.ServerError, errors.NotFound) as exc:
            if said or kind:  # how it ended is known without its result
                return _report(ticket, "failed", error=said or kind, retryable=is_transient(kind) or None)
            if isinstance(exc, errors.NotFound) and (url := await self._url_in_history(ticket)):
                return _report(ticket, "succeeded", url=url)
            raise
        if outcome.error_type == "client_cancelled":
            return _report(ticket, "cancelled")
        if outcome.error is not None:
            retryable = outcome.retryable if outcome.retryable is not None else (is_transient(kind) or None)
            return _report(ticket, "failed", error=outcome.error, retryable=retryable)
        url, media_type = _media_in(outcome.body)
        if url is None and (said or kind):
            return _report(ticket, "failed", error=said or kind, retryable=is_transient(kind) or None)
        return _report(ticket, "succeeded", url=url, media_type=media_type)

    async def _ask(
        self, ticket: str, suffix: str, method: str = "GET", *, read: Callable[..., dict[str, Any]] = read_fal
    ) -> dict[str, Any]:
        endpoint, _, request_id = ticket.rpartition("/requests/")
        usual = route(*endpoint.split("/")[:2], "requests", request_id)
        path = self._paths.get(ticket, usual) + suffix
        return await self.client.send(method, path, read=read, attempts=_LOOK_ATTEMPTS)

    async def _remember_path(self, ticket: str, url: Any) -> None:
        """Use the address that fal gives for a request, if the key may go there."""
        if not isinstance(url, str) or not re.fullmatch(r"https?://[!-~]+", url):
            return
        address = await self.client.address()
        base = address.partition("://")[2].partition("/")[2]
        path = "/" + url.partition("://")[2].partition("/")[2].removeprefix(f"{base}/" if base else "")
        path = path.partition("?")[0].removesuffix("/response")
        with suppress(ValueError):
            if origin_of(url) == origin_of(address) and path.endswith(f"/requests/{ticket.rpartition('/')[2]}"):
                self._paths[ticket] = path

    # --- the history (fal-api.md section 6) ---

    async def find(
        self, lost: LostRequest, taken: Callable[[Iterable[str]], Awaitable[set[str]]]
    ) -> Found | Absent | Undecided:
        """Search fal's history for a request. Entries appear late, so a missing one proves nothing."""
        endpoint = str(lost.sent.get("model", ""))
        try:
            rows = await self._history(endpoint, start=f"{lost.since - _SKEW:%Y-%m-%dT%H:%M:%SZ}")
        except (errors.AuthError, errors.InvalidParams, errors.NotFound) as exc:
            return Undecided(f"fal.ai's history, which would show the request, cannot be read: {exc}")
        found, unread = requests_like(rows, lost.sent, since=lost.since - _SKEW, until=lost.until + _SKEW)
        others = await taken([row.ticket for row in (*found, *unread)])
        mine = [row for row in found if row.ticket not in others]
        if any(row.ticket not in others for row in unread):
            return Undecided("fal.ai's history has a request of that time without its input.")
        if len(mine) > lost.wanted:
            return Undecided(f"fal.ai's history has {len(mine)} requests like this one, which cannot be told apart.")
        if mine:
            return Found(tuple(row.ticket for row in mine))
        return Undecided("fal.ai's history does not show the request yet, which proves nothing.")

    async def _history(self, endpoint: str, **query: str) -> list[Row]:
        found: list[Row] = []
        query = {"endpoint_id": endpoint, "expand": "payloads", "limit": "100", **query}
        for _ in range(_MAX_PAGES):
            answer = await self.apis.platform.send(
                "GET", "/v1/models/requests/by-endpoint", read=read_fal, params=query, attempts=_LOOK_ATTEMPTS
            )
            found += Row.all_in(answer, endpoint)
            cursor = answer.get("next_cursor")
            if not answer.get("has_more") or not isinstance(cursor, str):
                break
            query = {**query, "cursor": cursor}
        return found

    async def _url_in_history(self, ticket: str) -> str | None:
        """Return the address of a result that the queue does not keep any more."""
        endpoint, _, request_id = ticket.rpartition("/requests/")
        with suppress(errors.HubError):
            for row in await self._history(endpoint, request_id=request_id):
                if row.ticket == ticket and row.output:
                    return _media_in(row.output)[0]
        return None

    # --- models and prices (fal-api.md sections 5 and 7) ---

    async def models(self) -> list[Model]:
        """Return the endpoints that make videos, without their schemas, and Oxen's names for those of Kling O3."""
        found: dict[str, Model] = {}
        # Kling O3 by its IDs: fal's category for models that take references is unknown.
        queries: list[dict[str, Any]] = [{"endpoint_id": list(O3_ENDPOINTS)}]
        queries += [{"category": category, "status": "active", "limit": "100"} for category in _CATEGORIES]
        for query in queries:
            for _ in range(_MAX_PAGES):
                answer = await self.apis.platform.send("GET", "/v1/models", read=read_fal, params=query)
                entries = answer.get("models")
                if not isinstance(entries, list):
                    message = "fal.ai's catalogue has no list."
                    raise errors.ServerError(message, status=200, body=str(answer)[:300])
                for entry in cast("list[Any]", entries):
                    if (model := _model_of(entry)) is not None:
                        found[model.id] = model
                cursor = answer.get("next_cursor")
                if not answer.get("has_more") or not isinstance(cursor, str):
                    break
                query = {**query, "cursor": cursor}
        named = [
            found[endpoint].model_copy(update={"id": name})
            for name in (TARGET, OMNI)
            if (endpoint := endpoint_of({"model": name})) in found
        ]
        return [*named, *found.values()]

    async def model(self, model_id: str) -> Model:
        """Return one model by fal's ID or Oxen's name, with its schema. Raises `ModelNotFound` with alternatives."""
        endpoint = endpoint_of({"model": model_id})
        if endpoint is None:
            raise errors.ModelNotFound(model_id, alternatives=alternatives(model_id, (TARGET, OMNI)))
        query = {"endpoint_id": endpoint, "expand": "openapi-3.0"}
        try:
            answer = await self.apis.platform.send("GET", "/v1/models", read=read_fal, params=query)
        except errors.NotFound as exc:
            raise errors.ModelNotFound(model_id, body=exc.body) from exc
        entries = answer.get("models")
        models = map(_model_of, cast("list[Any]", entries) if isinstance(entries, list) else [])
        model = next((each for each in models if each and each.id == endpoint), None)
        if model is None:
            known = [each.id for each in await self.models()]
            raise errors.ModelNotFound(model_id, alternatives=alternatives(endpoint, known))
        await self._load_price(endpoint)
        if is_endpoint(model_id):
            return model
        known = bundled().get(model_id)  # the fields of a request have Oxen's names, too
        schema = known.request_schema if known else {}
        return model.model_copy(update={"id": model_id, "request_schema": schema})

    async def _load_price(self, endpoint: str) -> None:
        with suppress(errors.HubError):  # the table has a price
            query = {"endpoint_id": endpoint}
            answer = await self.apis.platform.send("GET", "/v1/models/pricing", read=read_fal, params=query, attempts=1)
            entries = answer.get("prices")
            for entry in cast("list[Any]", entries) if isinstance(entries, list) else []:
                if isinstance(entry, dict):
                    price = cast("dict[str, Any]", entry)
                    self._prices[str(price.get("endpoint_id"))] = price


def lifecycle(lifetime: int | None) -> dict[str, str]:
    """Return the header that says for how long fal keeps the files of a request; none without a lifetime."""
    if lifetime is None:
        return {}
    return {"X-Fal-Object-Lifecycle-Preference": f'{{"expiration_duration_seconds": {lifetime}}}'}


def _report(
    ticket: str,
    status: str,
    *,
    url: str | None = None,
    error: str | None = None,
    retryable: bool | None = None,
    media_type: str | None = None,
) -> Generation:
    facts = {"result_url": url, "error_message": error, "error_retryable": retryable, "media_type": media_type}
    return Generation.read({"generation_id": ticket, "status": status, **facts})


def _media_in(output: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the address of a result and its kind: `video`, else the first of `videos`, `image` or `images`."""
    for name, kind in (("video", "video"), ("videos", "video"), ("image", "image"), ("images", "image")):
        value = output.get(name)
        first = cast("list[Any]", value)[:1] if isinstance(value, list) else [value]
        for each in first:
            url = cast("dict[str, Any]", each).get("url") if isinstance(each, dict) else each
            if isinstance(url, str) and url:
                return url, kind
    return None, None


def _model_of(entry: Any) -> Model | None:
    if not isinstance(entry, dict):
        return None
    raw = cast("dict[str, Any]", entry)
    metadata, openapi = raw.get("metadata"), raw.get("openapi")
    try:
        endpoint = str(raw["endpoint_id"])
        model = Model.read(
            entry_of(
                endpoint,
                cast("dict[str, Any]", metadata) if isinstance(metadata, dict) else {},
                cast("dict[str, Any]", openapi) if isinstance(openapi, dict) else None,
            )
        )
        return model.model_copy(update={"pricing": pricing_of({"model": endpoint}).pricing})
    except (KeyError, ValidationError):
        return None
