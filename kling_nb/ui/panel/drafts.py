"""`Draft`: what is being written in a panel, kept in the log at its place and found again after a restart."""

from __future__ import annotations

import asyncio
import datetime
import logging
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from kling_nb.engine.loop import BackgroundLoop
from kling_nb.errors import LogError
from kling_nb.models import restore
from kling_nb.notebook.location import cell_id, notebook_path
from kling_nb.store.log import Log

logger = logging.getLogger(__name__)

_KIND, _AFTER = "draft", 1.0


class Place(NamedTuple):
    """Where a draft is written: a notebook's file name, and the id of a cell where the frontend tells it."""

    file: str
    cell: str

    def __str__(self) -> str:
        return f"{self.file}/{self.cell}" if self.cell else self.file  # no file's name has a slash

    @classmethod
    def named(cls, name: str) -> Place:
        """Return the place of this name."""
        file, _, cell = name.partition("/")
        return cls(file, cell)

    @classmethod
    def here(cls) -> Place:
        """Return the place of the cell that runs."""
        notebook = notebook_path()
        return cls(notebook.name if notebook else "", cell_id())


class Draft:
    """What is being written in the panel that the running cell makes."""

    def __init__(self, store: Log, loop: BackgroundLoop) -> None:
        self._store, self._loop, self._here = store, loop, Place.here()
        self._lock = threading.Lock()  # drafts come from any thread, and are put away on the loop
        self._stored: dict[str, Any] | None = None
        self._pending: dict[str, Any] | None = None
        self._saving = False

    def kept(self) -> Mapping[str, Any] | None:
        """Return what was being written here before; None when nothing was, or a picture of it is gone."""
        try:
            found = self._found()
            fields = restore.deserialize_fields(found, self._store.read) if found else None
        except LogError as exc:
            logger.warning("the panel's draft could not be read: %s", exc)
            return None
        if fields is not None:
            with self._lock:
                self._stored = fields
        return fields

    def keep(self, fields: dict[str, Any]) -> None:
        """Keep what is being written, a moment after the last keystroke; what a panel opens with nobody wrote."""
        with self._lock:
            if self._stored is None:
                self._stored = fields
                return
            self._pending = fields
            begins, self._saving = not self._saving, True
        if begins:
            self._loop.submit(self._save())

    def _found(self) -> Mapping[str, Any] | None:
        """The newest of this cell in this notebook, and of the notebook where a frontend told no cell; else of this
        cell in a notebook of another name: a cell keeps its id when the file is renamed, moved or copied.
        """
        places = [Place.named(name) for name in self._store.value_names(_KIND)]
        file, cell = self._here
        mine = [place for place in places if place.file == file and (not cell or place.cell in (cell, ""))]
        elsewhere = [place for place in places if cell and place.cell == cell]
        kept: dict[Place, dict[str, Any]] = {
            place: self._store.load_value(_KIND, str(place)) or {} for place in mine or elsewhere
        }
        newest = max(kept, key=lambda place: kept[place].get("at", ""), default=None)
        if newest is None:
            return None
        if newest == (file, "") and cell:  # this cell's from now on, and not that of every other cell too
            with suppress(LogError):  # it is here, and can be moved another time
                self._store.save_value(_KIND, str(self._here), kept[newest])
                self._store.delete_value(_KIND, str(newest))
        return kept[newest]

    async def _save(self) -> None:
        """Put away what is pending, again for what came meanwhile: one after the other, so that the last one stays."""
        while (fields := await self._settled()) is not None:
            try:
                await asyncio.to_thread(self._put_away, fields)
            except LogError as exc:
                logger.warning("the panel's draft could not be kept: %s", exc)
            except Exception:  # whatever it was, the next draft is to be kept
                logger.exception("the panel's draft could not be kept")

    async def _settled(self) -> dict[str, Any] | None:
        """What is pending, a moment later; None when there is no other than what was put away."""
        with self._lock:
            self._saving = self._pending is not None
            if not self._saving:
                return None
        await asyncio.sleep(_AFTER)
        with self._lock:
            fields, self._pending = self._pending, None
        return fields

    def _put_away(self, fields: dict[str, Any]) -> None:
        if fields == self._stored:
            return
        now = datetime.datetime.now(datetime.UTC).isoformat()
        self._store.save_value(
            _KIND, str(self._here), {**restore.serialize_fields(fields, self._store.add_reference), "at": now}
        )
        self._stored = fields
