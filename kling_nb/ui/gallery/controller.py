"""What the gallery's buttons do: find, rate, tag, compare, generate again, export, delete."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from kling_nb import errors
from kling_nb.models.judgements import Score
from kling_nb.models.price import Estimate
from kling_nb.models.record import Record
from kling_nb.models.request import Request
from kling_nb.render.card import badge_of
from kling_nb.render.compare import SHEET, compare_html, compare_text, differences, gallery_html, gallery_text
from kling_nb.render.facts import duration_of, figures_of, is_image
from kling_nb.render.formatting import STATUS_WORDS, format_money, format_time, price_of, prompt_line, shorten
from kling_nb.render.images import tile_image
from kling_nb.ui.compare import MAX_CLIPS, MIN_CLIPS, Comparison

if TYPE_CHECKING:
    from kling_nb.engine.job import Job
    from kling_nb.notebook.links import Links
    from kling_nb.store.log import Log


class GalleryController:
    """Acts for galleries and comparisons. Every method may be called from any thread and may raise `KlingError`.

    `store` is the log, and `start` generates one more clip of a record's request. `use_frame` puts a frame of a clip
    into the open panel as its start frame, and `open_record` a record's request; both return a confirmation.
    """

    def __init__(
        self,
        store: Log,
        links: Links,
        *,
        export: Callable[[Sequence[Record]], str],
        request_of: Callable[[Record], Request],
        estimate: Callable[[Request], Estimate],
        start: Callable[[Request, str], list[Job]],
        use_frame: Callable[[str, int], str],
        open_record: Callable[[str], str],
    ) -> None:
        self.store, self._links, self._export = store, links, export
        self._request_of, self._estimate, self._start = request_of, estimate, start
        self.use_frame, self.open_record = use_frame, open_record

    def find(self, filters: Mapping[str, Any], /, *, offset: int, limit: int) -> tuple[Sequence[Record], int]:
        """Return a page of the matching records, newest first, and the number of all matches."""
        return self.store.find(limit=limit, offset=offset, **filters), self.store.count(**filters)

    def poster(self, record: Record, /) -> str | None:
        """Return an image of the clip as a data URI, None if there is none."""
        digest = record.clip.poster if record.clip else None
        try:
            data = self.store.read(digest) if digest else None
            return tile_image(data) if data else None
        except (OSError, SyntaxError, ValueError):  # how Pillow reports that a file is not an image
            return None

    def statuses(self, record_ids: Sequence[str], /) -> Mapping[str, str]:
        """Return the current status of records, by ID; unknown IDs are left out."""
        found: dict[str, str] = {}
        for record_id in record_ids:
            with contextlib.suppress(errors.KlingError):
                found[record_id] = self.store.get(record_id).status
        return found

    def price(self, record_ids: Sequence[str], /) -> str:
        """Return the price of one more clip of each record, summed; `price unknown` if one has none."""
        estimates = [self._estimate(self._single(record_id)) for record_id in record_ids]
        totals = [estimate.total for estimate in estimates if estimate.total is not None]
        if len(totals) < len(estimates):
            return "price unknown"
        free = all(each.source == "free" for each in estimates)
        return "free" if free else format_money(sum(totals, start=Decimal(0)))

    def generate(self, record_id: str, /) -> Sequence[Job]:
        """Start one more clip of the record's request, which costs money on the real hub; return at once."""
        return self._start(self._single(record_id), record_id)

    def export(self, record_ids: Sequence[str], /) -> str:
        """Write these records with their media to an archive next to the notebook; return its description."""
        return self._export(self.records(record_ids))

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
        return self._request_of(self.store.get(record_id)).model_copy(update={"num_generations": 1})


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
