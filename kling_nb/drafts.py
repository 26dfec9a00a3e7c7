"""`Drafts`: what is being written in the panels of this log's notebooks, found again after a restart."""

from __future__ import annotations

import asyncio
import datetime
import logging
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from kling_nb.errors import LogError
from kling_nb.logbook.store import Log
from kling_nb.loop import BackgroundLoop
from kling_nb.models import restore
from kling_nb.notebook import cell_id, notebook_path

logger = logging.getLogger(__name__)

_KIND, _AFTER = "draft", 1.0


class Place(NamedTuple):
    """Where a draft was written: a notebook's file name, and a cell's id where the frontend tells it."""

    file: str
    cell: str

    def __str__(self) -> str:
        return f"{self.file}/{self.cell}" if self.cell else self.file  # no file's name has a slash

    @classmethod
    def named(cls, name: str) -> Place:
        """Return the place of this name."""
        file, _, cell = name.partition("/")
        return cls(file, cell)


class Drafts:
    """The drafts in a log, each at its place. A cell keeps its id when its notebook is renamed, moved or copied."""

    def __init__(self, store: Log, loop: BackgroundLoop) -> None:
        self._store, self._loop = store, loop
        self._open = set[Place]()

    def here(self) -> Draft:
        """Return the draft of the panel that the running cell makes."""
        notebook = notebook_path()
        here = Place(notebook.name if notebook else "", cell_id())
        kept = None
        try:
            kept = self._kept(here)
        except LogError as exc:
            _unreadable(exc)
        self._open.add(here)
        return Draft(self._store, self._loop, str(here), kept)

    def _kept(self, here: Place) -> Mapping[str, Any] | None:
        """What was kept at this place; else for this cell in a notebook of another name; else the last of this notebook
        that no panel of this kernel has and that did not go on elsewhere: its cell may be gone.
        """
        places = [Place.named(name) for name in self._store.kept_names(_KIND)]
        if here in places:
            return self._at(here)
        cells = Counter(place.cell for place in places)
        if here.cell in cells and here.cell:
            kept = self._newest(place for place in places if place.cell == here.cell)
            self._store.keep(_KIND, str(here), kept)
            return kept
        stayed = (place for place in places if place.file == here.file and (not place.cell or cells[place.cell] == 1))
        return self._newest(place for place in stayed if place not in self._open)

    def _newest(self, places: Iterable[Place]) -> Mapping[str, Any] | None:
        return max(map(self._at, places), key=lambda kept: kept.get("at", ""), default=None)

    def _at(self, place: Place) -> Mapping[str, Any]:
        return self._store.kept(_KIND, str(place)) or {}


class Draft:
    """What is being written in one panel, and what was there when it began."""

    def __init__(self, store: Log, loop: BackgroundLoop, name: str, kept: Mapping[str, Any] | None) -> None:
        self._store, self._loop, self._name, self._before = store, loop, name, kept
        self._lock = threading.Lock()  # drafts come from any thread, and are put away on the loop
        self._newest: dict[str, Any] | None = None
        self._last: dict[str, Any] | None = None
        self._saving = False

    def kept(self) -> Mapping[str, Any] | None:
        """Return what was being written; None when nothing was, or a picture of it is gone."""
        if not self._before:
            return None
        try:
            self._last = restore.taken_out(self._before, self._store.read)
        except LogError as exc:
            _unreadable(exc)
            return None
        return self._last

    def keep(self, fields: dict[str, Any]) -> None:
        """Keep what is being written, a moment after the last keystroke; what it opened with is nobody's writing."""
        with self._lock:
            if self._last is None:
                self._last = fields
            self._newest = fields
            begins, self._saving = not self._saving, True
        if begins:
            self._loop.submit(self._save())

    async def _save(self) -> None:
        """Put away the newest, again for what came meanwhile: one after the other, so that the last one stays."""
        while (fields := await self._settled()) is not None:
            try:
                await asyncio.to_thread(self._put_away, fields)
            except LogError as exc:
                logger.warning("the panel's draft could not be kept: %s", exc)
            except Exception:  # whatever it was, the next draft is to be kept
                logger.exception("the panel's draft could not be kept")

    async def _settled(self) -> dict[str, Any] | None:
        """The newest a moment later; None when there is no other than the one that was put away."""
        with self._lock:
            self._saving = self._newest is not None
            if not self._saving:
                return None
        await asyncio.sleep(_AFTER)
        with self._lock:
            fields, self._newest = self._newest, None
        return fields

    def _put_away(self, fields: dict[str, Any]) -> None:
        if fields == self._last:
            return
        now = datetime.datetime.now(datetime.UTC).isoformat()
        self._store.keep(_KIND, self._name, {**restore.put_away(fields, self._store.keep_reference), "at": now})
        self._last = fields


def _unreadable(why: LogError) -> None:
    logger.warning("the panel's draft could not be read: %s", why)
