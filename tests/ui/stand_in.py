"""A stand-in for the studio behind a panel: real rules and prices, jobs that only pretend.

The panel's own tests need jobs that stop where the test wants them; the real studio is tested with the real hub.
"""

from __future__ import annotations

import asyncio
import contextvars
import datetime
import itertools
import tempfile
import threading
from dataclasses import replace

from kling_nb.code import snippet
from kling_nb.errors import KlingError, ModelNotFound, Unreachable
from kling_nb.hubs.catalogue import Catalogue, bundled
from kling_nb.models.catalogue import alternatives
from kling_nb.models.lint import parse
from kling_nb.models.price import estimate
from kling_nb.models.progress import Progress
from kling_nb.models.record import Failure
from kling_nb.ui.panel.controller import Banner, Verdict
from kling_nb.ui.panel.models import ModelsController


def now():
    return datetime.datetime.now(datetime.UTC)


class Engine:
    """One loop on one daemon thread, as the real engine has it."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def submit(self, coroutine):
        empty = contextvars.Context()  # as the engine does: nothing is tied to the cell that happens to run
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
        self.progress = Progress(
            self.id, "queued", title, "kling", moment, moment, expected=expected, price=price, preview=preview
        )

    def subscribe(self, listener):
        self.listeners.append(listener)
        listener(self.progress)
        return lambda: self.listeners.remove(listener)

    def become(self, status, **changes):
        """Change state on the engine's thread, or here when there is none."""
        if self.engine is None:
            self._become(status, changes)
        else:
            self.engine.call(self._become, status, changes)

    def _become(self, status, changes):
        self.progress = replace(self.progress, status=status, since=now(), **changes)
        for listener in list(self.listeners):
            listener(self.progress)

    def fail(self, message, remedy=""):
        self.become("failed", failure=Failure(kind="job", message=message, remedy=remedy))

    def cancel(self):
        self.cancels += 1
        self.become("cancelled")

    def card(self):
        return {
            "text/html": f"<div class='stand-in-card'>card of {self.id}</div>",
            "text/plain": f"card of {self.id}",
            "application/vnd.kling-nb.record+json": {"id": self.id},
        }


class Source:
    """The hub's catalogue as a test wants it: the bundled one, without the models in `gone`, with other `schemas`."""

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
    """Carries out what is submitted on the spot."""

    def submit(self, coroutine):
        asyncio.run(coroutine)


class Studio:
    """What `Panel` asks for. Fields: `local` (free or priced), `fault` (raised by generate), `started`."""

    def __init__(self, *, local=False, engine=None):
        self.local, self.engine = local, engine
        self.fault: KlingError | None = None
        self.started: list[Job] = []
        self.kept = None
        self.earlier, self.threshold = {}, None
        self.coded = 0
        self.expected = None
        self.tell = lambda banner: None
        self._folder = None
        self.source = Source()
        self.catalogue = Catalogue(self.source)
        self.choosing = ModelsController(self.catalogue, engine or Here())

    def check(self, fields):
        request, problems = parse(fields, self.catalogue.known(fields.get("model", "")))
        cost = estimate({"model": "kling-video-o3-pro-reference-to-video", **fields}, free=self.local)
        note = "" if self.local else "documentation’s price of 2026-11-22"
        return Verdict(tuple(problems), str(cost), cost.seconds, request, note, cost.total)

    def before(self, request):
        return self.earlier.get(request.prompt)

    def card(self, record_id):
        return {"text/html": f"<div class='stand-in-card'>card of {record_id}</div>", "text/plain": record_id}

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

    def banner_later(self, callback):
        self.tell = callback
        callback(Banner("Local hub · free" if self.local else "hub.oxen.ai", "local" if self.local else "live", ""))

    def code(self, request, flavour, flow):
        self.coded += 1
        return snippet(request, flavour, flow)

    @property
    def keeping(self):
        """The real one, over a log of its own."""
        from kling_nb.notebook.links import Links
        from kling_nb.render import small_poster, small_thumbnail
        from kling_nb.store import Log
        from kling_nb.ui.library import Elements, Presets
        from kling_nb.ui.panel.saved import SavedController

        self._folder = self._folder or tempfile.TemporaryDirectory()
        store = Log(self._folder.name)
        links = Links(store.folder, store.folder, store.file, small_poster, small_thumbnail)
        presets = Presets(store, links, lambda record: record.request())
        return SavedController(presets, Elements(store, links), store, links)

    def keep_draft(self, fields):
        self.kept = fields

    def kept_draft(self):
        return None
