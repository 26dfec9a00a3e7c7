"""The actions of the gallery's buttons: find, rate, tag, compare, generate again, export, delete."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kling_nb import errors, generation
from kling_nb.models.judgements import Score
from kling_nb.models.price import format_money
from kling_nb.models.record import Record
from kling_nb.models.request import Request
from kling_nb.models.restore import available_fields
from kling_nb.notebook.location import notebook_path
from kling_nb.render.card import badge_of
from kling_nb.render.compare import SHEET, compare_html, compare_text, differences, gallery_html, gallery_text
from kling_nb.render.facts import duration_of, figures_of, is_image
from kling_nb.render.formatting import STATUS_WORDS, format_time, price_of, prompt_line, shorten
from kling_nb.render.images import screen_image
from kling_nb.ui.compare import MAX_CLIPS, MIN_CLIPS, Comparison
from kling_nb.ui.panel.panel import open_panel
from kling_nb.ui.panel.saved import SavedController, missing_notes

if TYPE_CHECKING:
    from kling_nb.engine.job import Job
    from kling_nb.session import Session


class GalleryController:
    """Acts for galleries and comparisons. Every method may be called from any thread and may raise `KlingError`.

    Attributes:
        store: The log.
    """

    def __init__(self, session: Session) -> None:
        self._session, self.store, self._links = session, session.store, session.display.links

    def find(self, filters: Mapping[str, Any], /, *, offset: int, limit: int) -> tuple[Sequence[Record], int]:
        """Return a page of the matching records, newest first, and the number of all matches."""
        return self.store.find(limit=limit, offset=offset, **filters), self.store.count(**filters)

    def poster(self, record: Record, /) -> str | None:
        """Return an image of the clip as a data URI, None if there is none."""
        digest = record.clip.poster if record.clip else None
        data = self.store.read(digest) if digest else None
        return screen_image(data) if data else None

    def statuses(self, record_ids: Sequence[str], /) -> Mapping[str, str]:
        """Return the current status of records, by ID; unknown IDs are left out."""
        found: dict[str, str] = {}
        for record_id in record_ids:
            with contextlib.suppress(errors.KlingError):
                found[record_id] = self.store.get(record_id).status
        return found

    def price(self, record_ids: Sequence[str], /) -> str:
        """Return the price of one more clip of each record, summed; `price unknown` if one has none."""
        estimates = [self._session.connection.estimate(self._single(record_id)) for record_id in record_ids]
        totals = [estimate.total for estimate in estimates if estimate.total is not None]
        if len(totals) < len(estimates):
            return "price unknown"
        if all(each.source == "free" for each in estimates):
            return "free"
        most = "up to " if any(each.most for each in estimates) else ""
        return f"{most}{format_money(sum(totals, start=Decimal(0)))}"

    def generate(self, record_id: str, /) -> Sequence[Job]:
        """Start one more clip of the record's request, which costs money on the real hub; return immediately."""
        fields = generation.fields_of(self._session, self._single(record_id), {})
        request, _ = generation.check(self._session, fields)
        return generation.start(self._session, request, rerun_of=record_id)

    def export(self, record_ids: Sequence[str], /) -> str:
        """Write these records with their media to an archive next to the notebook; return its description."""
        from kling_nb.exchange.export import export_beside

        notebook = notebook_path()
        exported = export_beside(self.records(record_ids), self.store, notebook.parent if notebook else Path.cwd())
        return f"Saved next to the notebook: {exported}."

    def use_frame(self, record_id: str, number: int, /) -> str:
        """Put a frame of a clip into the open panel as its start frame; return a confirmation."""
        frame = SavedController.of(self._session).frame(record_id, number)
        open_panel().set_start_frame(frame, prompt_line(self.store.get(record_id), 60))
        return f"The panel’s start frame is now the {frame.given}."

    def open_record(self, record_id: str, /) -> str:
        """Fill the open panel with a record's request; return a confirmation."""
        panel, (fields, missing) = open_panel(), available_fields(self.store.get(record_id), self.store.read)
        panel.fill(fields, missing_notes(missing))
        return "Opened in the panel. Undo there restores its previous contents."

    def static(self, filters: Mapping[str, Any], /) -> Mapping[str, Any]:
        """Return the gallery without a kernel as a mimebundle: a contact sheet of the newest records."""
        records, total = self.find(filters, offset=0, limit=SHEET)
        return {
            "text/html": gallery_html(records, self._links, total=total),
            "text/plain": gallery_text(records, total=total),
        }

    def records(self, record_ids: Sequence[str], /) -> list[Record]:
        """Return the records with these IDs."""
        return [self.store.get(record_id) for record_id in record_ids]

    def comparison(self, records: Sequence[Record], /) -> Comparison:
        """Return the comparison of 2 to 9 different records that have a clip."""
        if not MIN_CLIPS <= len(records) <= MAX_CLIPS:
            raise errors.ArgumentError(
                f"A comparison takes {MIN_CLIPS} to {MAX_CLIPS} different clips, got {len(records)}."
            )
        for record in records:
            if record.clip is None:
                status = STATUS_WORDS[record.status].lower()
                raise errors.ArgumentError(f"{record.id} has no clip to compare (status: {status}).")
        found = differences(records)
        static = {"text/html": compare_html(records, self._links), "text/plain": compare_text(records)}
        return Comparison(records, list(map(self.poster, records)), found, static)

    def _single(self, record_id: str) -> Request:
        request = self._session.actions.request_of(self.store.get(record_id))
        return request.model_copy(update={"num_generations": 1})


def tile_of(record: Record, poster: str | None, scores: Iterable[Score] = ()) -> dict[str, Any]:
    """Return a record as plain values for a tile; everything in it is text, never markup."""
    clip = record.clip
    return {
        "id": record.id,
        "prompt": prompt_line(record, 600),
        "status": record.status,
        "ended": record.ended,
        "status_text": STATUS_WORDS[record.status],
        "reason": shorten(record.failure.message, 200) if record.failure else "",
        "stars": record.stars or 0,
        "tags": list(record.tags),
        "note": record.note,
        "badge": badge_of(record).replace(" – ", " · ").partition(" · ")[0],
        "model": record.model,
        "when": format_time(record.times.created),
        "length": duration_of(record),
        "figures": figures_of(record, audio=True, price=False),
        "price": price_of(record),
        "scores": [f"{score.name} {score.text}" for score in scores if score.value is not None],
        "clip": clip is not None,
        "image": is_image(record),
        "fps": clip.fps if clip and clip.fps else 24,
        "shape": clip.width / clip.height if clip and clip.width and clip.height else 16 / 9,
        "poster": poster or "",
    }
