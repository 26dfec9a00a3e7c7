"""A record as one flat row, for tables and data frames: one name, one plain value."""

from __future__ import annotations

import datetime
from typing import Any

from kling_nb.models.record import Record

#: The columns in order, with the type that a file of columns gives each.
COLUMNS: dict[str, type] = {
    "id": str,
    "created": datetime.datetime,
    "model": str,
    "hub": str,
    "local": bool,
    "status": str,
    "prompt": str,
    "negative_prompt": str,
    "shots": int,
    "references": int,
    "duration": float,
    "aspect_ratio": str,
    "generate_audio": bool,
    "price": float,
    "took": float,
    "stars": int,
    "tags": str,
    "note": str,
    "plan": str,
    "cell": str,
    "rerun_of": str,
    "notebook": str,
    "request_hash": str,
    "schema_digest": str,
    "generation_id": str,
    "clip": str,
    "clip_digest": str,
    "width": int,
    "height": int,
    "clip_seconds": float,
    "fps": float,
    "failure": str,
}


def row_of(record: Record) -> dict[str, Any]:
    """Return the row: seconds as numbers, the price in dollars, None where there is nothing to say."""
    asked, clip = record.canonical, record.clip
    shots = asked.get("multi_prompt") or ()
    values: dict[str, Any] = {
        "id": record.id,
        "created": record.times.created,
        "model": record.model,
        "hub": record.hub,
        "local": record.local,
        "status": record.status,
        "prompt": record.prompt,
        "negative_prompt": asked.get("negative_prompt"),
        "shots": len(shots) or 1,
        "references": len(record.references),
        "duration": float(record.estimate.seconds),
        "aspect_ratio": asked.get("aspect_ratio"),
        "generate_audio": asked.get("generate_audio"),
        "price": None if record.price is None else float(record.price),
        "took": record.seconds,
        "stars": record.stars,
        "tags": " ".join(record.tags),
        "note": record.note,
        "plan": record.plan,
        "cell": record.cell,
        "rerun_of": record.rerun_of,
        "notebook": record.notebook,
        "request_hash": record.request_hash,
        "schema_digest": record.schema_digest,
        "generation_id": record.generation_id,
        "clip": clip.file if clip else None,
        "clip_digest": clip.digest if clip else None,
        "width": clip.width if clip else None,
        "height": clip.height if clip else None,
        "clip_seconds": clip.duration if clip else None,
        "fps": clip.fps if clip else None,
        "failure": record.failure.message if record.failure else None,
    }
    return {name: values[name] for name in COLUMNS}
