"""What a gallery and a comparison do: `views.gallery_actions.GalleryController` over a studio's parts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from kling_nb import errors
from kling_nb.engine.job import Job
from kling_nb.models.judgements import Score
from kling_nb.models.price import Estimate
from kling_nb.models.record import Record
from kling_nb.models.request import Request
from kling_nb.notebook.links import Links
from kling_nb.render import SHEET, compare_html, compare_text, differences, gallery_html, gallery_text, tile_still
from kling_nb.render.card import badge_of
from kling_nb.render.facts import headline, is_still
from kling_nb.render.formatting import STATUS_WORDS, format_money, format_time, price_of, prompt_line, shorten
from kling_nb.store.log import Log
from kling_nb.ui.compare import FEWEST, MOST, Comparison, Take


class GalleryController:
    """Finds, shows, rates, compares and throws away records. `start` begins one more clip of a record's
    request; `hand` makes a frame of a clip the start frame of the panel that is open, `fill` takes the whole request
    there, and each says so."""

    def __init__(
        self,
        store: Log,
        links: Links,
        *,
        export: Callable[[Sequence[Record]], str],
        request_of: Callable[[Record], Request],
        estimate: Callable[[Request], Estimate],
        start: Callable[[Request, str], list[Job]],
        hand: Callable[[str, int], str],
        fill: Callable[[str], str],
    ) -> None:
        self._store, self._links, self._export = store, links, export
        self._request_of, self._estimate, self._start = request_of, estimate, start
        self.hand, self.fill = hand, fill

    # --- the gallery ---

    def find(self, filters: Mapping[str, Any], /, *, offset: int, limit: int) -> tuple[Sequence[Record], int]:
        """Return a page of the records that pass, and how many pass."""
        return self._store.find(limit=limit, offset=offset, **filters), self._store.count(**filters)

    def choices(self) -> Mapping[str, Sequence[str]]:
        """Return the models and tags in use."""
        return {"models": self._store.models(), "tags": self._store.tags()}

    def poster(self, record: Record, /) -> str | None:
        """Return the clip's still; None where there is none, or its file is no picture."""
        return self._drawn(record.clip.poster) if record.clip and record.clip.poster else None

    def scores(self, records: Sequence[Record], /) -> Mapping[str, Sequence[Score]]:
        """Return the newest score of each scorer, by record id."""
        return self._store.scores.of(records)

    def statuses(self, record_ids: Sequence[str], /) -> Mapping[str, str]:
        """Return where these records stand now, by their id; those that are gone are left out."""
        found: dict[str, str] = {}
        for record_id in record_ids:
            with contextlib.suppress(errors.LogError):
                found[record_id] = self._store.get(record_id).status
        return found

    def clip(self, record_id: str, /) -> bytes | None:
        """Return the clip's bytes."""
        clip = self._store.get(record_id).clip
        return self._store.read(clip.digest) if clip else None

    def annotate(self, record_id: str, changes: Mapping[str, Any], /) -> Record:
        """Write what the user says of a record."""
        return self._store.annotate(record_id, **changes)

    def offer(self, record_ids: Sequence[str], /) -> str:
        """Return the price of one more clip of each, summed; `price unknown` when one of them has none."""
        estimates = [self._estimate(self._single(record_id)) for record_id in record_ids]
        totals = [estimate.total for estimate in estimates]
        if any(total is None for total in totals):
            return "price unknown"
        whole = sum((total for total in totals if total is not None), Decimal(0))
        return "free" if all(estimate.source == "free" for estimate in estimates) else format_money(whole)

    def generate(self, record_id: str, /) -> Sequence[Job]:
        """Start one more clip of the record's request; the new record names the old one."""
        return self._start(self._single(record_id), record_id)

    def export(self, record_ids: Sequence[str], /) -> str:
        """Write these records into an archive beside the notebook; say where and how much."""
        return self._export([self._store.get(record_id) for record_id in record_ids])

    def trash(self, record_id: str, /) -> None:
        """Move a record to the log's trash."""
        self._store.trash(record_id)

    def restore(self, record_id: str, /) -> None:
        """Bring it back."""
        self._store.restore(record_id)

    def sheet(self, filters: Mapping[str, Any], /) -> Mapping[str, Any]:
        """Return the contact sheet of the newest."""
        records, total = self.find(filters, offset=0, limit=SHEET)
        return {
            "text/html": gallery_html(records, self._links, total=total),
            "text/plain": gallery_text(records, total=total),
        }

    # --- the comparison ---

    def compare(self, record_ids: Sequence[str], /) -> Comparison:
        """Return what a player needs. Raises `KlingError` for fewer than two, more than nine, or one with no clip."""
        return self.comparison([self._store.get(record_id) for record_id in record_ids])

    def comparison(self, records: Sequence[Record]) -> Comparison:
        """Return what a player needs of these records."""
        if not FEWEST <= len(records) <= MOST:
            raise errors.KlingError(f"a comparison takes {FEWEST} to {MOST} different clips: this is {len(records)}")
        for record in records:
            if record.clip is None:
                why = "wait for its clip" if not record.ended else "it has no clip"
                raise errors.KlingError(f"{record.id} is {STATUS_WORDS[record.status].lower()}: {why}")
        static = {"text/html": compare_html(records, self._links), "text/plain": compare_text(records)}
        return Comparison([Take(record, self.poster(record)) for record in records], differences(records), static)

    def _single(self, record_id: str) -> Request:
        return self._request_of(self._store.get(record_id)).model_copy(update={"num_generations": 1})

    def _drawn(self, digest: str) -> str | None:
        try:
            data = self._store.read(digest)
            return tile_still(data) if data else None
        except (OSError, SyntaxError, ValueError):  # Pillow's words for what is no picture
            return None


def tile_of(record: Record, poster: str | None, scores: Iterable[Score] = ()) -> dict[str, Any]:
    """Return a record as plain values for a tile; everything in it is text, never markup."""
    figures = headline(record)
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
        "length": next((fact.value for fact in figures if fact.label == "length"), ""),
        "figures": " · ".join(fact.value for fact in figures if fact.label in ("length", "frame", "audio")),
        "price": price_of(record),
        "scores": [f"{score.name} {score.words}" for score in scores if score.value is not None],
        "clip": record.clip is not None,
        "image": is_still(record),
        "fps": record.clip.fps if record.clip and record.clip.fps else 24,
        "shape": record.clip.width / record.clip.height
        if record.clip and record.clip.width and record.clip.height
        else 16 / 9,
        "poster": poster or "",
    }
