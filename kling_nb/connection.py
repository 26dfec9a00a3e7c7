"""The hubs of a session, the one in use and the local one for previews, with their catalogue and prices; `kn.hub`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kling_nb import errors
from kling_nb.engine.loop import BackgroundLoop
from kling_nb.engine.pace import HUB_PACE, LOCAL_PACE, Pace
from kling_nb.hubs.catalogue import Catalogue, bundled
from kling_nb.hubs.client import HubClient
from kling_nb.hubs.local import local_hub
from kling_nb.hubs.oxen import Oxen
from kling_nb.hubs.upload import UploadCache, UploadMethod
from kling_nb.models.catalogue import Changes, Model, schema_changes
from kling_nb.models.messages import check_text
from kling_nb.models.price import Estimate, estimate
from kling_nb.models.record import Record
from kling_nb.models.request import TARGET, Request
from kling_nb.notebook.display import Models
from kling_nb.render.tables import HubInfo
from kling_nb.settings import KEY, Settings

if TYPE_CHECKING:
    from kling_nb.session import Session

#: Seconds to wait for the catalogue, and seconds more for the local hub to start.
PATIENCE, _START = 6.0, 20.0


class Connection:
    """The hub that the settings name and the local hub for previews. Nothing is opened before the first request."""

    def __init__(self, settings: Settings, loop: BackgroundLoop, memory: UploadCache, upload: UploadMethod) -> None:
        self._settings = settings
        if settings.local:
            self.main = local_hub(memory, upload)
        else:
            self.main = Oxen(HubClient(settings.hub, settings.key), memory, upload, name=settings.hub.rstrip("/"))
        # Previews are drawn at once, whatever pace the local hub acts out for jobs.
        self.previews = local_hub(memory, upload, instant=True)
        for hub in (self.main, self.previews):
            loop.at_stop(hub.client.aclose)
        self.catalogue = Catalogue(self.main)

    @property
    def pace(self) -> Pace:
        """The poll intervals for the hub in use: short ones only for the local hub, which this package starts.

        Any other hub at a loopback address may be a tunnel to a distant one, which costs money.
        """
        return LOCAL_PACE if self._settings.local else HUB_PACE

    def estimate(self, request: Request) -> Estimate:
        """Return the price of a request by the cached catalogue, without a request to the hub."""
        return self.price_of(request.draft(), self.catalogue.known(request.model))

    def price_of(self, draft: Mapping[str, Any], model: Model | None) -> Estimate:
        """Return the price of a draft by a model's pricing; the local hub is free."""
        pricing, schema = (model.pricing, model.request_schema) if model else (None, None)
        return estimate(draft, pricing=pricing, free=self._settings.local, schema=schema)

    async def describe(self, record: Record, request: Request) -> dict[str, Any]:
        """Return the model's schema digest and price for the record; nothing if the catalogue cannot be read."""
        try:
            model = await asyncio.wait_for(self.catalogue.model(request.model), PATIENCE)
        except (errors.HubError, TimeoutError):
            return {}
        return {"schema_digest": model.schema_digest, "estimate": self.price_of(request.draft(), model)}

    async def info(self) -> HubInfo:
        """Return the hub in use, where its key came from (never the key), and whether it has the headline model."""
        found, alternatives, error, address = None, (), "", self._settings.hub
        try:
            address = await self.main.client.address()
            await asyncio.wait_for(self.catalogue.model(TARGET), PATIENCE)
            found = True
        except TimeoutError:
            error = f"It has not answered for {PATIENCE:.0f} s."
        except errors.ModelNotFound as exc:
            found, alternatives = False, exc.alternatives
        except errors.HubError as exc:
            error = str(exc)
        return HubInfo(
            name="Local hub" if self._settings.local else _host(self._settings.hub),
            base_url=address,
            local=self._settings.local,
            key_source=self._settings.sources.get(KEY),
            model=TARGET,
            in_catalogue=found,
            alternatives=alternatives,
            error=error,
        )


class HubAccess:
    """`kn.hub`: call it to see which hub answers; its methods list and describe the hub's models."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __call__(self) -> HubInfo:
        """Return which hub answers, where the key came from (never the key), and whether it has the headline model.

        The local hub is started if it is the one in use.
        """
        return self._session.wait(self._session.connection.info(), PATIENCE + _START)

    def models(self) -> Models:
        """Return the models of the hub's catalogue as a sequence with a table as its display.

        Raises:
            HubError: The hub cannot be reached or refuses the key.
            WaitTimeout: It did not answer in time.
        """
        session = self._session
        return Models(session.wait(session.connection.catalogue.models(), PATIENCE + _START))

    def model(self, model_id: str) -> Model:
        """Return one model: its price, capabilities and request schema.

        Raises:
            ModelNotFound: The hub does not have it; the exception has alternatives.
            HubError: The hub cannot be reached or refuses the key.
        """
        return self._session.model(model_id)

    def schema_changes(self, model_id: str = TARGET) -> Changes:
        """Return the differences between a model's live schema and the one that came with this package.

        Added and removed fields, choices, limits and defaults, a line for each.

        Raises:
            ModelNotFound: The hub does not have the model; the exception has alternatives.
            HubError: The hub cannot be reached or refuses the key.
        """
        catalogue = self._session.connection.catalogue
        return changes_of(self._session.wait(catalogue.model(check_text("model_id", model_id)), PATIENCE + _START))

    def __repr__(self) -> str:
        return "<kn.hub: call it to see which hub answers; .models() lists its models>"


def changes_of(live: Model) -> Changes:
    """Return what differs in a live model's schema from the bundled one; nothing for a model that is not bundled."""
    known = bundled().get(live.id)
    changes = schema_changes(known.request_schema, live.request_schema) if known and live.request_schema else []
    against = "the schema that came with kling_nb" if known else "no schema: none came with kling_nb"
    return Changes(changes, live.id, against)


async def nothing_known(record: Record, request: Request) -> dict[str, Any]:
    """Return nothing: the record of a preview does not describe the model."""
    return {}


def _host(address: str) -> str:
    return address.partition("://")[2].partition("/")[0].rpartition("@")[2].removesuffix("/") or address
