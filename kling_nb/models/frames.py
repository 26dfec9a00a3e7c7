"""One frame out of a clip, exactly: told by its place in the order of display, whatever the codec's own order."""

from __future__ import annotations

import operator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex

from kling_nb.errors import KlingError, LogError

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage


def frame_of(file: Path, number: int) -> PILImage:
    """Return a frame as an RGB picture, from 0; negative numbers count from the end.

    Raises `KlingError` for what is no number, `IndexError` for a frame that the clip has not, `LogError` for a file
    that is gone, and `OSError` or `ValueError` for one that is no clip.
    """
    import av  # lazily: it takes 75 ms, and most sessions never ask for a frame

    if isinstance(number, bool) or not isinstance(number, SupportsIndex):  # pyright: ignore[reportUnnecessaryIsInstance] -- whatever somebody gave
        raise KlingError(f"{number!r} is no frame's number: 0 is the first, -1 the last")
    number = operator.index(number)
    if not file.is_file():
        raise LogError(f"{file} is not there any more; kn.log().verify() says what else the log misses")
    with av.open(str(file)) as container:
        if not container.streams.video:
            raise ValueError(f"{file.name} has no picture")
        stream = container.streams.video[0]
        # Reading packets without decoding them gives every moment that a picture is shown at, in a few milliseconds.
        packets = [_Packet(*found) for packet in container.demux(stream) if (found := _times(packet))]
        moments = sorted(packet.shown for packet in packets)
        wanted = moments[_place(number, len(moments), file)]
        # A container seeks by the order of decoding, in which a later key picture may come before the wanted one.
        start = max((p for p in packets if p.key and p.shown <= wanted), default=packets[0])
        container.seek(start.decoded, stream=stream)
        for frame in container.decode(stream):
            if frame.pts == wanted:
                return frame.to_image()
    raise ValueError(f"{file.name}: frame {number} cannot be decoded")


class _Packet(NamedTuple):
    shown: int
    decoded: int
    key: bool


def _times(packet: Any) -> tuple[int, int, bool] | None:
    if packet.pts is None or not packet.size or packet.is_discard:
        return None
    return packet.pts, packet.pts if packet.dts is None else packet.dts, packet.is_keyframe


def _place(number: int, count: int, file: Path) -> int:
    if not -count <= number < count:
        raise IndexError(f"there is no frame {number}: {file.name} has {count}, 0 to {count - 1} or -{count} to -1")
    return number % count
