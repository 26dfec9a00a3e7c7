"""Facts of a media file: a clip's format and first frame, an image's size, a small JPEG of either."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kling_nb.errors import TransferError
from kling_nb.models.images import on_white, open_image
from kling_nb.models.urls import media_type_of, suffix_of
from kling_nb.models.videos import upright_frame, upright_size

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

#: The containers of videos, by FFmpeg's names.
_CONTAINERS = {"mp4", "matroska", "avi", "mpegts", "mpeg", "flv", "asf"}
_SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})
#: FFmpeg's mark of a stream that is the cover of a sound file.
_COVER = 0x400
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


def probe(file: Path, kind: str = "") -> tuple[Facts, bytes]:
    """Return the facts of a clip or an image, and its poster as JPEG.

    Every packet is read, to find out whether the file is whole. Raises `TransferError` for a damaged file, and
    for any file that is neither a clip nor an image, or not of the `kind` (`video` or `image`).
    """
    with file.open("rb") as stream:
        head = stream.read(64)
    media_type = media_type_of(head)
    found = "image" if media_type.startswith("image/") else "video"
    if kind and found != kind:
        raise TransferError(
            f"The hub sent {_named(head, media_type)} instead of {'an' if kind == 'image' else 'a'} {kind}."
        )
    if found == "image" and media_type not in _SHOWN:
        raise TransferError(f"The hub sent {_named(head, media_type)} that no browser shows.")
    try:
        facts, first = _image(file, media_type) if found == "image" else _video(file, media_type)
        return facts, poster(first)
    except Exception as exc:  # noqa: BLE001 - a decoder may raise anything for such bytes
        why = getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
        raise TransferError(f"The hub sent {_named(head, media_type)} that cannot be decoded ({why}).") from None


def _named(head: bytes, media_type: str = "") -> str:
    """Return the name of a file's type, as it would be said: `a PNG image`, `a web page`."""
    kind, _, form = media_type.partition("/")
    if kind in ("image", "video"):
        return f"{'an' if form in ('mp4', 'avif') else 'a'} {form.upper()} {kind}"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start:
        return "an SVG drawing"
    if start.startswith(b"<!doctype html") or b"<html" in start:
        return "a web page"
    if start.startswith(b"%pdf"):
        return "a PDF document"
    if start.startswith(b"pk\3\4"):
        return "an archive"
    return "a text" if head and start.isascii() and b"\0" not in head else "a file of an unknown type"


#: The first bytes of videos that are kept as a hub sent them, besides those of `media_type_of`.
_VIDEOS = (b"FLV", b"\x30\x26\xb2\x75", b"\0\0\1\xba", b"\x47")
#: The boxes with which a QuickTime file without `ftyp` begins.
_QUICKTIME = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_HEAD = 512
#: Images that every installation can decode.
_DECODED = (".png", ".jpg", ".gif", ".webp", ".bmp")


def media_kind(file: Path) -> Literal["image", "video", ""]:
    """Return the format of a file by its first bytes; empty for anything else, and for a file that cannot be read."""
    try:
        with file.open("rb") as stream:
            return _kind_of(stream.read(_HEAD))
    except OSError:
        return ""


def fault_of(file: Path, *, image: bool = False) -> str:
    """Return why a file is not an image or a video, `is a web page`; empty if it is one.

    An image is decoded to its end; of a video, all packets are read and the first frame is decoded. With `image`, a
    video is a fault too.
    """
    try:
        with file.open("rb") as stream:
            head = stream.read(_HEAD)
        kind = _kind_of(head)
        if not kind or (image and kind == "video"):
            return f"is {_named(head, media_type_of(head))}" if head else "is empty"
        if kind == "video":
            _video(file, "")
        elif suffix_of(head) in _DECODED:
            _image(file, "")
    except Exception as exc:  # noqa: BLE001 - decoders fed foreign bytes raise anything: struct.error, IndexError, ...
        return f"is damaged ({exc})"
    return ""


def _kind_of(head: bytes) -> Literal["image", "video", ""]:
    kind = media_type_of(head).partition("/")[0]
    video = head.startswith(_VIDEOS) or head[4:8] in _QUICKTIME or (head[:4], head[8:12]) == (b"RIFF", b"AVI ")
    return "image" if kind == "image" else "video" if kind == "video" or video else ""


def poster(frame: PILImage) -> bytes:
    """Return a frame as a JPEG at most 640 pixels wide."""
    return _jpeg(frame, (POSTER_WIDTH, POSTER_WIDTH * 4), POSTER_QUALITY)


def thumbnail(file: io.BytesIO | Path, *, video: bool = False) -> bytes | None:
    """Return a JPEG of at most 96 pixels a side, upright and on white; None for an unreadable file."""
    from PIL import Image

    try:
        if video:
            return _jpeg(_first_frame(file), (THUMBNAIL_SIDE, THUMBNAIL_SIDE), THUMBNAIL_QUALITY)
        with open_image(file.read_bytes() if isinstance(file, Path) else file.read()) as image:
            return _jpeg(image, (THUMBNAIL_SIDE, THUMBNAIL_SIDE), THUMBNAIL_QUALITY)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def _image(file: Path, media_type: str) -> tuple[Facts, PILImage]:
    from PIL import ImageOps

    with open_image(file.read_bytes()) as image:
        upright = ImageOps.exif_transpose(image)
        return Facts(media_type, upright.width, upright.height), upright


def _video(file: Path, media_type: str) -> tuple[Facts, PILImage]:
    import av

    with av.open(str(file)) as container:
        # A still image is a video of one frame to the decoder, and the cover of a sound file too.
        pictures = [each for each in container.streams.video if not each.disposition & _COVER]
        if not pictures or not set(container.format.name.split(",")) & _CONTAINERS:
            raise ValueError("it has no video")
        stream = pictures[0]
        sound = container.streams.audio[0] if container.streams.audio else None
        first = next(container.decode(stream), None)
        if first is None:
            raise ValueError("it has no frame")
        container.seek(0)
        packets = [packet for packet in container.demux() if packet.size]
        frames = sum(packet.stream is stream for packet in packets)
        _whole(packets, frames, stream.frames)
        width, height = upright_size(first)
        facts = Facts(
            media_type=media_type,
            width=width,
            height=height,
            duration=None if container.duration is None else round(container.duration / 1_000_000, 3),
            fps=float(stream.average_rate) if stream.average_rate else None,
            frames=frames,
            video_codec=stream.codec_context.name,
            audio_codec=sound.codec_context.name if sound else None,
        )
    return facts, upright_frame(first)


def _whole(packets: list[Any], frames: int, announced: int) -> None:
    if any(packet.is_corrupt for packet in packets):
        raise ValueError("a packet is damaged")
    if frames < announced:
        raise ValueError(f"{frames} of {announced} frames are present")


def _first_frame(file: io.BytesIO | Path) -> PILImage:
    import av

    with av.open(str(file) if isinstance(file, Path) else file, "r") as container:
        for frame in container.decode(video=0):
            return upright_frame(frame)
    raise ValueError("it has no video stream")


def _jpeg(image: PILImage, most: tuple[int, int], quality: int) -> bytes:
    from PIL import ImageOps

    small = ImageOps.exif_transpose(image)
    small.thumbnail(most)
    buffer = io.BytesIO()
    on_white(small).save(buffer, "JPEG", quality=quality, optimize=True)
    return buffer.getvalue()
