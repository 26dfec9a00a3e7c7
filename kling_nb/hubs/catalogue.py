"""A cache of the hub's models: fetched now and then, and read without waiting (hub-api.md section 6)."""

from __future__ import annotations

import json
import time
from functools import cache
from importlib.resources import files
from typing import Protocol

from kling_nb.errors import ModelNotFound
from kling_nb.models.catalogue import Model

#: Seconds after which an entry is fetched again; prices and schemas change rarely.
FRESH = 600.0


class ModelSource(Protocol):
    """A hub that can be asked for its models."""

    async def model(self, model_id: str) -> Model: ...
    async def models(self) -> list[Model]: ...


class Catalogue:
    """Models by id. `model` and `models` ask the hub when the known list is old; the other methods never wait."""

    def __init__(self, hub: ModelSource) -> None:
        self._hub = hub
        self._entries: dict[str, tuple[Model, float]] = {}
        self._list: tuple[tuple[str, ...], float] | None = None

    async def model(self, model_id: str) -> Model:
        """Return a model. Raises `ModelNotFound` with alternatives, or another `HubError`."""
        if known := self.cached(model_id, fresh=True):
            return known
        try:
            model = await self._hub.model(model_id)
        except ModelNotFound:
            self._entries.pop(model_id, None)
            raise
        self._entries[model.id] = model, time.monotonic()
        return model

    async def models(self) -> list[Model]:
        """Return every model of the hub. Raises a `HubError`."""
        if self._list is None or time.monotonic() - self._list[1] >= FRESH:
            found, now = await self._hub.models(), time.monotonic()
            for model in found:  # one without its schema is fetched by itself before it is used
                known = self._entries.get(model.id)
                if model.request_schema or known is None:
                    self._entries[model.id] = model, now if model.request_schema else float("-inf")
            self._list = tuple(model.id for model in found), now
            for name in set(self._entries).difference(self._list[0]):  # it may have been withdrawn
                self.expire(name)
        return self.known_models()[0]

    def cached(self, model_id: str, *, fresh: bool = False) -> Model | None:
        """Return a model as the hub last described it, without asking; with `fresh`, only if that was lately."""
        model, then = self._entries.get(model_id, (None, 0.0))
        return None if fresh and time.monotonic() - then >= FRESH else model

    def known(self, model_id: str) -> Model | None:
        """Return a model as the hub described it, else the bundled entry, without asking."""
        return self.cached(model_id) or bundled().get(model_id)

    def known_models(self) -> tuple[list[Model], bool]:
        """Return all models without asking, and whether the list is the hub's own."""
        if self._list is None:
            return list(bundled().values()), False
        return [self._entries[name][0] for name in self._list[0] if name in self._entries], True

    def expire(self, model_id: str) -> None:
        """Ask the hub about a model again before it is used."""
        if entry := self._entries.get(model_id):
            self._entries[model_id] = entry[0], float("-inf")


@cache
def bundled() -> dict[str, Model]:
    """Return the bundled entries by id, without prices, which only the hub knows (`models/price.py` has a few).

    The local hub answers with the same file.
    """
    text = files("kling_nb.localhub").joinpath("catalogue.json").read_text(encoding="utf-8")
    entries = (Model.read({**raw, "pricing": None}) for raw in json.loads(text)["data"])
    return {model.id: model for model in entries}
