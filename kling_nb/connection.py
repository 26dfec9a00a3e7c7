"""`Connection`: the hubs of a studio, the one that answers and the local one for previews, and what they cost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from kling_nb import errors
from kling_nb.engine.loop import BackgroundLoop
from kling_nb.engine.tracking import HUB_PACE, LOCAL_PACE, Pace
from kling_nb.hubs.catalogue import Catalogue, bundled
from kling_nb.hubs.client import HubClient
from kling_nb.hubs.local import local_hub
from kling_nb.hubs.oxen import Oxen
from kling_nb.hubs.upload import UploadCache, UploadMethod
from kling_nb.models.catalogue import Changes, Model, schema_changes
from kling_nb.models.price import Estimate, estimate
from kling_nb.models.record import Record
from kling_nb.models.request import TARGET, HubRequest, Request, request_type
from kling_nb.models.urls import is_loopback
from kling_nb.render import HubInfo
from kling_nb.settings import KEY, Settings

#: Seconds that a question to the catalogue may keep a person waiting.
PATIENCE = 6.0


class Connection:
    """Makes the hubs that the settings name; nothing is opened before the first question."""

    def __init__(self, settings: Settings, loop: BackgroundLoop, memory: UploadCache, upload: UploadMethod) -> None:
        self._settings = settings
        if settings.local:
            self.main = local_hub(memory, upload)
        else:
            self.main = Oxen(HubClient(settings.hub, settings.key), memory, upload, name=settings.hub.rstrip("/"))
        # Previews are drawn at once, whatever pace the local hub acts out for jobs.
        self.previews = local_hub(memory, upload, instant=True)
        for hub in (self.main, self.previews):
            loop.at_stop(hub.aclose)
        self.catalogue = Catalogue(self.main)

    @property
    def pace(self) -> Pace:
        """How often the hub that answers may be asked."""
        near = self._settings.local or is_loopback(urlsplit(self._settings.hub).hostname or "")
        return LOCAL_PACE if near else HUB_PACE

    def estimate(self, request: Request) -> Estimate:
        """Return the price from what is known, without asking."""
        return self.price_of(request.draft(), self.catalogue.known(request.model))

    def price_of(self, draft: Mapping[str, Any], model: Model | None) -> Estimate:
        """Return the price of a draft by a model's live pricing, nothing on the local hub."""
        if model and request_type(model.id) is HubRequest:  # the others spell their own defaults out
            draft = model.with_defaults(draft)
        pricing, schema = (model.pricing, model.request_schema) if model else (None, None)
        return estimate(draft, pricing=pricing, free=self._settings.local, schema=schema)

    async def describe(self, record: Record, request: Request) -> dict[str, Any]:
        """What the catalogue says of the model at this time, for the record; nothing when it cannot be read."""
        try:
            model = await asyncio.wait_for(self.catalogue.model(request.model), PATIENCE)
        except (errors.HubError, TimeoutError):
            return {}
        return {"schema_digest": model.schema_digest, "estimate": self.price_of(request.draft(), model)}

    async def info(self) -> HubInfo:
        """Say which hub answers, where the key came from (never the key), and whether it knows the model."""
        found, alternatives, trouble, address = None, (), "", self._settings.hub
        try:
            address = await self.main.address()
            await asyncio.wait_for(self.catalogue.model(TARGET), PATIENCE)
            found = True
        except TimeoutError:
            trouble = f"It did not answer within {PATIENCE:.0f} s."
        except errors.ModelNotFound as exc:
            found, alternatives = False, exc.alternatives
        except errors.HubError as exc:
            trouble = str(exc)
        return HubInfo(
            name="Local hub" if self._settings.local else _host(self._settings.hub),
            base_url=address,
            local=self._settings.local,
            key_source=self._settings.sources.get(KEY),
            model=TARGET,
            in_catalogue=found,
            alternatives=alternatives,
            trouble=trouble,
        )


def changes_of(entry: Model) -> Changes:
    """Return what in a live entry's schema differs from the bundled one; nothing for a model that is not bundled."""
    known = bundled().get(entry.id)
    each = schema_changes(known.request_schema, entry.request_schema) if known and entry.request_schema else []
    return Changes(
        each, entry.id, "the schema that came with kling_nb" if known else "no schema: none came with kling_nb"
    )


async def nothing_known(record: Record, request: Request) -> dict[str, Any]:
    """What a preview's record says of the catalogue."""
    return {}


def _host(address: str) -> str:
    return address.partition("://")[2].partition("/")[0].rpartition("@")[2].removesuffix("/") or address
