"""Records and pictures to keep."""

from __future__ import annotations

import datetime
import io
from decimal import Decimal
from typing import Any

from PIL import Image

from kling_nb.models.canonical import canonical_json
from kling_nb.models.price import Estimate
from kling_nb.models.record import Record, Times
from kling_nb.models.urls import sha256

HUB = "https://hub.example"
START = datetime.datetime(2026, 11, 1, 12, tzinfo=datetime.UTC)
MODEL = "kling-video-o3-pro-reference-to-video"


def make_record(number: int = 0, *, prompt: str = "a cat jumps", **changes: Any) -> Record:
    """A record of one prompt; each number is a minute later."""
    request = {"model": MODEL, "prompt": prompt, "duration": 5}
    given = {
        "id": f"job{number:05}",
        "batch": "batch",
        "hub": HUB,
        "local": True,
        "model": MODEL,
        "canonical": request,
        "request_hash": sha256(canonical_json(request)),
        "estimate": Estimate(each=None, total=None, seconds=5, generations=1, rate=None, source="unknown"),
        "times": Times(created=START + datetime.timedelta(minutes=number)),
    }
    return Record(**{**given, **changes})


def priced(each: str) -> Estimate:
    """A price that a hub asked for one generation."""
    price = Decimal(each)
    return Estimate(each=price, total=price, seconds=5, generations=1, rate=price / 5, source="live")


def jpeg(size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    """A small picture."""
    buffer = io.BytesIO()
    Image.new("RGB", size, "teal").save(buffer, "JPEG", **options)
    return buffer.getvalue()
