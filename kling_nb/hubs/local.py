"""The local hub as the engine wants it: started by the first use, and started again when it has gone."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from kling_nb import errors
from kling_nb.hubs.client import Say
from kling_nb.hubs.download import Downloaded
from kling_nb.hubs.oxen import Oxen
from kling_nb.models.asset import Asset
from kling_nb.models.catalogue import Model
from kling_nb.models.generation import Completion, Generation

T = TypeVar("T")


class LocalHub:
    """A hub that `ensure` starts or finds (blocking; returns its address) and `connect` makes a client for.

    Its records say `local`, whatever port it answers on.
    """

    base_url = "local"

    def __init__(self, ensure: Callable[[], str], connect: Callable[[str], Oxen]) -> None:
        self._ensure, self._connect = ensure, connect
        self._oxen: Oxen | None = None
        self._starting = asyncio.Lock()

    async def running(self) -> Oxen:
        """Return the hub, started if need be. Raises `Unreachable` when it cannot be started."""
        async with self._starting:
            if self._oxen is None:
                try:
                    address = await asyncio.to_thread(self._ensure)
                except (OSError, RuntimeError) as exc:
                    raise errors.Unreachable(f"The local hub could not be started: {exc}") from exc
                self._oxen = self._connect(address)
            return self._oxen

    @property
    def clock(self) -> datetime.datetime | None:
        """What time it is at the hub."""
        return self._oxen.clock if self._oxen else None

    async def enqueue(self, body: Mapping[str, Any], say: Say, unwanted: asyncio.Event) -> list[str]:
        """Send one request; see `HubClient.enqueue`."""
        return await self._try(lambda hub: hub.enqueue(body, say, unwanted))

    async def listed(self, **filters: str) -> list[Generation]:
        """Return the queue's list; without filters the running jobs."""
        return await self._try(lambda hub: hub.listed(**filters))

    async def generation(self, generation_id: str) -> Generation:
        """Return one queue record."""
        return await self._try(lambda hub: hub.generation(generation_id))

    async def cancel(self, generation_id: str) -> Generation:
        """Stop one generation and return what became of it."""
        return await self._try(lambda hub: hub.cancel(generation_id))

    async def events(self) -> AsyncGenerator[Completion | None]:
        """Yield None once connected, then completions."""
        hub = await self.running()
        async for event in hub.events():
            yield event

    async def model(self, model_id: str) -> Model:
        """Return one catalogue entry."""
        return await self._try(lambda hub: hub.model(model_id))

    async def models(self) -> list[Model]:
        """Return the catalogue."""
        return await self._try(lambda hub: hub.models())

    async def address_of(self, asset: Asset) -> str:
        """Return a URL that the hub can read the asset at."""
        return await self._try(lambda hub: hub.address_of(asset))

    async def fetch(self, url: str, target: Path, renew: Callable[[], Awaitable[str | None]], say: Say) -> Downloaded:
        """Download a result."""
        return await self._try(lambda hub: hub.fetch(url, target, renew, say))

    async def aclose(self) -> None:
        """Close every connection; the server itself ends when it is idle."""
        if self._oxen:
            await self._oxen.aclose()

    async def _try(self, verb: Callable[[Oxen], Awaitable[T]]) -> T:
        hub = await self.running()
        try:
            return await verb(hub)
        except errors.Unreachable:
            if self._oxen is hub:  # it ended, idle or killed: its jobs are in its folder, so start it again
                self._oxen = None
            return await verb(await self.running())
