"""`SavedDraft`: a panel's draft, saved in the log by notebook and cell and restored after a kernel restart."""

from __future__ import annotations

import asyncio
import datetime
import logging
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from kling_nb.errors import LogError
from kling_nb.models import restore
from kling_nb.notebook.location import cell_id, notebook_path

if TYPE_CHECKING:
    from kling_nb.engine.loop import BackgroundLoop
    from kling_nb.store.log import Log

logger = logging.getLogger(__name__)

_KIND = "draft"
#: Seconds between an edit and its saving.
_DELAY = 1.0


class SavedDraft:
    """The draft of the panel that the running cell opens."""

    def __init__(self, store: Log, loop: BackgroundLoop) -> None:
        self._store, self._loop, self._place = store, loop, Place.current()
        self._lock = threading.Lock()  # drafts come from any thread and are saved on the loop
        self._stored: dict[str, Any] | None = None
        self._pending: dict[str, Any] | None = None
        self._saving = False

    def load(self) -> Mapping[str, Any] | None:
        """Return the draft that was saved here; None when there is none or one of its images is missing."""
        try:
            found = self._find()
            fields = restore.deserialize_fields(found, self._store.read) if found else None
        except LogError as exc:
            logger.warning("The panel's draft could not be loaded: %s", exc)
            return None
        if fields is not None:
            with self._lock:
                self._stored = fields
        return fields

    def save(self, fields: dict[str, Any]) -> None:
        """Save a draft, a moment after the last edit. The first call only notes what the panel opens with."""
        with self._lock:
            if self._stored is None:
                self._stored = fields
                return
            self._pending = fields
            starts, self._saving = not self._saving, True
        if starts:
            self._loop.submit(self._save_pending())

    def _find(self) -> Mapping[str, Any] | None:
        """Return the newest draft of this cell in this notebook, or of this notebook if no cell ID is known.

        Otherwise, return the newest draft of this cell in a notebook of another name: a cell keeps its ID when the
        file is renamed, moved or copied.
        """
        places = [Place.parse(name) for name in self._store.values.names(_KIND)]
        file, cell = self._place
        same_file = [place for place in places if place.file == file and (not cell or place.cell in (cell, ""))]
        same_cell = [place for place in places if cell and place.cell == cell]
        drafts: dict[Place, dict[str, Any]] = {
            place: self._store.values.load(_KIND, str(place)) or {} for place in same_file or same_cell
        }
        newest = max(drafts, key=lambda place: drafts[place].get("at", ""), default=None)
        if newest is None:
            return None
        if newest == (file, "") and cell:  # from now on it belongs to this cell, not to every cell of the notebook
            with suppress(LogError):  # the draft was found; moving it can wait
                self._store.values.save(_KIND, str(self._place), drafts[newest])
                self._store.values.delete(_KIND, str(newest))
        return drafts[newest]

    async def _save_pending(self) -> None:
        """Save the pending draft, and again the one that came meanwhile: in order, so that the last one wins."""
        while (fields := await self._next()) is not None:
            try:
                await asyncio.to_thread(self._write, fields)
            except LogError as exc:
                logger.warning("The panel's draft could not be saved: %s", exc)
            except Exception:  # whatever it was, the next draft must be saved
                logger.exception("The panel's draft could not be saved.")

    async def _next(self) -> dict[str, Any] | None:
        """Wait for the delay and return the pending draft; None when there is none."""
        with self._lock:
            self._saving = self._pending is not None
            if not self._saving:
                return None
        await asyncio.sleep(_DELAY)
        with self._lock:
            fields, self._pending = self._pending, None
        return fields

    def _write(self, fields: dict[str, Any]) -> None:
        if fields == self._stored:
            return
        now = datetime.datetime.now(datetime.UTC).isoformat()
        saved = restore.serialize_fields(fields, self._store.add_reference)
        self._store.values.save(_KIND, str(self._place), {**saved, "at": now})
        self._stored = fields


class Place(NamedTuple):
    """The notebook's file name, and the cell's ID where the front end provides it."""

    file: str
    cell: str

    def __str__(self) -> str:
        return f"{self.file}/{self.cell}" if self.cell else self.file  # a file name contains no slash

    @classmethod
    def parse(cls, name: str) -> Place:
        """Return the place with this name."""
        file, _, cell = name.partition("/")
        return cls(file, cell)

    @classmethod
    def current(cls) -> Place:
        """Return the place of the running cell."""
        notebook = notebook_path()
        return cls(notebook.name if notebook else "", cell_id())
