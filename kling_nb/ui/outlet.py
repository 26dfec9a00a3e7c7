"""Where finished cards go: static HTML that needs no kernel, and a second place for pages that were reloaded.

A page that is reloaded forgets its display ids, so that updates of them are lost (JUPYTER.md section 3), while
widgets live on. From then on all cards are also in an Output widget, since nobody here knows which of them came while
no page was there, or were never saved. The page that was there first hides them; a later one hides those that it has
from the notebook's file. Voila knows no display ids when a cell has ended: each of its pages is like one that was
reloaded.
"""

from __future__ import annotations

import threading
import uuid
import weakref
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any, Protocol

import ipywidgets
from IPython.display import display, update_display

from kling_nb.models.progress import Progress
from kling_nb.notebook.location import frontend
from kling_nb.render import RECORD_TYPE, stacked

Bundle = dict[str, Any]
LATE_CLASS = "kn-late"
#: All that shows jobs on some screen, for `publish`.
SHOWN: weakref.WeakSet[Shown] = weakref.WeakSet()


class JobLike(Protocol):
    """A job as the views see it."""

    @property
    def id(self) -> str:
        """What the job is called in the log."""
        ...

    @property
    def progress(self) -> Progress:
        """How it stands now."""
        ...

    def subscribe(self, listener: Callable[[Progress], None], /) -> Callable[[], None]:
        """Call `listener` at once and at every change, on the engine's thread; returns what ends that."""
        ...

    def cancel(self) -> Any:
        """Ask the hub to stop it; returns soon, from any thread."""
        ...

    def card(self) -> dict[str, Any]:
        """The static card as a mimebundle, once the job has ended."""
        ...


class Shown(Protocol):
    """Something on a screen that shows jobs."""

    @property
    def jobs(self) -> Sequence[JobLike]: ...
    def publish(self) -> None: ...


class Pages:
    """The browser pages that show a widget, by the id that each sends; tells the first from those that came later."""

    def __init__(self) -> None:
        self.updates = frontend().updates
        self._first: str | None = None if self.updates else "no page"
        self.reattached = not self.updates

    def seen(self, page: str) -> bool:
        """Note a page; return whether it is the one that was there first."""
        self._first = self._first or page
        self.reattached = self.reattached or page != self._first
        return page == self._first


class Outlet:
    """Keeps cards, newest first, wherever it is shown. Cards may be added from any thread.

    `gone` is HTML that stands under them: what to do once the kernel is gone. What lives hides it.
    """

    def __init__(self, gone: str) -> None:
        self._empty: Bundle = {"text/html": gone, "text/plain": ""}
        self.late = ipywidgets.Output()
        self.late.add_class(LATE_CLASS)
        self.pages = Pages()
        self._lock = threading.RLock()
        self._cards: dict[str, Bundle] = {}
        self._places: list[str] = []

    def show(self) -> None:
        """Display the cards here, with those to come."""
        if not self.pages.updates:  # they stand in the Output widget
            return
        place = uuid.uuid4().hex
        with self._lock:
            display(self._bundle(), raw=True, display_id=place)
            self._places.append(place)

    def add(self, name: str, card: Bundle) -> None:
        """Put a card on top; one that is there already is left as it is."""
        with self._lock:
            if name in self._cards:
                return
            self._cards[name] = _marked(name, card)
            self.publish()
            self._put_late()

    def seen(self, page: str) -> bool:
        """Note a page that shows the cards; return whether it is the one that was there first."""
        first = self.pages.seen(page)
        self._put_late()
        return first

    def publish(self) -> None:
        """Send the cards again, from this thread; harmless when repeated."""
        with self._lock:
            for place in self._places if self._cards else ():
                update_display(self._bundle(), raw=True, display_id=place)

    @property
    def cards(self) -> list[Bundle]:
        """The cards, newest first."""
        with self._lock:
            return list(self._cards.values())[::-1]

    def _put_late(self) -> None:
        with self._lock:
            if self.pages.reattached and len(self.late.outputs) < len(self._cards):
                once = [as_output(_once(name, card)) for name, card in self._cards.items()]
                self.late.outputs = tuple(reversed(once))

    def _bundle(self) -> Bundle:
        cards = joined(self.cards) if self._cards else {}
        return {**self._empty, **cards, "text/html": cards.get("text/html", "") + self._empty["text/html"]}


def publish(jobs: Sequence[JobLike]) -> None:
    """Put the final cards into every cell that shows these jobs, panels too, from this thread.

    A headless run keeps only what is sent while the cell runs that waits (JUPYTER.md section 3), so the thread that
    waited calls this.
    """
    ids = {job.id for job in jobs}
    for view in list(SHOWN):
        if ids & {job.id for job in view.jobs}:
            view.publish()


def joined(cards: Sequence[Bundle]) -> Bundle:
    """Return several cards as one bundle: their HTML and text one after the other, their JSON as a list."""
    if len(cards) == 1:
        return dict(cards[0])
    kinds = dict.fromkeys(kind for card in cards for kind in card)
    whole = {kind: _joined(kind, [card[kind] for card in cards if kind in card]) for kind in kinds}
    failed = [at for at, card in enumerate(cards) if card.get(RECORD_TYPE, {}).get("status") == "failed"]
    return whole | {"text/html": stacked([str(card.get("text/html", "")) for card in cards], failed)}


def _joined(kind: str, parts: Iterable[Any]) -> Any:
    return "\n".join(map(str, parts)) if kind.startswith("text/") else list(parts)


def _marked(name: str, card: Bundle) -> Bundle:
    """Return a card that a page can tell from others."""
    return {**card, "text/html": f"<div data-kling-card='{escape(name)}'>{card.get('text/html', '')}</div>"}


def _once(name: str, card: Bundle) -> Bundle:
    """Return a marked card that hides where the same one stands in the cell already."""
    mark = f'[data-kling-card="{escape(name)}"]'
    twice = f".jp-OutputArea:has({mark}:not(.{LATE_CLASS} *)) .{LATE_CLASS} .jp-OutputArea-child:has({mark})"
    return {**card, "text/html": f"<style>{twice}{{display:none}}</style>{card['text/html']}"}


def as_output(bundle: Bundle) -> dict[str, Any]:
    """Return a bundle as an output of a cell."""
    return {"output_type": "display_data", "data": bundle, "metadata": {}}


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
