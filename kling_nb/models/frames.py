"""Single frames of a clip, numbered in display order, whatever order the codec stores them in."""

from __future__ import annotations

import operator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex

from kling_nb.errors import ArgumentTypeError, LogError
from kling_nb.models.videos import upright_frame

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage


def frame_of(file: Path, number: int) -> PILImage:
    """Return one frame as an RGB image, upright.

    Args:
        file: A video.
        number: From 0 for the first frame; -1 is the last.

    Raises:
        ArgumentTypeError: `number` is not an integer.
        IndexError: The clip has no such frame.
        LogError: The file is missing.
        OSError: The file is damaged. `ValueError` if it is not a video.
    """
    import av  # lazily: it takes 75 ms, and most sessions never ask for a frame

    if isinstance(number, bool) or not isinstance(number, SupportsIndex):  # pyright: ignore[reportUnnecessaryIsInstance] -- user input
        raise ArgumentTypeError(f"The frame number must be an integer, got {number!r}. 0 is the first, -1 the last.")
    index = operator.index(number)
    if not file.is_file():
        raise LogError(f"{file} is missing. kn.log.verify() lists what else the log misses.")
    with av.open(str(file)) as container:
        if not container.streams.video:
            raise ValueError(f"{file.name} has no video stream.")
        stream = container.streams.video[0]
        # Reading packets without decoding them gives the times of all frames in a few milliseconds.
        packets = [_Packet(*times) for packet in container.demux(stream) if (times := _times(packet))]
        shown = sorted(packet.shown for packet in packets)
        if not -len(shown) <= index < len(shown):
            raise IndexError(f"{file.name} has {len(shown)} frames, 0 to {len(shown) - 1}, got {index}.")
        wanted = shown[index]
        # A container seeks in decoding order, in which a later key frame may come before the wanted one.
        start = max((p for p in packets if p.key and p.shown <= wanted), default=packets[0])
        container.seek(start.decoded, stream=stream)
        for frame in container.decode(stream):
            if frame.pts == wanted:
                return upright_frame(frame)
    raise ValueError(f"{file.name}: frame {index} cannot be decoded.")


class _Packet(NamedTuple):
    shown: int
    decoded: int
    key: bool


def _times(packet: Any) -> tuple[int, int, bool] | None:
    if packet.pts is None or not packet.size or packet.is_discard:
        return None
    return packet.pts, packet.pts if packet.dts is None else packet.dts, packet.is_keyframe
