"""What the panel's buttons do: `views.actions.PanelController` over a studio's parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from kling_nb import errors
from kling_nb.code import Flavour, Flow, Snippet, snippet
from kling_nb.connection import Connection
from kling_nb.engine.job import Job
from kling_nb.engine.loop import BackgroundLoop
from kling_nb.models.canonical import request_hash
from kling_nb.models.lint import parse
from kling_nb.models.price import keeps_length, rate_text
from kling_nb.models.problem import Problem
from kling_nb.models.record import Kind
from kling_nb.models.request import TARGET, Request
from kling_nb.notebook.links import Links
from kling_nb.preferences import Options
from kling_nb.render import card_bundle
from kling_nb.render.formatting import format_time, price_of
from kling_nb.settings import KEY, REAL_HUB, Settings
from kling_nb.store.log import Log
from kling_nb.ui.panel.drafts import Draft
from kling_nb.ui.panel.models import ModelsController
from kling_nb.ui.panel.saved import SavedController

Tone = Literal["local", "live", "trouble"]


@dataclass(frozen=True)
class Verdict:
    """What there is to say about a draft: its problems, what it costs, and the request that it makes (or None)."""

    problems: tuple[Problem, ...] = ()
    price: str = ""
    seconds: int = 0
    request: Request | None = None
    price_note: str = ""
    total: Decimal | None = None
    """The price in dollars, zero where it is free, None where nobody says."""


@dataclass(frozen=True)
class Before:
    """The newest clip of the same request in the log, or the job that makes it just now; `poster` is a data URI."""

    id: str
    text: str
    poster: str = ""
    ended: bool = True


@dataclass(frozen=True)
class Banner:
    """Which hub answers: a few words, and a longer line for whoever asks."""

    text: str
    tone: Tone = "local"
    detail: str = ""


class PanelController:
    """Checks, starts and keeps what one panel holds. `start` begins the jobs of a request."""

    def __init__(
        self,
        settings: Settings,
        connection: Connection,
        store: Log,
        loop: BackgroundLoop,
        start: Callable[[Request, Kind], list[Job]],
        keeping: SavedController,
        choosing: ModelsController,
        links: Links,
        draft: Draft,
    ) -> None:
        self._settings, self._connection, self._store = settings, connection, store
        self._loop, self._start = loop, start
        self.keeping: SavedController = keeping
        self.choosing: ModelsController = choosing
        self._links, self._draft = links, draft

    def check(self, fields: dict[str, Any], /) -> Verdict:
        """Judge what the panel holds from what is known, without asking the hub."""
        model = self._connection.catalogue.known(str(fields.get("model", TARGET)))
        request, problems = parse(fields, model)
        draft = {"model": TARGET, **fields}
        price = self._connection.price_of(request.draft() if request else draft, model)
        if keeps_length(draft, model.request_schema if model else None) and not price.seconds:
            note = rate_text(draft, model.pricing if model else None, free=price.source == "free")
            return Verdict(tuple(problems), str(price), 0, request, note, price.total)
        return Verdict(tuple(problems), str(price), price.seconds, request, price.source_text, price.total)

    def before(self, request: Request, /) -> Before | None:
        """Return the newest clip of the same request at this hub, or the job that makes it just now."""
        hub = self._connection.main.name
        made = self._store.cells.made([request_hash(request)], hub)
        if not made:
            return None
        record = self._store.get((next((one for one in reversed(made) if one.done), made[-1])).id)
        when = format_time(record.times.created)
        if not record.ended:
            return Before(record.id, f"The same request is under way, since {when}.", ended=False)
        times = f"Made before, {when}" if len(made) == 1 else f"Made {len(made)} times before, last {when}"
        return Before(record.id, f"{times} · {price_of(record)}", self._links.poster(record) or "")

    def card(self, record_id: str, /) -> Mapping[str, Any]:
        """Return a record's card."""
        return card_bundle(self._store.get(record_id), self._links)

    def confirm_above(self) -> Decimal | None:
        """Return the price above which to ask once more."""
        return Options(self._store).confirm_above

    def generate(self, request: Request, /) -> Sequence[Job]:
        """Start paid jobs."""
        return self._start(request, "result")

    def preview(self, request: Request, /) -> Sequence[Job]:
        """Start the free animatic."""
        return self._start(request.model_copy(update={"num_generations": 1}), "preview")

    def banner_later(self, callback: Callable[[Banner], None], /) -> None:
        """Say at once which hub is meant, and once more when it has answered."""
        callback(
            _LOCAL if self._settings.local else Banner(f"{self._host} · live", detail="asking for its catalogue …")
        )
        self._loop.submit(self._look(callback))

    def code(self, request: Request, flavour: Flavour, flow: Flow, /) -> Snippet:
        """Write the request as code: for the real hub while the local one answers, whose address changes."""
        return snippet(request, flavour, flow, hub=REAL_HUB if self._settings.local else self._settings.hub)

    def keep_draft(self, fields: dict[str, Any], /) -> None:
        """Keep what is being written, a moment after the last keystroke."""
        self._draft.keep(fields)

    def kept_draft(self) -> Mapping[str, Any] | None:
        """What was being written in this panel's cell before; None when nothing was kept or a picture of it is gone."""
        return self._draft.kept()

    async def _look(self, callback: Callable[[Banner], None]) -> None:
        try:
            await self._connection.catalogue.models()
        except errors.HubError as exc:
            callback(Banner(f"{self._host} · no answer", "trouble", str(exc)))
        else:
            detail = f"key from {self._settings.sources.get(KEY, 'nowhere')}"
            callback(_LOCAL if self._settings.local else Banner(f"{self._host} · live", "live", detail))

    @property
    def _host(self) -> str:
        return "Local hub" if self._settings.local else self._settings.hub.partition("://")[2]


_LOCAL = Banner(
    "Local hub · free animatics",
    "local",
    "No key is set, so a small server on this machine draws each request as an animatic. "
    "Set OXEN_API_KEY for the real model.",
)
