"""A record as a row of a table or a data frame."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from kling_nb.models.record import Record

#: The columns in order: the type of each, and its value.
_COLUMNS: dict[str, tuple[type, Callable[[Record], Any]]] = {
    "id": (str, lambda record: record.id),
    "created": (datetime.datetime, lambda record: record.times.created),
    "model": (str, lambda record: record.model),
    "hub": (str, lambda record: record.hub),
    "local": (bool, lambda record: record.local),
    "status": (str, lambda record: record.status),
    "prompt": (str, lambda record: record.prompt),
    "negative_prompt": (str, lambda record: record.canonical.get("negative_prompt")),
    "shots": (int, lambda record: len(record.canonical.get("multi_prompt") or ()) or 1),
    "references": (int, lambda record: len(record.references)),
    "duration": (float, lambda record: float(record.estimate.seconds)),
    "aspect_ratio": (str, lambda record: record.canonical.get("aspect_ratio")),
    "generate_audio": (bool, lambda record: record.canonical.get("generate_audio")),
    "price": (float, lambda record: None if record.price is None else float(record.price)),
    "took": (float, lambda record: record.seconds),
    "stars": (int, lambda record: record.stars),
    "tags": (str, lambda record: " ".join(record.tags)),
    "note": (str, lambda record: record.note),
    "plan": (str, lambda record: record.plan),
    "cell": (str, lambda record: record.cell),
    "rerun_of": (str, lambda record: record.rerun_of),
    "notebook": (str, lambda record: record.notebook),
    "by": (str, lambda record: record.by),
    "request_hash": (str, lambda record: record.request_hash),
    "schema_digest": (str, lambda record: record.schema_digest),
    "generation_id": (str, lambda record: record.generation_id),
    "clip": (str, lambda record: record.clip and record.clip.place),
    "clip_digest": (str, lambda record: record.clip and record.clip.digest),
    "width": (int, lambda record: record.clip and record.clip.width),
    "height": (int, lambda record: record.clip and record.clip.height),
    "clip_seconds": (float, lambda record: record.clip and record.clip.duration),
    "fps": (float, lambda record: record.clip and record.clip.fps),
    "failure": (str, lambda record: record.failure and record.failure.message),
}
COLUMNS: dict[str, type] = {name: kind for name, (kind, _) in _COLUMNS.items()}


def row_of(record: Record) -> dict[str, Any]:
    """Return a record as one row of plain values; the price is in dollars, durations are in seconds."""
    return {name: value(record) for name, (_, value) in _COLUMNS.items()}
