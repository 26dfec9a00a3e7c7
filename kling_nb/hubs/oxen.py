"""`Oxen`: a hub that speaks the wire contract of Oxen.ai, as the engine and the catalogue use it."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from kling_nb import errors
from kling_nb.hubs.catalogue import bundled
from kling_nb.hubs.client import HubClient, Note, route
from kling_nb.hubs.download import download
from kling_nb.hubs.responses import clean_text, key_of, parsed, read_status
from kling_nb.hubs.upload import UploadCache, UploadMethod, Uploads
from kling_nb.models.asset import Asset
from kling_nb.models.catalogue import Model, alternatives
from kling_nb.models.fal import is_endpoint, untranslate
from kling_nb.models.generation import Completion, Generation
from kling_nb.models.matching import Absent, Found, LostRequest, Undecided, alike, matching
from kling_nb.models.price import Pricing
from kling_nb.models.problem import Draft, Problem
from kling_nb.models.request import Request
from kling_nb.models.schema import Schema

A = TypeVar("A", Generation, Model)
logger = logging.getLogger(__name__)

#: The queue's list is read at intervals anyway, and an outage should become visible soon.
_LIST_ATTEMPTS = 2
#: How many generations are asked about at the same time.
_MAX_REQUESTS = 8


class Oxen:
    """The verbs of a hub: submit, look, find, cancel, listen, list models, upload and download.

    `name` stands for the hub in records: its address, or `local` whatever port the local hub answers on.
    """

    provider, key_name = "oxen", "OXEN_API_KEY"
    uploads_are_public = False

    def __init__(self, client: HubClient, cache: UploadCache, method: UploadMethod, *, name: str) -> None:
        self.name, self.client = name, client
        self.upload = Uploads(client, cache, method).url_of
        self.download = partial(download, client)
        self.silence = client.silence

    @property
    def clock(self) -> datetime.datetime | None:
        """The time at the hub; see `HubClient.clock`."""
        return self.client.clock

    # --- the queue (hub-api.md section 3) ---

    def serves(self, model: str) -> bool:
        """Return whether a model's name may be one of this provider's."""
        return not is_endpoint(model)

    def named(self, fields: Draft) -> dict[str, Any]:
        """Return a request's fields with this provider's names, if they are given with fal's."""
        return untranslate(fields)

    def problems(self, draft: Draft, schema: Schema | None) -> list[Problem]:
        """Return nothing: requests in this provider's own terms are checked by the models' rules."""
        return []

    def pricing(self, draft: Draft, model: Model | None) -> tuple[Pricing | None, datetime.date | None]:
        """Return the pricing of a draft: that of the catalogue, if it is known."""
        return (model.pricing if model else None), None

    def body(self, request: Request, resolve: Callable[[Asset], str]) -> dict[str, Any]:
        """Return the JSON body for one generation, however many are asked for."""
        return {**request.body(resolve), "num_generations": 1}

    async def aclose(self) -> None:
        """Close every connection."""
        await self.client.aclose()

    async def submit(self, body: Mapping[str, Any], note: Note, unwanted: asyncio.Event) -> list[str]:
        """Send one request and return the ids that the hub names; see `HubClient.send_once`."""
        try:
            answer = await self.client.send_once("/api/ai/queue", body, note=note, unwanted=unwanted)
        except errors.ModelNotFound as exc:
            raise await self._with_alternatives(exc) from exc
        entries = answer.get("generations")
        if answer.get("error") and entries == []:  # without a list it is unknown whether anything was queued
            raise errors.InvalidParams(_refusal(answer["error"]), status=200, body=str(answer)[:300])
        ids = _ids_in(entries) if isinstance(entries, list) else []
        if not ids:
            message = "The hub accepted the request but returned no generation ID."
            raise errors.ServerError(message, status=200, body=str(answer)[:300])
        return ids

    async def generations(self, **filters: str) -> list[Generation]:
        """Return the queue's list, filtered by `status`, `model`, `media_type`, `namespace` and others.

        Without filters it has every queued or processing generation of this user. `generation_id` is empty if the
        entry has none.
        """
        answer = await self.client.send("GET", "/api/ai/queue", attempts=_LIST_ATTEMPTS, params=filters)
        entries = answer.get("generations")
        if answer.get("error") or not isinstance(entries, list):  # taken for an empty list, it would end paid jobs
            raise errors.ServerError("The hub's queue has no list.", status=200, body=str(answer)[:300])
        return _readable(Generation, cast("list[Any]", entries))

    async def generation(self, generation_id: str) -> Generation:
        """Return one generation. Raises `NotFound` for an id that the hub does not know.

        Raises `ServerError` for a record without an id, or with another one.
        """
        found = _read(Generation, await self.client.send("GET", route("api", "ai", "queue", generation_id)))
        if not found.generation_id:
            raise errors.ServerError("Unexpected response: missing 'generation_id'.", body=str(found.raw)[:300])
        if found.generation_id.casefold() != generation_id.casefold():
            message = f"The hub returned the record of another job: {found.generation_id[:60]}."
            raise errors.ServerError(message, body=str(found.raw)[:300])
        return found

    async def look(self, tickets: Collection[str]) -> dict[str, Generation | errors.HubError]:
        """Return the report on each generation: by one list for several, and alone for those that it does not have.

        Raises a `HubError` if the list cannot be asked for.
        """
        listed: dict[str, Generation] = {}
        if len(tickets) > 1:
            try:
                listed = {entry.generation_id: entry for entry in await self.generations()}
            except errors.ServerError as exc:
                if exc.status not in (None, 200):
                    raise  # else there is no list, or one that cannot be read: ask about each alone
        gate = asyncio.Semaphore(_MAX_REQUESTS)

        async def ask(ticket: str) -> Generation | errors.HubError:
            async with gate:
                try:
                    return await self.generation(ticket)
                except errors.HubError as exc:
                    return exc

        missing = [ticket for ticket in tickets if ticket not in listed]
        alone = zip(missing, await asyncio.gather(*map(ask, missing)), strict=True)
        return {**{ticket: listed[ticket] for ticket in tickets if ticket in listed}, **dict(alone)}

    async def find(
        self, lost: LostRequest, taken: Callable[[Iterable[str]], Awaitable[set[str]]]
    ) -> Found | Absent | Undecided:
        """Look for a request in the queue's list, which has every generation that was ever accepted."""
        listed: list[Generation] = []
        for scope in _scopes(lost.sent):
            # The running ones first: one that ends in between is in the later list.
            listed += await self.generations(**scope)
            for status in ("succeeded", "failed", "cancelled"):
                listed += await self.generations(**scope, status=status)
        if any(not entry.generation_id and alike(entry.raw, lost.sent) for entry in listed):
            raise errors.ServerError("The hub's queue has a job like this one, but without a generation ID.")
        unique = {entry.generation_id: entry for entry in listed if entry.generation_id}
        others = await taken(unique)
        unclaimed = [entry for name, entry in unique.items() if name not in others]
        found, odd = matching(unclaimed, lost)
        if found:
            return Found(tuple(entry.generation_id for entry in found), odd)
        return Undecided(odd) if odd else Absent()

    async def cancel(self, ticket: str) -> None:
        """Ask the hub to stop a generation."""
        # One that has ended may be answered with 400 or 404 (open in the contract); the hub's record decides.
        with suppress(errors.InvalidParams, errors.NotFound):
            await self.client.send("DELETE", route("api", "ai", "queue", ticket), read=read_status)

    def hints(self) -> AsyncGenerator[Completion | None]:
        """Return the hub's events of this user; see `events`."""
        return self.events()

    async def events(self) -> AsyncGenerator[Completion | None]:
        """Yield None once connected, then each completion, until the stream ends (hub-api.md section 4).

        Raises a `HubError` when it cannot be opened, breaks or falls silent.
        """
        from httpx_sse import EventSource, SSEError

        async with self.client.stream("/api/events", accept="text/event-stream") as response:
            yield None
            try:
                async for event in EventSource(response).aiter_sse():
                    if event.event == "media_generation_completed" and (
                        completion := _completion(event.data, key_of(response))
                    ):
                        yield completion
            except SSEError as exc:
                raise errors.ServerError(f"Invalid event stream: {clean_text(str(exc), key_of(response))}") from None

    # --- models (hub-api.md section 6) ---

    async def models(self) -> list[Model]:
        """Return the catalogue, without entries that cannot be read. Raises `ServerError` if the list is missing."""
        answer = await self.client.send("GET", "/api/ai/models")
        entries = answer.get("data")
        if not isinstance(entries, list):
            raise errors.ServerError("The hub's catalogue has no list.", status=200, body=str(answer)[:300])
        return _readable(Model, cast("list[Any]", entries))

    async def model(self, model_id: str) -> Model:
        """Return one model. Raises `ModelNotFound` with the alternatives that the catalogue has."""
        try:
            return _read(Model, await self.client.send("GET", route("api", "ai", "models", *model_id.split("/"))))
        except errors.NotFound as exc:
            raise await self._with_alternatives(errors.ModelNotFound(model_id, body=exc.body)) from exc

    async def _with_alternatives(self, exc: errors.ModelNotFound) -> errors.ModelNotFound:
        try:
            known = [model.id for model in await self.models()]
        except errors.HubError:  # the model is missing, whether or not this second request succeeds
            known = [name for name in bundled() if name != exc.model]
        return errors.ModelNotFound(exc.model, alternatives=alternatives(exc.model, known), body=exc.body)


def _scopes(sent: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield filters of the queue's list, which may not show what is billed to another namespace."""
    scope = {"model": str(sent.get("model", ""))}
    yield scope
    if namespace := sent.get("target_namespace"):
        yield {**scope, "namespace": str(namespace)}


def _ids_in(entries: list[Any]) -> list[str]:
    """Return the ids that an answer to a request names."""
    ids = (entry.get("generation_id") if isinstance(entry, dict) else None for entry in entries)
    return [str(one) for one in ids if isinstance(one, str | int) and str(one).strip() and not isinstance(one, bool)]


def _readable(kind: type[A], entries: list[Any]) -> list[A]:
    """Read the entries that can be read: an invalid one must not hide the others."""
    found: list[A] = []
    for entry in entries:
        try:
            found.append(_read(kind, entry))
        except errors.ServerError as exc:
            logger.debug("skipped an entry of the hub's list: %s", exc)
    return found


def _read(kind: type[A], raw: Any) -> A:
    try:
        if not isinstance(raw, dict):
            raise TypeError(f"expected an object, got {type(raw).__name__}")
        return kind.read(cast("dict[str, Any]", raw))
    except (ValidationError, TypeError) as exc:
        raise errors.ServerError(f"Unexpected response: {exc}", body=str(raw)[:300]) from exc


def _completion(data: str, key: str) -> Completion | None:
    try:
        return Completion.model_validate(parsed(data, key))
    except ValidationError:
        return None  # only a hint: the queue is the truth


def _refusal(error: Any) -> str:
    if isinstance(error, dict):
        error = error.get("detail") or error.get("message") or error.get("title")
    return f"The hub queued nothing: {error or 'it gave no reason.'}"
