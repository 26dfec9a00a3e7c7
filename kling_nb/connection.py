"""The hubs of a session, with their catalogues and prices: the one in use, the others, the local ones; `kn.hub`."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kling_nb import errors
from kling_nb.engine.loop import BackgroundLoop
from kling_nb.engine.pace import HUB_PACE, LOCAL_PACE, Pace
from kling_nb.hubs.catalogue import Catalogue, bundled
from kling_nb.hubs.providers import AnyHub, Files, connect, stand_in
from kling_nb.hubs.upload import UploadCache, UploadMethod
from kling_nb.models.catalogue import Changes, Model, schema_changes
from kling_nb.models.messages import check_text
from kling_nb.models.price import Estimate, estimate
from kling_nb.models.problem import Problem, error
from kling_nb.models.record import Record
from kling_nb.models.request import TARGET, Request
from kling_nb.notebook.display import Models
from kling_nb.settings import LOCAL, PROVIDERS, Settings

if TYPE_CHECKING:
    from kling_nb.render.tables import HubInfo
    from kling_nb.session import Session

#: Seconds to wait for the catalogue, and seconds more for the local hub to start.
PATIENCE, _START = 6.0, 20.0
_TITLES: Mapping[str, str] = {
    "oxen": "hub.oxen.ai", "fal": "fal.ai", "local": "Local hub", "local-fal": "Local hub (fal.ai)"
}  # fmt: skip


@dataclass(frozen=True)
class ConnectedHub:
    """One hub that requests can be sent to, with its catalogue.

    Attributes:
        label: The name that a request's `hub` has for it: `oxen`, `fal`, `local`, `local-fal`, or its address.
        free: Whether it is a local one, whose clips cost nothing.
        key_source: Where its key was found.
    """

    label: str
    hub: AnyHub
    catalogue: Catalogue
    free: bool = False
    key_source: str | None = None

    @property
    def name(self) -> str:
        """Its name in records: its address, or `local`."""
        return self.hub.name

    @property
    def title(self) -> str:
        """Its name for the user."""
        return _TITLES.get(self.label) or _host(self.name)

    @property
    def pace(self) -> Pace:
        """The poll intervals: short ones only for the local hubs, which this package starts.

        Any other hub at a loopback address may be a tunnel to a distant one, which costs money.
        """
        return LOCAL_PACE if self.free else HUB_PACE

    @property
    def patience(self) -> float:
        """Seconds to wait for its catalogue; a local hub may have to start first."""
        return PATIENCE + (_START if self.free else 0.0)

    def estimate(self, request: Request) -> Estimate:
        """Return the price of a request by the cached catalogue, without a request to the hub."""
        return self.price_of(request.draft(), self.catalogue.known(request.model))

    def price_of(self, draft: Mapping[str, Any], model: Model | None) -> Estimate:
        """Return the price of a draft by the hub's pricing; a local hub is free."""
        pricing, seen_on = self.hub.pricing(draft, model)
        schema = model.request_schema if model else None
        return estimate(draft, pricing=pricing, free=self.free, schema=schema, seen_on=seen_on)

    def problems(self, request: Request) -> list[Problem]:
        """Return the problems with sending a request to this hub."""
        model = self.catalogue.known(request.model)
        return self.hub.problems(request.sendable(), model.request_schema if model else None)

    async def describe(self, record: Record, request: Request) -> dict[str, Any]:
        """Return the model's schema digest and price for the record; nothing if the catalogue cannot be read."""
        try:
            model = await asyncio.wait_for(self.catalogue.model(request.model), PATIENCE)
        except (errors.HubError, TimeoutError):
            return {}
        return {"schema_digest": model.schema_digest, "estimate": self.price_of(request.draft(), model)}


class Connection:
    """The hubs of a session: the one in use, those of the other keys, and local ones, also for previews.

    Nothing is opened before the first request to a hub.
    """

    def __init__(self, settings: Settings, loop: BackgroundLoop, memory: UploadCache, upload: UploadMethod) -> None:
        self._settings, self._loop = settings, loop
        self._files = Files(memory, upload, settings.lifetime)
        self._hubs: dict[str, ConnectedHub] = {}
        self._lock = threading.RLock()
        self._label = next((name for name, (_, url) in PROVIDERS.items() if url == settings.hub), settings.hub)
        # Previews are drawn immediately, whatever pace the local hub acts out for jobs.
        self.previews: dict[str, AnyHub] = {
            provider: stand_in(provider, name, self._files, instant=True) for name, provider in LOCAL.items()
        }
        for hub in self.previews.values():
            loop.at_stop(hub.aclose)

    @property
    def selected(self) -> ConnectedHub:
        """The hub in use."""
        return self.named(None)

    @property
    def main(self) -> AnyHub:
        """The hub in use, without its catalogue."""
        return self.selected.hub

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue of the hub in use."""
        return self.selected.catalogue

    @property
    def labels(self) -> list[str]:
        """The hubs that can be used: the one in use, those with a key, and the local ones if that is in use."""
        with_key = [name for name in PROVIDERS if name in self._settings.keys]
        return list(dict.fromkeys((self._label, *with_key, *(LOCAL if self._settings.local else ()))))

    @property
    def hubs(self) -> list[ConnectedHub]:
        """The hubs of `labels`, and any other that was used."""
        with self._lock:
            return [
                *map(self.named, self.labels),
                *(each for each in self._hubs.values() if each.label not in self.labels),
            ]

    @property
    def with_keys(self) -> list[ConnectedHub]:
        """The hub in use, and the others whose key was found."""
        return [self.selected, *(self.named(label) for label in self.labels[1:] if label not in LOCAL)]

    def named(self, label: str | None) -> ConnectedHub:
        """Return a hub by its label, by default the one in use. Raises `RequestError` at the field `hub`."""
        label = (label or "").strip().removesuffix("/")
        label = label if "://" in label else label.lower()
        if not label or (label == self._settings.provider and not self._settings.local):
            label = self._label
        with self._lock:
            if label not in self._hubs:
                self._hubs[label] = self._made(label)
            return self._hubs[label]

    def of(self, request: Request) -> ConnectedHub:
        """Return the hub of a request; see `choose`."""
        return self.choose(request.hub, request.model)

    def choose(self, label: str | None, model: str) -> ConnectedHub:
        """Return the hub that a label names, else the one in use, or another one if only that has such a model."""
        chosen = self.named(label)
        if label is None and not chosen.hub.serves(model):
            return next((each for each in map(self.named, self.labels) if each.hub.serves(model)), chosen)
        return chosen

    def named_fields(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return a request's fields with the names that its `hub` has for them; they may have another hub's."""
        label = fields.get("hub")
        with contextlib.suppress(errors.RequestError):  # an unknown hub is reported at its field
            if isinstance(label, str) and label and isinstance(fields.get("model"), str):
                return self.named(label).hub.named(fields)
        return {**fields}

    def of_record(self, record: Record) -> ConnectedHub | None:
        """Return the hub that runs the job of a record; None if it is not one of these."""
        return next((each for each in self.hubs if each.name == record.hub), None)

    def estimate(self, request: Request) -> Estimate:
        """Return the price of a request at its hub by the cached catalogue, without a request to the hub."""
        return self.of(request).estimate(request)

    async def info(self) -> HubInfo:
        """Return the hub in use, where its key came from (never the key), and whether it has the headline model."""
        from kling_nb.render.tables import HubInfo

        selected = self.selected
        found, alternatives, trouble, address = None, (), "", self._settings.hub
        try:
            address = await selected.hub.client.address()
            await asyncio.wait_for(selected.catalogue.model(TARGET), PATIENCE)
            found = True
        except TimeoutError:
            trouble = f"It has not answered for {PATIENCE:.0f} s."
        except errors.ModelNotFound as exc:
            found, alternatives = False, exc.alternatives
        except errors.HubError as exc:
            trouble = str(exc)
        return HubInfo(
            name=selected.title,
            base_url=address,
            local=selected.free,
            key_source=selected.key_source,
            model=TARGET,
            in_catalogue=found,
            alternatives=alternatives,
            error=trouble,
            others=tuple(self.named(label).title for label in self.labels[1:]),
        )

    def _made(self, label: str) -> ConnectedHub:
        settings = self._settings
        if label in LOCAL:
            hub = stand_in(LOCAL[label], label, self._files)
            self._loop.at_stop(hub.aclose)
            return ConnectedHub(label, hub, Catalogue(hub), free=True)
        if label == self._label:
            provider, address = settings.provider, settings.hub
        elif label in PROVIDERS and label in settings.keys:
            provider, address = label, PROVIDERS[label][1]
        else:
            raise errors.RequestError([error(("hub",), *self._unknown(label))])
        hub = connect(provider, address, settings.keys.get(provider), self._files)
        self._loop.at_stop(hub.aclose)
        return ConnectedHub(label, hub, Catalogue(hub), key_source=settings.sources.get(PROVIDERS[provider][0]))

    def _unknown(self, label: str) -> tuple[str, str]:
        if label in PROVIDERS:
            return f"no key for {_TITLES[label]} was found", f"set {PROVIDERS[label][0]}"
        known = [*self.labels, *(name for name in LOCAL if name not in self.labels)]
        return f"{label[:80]!r} is not a hub of this session", f"use {', '.join(known)}"


class HubAccess:
    """`kn.hub`: call it to see which hub answers; its methods list and describe the hub's models."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __call__(self) -> HubInfo:
        """Return which hub answers, where the key came from (never the key), and whether it has the headline model.

        The local hub is started if it is the one in use.
        """
        return self._session.wait(self._session.connection.info(), PATIENCE + _START)

    def models(self, hub: str | None = None) -> Models:
        """Return the models of every hub whose key was found, as a sequence with a table as its display.

        The hub in use comes first. If another one does not answer, a line below the table gives the reason.

        Args:
            hub: One hub, `"oxen"` or `"fal"`, in place of all.

        Raises:
            HubError: The hub cannot be reached or refuses the key.
            WaitTimeout: It did not answer in time.
            RequestError, ArgumentTypeError: There is no such hub, or no key for it.
        """
        connection = self._session.connection
        first, *others = connection.with_keys if hub is None else [connection.named(check_text("hub", hub))]
        found, notes = {first.title: self._models_of(first)}, list[str]()
        for each in others:
            try:
                found[each.title] = self._models_of(each)
            except (errors.HubError, errors.WaitTimeout) as exc:
                notes.append(f"{each.title} is missing: {exc}")
        return Models(found, notes)

    def _models_of(self, hub: ConnectedHub) -> list[Model]:
        return self._session.wait(hub.catalogue.models(), PATIENCE + _START, hub.name)

    def model(self, model_id: str, hub: str | None = None) -> Model:
        """Return one model: its price, capabilities and request schema.

        Args:
            model_id: The ID, as `kn.hub.models()` lists it.
            hub: The hub to ask, `"oxen"` or `"fal"`; by default the one to which a request for the model would go.

        Raises:
            ModelNotFound: The hub does not have it; the exception has alternatives.
            HubError: The hub cannot be reached or refuses the key.
            RequestError, ArgumentTypeError: There is no such hub, or no key for it.
        """
        known = None if hub is None else self._session.connection.named(check_text("hub", hub))
        return self._session.model(model_id, known)

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
