"""The catalogue as last seen: asked for once in a while, read at once (HUB_API section 6)."""

from __future__ import annotations

import json
import time
from functools import cache
from importlib.resources import files
from typing import Protocol

from kling_nb.errors import ModelNotFound
from kling_nb.models.catalogue import Model

#: Seconds for which an entry is believed; prices and schemas change rarely.
FRESH = 600.0


class Source(Protocol):
    """A hub that can be asked for its models."""

    async def model(self, model_id: str) -> Model:
        """Return one entry."""
        ...

    async def models(self) -> list[Model]:
        """Return every entry."""
        ...


class Catalogue:
    """Entries by id; `seen`, `known` and `listed` never wait, `model` and `models` ask the hub when it is time."""

    def __init__(self, hub: Source) -> None:
        self._hub = hub
        self._entries: dict[str, tuple[Model, float]] = {}
        self._list: tuple[tuple[str, ...], float] | None = None

    def seen(self, model_id: str) -> Model | None:
        """Return what the hub has said of a model; None when it was never asked for."""
        entry = self._entries.get(model_id)
        return entry[0] if entry else None

    def fresh(self, model_id: str) -> Model | None:
        """Return what was heard of a model lately, without asking."""
        entry = self._entries.get(model_id)
        return entry[0] if entry and time.monotonic() - entry[1] < FRESH else None

    def known(self, model_id: str) -> Model | None:
        """Return what the hub has said of a model, else what is bundled of it."""
        return self.seen(model_id) or bundled().get(model_id)

    def listed(self) -> tuple[list[Model], bool]:
        """Return the whole catalogue as it is known, and whether the hub itself has said it."""
        if self._list is None:
            return list(bundled().values()), False
        return [self._entries[name][0] for name in self._list[0] if name in self._entries], True

    async def model(self, model_id: str) -> Model:
        """Return a model. Raises `ModelNotFound` with alternatives, or another `HubError`."""
        if known := self.fresh(model_id):
            return known
        try:
            model = await self._hub.model(model_id)
        except ModelNotFound:
            self._entries.pop(model_id, None)
            raise
        self._saw(model)
        return model

    async def models(self) -> list[Model]:
        """Return the whole catalogue, asked for anew when what is known is old. Raises a `HubError`."""
        if self._list is None or time.monotonic() - self._list[1] >= FRESH:
            found = await self._hub.models()
            for model in found:
                self._saw(model)
            self._list = tuple(model.id for model in found), time.monotonic()
            for name in set(self._entries) - {model.id for model in found}:  # it may have left since it was heard of
                self.expire(name)
        return self.listed()[0]

    def expire(self, model_id: str) -> None:
        """Believe nothing of a model until the hub has said it again."""
        if entry := self._entries.get(model_id):
            self._entries[model_id] = entry[0], float("-inf")

    def _saw(self, model: Model) -> None:
        self._entries[model.id] = model, time.monotonic()


@cache
def bundled() -> dict[str, Model]:
    """Return the bundled entries by id, without prices: those are for the hub to say (`models/price.py` has a few).

    The file lies with the local hub, which answers with it.
    """
    text = files("kling_nb.localhub").joinpath("catalogue.json").read_text(encoding="utf-8")
    entries = (Model.read({**raw, "pricing": None}) for raw in json.loads(text)["data"])
    return {model.id: model for model in entries}
