"""Finished cards in a cell: static HTML that needs no kernel, and an Output widget for pages that were reloaded.

A reloaded page forgets its display IDs, so that updates of them are lost (jupyter.md section 3), while widgets survive.
After a reload all cards are therefore in an Output widget too: the kernel does not know which of the two the page has.
The first page hides the widget's cards; a later page hides those that it has from the notebook's file. In Voila display
IDs stop working when a cell has ended, so each of its pages is treated like a reloaded one.
"""

from __future__ import annotations

import threading
import time
import uuid
import weakref
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

from IPython.display import display, update_display

from kling_nb.notebook.location import frontend
from kling_nb.render.card import RECORD_TYPE
from kling_nb.render.page import stack_cards
from kling_nb.ui.marimo import late_cards

if TYPE_CHECKING:
    from kling_nb.engine.job import Job
    from kling_nb.ui.messages import Messages

Bundle = dict[str, Any]
LATE_CLASS = "kn-late"


class Shown(Protocol):
    """A displayed view with jobs."""

    @property
    def jobs(self) -> Sequence[Job]: ...
    def publish(self) -> None: ...


#: All displayed views with jobs, for `publish`.
SHOWN: weakref.WeakSet[Shown] = weakref.WeakSet()


def publish(jobs: Sequence[Job]) -> None:
    """Put the final cards into every cell that shows these jobs, panels included, from this thread.

    A headless run keeps only the outputs that the waiting cell sends (jupyter.md section 3), so the waiting thread
    calls this.
    """
    ids = {job.id for job in jobs}
    for view in list(SHOWN):
        if ids & {job.id for job in view.jobs}:
            view.publish()


class Pages:
    """The browser pages that show a widget, by the ID that each sends."""

    def __init__(self) -> None:
        self.updates = frontend().updates
        self._first: str | None = None if self.updates else "no page"
        self.reattached = not self.updates

    def seen(self, page: str) -> bool:
        """Note a page; return whether it is the first one."""
        self._first = self._first or page
        self.reattached = self.reattached or page != self._first
        return page == self._first


class Outlet:
    """Finished cards, newest first, wherever the outlet is shown. Cards may be added from any thread.

    `offline` is HTML under the cards for a notebook without its kernel; the live view hides it.
    """

    def __init__(self, offline: str) -> None:
        self._empty: Bundle = {"text/html": offline, "text/plain": ""}
        self.late = late_cards()
        self.late.add_class(LATE_CLASS)
        self.pages = Pages()
        self._lock = threading.RLock()
        self._cards: dict[str, Bundle] = {}
        self._order: dict[str, None] = {}
        self._marks: dict[str, str] = {}
        self._displays: list[str] = []

    def show(self) -> None:
        """Display the cards here, and those that follow."""
        if not self.pages.updates:  # they are in the Output widget
            return
        display_id = uuid.uuid4().hex
        with self._lock:
            display(self._bundle(), raw=True, display_id=display_id)
            self._displays.append(display_id)

    def expect(self, names: Iterable[str]) -> None:
        """Fix the places of cards that come later, the last one on top: the order of the rows, not of the ends."""
        with self._lock:
            self._order |= dict.fromkeys(names)

    def add(self, name: str, card: Bundle, mark: str = "") -> None:
        """Put a card in its place, or on top if it has none, unless the same one is there already."""
        bundle = {**card, "text/html": f"<div data-kling-card='{escape(mark or name)}'>{_html(card)}</div>"}
        with self._lock:
            if self._cards.get(name) == bundle:
                return
            self.expect([name])
            self._cards[name] = bundle
            self._marks[name] = mark or name
            self.publish()
            self._update_late()

    def seen(self, page: str) -> bool:
        """Note a page that shows the cards; return whether it is the first one."""
        first = self.pages.seen(page)
        self._update_late()
        return first

    def publish(self) -> None:
        """Send the cards again, from this thread; harmless when repeated."""
        with self._lock:
            for display_id in self._displays if self._cards else ():
                update_display(self._bundle(), raw=True, display_id=display_id)

    @property
    def cards(self) -> list[Bundle]:
        """The cards, newest first."""
        with self._lock:
            return [self._cards[name] for name in self._shown()]

    def _shown(self) -> list[str]:
        return [name for name in reversed(self._order) if name in self._cards]

    def _update_late(self) -> None:
        with self._lock:
            if self.pages.reattached:
                cards = [_hidden_twice(self._marks[name], self._cards[name]) for name in self._shown()]
                outputs = tuple(map(as_output, cards))
                if outputs != self.late.outputs:
                    self.late.outputs = outputs

    def _bundle(self) -> Bundle:
        cards = joined(self.cards) if self._cards else {}
        return {**self._empty, **cards, "text/html": _html(cards) + self._empty["text/html"]}


def update_page(messages: Messages, page: object, rows: Any, late: Any, *, first: bool) -> None:
    """Tell a page the kernel's time, and after a reload also what it may have missed (jupyter.md section 3)."""
    messages.send("clock", page=page, now=time.time(), first=first)
    if not first:
        rows.send_state("rows")
        late.send_state({"outputs", "html"}.intersection(late.keys))


def joined(cards: Sequence[Bundle]) -> Bundle:
    """Return several cards as one bundle: their HTML and text one after the other, their JSON as a list."""
    if len(cards) == 1:
        return dict(cards[0])
    kinds = dict.fromkeys(kind for card in cards for kind in card)
    whole = {kind: _joined(kind, [card[kind] for card in cards if kind in card]) for kind in kinds}
    failed = [index for index, card in enumerate(cards) if _failed(card)]
    return whole | {"text/html": stack_cards([_html(card) for card in cards], failed)}


def _failed(card: Bundle) -> bool:
    records = card.get(RECORD_TYPE, ())
    return any(each.get("status") == "failed" for each in (records if isinstance(records, list) else [records]) if each)


def _joined(kind: str, parts: Iterable[Any]) -> Any:
    if kind.startswith("text/"):
        return "\n".join(map(str, parts))
    return [each for part in parts for each in (part if isinstance(part, list) else [part])]


def _html(card: Bundle) -> str:
    return str(card.get("text/html", ""))


def _hidden_twice(name: str, card: Bundle) -> Bundle:
    """Return a card that is hidden where the cell already contains the same one."""
    mark = f'[data-kling-card="{escape(name)}"]'
    twice = f".jp-OutputArea:has({mark}:not(.{LATE_CLASS} *)) .{LATE_CLASS} .jp-OutputArea-child:has({mark})"
    return {**card, "text/html": f"<style>{twice}{{display:none}}</style>{card['text/html']}"}


def as_output(bundle: Bundle) -> dict[str, Any]:
    """Return a bundle as an output of a cell."""
    return {"output_type": "display_data", "data": bundle, "metadata": {}}


class Note:
    """A line with its own display ID; the live view hides it, and removes it in the end."""

    def __init__(self) -> None:
        self._display_id, self._shown = uuid.uuid4().hex, False

    def show(self, html: str, more: Bundle | None = None) -> None:
        """Display the line here, with `more` in its MIME bundle."""
        if frontend().updates:
            bundle = {"text/html": html, "text/plain": "", **(more or {})}
            display(bundle, raw=True, display_id=self._display_id)
            self._shown = True

    def remove(self) -> None:
        """Remove the line; harmless when repeated."""
        if self._shown:
            update_display({"text/html": "<div></div>", "text/plain": ""}, raw=True, display_id=self._display_id)
