"""Facts of a media file: a clip's format and first frame, an image's size, a small JPEG of either."""

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
    """The format of a file as decoded; `duration` in seconds. An image has a size and a type only."""

    media_type: str
    width: int
    height: int
    duration: float | None = None
    fps: float | None = None
    frames: int | None = None
    video_codec: str | None = None
    audio_codec: str | None = None


def probe(file: Path) -> tuple[Facts, bytes]:
    """Return the facts of a clip or an image, and its poster as JPEG.

    Every packet is read, to find out whether the file is whole. Raises `TransferError` for a damaged file, or one that
    is neither a clip nor an image.
    """
    with file.open("rb") as stream:
        media_type = media_type_of(stream.read(64))
    try:
        facts, first = _image(file, media_type) if media_type.startswith("image/") else _video(file, media_type)
    except (OSError, SyntaxError, ValueError) as exc:  # PyAV's errors are OSErrors or ValueErrors
        raise TransferError(f"{file.name} is damaged ({exc}): download it again.") from exc
    return facts, poster(first)


def poster(frame: PILImage) -> bytes:
    """Return a frame as a JPEG at most 640 pixels wide."""
    return _jpeg(frame, (POSTER_WIDTH, POSTER_WIDTH * 4), POSTER_QUALITY)


def thumbnail(file: io.BytesIO | Path, *, video: bool = False) -> bytes | None:
    """Return a JPEG of at most 96 pixels a side, upright and on white; None for an unreadable file."""
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
            raise ValueError("it has no video stream")
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
            duration=None if container.duration is None else round(container.duration / 1_000_000, 3),
            fps=float(stream.average_rate) if stream.average_rate else None,
            frames=frames,
            video_codec=stream.codec_context.name,
            audio_codec=sound.codec_context.name if sound else None,
        )
    return facts, first


def _whole(packets: list[Any], frames: int, announced: int) -> None:
    if any(packet.is_corrupt for packet in packets):
        raise ValueError("a packet is damaged")
    if frames < announced:
        raise ValueError(f"{frames} of {announced} frames are present")


def _first_frame(file: io.BytesIO | Path) -> PILImage:
    import av

    with av.open(str(file) if isinstance(file, Path) else file, "r") as container:
        for frame in container.decode(video=0):
            return frame.to_image()
    raise ValueError("it has no video stream")


def _jpeg(image: PILImage, most: tuple[int, int], quality: int) -> bytes:
    from PIL import ImageOps

    small = ImageOps.exif_transpose(image)
    small.thumbnail(most)
    buffer = io.BytesIO()
    on_white(small).save(buffer, "JPEG", quality=quality, optimize=True)
    return buffer.getvalue()
