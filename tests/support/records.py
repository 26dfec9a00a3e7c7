"""Makers of records, of a price, and of the hub's reports on a job."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from kling_nb.engine.sender import records_for
from kling_nb.models.canonical import canonical_json, canonical_request, request_hash
from kling_nb.models.generation import Generation
from kling_nb.models.price import Estimate, estimate
from kling_nb.models.record import File, Message, Record, Reference, Times
from kling_nb.models.request import TARGET, ReferenceToVideo, request_type
from kling_nb.models.urls import sha256

HUB = "https://hub.example"
START = datetime.datetime(2026, 11, 1, 12, tzinfo=datetime.UTC)
MODEL = "kling-video-o3-pro-reference-to-video"


def a_record(prompt: str = "a paper boat", **changes: Any) -> Record:
    """Return the record of a request as the engine makes it, before anything is sent."""
    request = ReferenceToVideo(prompt=prompt, duration=3)
    price = estimate(request.draft(), free=True)
    record = records_for(request, hub=HUB, local=False, kind="result", estimate=price, now=START)[0]
    return record.model_copy(update=changes)


def a_report(status: str = "processing", **more: Any) -> Generation:
    """Return what the hub says about a job."""
    return Generation.read({"generation_id": "g1", "status": status, **more})


def make_record(number: int = 0, *, prompt: str = "a cat jumps", **changes: Any) -> Record:
    """Return a record of one prompt, without a price; each number is a minute later."""
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
    """Return the price that a hub asks for one generation."""
    price = Decimal(each)
    return Estimate(each=price, total=price, seconds=5, generations=1, rate=price / 5, source="live")


# --- records to draw cards from ---

NOON = datetime.datetime(2026, 11, 22, 12, 0, tzinfo=datetime.UTC)
PROMPT = "@Image1 turns slowly to the camera while neon light washes over the wet street"


def digest_of(seed: str) -> str:
    return sha256(seed.encode())


def at(seconds: float) -> datetime.datetime:
    return NOON + datetime.timedelta(seconds=seconds)


CLIP = File(
    file=f"media/ab/{'ab' * 32}.mp4",
    digest=f"sha256:{'ab' * 32}",
    size=8_412_345,
    width=1920,
    height=1080,
    duration=5.0,
    fps=24.0,
    frames=120,
    video_codec="h264",
    poster=digest_of("poster"),
)
TIMES = Times(
    created=at(0), submitted=at(0.4), accepted=at(1), enqueued=at(1), started=at(19), completed=at(172), ended=at(175)
)


MESSAGES = tuple(
    Message(at=at(seconds), text=text)
    for seconds, text in ((0, "Sent"), (1, "Queued"), (19, "Generating"), (172, "Downloading"), (175, "Done"))
)


def record_of(fields: dict[str, Any] | None = None, **changes: Any) -> Record:
    """Return a record of a request with these fields; succeeded unless the changes have another status."""
    fields = fields or {"prompt": PROMPT, "input_image": ["https://example.com/face.png"], "duration": 5}
    request = request_type(fields.get("model", TARGET)).model_validate(fields)
    references = tuple(
        Reference(
            path=path,
            identity=asset.identity,
            given=asset.given,
            name=asset.name,
            kind=asset.kind,
            digest=asset.digest,
            thumbnail=digest_of("thumb") if asset.data else None,
        )
        for path, asset in request.assets()
    )
    price = estimate(request.draft())
    values: dict[str, Any] = {
        "id": "01kb3m9x7r",
        "batch": "01kb3m9x7q",
        "hub": "https://hub.oxen.ai",
        "local": False,
        "model": request.model,
        "status": "succeeded",
        "canonical": canonical_request(request),
        "request_hash": request_hash(request),
        "references": references,
        "estimate": price,
        "sent": {
            **canonical_request(request),
            "input_image": ["https://hub.oxen.ai/api/repos/me/kling/file/main/a.png"],
        },
        "server": {
            "generation_id": "6f1c2d34-9a7b-4c1e-8d55-0a1b2c3d4e5f",
            "status": "succeeded",
            "model_name": request.model,
            "media_type": "video",
            "result_url": "https://hub.oxen.ai/api/repos/me/results/file/main/video.mp4",
        },
        "generation_id": "6f1c2d34-9a7b-4c1e-8d55-0a1b2c3d4e5f",
        "times": TIMES,
        "clip": CLIP,
        "messages": MESSAGES,
        "versions": {"kling_nb": "0.1.0", "python": "3.11.7"},
    }
    if changes.get("status", "succeeded") != "succeeded":
        values["clip"] = None
    return Record.model_validate(values | changes)
