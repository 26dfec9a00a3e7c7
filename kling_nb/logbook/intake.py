"""What comes into a log: a clip that arrived, a picture that a request refers to, each with what is known of it."""

from __future__ import annotations

import io
from pathlib import Path

from kling_nb.logbook.media import Media
from kling_nb.logbook.probe import probe, thumbnail
from kling_nb.models.asset import Asset
from kling_nb.models.media import public_url, suffix_of
from kling_nb.models.record import Clip, Reference


def clip_of(media: Media, file: Path, digest: str) -> Clip:
    """Move a result into the media, with its poster, and return its part of the record; see `Log.keep_clip`."""
    facts, poster = probe(file)
    size = file.stat().st_size
    with file.open("rb") as stream:
        suffix = suffix_of(stream.read(64)) or ".bin"
    media.adopt(file, digest, suffix)
    relative = media.relative(digest) or ""
    return Clip(file=relative, digest=digest, size=size, poster=media.put(poster, ".jpg"), **vars(facts))


def reference_of(media: Media, asset: Asset, path: str) -> Reference:
    """Keep what a request refers to, and return its part of the record; see `Log.keep_reference`."""
    if asset.data is None:
        sent = public_url(asset.url) if asset.url else None
        return Reference(
            path=path, identity=asset.identity, given=asset.given, name=asset.name, kind=asset.kind, sent=sent
        )
    small = thumbnail(io.BytesIO(asset.data), video=asset.kind == "video")
    facts = asset.facts
    return Reference(
        path=path,
        identity=asset.identity,
        given=asset.given,
        name=asset.name,
        kind=asset.kind,
        digest=_put(media, asset),
        media_type=asset.media_type,
        width=facts.width if facts and not facts.fault else None,
        height=facts.height if facts and not facts.fault else None,
        size=len(asset.data),
        thumbnail=media.put(small, ".jpg") if small else None,
        original=_put(media, asset.original) if asset.original else None,
        mends=asset.mends,
    )


def _put(media: Media, asset: Asset) -> str | None:
    return media.put(asset.data, suffix_of(asset.data) or ".bin") if asset.data else None
