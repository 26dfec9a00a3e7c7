"""A stand-in for the panel's controller: real rules and prices, fake jobs that stop where a test wants them.

The real controller is tested with the real hub, in `tests/engine`.
"""

from __future__ import annotations

import asyncio
import contextvars
import datetime
import io
import itertools
import tempfile
import threading
from dataclasses import replace
from functools import cached_property

from PIL import Image

from kling_nb.code.write import snippet
from kling_nb.errors import KlingError, ModelNotFound, Unreachable
from kling_nb.hubs.catalogue import Catalogue, bundled
from kling_nb.models.catalogue import alternatives
from kling_nb.models.lint import parse
from kling_nb.models.price import estimate
from kling_nb.models.progress import Progress
from kling_nb.models.record import Failure
from kling_nb.notebook.links import Links
from kling_nb.render.images import small_poster, small_thumbnail
from kling_nb.store import Log
from kling_nb.ui.library import Elements, Presets
from kling_nb.ui.panel.controller import Banner, HubOffer, Verdict
from kling_nb.ui.panel.models import ModelsController
from kling_nb.ui.panel.saved import SavedController
from tests.support.records import a_record


def now():
    return datetime.datetime.now(datetime.UTC)


class Engine:
    """One loop on one daemon thread, like the real engine's."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def submit(self, coroutine):
        empty = contextvars.Context()  # like the engine: nothing is tied to the running cell
        return empty.run(asyncio.run_coroutine_threadsafe, coroutine, self.loop)

    def call(self, act, *args):
        self.loop.call_soon_threadsafe(act, *args)


class Job:
    _numbers = itertools.count(1)

    def __init__(self, title, *, preview=False, price="$1.12", expected=None, engine=None):
        moment = now()
        self.id = f"job-{next(Job._numbers)}"
        self.engine = engine
        self.listeners = []
        self.cancels = 0
        self.record = a_record(title, id=self.id, batch=self.id)
        self.progress = Progress(
            self.id, "queued", title, "kling", moment, moment, expected=expected, price=price, preview=preview
        )

    def subscribe(self, listener):
        self.listeners.append(listener)
        listener(self.progress)
        return lambda: self.listeners.remove(listener)

    def become(self, status, **changes):
        """Change the state on the engine's thread, or immediately without an engine."""
        if self.engine is None:
            self._become(status, changes)
        else:
            self.engine.call(self._become, status, changes)

    def _become(self, status, changes):
        self.progress = replace(self.progress, status=status, since=now(), **changes)
        for listener in list(self.listeners):
            listener(self.progress)

    def fail(self, message, remedy="", kind="job"):
        self.become("failed", failure=Failure(kind=kind, message=message, remedy=remedy))

    def cancel(self):
        self.cancels += 1
        self.become("cancelled")

    @property
    def batch(self):
        return self.record.batch

    def card(self, *others):
        return {
            "text/html": f"<div class='stand-in-card'>card of {self.id}</div>",
            "text/plain": f"card of {self.id}",
            "application/vnd.kling-nb.record+json": {"id": self.id},
        }


class Source:
    """The bundled catalogue without the models in `gone`, with the `schemas` given and the `extra` models."""

    def __init__(self):
        self.gone, self.schemas, self.silent, self.extra = set(), {}, False, []

    async def models(self):
        if self.silent:
            raise Unreachable("The hub does not answer.")
        kept = [model for name, model in bundled().items() if name not in self.gone] + self.extra
        return [
            model.model_copy(update={"request_schema": self.schemas.get(model.id, model.request_schema)})
            for model in kept
        ]

    async def model(self, model_id):
        found = next((model for model in await self.models() if model.id == model_id), None)
        if found is None:
            raise ModelNotFound(
                model_id, alternatives=alternatives(model_id, [each.id for each in await self.models()])
            )
        return found


class Here:
    """Runs a submitted coroutine immediately."""

    def submit(self, coroutine):
        asyncio.run(coroutine)


class Draft:
    """A saved draft; `fields` are those saved last, `loaded` those that a panel opens with."""

    fields = loaded = None

    def save(self, fields):
        self.fields = fields

    def load(self):
        return self.loaded


class Studio:
    """A stand-in for `PanelController`.

    Attributes:
        local: Whether everything is free.
        fault: Raised by `generate` if given.
        started: The jobs that were started.
        draft: The saved draft.
        results: Earlier results by prompt.
        checks: The number of calls of `check`.
        lookups: The number of calls of `earlier`.
        offers: The providers to choose from, with their prices; none by default.
    """

    def __init__(self, *, local=False, engine=None):
        self.local, self.engine = local, engine
        self.fault: KlingError | None = None
        self.started: list[Job] = []
        self.draft = Draft()
        self.results, self.threshold, self.pricing = {}, None, None
        self.coded = self.checks = self.lookups = 0
        self.expected = None
        self.offers: dict[str, str] = {}
        self.tell = lambda banner: None
        self.source = Source()
        self.catalogue = Catalogue(self.source)
        self.models = ModelsController(self.catalogue, engine or Here())

    def compare_models(self, messages, jobs, fields_of):
        """Several models are tested with the real hub."""

    def check(self, fields):
        self.checks += 1
        request, problems = parse(fields, self.catalogue.known(fields.get("model", "")))
        cost = estimate(
            {"model": "kling-video-o3-pro-reference-to-video", **fields}, pricing=self.pricing, free=self.local
        )
        note = "" if self.local else "documented price as of 2026-11-22"
        hub = str(fields.get("hub") or next(iter(self.offers), ""))
        hubs = tuple(HubOffer(each, each, price) for each, price in self.offers.items())
        price, uploads = self.offers.get(hub, str(cost)), "Files are public there." if hub == "fal" else ""
        return Verdict(tuple(problems), price, cost.seconds, request, note, cost.total, hubs, hub, uploads)

    def earlier(self, request):
        self.lookups += 1
        return self.results.get(request.prompt)

    def card(self, record_id):
        return {"text/html": f"<div class='stand-in-card'>card of {record_id}</div>", "text/plain": record_id}

    def money(self):
        return ""

    def confirm_above(self):
        return self.threshold

    def generate(self, request):
        if self.fault:
            raise self.fault
        title = getattr(request, "prompt", None) or "3 shots"
        jobs = [Job(title, engine=self.engine, expected=self.expected) for _ in range(request.num_generations)]
        self.started += jobs
        return jobs

    def preview(self, request):
        job = Job(request.prompt or "shots", preview=True, price="free", engine=self.engine)
        self.started.append(job)
        return [job]

    def watch_hub(self, callback):
        self.tell = callback
        callback(Banner("Local hub · free" if self.local else "hub.oxen.ai", "local" if self.local else "live", ""))

    def code(self, request, flavour, flow):
        self.coded += 1
        return snippet(request, flavour, flow)

    @cached_property
    def saved(self):
        """The real one, on a log of its own."""
        store = Log(tempfile.mkdtemp())
        links = Links(store.folder, store.folder, store.media_file, store.read, small_poster, small_thumbnail)
        presets = Presets(store, links)
        return SavedController(presets, Elements(store, links), store, links)


class Clock:
    """A clock that a test sets."""

    now = 50.0

    def __call__(self):
        return self.now


def png(colour="red", size=(400, 300), mode="RGB"):
    """Return a PNG file of one colour."""
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, "PNG")
    return buffer.getvalue()
