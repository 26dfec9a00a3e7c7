"""The actions of the panel's buttons: check, price, find earlier results, generate, preview, save, write code."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from kling_nb import errors, generation
from kling_nb.code.literal import Flavour, Flow
from kling_nb.code.write import Snippet, snippet
from kling_nb.models.budget import Name, Scope
from kling_nb.models.canonical import request_hash
from kling_nb.models.fields import assets_in
from kling_nb.models.lint import parse
from kling_nb.models.price import format_money, keeps_length, rate_text
from kling_nb.models.problem import Problem
from kling_nb.models.request import TARGET, Request
from kling_nb.notebook.location import notebook_path
from kling_nb.preferences import Options
from kling_nb.render.card import card_bundle
from kling_nb.render.formatting import format_time, price_of
from kling_nb.render.images import SHEET_BYTES
from kling_nb.ui.panel.drafts import SavedDraft
from kling_nb.ui.panel.models import ModelsController
from kling_nb.ui.panel.saved import SavedController
from kling_nb.ui.panel.several import SeveralModels

if TYPE_CHECKING:
    from kling_nb.connection import ConnectedHub
    from kling_nb.engine.job import Job
    from kling_nb.hubs.catalogue import Catalogue
    from kling_nb.session import Session
    from kling_nb.ui.messages import Messages
    from kling_nb.ui.progress import JobArea

Tone = Literal["local", "live", "error"]


@dataclass(frozen=True)
class HubOffer:
    """A provider that a request can go to, and its price of it."""

    id: str
    title: str
    price: str


@dataclass(frozen=True)
class Verdict:
    """The result of checking a draft: its problems, its price, and its request (None if it has none)."""

    problems: tuple[Problem, ...] = ()
    price: str = ""
    seconds: float = 0
    request: Request | None = None
    price_note: str = ""
    total: Decimal | None = None
    """The price in dollars; zero if it is free, None if it is unknown."""
    hubs: tuple[HubOffer, ...] = ()
    """The providers to choose from; empty if there is one."""
    hub: str = ""
    """The provider that the request goes to."""
    uploads: str = ""
    """A sentence on local files that become public."""


@dataclass(frozen=True)
class EarlierResult:
    """The newest clip of the same request in the log, or the job that is generating it; `poster` is a data URI."""

    id: str
    text: str
    poster: str = ""
    ended: bool = True


@dataclass(frozen=True)
class Banner:
    """The hub that answers: a short text, and a longer one for a tooltip."""

    text: str
    tone: Tone = "local"
    detail: str = ""


class PanelController:
    """Acts for one panel. Every method may be called from any thread and may raise `KlingError`.

    Attributes:
        saved: The presets, elements and earlier clips.
        models: The catalogue.
        draft: The saved draft.
    """

    def __init__(self, session: Session) -> None:
        self._session, self._settings = session, session.settings
        self.saved = SavedController.of(session)
        self.models = ModelsController(session.connection.catalogue, session.loop, self._catalogue)
        self.draft = SavedDraft(session.store, session.loop)

    def check(self, fields: Mapping[str, Any], /) -> Verdict:
        """Check and price wire-named fields within a few milliseconds, without asking the hub."""
        hub = self._hub_of(fields)
        model = hub.catalogue.known(str(fields.get("model", TARGET)))
        request, problems = parse(fields, model, now=time.time())
        problems = generation.with_hub(self._session, request, problems)
        if any(problem.severity == "error" for problem in problems):
            request = None
        draft = {"model": TARGET, **fields}
        price = hub.price_of(request.draft() if request else draft, model)
        seconds, note = price.seconds, price.source_text
        pricing, schema = hub.hub.pricing(draft, model)[0], model.request_schema if model else None
        if not seconds and keeps_length(draft, schema):
            note = rate_text(draft, pricing, free=price.source == "free", schema=schema)
        return Verdict(
            tuple(problems),
            str(price),
            seconds,
            request,
            note,
            price.total,
            self._offers(request.draft() if request else draft),
            hub.label,
            self._uploads_note(hub, draft),
        )

    def _offers(self, draft: Mapping[str, Any]) -> tuple[HubOffer, ...]:
        """Return the providers that can be used, each with its price; a second local hub is not offered."""
        connection, model = self._session.connection, str(draft.get("model", TARGET))
        hubs = [each for each in map(connection.named, connection.labels) if not each.free]
        if len(hubs) < 2:
            return ()
        priced = [(each, each.price_of(draft, each.catalogue.known(model))) for each in hubs if each.hub.serves(model)]
        return tuple(HubOffer(each.label, each.title, str(price)) for each, price in priced)

    def _uploads_note(self, hub: ConnectedHub, draft: Mapping[str, Any]) -> str:
        if hub.free or not hub.hub.uploads_are_public or all(asset.url for _, asset in assets_in(dict(draft))):
            return ""
        return f"Local files are uploaded to {hub.title}, where anyone who has their address can see them."

    def earlier(self, request: Request, /) -> EarlierResult | None:
        """Return the newest clip of the same request at this hub, or the job that is generating it."""
        hub = self._session.connection.of(request)
        found = self._session.store.made([request_hash(request)], hub.name)
        if not found:
            return None
        record = self._session.store.get(next((one for one in reversed(found) if one.done), found[-1]).id)
        when = format_time(record.times.created)
        if not record.ended:
            return EarlierResult(record.id, f"The same request has been running since {when}.", ended=False)
        text = f"Generated before, on {when}" if len(found) == 1 else f"Generated {len(found)} times, last on {when}"
        return EarlierResult(
            record.id, f"{text} · {price_of(record)}", self._session.display.links.poster(record, SHEET_BYTES) or ""
        )

    def card(self, record_id: str, /) -> Mapping[str, Any]:
        """Return a record's card as a mimebundle."""
        return card_bundle(self._session.store.get(record_id), self._session.display.links)

    def money(self) -> str:
        """Return today's spending and the rest of the tightest budget; empty where everything is free."""
        if self._settings.local:
            return ""
        budget, notebook = self._session.store.budget, notebook_path()
        limits, spent = budget.limits(), budget.counted(Scope("day", Decimal(0)))
        given: dict[Name, Decimal | None] = {"day": limits.day, "notebook": limits.notebook, "total": limits.total}
        of: dict[Name, str] = {"notebook": notebook.name} if notebook else {}
        scopes = [Scope(name, limit, of.get(name)) for name, limit in given.items() if limit is not None]
        left = [(max(Decimal(0), scope.limit - budget.counted(scope)), scope.label) for scope in scopes]
        parts = [f"{format_money(spent)} spent today"] if spent else []
        parts += [f"{format_money(amount)} left of {label}" for amount, label in sorted(left)[:1]]
        return " · ".join(parts)

    def confirm_above(self) -> Decimal | None:
        """Return the price above which to ask for confirmation, None for never."""
        return Options(self._session.store).confirm_above

    def generate(self, request: Request, /) -> Sequence[Job]:
        """Start the jobs of a request, which cost money on the real hub; return immediately."""
        return generation.start(self._session, request)

    def preview(self, request: Request, /) -> Sequence[Job]:
        """Start one free preview on the local hub; return immediately."""
        return generation.start(self._session, request.model_copy(update={"num_generations": 1}), "preview")

    def _catalogue(self, hub: str, model: str) -> Catalogue:
        return self._hub_of({"hub": hub, "model": model}).catalogue

    def _hub_of(self, fields: Mapping[str, Any]) -> ConnectedHub:
        label, model = fields.get("hub"), str(fields.get("model", TARGET))
        try:
            return self._session.connection.choose(label if isinstance(label, str) and label else None, model)
        except errors.RequestError:  # it is reported at its field
            return self._session.connection.selected

    def compare_models(self, messages: Messages, jobs: JobArea, fields_of: Callable[..., Mapping[str, Any]], /) -> None:
        """Answer the messages of a panel's *Several models*."""
        SeveralModels(messages, self._session, jobs, fields_of=fields_of, confirm_above=self.confirm_above)

    def watch_hub(self, callback: Callable[[Banner], None], /) -> None:
        """Call `callback` immediately with the selected hub, and again from the loop's thread when it has answered."""
        connecting = Banner(f"{self._host} · live", detail="Loading the catalogue…")
        callback(_LOCAL if self._settings.local else connecting)
        self._session.loop.submit(self._connect(callback))

    def code(self, request: Request, flavour: Flavour, flow: Flow, /) -> Snippet:
        """Return the request as code for its hub; for the real one in place of a local one, whose address changes."""
        hub = self._session.connection.of(request)
        provider = hub.hub.provider
        setting = provider if hub.free or hub.label == provider else f"{provider}+{hub.label}"
        return snippet(request, flavour, flow, hub=setting)

    async def _connect(self, callback: Callable[[Banner], None]) -> None:
        try:
            await self._session.connection.catalogue.models()
        except errors.HubError as exc:
            what = "key rejected" if isinstance(exc, errors.AuthError) else "no answer"
            callback(Banner(f"{self._host} · {what}", "error", str(exc)))
        else:
            detail = f"API key from {self._session.connection.selected.key_source or 'an unknown source'}"
            callback(_LOCAL if self._settings.local else Banner(f"{self._host} · live", "live", detail))

    @property
    def _host(self) -> str:
        return self._session.connection.selected.title


_LOCAL = Banner(
    "Local hub · free animatics",
    "local",
    "No API key is set, so a small server on this machine draws an animatic of each request. "
    "Set OXEN_API_KEY or FAL_KEY to use the real model.",
)
