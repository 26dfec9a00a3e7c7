"""What a file says of itself: a clip's facts and its first frame, an image's size, a small JPEG of either."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kling_nb.errors import TransferError
from kling_nb.models.images import on_white
from kling_nb.models.urls import media_type_of

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

POSTER_WIDTH, POSTER_QUALITY = 640, 80
THUMBNAIL_SIDE, THUMBNAIL_QUALITY = 96, 70


@dataclass(frozen=True)
class Facts:
    """What a decoder says of a file; `duration` in seconds. An image has a size and a type only."""

    media_type: str
    width: int
    height: int
    duration: float | None = None
    fps: float | None = None
    frames: int | None = None
    video_codec: str | None = None
    audio_codec: str | None = None


def probe(file: Path) -> tuple[Facts, bytes]:
    """Return a clip's (or an image's) facts and its poster as JPEG.

    Every packet is read, so that a torn file is told from a whole one. Raises `TransferError` for a torn file or one
    that is neither clip nor image.
    """
    with file.open("rb") as stream:
        media_type = media_type_of(stream.read(64))
    try:
        facts, first = _image(file, media_type) if media_type.startswith("image/") else _video(file, media_type)
    except (OSError, SyntaxError, ValueError) as exc:  # PyAV's errors are OSErrors or ValueErrors
        raise TransferError(f"{file.name} cannot be decoded ({exc}): it did not arrive whole, fetch it again.") from exc
    return facts, poster(first)


def poster(frame: PILImage) -> bytes:
    """Return a frame as a JPEG of at most 640 pixels' width."""
    return _jpeg(frame, (POSTER_WIDTH, POSTER_WIDTH * 4), POSTER_QUALITY)


def thumbnail(file: io.BytesIO | Path, *, video: bool = False) -> bytes | None:
    """Return a JPEG of at most 96 pixels a side, upright and on white; None for what cannot be read."""
    from PIL import Image

    try:
        if video:
            return _jpeg(_first_frame(file), (THUMBNAIL_SIDE, THUMBNAIL_SIDE), THUMBNAIL_QUALITY)
        with Image.open(file) as image:
            return _jpeg(image, (THUMBNAIL_SIDE, THUMBNAIL_SIDE), THUMBNAIL_QUALITY)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def _image(file: Path, media_type: str) -> tuple[Facts, PILImage]:
    from PIL import Image

    with Image.open(file) as image:
        image.load()
        return Facts(media_type, image.width, image.height), image.copy()


def _video(file: Path, media_type: str) -> tuple[Facts, PILImage]:
    import av

    with av.open(str(file)) as container:
        if not container.streams.video:
            raise ValueError("it has no picture")
        stream = container.streams.video[0]
        sound = container.streams.audio[0] if container.streams.audio else None
        first = next(container.decode(stream)).to_image()
        container.seek(0)
        packets = [packet for packet in container.demux() if packet.size]
        frames = sum(packet.stream is stream for packet in packets)
        _whole(packets, frames, stream.frames)
        facts = Facts(
            media_type=media_type,
            width=stream.width,
            height=stream.height,
            duration=_seconds(container.duration, 1_000_000),
            fps=float(stream.average_rate) if stream.average_rate else None,
            frames=frames,
            video_codec=stream.codec_context.name,
            audio_codec=sound.codec_context.name if sound else None,
        )
    return facts, first


def _whole(packets: list[Any], frames: int, announced: int) -> None:
    if any(packet.is_corrupt for packet in packets):
        raise ValueError("a part of it is damaged")
    if frames < announced:
        raise ValueError(f"{frames} of {announced} frames are there")


def _seconds(duration: int | None, per_second: int) -> float | None:
    return None if duration is None else round(duration / per_second, 3)


def _first_frame(file: io.BytesIO | Path) -> PILImage:
    import av

    with av.open(str(file) if isinstance(file, Path) else file, "r") as container:
        for frame in container.decode(video=0):
            return frame.to_image()
    raise ValueError("it has no picture")


def _jpeg(image: PILImage, most: tuple[int, int], quality: int) -> bytes:
    from PIL import ImageOps

    small = ImageOps.exif_transpose(image)
    small.thumbnail(most)
    buffer = io.BytesIO()
    on_white(small).save(buffer, "JPEG", quality=quality, optimize=True)
    return buffer.getvalue()
