"""A line under what lives in a cell, for whoever comes when its kernel is gone."""

from __future__ import annotations

import uuid

from IPython.display import display, update_display

from kling_nb.notebook import frontend


class Note:
    """A calm line in a place of its own; what lives hides it, and takes it back when there is nothing left to say."""

    def __init__(self) -> None:
        self._place, self._stands = uuid.uuid4().hex, False

    def show(self, html: str) -> None:
        """Display it here, where a page of later can find it."""
        if frontend().updates:
            display({"text/html": html, "text/plain": ""}, raw=True, display_id=self._place)
            self._stands = True

    def take_back(self) -> None:
        """Leave nothing of it; harmless when repeated."""
        if self._stands:
            update_display({"text/html": "<div></div>", "text/plain": ""}, raw=True, display_id=self._place)
