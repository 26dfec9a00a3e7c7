"""`Oxen`: the hub as the engine wants it, a client with its uploads and downloads in one value."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from kling_nb.hubs.client import HubClient, Say
from kling_nb.hubs.download import Downloaded, download
from kling_nb.hubs.upload import Uploads
from kling_nb.models.asset import Asset
from kling_nb.models.catalogue import Model
from kling_nb.models.generation import Completion, Generation


class Oxen:
    """One hub behind few verbs, so that another provider of the same family could stand in its place."""

    def __init__(self, client: HubClient, uploads: Uploads) -> None:
        self.client = client
        self._uploads = uploads

    @property
    def base_url(self) -> str:
        """Where it answers: part of every record."""
        return self.client.base_url

    @property
    def clock(self) -> datetime.datetime | None:
        """What time it is at the hub; see `HubClient.clock`."""
        return self.client.clock

    async def enqueue(self, body: Mapping[str, Any], say: Say, unwanted: asyncio.Event) -> list[str]:
        """Send one request; see `HubClient.enqueue`."""
        return await self.client.enqueue(body, say, unwanted)

    async def listed(self, **filters: str) -> list[Generation]:
        """Return the queue's list; without filters the running jobs."""
        return await self.client.listed(**filters)

    async def generation(self, generation_id: str) -> Generation:
        """Return one queue record."""
        return await self.client.generation(generation_id)

    async def cancel(self, generation_id: str) -> Generation:
        """Stop one generation and return what became of it."""
        return await self.client.cancel(generation_id)

    def events(self) -> AsyncGenerator[Completion | None]:
        """Yield None once connected, then completions."""
        return self.client.events()

    async def model(self, model_id: str) -> Model:
        """Return one catalogue entry."""
        return await self.client.model(model_id)

    async def models(self) -> list[Model]:
        """Return the catalogue."""
        return await self.client.models()

    async def address_of(self, asset: Asset) -> str:
        """Return a URL that the hub can read the asset at, uploading it if need be."""
        return await self._uploads.address_of(asset)

    async def fetch(self, url: str, target: Path, renew: Callable[[], Awaitable[str | None]], say: Say) -> Downloaded:
        """Download a result; see `download`."""
        return await download(self.client, url, target, renew, say)

    async def aclose(self) -> None:
        """Close every connection."""
        await self.client.aclose()
