"""What a gallery needs from the rest, and how a record looks to the browser."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from kling_nb.models.record import Record
from kling_nb.models.score import Score
from kling_nb.render.card import badge_of
from kling_nb.render.facts import headline, is_still
from kling_nb.render.words import STATUS_WORDS, day, price_of, prompt_line, shortened
from kling_nb.views.actions import JobLike
from kling_nb.views.compare import Comparison


class GalleryActions(Protocol):
    """What a gallery can do. Every method may be called from any thread, and raises `KlingError`."""

    def find(self, filters: Mapping[str, Any], /, *, offset: int, limit: int) -> tuple[Sequence[Record], int]:
        """Return a page of the records that pass, newest first, and how many pass in all."""
        ...

    def choices(self) -> Mapping[str, Sequence[str]]:
        """Return the `models` and `tags` that there are to choose from."""
        ...

    def poster(self, record: Record, /) -> str | None:
        """Return a still for a tile as a data URI."""
        ...

    def scores(self, records: Sequence[Record], /) -> Mapping[str, Sequence[Score]]:
        """Return the scores that the log has of these records, by record id, in one question."""
        ...

    def statuses(self, record_ids: Sequence[str], /) -> Mapping[str, str]:
        """Return where these records stand now, by their id; those that are gone are left out."""
        ...

    def clip(self, record_id: str, /) -> bytes | None:
        """Return a clip's bytes, None when the file is gone."""
        ...

    def hand(self, record_id: str, number: int, /) -> str:
        """Make a frame of a clip the start frame of the panel that is open; say so in words."""
        ...

    def fill(self, record_id: str, /) -> str:
        """Fill the panel that is open with a record's request; say so in words."""
        ...

    def annotate(self, record_id: str, changes: Mapping[str, Any], /) -> Record:
        """Write stars, tags or a note to the log, at once, and return the record."""
        ...

    def offer(self, record_ids: Sequence[str], /) -> str:
        """Return what one more clip of each costs, in words."""
        ...

    def generate(self, record_id: str, /) -> Sequence[JobLike]:
        """Start one more clip like this record's; it is paid on the real hub. Returns at once."""
        ...

    def export(self, record_ids: Sequence[str], /) -> str:
        """Write these records, clips and pictures into an archive beside the notebook; say where and how much."""
        ...

    def trash(self, record_id: str, /) -> None:
        """Move a record to the trash."""
        ...

    def restore(self, record_id: str, /) -> None:
        """Bring it back."""
        ...

    def compare(self, record_ids: Sequence[str], /) -> Comparison:
        """Return what a player needs to compare these."""
        ...

    def sheet(self, filters: Mapping[str, Any], /) -> Mapping[str, Any]:
        """Return the static form as a mimebundle."""
        ...


def tile_of(record: Record, poster: str | None, scores: Iterable[Score] = ()) -> dict[str, Any]:
    """Return a record as plain values for a tile; everything in it is text, never markup."""
    figures = headline(record)
    return {
        "id": record.id,
        "prompt": prompt_line(record, 600),
        "status": record.status,
        "ended": record.ended,
        "status_text": STATUS_WORDS[record.status],
        "reason": shortened(record.failure.message, 200) if record.failure else "",
        "stars": record.stars or 0,
        "tags": list(record.tags),
        "note": record.note,
        "badge": badge_of(record).replace(" – ", " · ").partition(" · ")[0],
        "model": record.model,
        "when": day(record.times.created),
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
