"""The catalogue as last seen: asked for once in a while, read at once (HUB_API section 6)."""

from __future__ import annotations

import time
from typing import Protocol

from kling_nb.models.catalogue import Model

#: Seconds for which an entry is believed; prices and schemas change rarely.
FRESH = 600.0


class Source(Protocol):
    """A hub that can be asked for its models."""

    async def model(self, model_id: str) -> Model:
        """Return one entry."""
        ...


class Catalogue:
    """Entries by id; `seen` never waits, `model` asks the hub when what is known is old."""

    def __init__(self, hub: Source) -> None:
        self._hub = hub
        self._entries: dict[str, tuple[Model, float]] = {}

    def seen(self, model_id: str) -> Model | None:
        """Return what is known of a model without asking; None when it was never asked for."""
        entry = self._entries.get(model_id)
        return entry[0] if entry else None

    def fresh(self, model_id: str) -> Model | None:
        """Return what was heard of a model lately, without asking."""
        entry = self._entries.get(model_id)
        return entry[0] if entry and time.monotonic() - entry[1] < FRESH else None

    async def model(self, model_id: str) -> Model:
        """Return a model. Raises `ModelNotFound` with alternatives, or another `HubError`."""
        if known := self.fresh(model_id):
            return known
        model = await self._hub.model(model_id)
        self._entries[model_id] = (model, time.monotonic())
        return model
