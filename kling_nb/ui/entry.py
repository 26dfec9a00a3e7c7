"""The views that a studio opens: panel, gallery, comparison and votes."""

from __future__ import annotations

import contextlib
import getpass
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kling_nb.errors import ArgumentTypeError, KlingError
from kling_nb.models.record import Record
from kling_nb.models.request import Request
from kling_nb.models.restore import available_fields
from kling_nb.notebook.location import where_views_live
from kling_nb.scoring.ballot import Ballot
from kling_nb.selection import RecordsLike, Selected, Selection, records_of
from kling_nb.ui.compare import CompareView, VoteView
from kling_nb.ui.gallery.controller import GalleryController
from kling_nb.ui.gallery.gallery import Gallery
from kling_nb.ui.panel.controller import PanelController
from kling_nb.ui.panel.panel import Panel
from kling_nb.ui.panel.saved import missing_notes

if TYPE_CHECKING:
    from kling_nb.session import Session

#: One word: a record ID, and never code.
_ID = re.compile(r"[\w.-]+")


def panel(session: Session, source: Any) -> Panel:
    """Return a panel, filled from a request in any form; see `Studio.panel`."""
    missing = list[str]()
    if isinstance(source, str) and _ID.fullmatch(source.strip()):
        source = session.store.get(source.strip())
    source = getattr(source, "record", source)  # a clip or a job
    if isinstance(source, Record):
        record = source
        source, missing = available_fields(record, session.store.read)
        if missing:  # a record of another log, which has the images
            with contextlib.suppress(KlingError):
                source, missing = record.request(), []
    elif not (source is None or isinstance(source, Request | Mapping | str)):
        raise ArgumentTypeError(f"Cannot open a panel from {type(source).__name__}.")
    if isinstance(source, Mapping):
        source = session.connection.named_fields(source)
    if (where := where_views_live()) and not hasattr(sys, "ps1"):  # a script; a terminal shows the panel's text
        print(f"kling_nb: {where}", file=sys.stderr)
    return Panel(
        PanelController(session),
        source,
        missing_notes(missing),
        new_gallery=lambda: Gallery(GalleryController(session), {"kind": None}),
    )


def gallery(session: Session, selection: Selection) -> Gallery:
    """Return a gallery of a selection; see `Studio.gallery`."""
    if not isinstance(selection, Selection):  # pyright: ignore[reportUnnecessaryIsInstance]  # `kn.log` takes records too
        raise ArgumentTypeError("A gallery shows what passes its filters, not given records. See kn.compare(records).")
    return Gallery(GalleryController(session), selection.filters)


def compare(session: Session, clips: Sequence[RecordsLike]) -> CompareView:
    """Return a player for several clips; see `Studio.compare`."""
    controller = GalleryController(session)
    return CompareView(controller.comparison(records_of(session, clips)), session.store.clip, controller.use_frame)


def vote(session: Session, selection: Selected, who: str | None, seed: int | None) -> VoteView:
    """Return the view for blind votes; see `Selected.vote`."""
    store = session.store
    ballot = Ballot(selection.records(), store.votes, who=who or getpass.getuser(), seed=seed)
    return VoteView(ballot, store.clip)
