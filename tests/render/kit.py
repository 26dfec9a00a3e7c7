"""Records and links to draw cards from."""

from __future__ import annotations

import datetime
import io
from collections.abc import Sequence
from typing import Any

from PIL import Image

from kling_nb.models.canonical import canonical_request, request_hash
from kling_nb.models.frontend import Video
from kling_nb.models.price import estimate
from kling_nb.models.record import File, Message, Record, Reference, Times
from kling_nb.models.request import request_type
from kling_nb.render.images import small_poster, small_thumbnail

NOON = datetime.datetime(2026, 11, 22, 12, 0, tzinfo=datetime.UTC)
_QUICKLY: dict[str, dict[str, int]] = {"PNG": {"compress_level": 1}, "WEBP": {"method": 0}}
PROMPT = "@Image1 turns slowly to the camera while neon light washes over the wet street"


def picture(width: int = 640, height: int = 360, kind: str = "JPEG", hue: int = 0) -> bytes:
    """Return an image file that is smooth with some detail, like a frame of a video."""
    base = Image.merge("RGB", [Image.linear_gradient("L").rotate(90 * turn) for turn in (0, 1, 2)])
    noise = Image.effect_noise((64, 64), 90).resize((width, height), Image.Resampling.BICUBIC).convert("RGB")
    image = Image.blend(base.resize((width, height)), noise, 0.3).convert("HSV")
    h, s, v = image.split()
    image = Image.merge("HSV", (h.point(lambda value: (value + hue) % 256), s, v)).convert("RGB")
    buffer = io.BytesIO()
    image.save(buffer, kind, **_QUICKLY.get(kind, {}))
    return buffer.getvalue()


POSTER = small_poster(picture())
THUMBNAIL = small_thumbnail(picture(400, 400))


class Media:
    """Links to media that all exist."""

    def videos(self, records: Sequence[Record]) -> list[Video]:
        addresses = [f"kling/{record.clip.file}" if record.clip else None for record in records]
        return [Video(address, address) for address in addresses]

    def poster(self, record: Record) -> str | None:
        return POSTER

    def thumbnail(self, reference: Reference) -> str | None:
        return None if reference.identity.startswith("http") else THUMBNAIL


class NoMedia:
    """Links to missing media."""

    def videos(self, records: Sequence[Record]) -> list[Video]:
        return [Video(hint=f"The file is missing: {one.clip.file}" if one.clip else "") for one in records]

    def poster(self, record: Record) -> str | None:
        return None

    def thumbnail(self, reference: Reference) -> str | None:
        return None


def digest_of(seed: str) -> str:
    import hashlib

    return f"sha256:{hashlib.sha256(seed.encode()).hexdigest()}"


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
    from kling_nb.models.request import TARGET

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


__all__ = [
    "CLIP",
    "NOON",
    "POSTER",
    "PROMPT",
    "THUMBNAIL",
    "Media",
    "NoMedia",
    "at",
    "digest_of",
    "picture",
    "record_of",
]
