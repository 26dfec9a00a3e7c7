"""The views that a studio opens: panel, gallery, comparison and votes; and its presets, elements and options."""

from __future__ import annotations

import getpass
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kling_nb import generation
from kling_nb.errors import ArgumentTypeError, KlingError
from kling_nb.models.record import Record
from kling_nb.models.request import Request
from kling_nb.models.restore import available_fields
from kling_nb.notebook.location import notebook_path
from kling_nb.preferences import Options
from kling_nb.scoring.ballot import Ballot
from kling_nb.selection import RecordsLike, Selected, Selection, records_of
from kling_nb.ui.compare import CompareView
from kling_nb.ui.gallery.controller import GalleryController
from kling_nb.ui.gallery.gallery import Gallery
from kling_nb.ui.library import Elements, Presets
from kling_nb.ui.panel.controller import PanelController
from kling_nb.ui.panel.drafts import SavedDraft
from kling_nb.ui.panel.models import ModelsController
from kling_nb.ui.panel.panel import Panel, active_panel
from kling_nb.ui.panel.saved import SavedController
from kling_nb.ui.vote import VoteView

if TYPE_CHECKING:
    from kling_nb.engine.job import Job
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
        source, missing = available_fields(source, session.store.read)
    elif not (source is None or isinstance(source, Request | Mapping | str)):
        raise ArgumentTypeError(f"Cannot open a panel from {type(source).__name__}.")
    controller = PanelController(
        session,
        lambda request, kind: generation.start(session, request, kind),
        saved=_saved(session),
        models=ModelsController(session.connection.catalogue, session.loop),
        draft=SavedDraft(session.store, session.loop),
    )
    return Panel(controller, source, _missing(missing))


def gallery(session: Session, selection: Selection) -> Gallery:
    """Return a gallery of a selection; see `Studio.gallery`."""
    return Gallery(_gallery_controller(session), selection.filters)


def compare(session: Session, clips: Sequence[RecordsLike]) -> CompareView:
    """Return a player for several clips; see `Studio.compare`."""
    controller = _gallery_controller(session)
    return CompareView(controller.comparison(records_of(session, clips)), session.store.clip, controller.use_frame)


def vote(session: Session, selection: Selected, who: str | None, seed: int | None) -> VoteView:
    """Return the view for blind votes; see `Selected.vote`."""
    store = session.store
    ballot = Ballot(selection.records(), store.votes, who=who or getpass.getuser(), seed=seed)
    return VoteView(ballot, store.clip)


def presets(session: Session) -> Presets:
    """Return the log's presets."""
    return Presets(session.store, session.display.links, session.actions.request_of)


def elements(session: Session) -> Elements:
    """Return the log's elements."""
    return Elements(session.store, session.display.links)


def options(session: Session) -> Options:
    """Return the log's options."""
    return Options(session.store)


def _saved(session: Session) -> SavedController:
    return SavedController(presets(session), elements(session), session.store, session.display.links)


def _gallery_controller(session: Session) -> GalleryController:
    def start(request: Request, rerun_of: str) -> list[Job]:
        checked, _ = generation.check(session, generation.fields_of(session, request, {}))
        return generation.start(session, checked, rerun_of=rerun_of)

    def use_frame(record_id: str, number: int) -> str:
        frame = _saved(session).frame(record_id, number)
        _active_panel().set_start_frame(frame)
        return f"The panel’s start frame is now the {frame.given}."

    def open_record(record_id: str) -> str:
        target, (fields, missing) = _active_panel(), available_fields(session.store.get(record_id), session.store.read)
        target.fill(fields, _missing(missing))
        return "Opened in the panel. Undo there restores its previous contents."

    return GalleryController(
        session.store,
        session.display.links,
        request_of=session.actions.request_of,
        estimate=session.connection.estimate,
        start=start,
        use_frame=use_frame,
        open_record=open_record,
        export=lambda records: _export_beside(session, records),
    )


def _export_beside(session: Session, records: Sequence[Record]) -> str:
    from kling_nb.exchange.export import export_beside

    notebook = notebook_path()
    exported = export_beside(records, session.store, notebook.parent if notebook else Path.cwd())
    return f"Saved next to the notebook: {exported}."


def _active_panel() -> Panel:
    found = active_panel()
    if found is None:
        raise KlingError("No panel is open. Run kn.panel() in a cell, then try again.")
    return found


def _missing(names: Sequence[str]) -> list[str]:
    return [f"{name} is missing in this log; add it again" for name in names]
