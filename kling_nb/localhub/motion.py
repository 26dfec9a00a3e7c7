"""Pictures in slow motion: a cover crop that drifts and grows, in YUV planes and at quarters of a pixel.

Each plane is scaled by libswscale to a whole size, out of a copy that was shifted by the quarter beforehand, and the
crop is whole: a third of the work of shifting every frame, and as smooth, since H.264 too moves in quarters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import av
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from PIL import Image

__all__ = ["Move", "Moving", "Planes", "blend", "frame_of", "planes_of", "yuv"]

Planes = tuple[Image.Image, Image.Image, Image.Image]
_STEPS = 4  # to a pixel
# A new size needs a new scaler, and its pool of threads costs more than the scaling; PyAV 14 knows no such choice.
_ONE_THREAD = {"threads": 1} if "threads" in (VideoReformatter.reformat.__doc__ or "") else {}
_QUICKLY: dict[str, Any] = {"interpolation": Interpolation.FAST_BILINEAR, **_ONE_THREAD}


@dataclass(frozen=True)
class Move:
    """From where to where: the zoom, and the anchor of the crop (0 left or top, 1 right or bottom)."""

    zoom: tuple[float, float] = (1.0, 1.08)
    across: tuple[float, float] = (0.5, 0.5)
    down: tuple[float, float] = (0.5, 0.5)


class Moving:
    """One picture, ready to be seen at any moment of its move."""

    def __init__(self, picture: Image.Image, size: tuple[int, int], move: Move) -> None:
        self._size = size
        picture, move = _trimmed(picture, size, move)
        self._move = move
        cover = max(size[0] / picture.width, size[1] / picture.height)
        self._cover = (picture.width * cover, picture.height * cover)
        largest = max(move.zoom)
        wide, high = (2 * math.ceil(side * largest / 2) for side in self._cover)
        # Kept: the planes are views of this frame.
        self._frame = yuv(picture.resize((wide, high), Image.Resampling.LANCZOS, reducing_gap=2.0))
        luma, *chroma = planes_of(self._frame)
        self._luma, self._chroma = _Plane(luma), [_Plane(plane) for plane in chroma]

    def at(self, progress: float) -> Planes:
        """The planes at `progress` from 0 to 1."""
        eased = 0.45 * progress + 0.55 * progress * progress * (3 - 2 * progress)
        zoom, across, down = (a + (b - a) * eased for a, b in (self._move.zoom, self._move.across, self._move.down))
        (width, height), (room_x, room_y) = self._size, self._cover
        wide, high = max(width, round(room_x * zoom)), max(height, round(room_y * zoom))
        x, y = (wide - width) * across, (high - height) * down
        half, half_size = ((wide + 1) // 2, (high + 1) // 2), (width // 2, height // 2)
        first, second = (plane.seen(half, (x / 2, y / 2), half_size) for plane in self._chroma)
        return self._luma.seen((wide, high), (x, y), self._size), first, second


class _Plane:
    """One plane of a picture, with the copies of it that are shifted by quarters of a pixel, made when first needed."""

    def __init__(self, plane: Image.Image) -> None:
        self._plane = plane
        self._shifted: dict[tuple[int, int], av.VideoFrame] = {}

    def seen(self, scaled: tuple[int, int], at: tuple[float, float], size: tuple[int, int]) -> Image.Image:
        """The crop of `size` at the point `at` of the plane scaled to `scaled`."""
        (left, right), (top, bottom) = (divmod(round(place * _STEPS), _STEPS) for place in at)
        frame = self._frame(right, bottom)
        if scaled != (frame.width, frame.height):
            # Its own scaler: nearly every frame has a size of its own, and frames are drawn on several threads.
            frame = VideoReformatter().reformat(frame, *scaled, "gray", **_QUICKLY)
        return _view(frame.planes[0], scaled).crop((left, top, left + size[0], top + size[1]))

    def _frame(self, right: int, down: int) -> av.VideoFrame:
        if (right, down) not in self._shifted:
            self._shifted[right, down] = _gray(
                _moved(_moved(self._plane, right / _STEPS, (1, 0)), down / _STEPS, (0, 1))
            )
        return self._shifted[right, down]


def blend(one: Planes, other: Planes, share: float) -> Planes:
    """A dissolve: `share` of the other."""
    first, second, third = (Image.blend(a, b, share) for a, b in zip(one, other, strict=True))
    return first, second, third


def planes_of(frame: av.VideoFrame) -> Planes:
    """The planes of a yuv420p frame as pictures, without copying."""
    half = ((frame.width + 1) // 2, (frame.height + 1) // 2)
    sizes = ((frame.width, frame.height), half, half)
    luma, blue, red = (_view(plane, size) for plane, size in zip(frame.planes, sizes, strict=True))
    return luma, blue, red


def frame_of(planes: Planes) -> av.VideoFrame:
    """A frame from planes of exact size."""
    frame = av.VideoFrame(*planes[0].size, "yuv420p")
    _fill(frame, planes)
    return frame


def yuv(picture: Image.Image) -> av.VideoFrame:
    """An RGB picture as a BT.709 frame of limited range, which is what players take HD for."""
    return av.VideoFrame.from_image(picture).reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709, interpolation=Interpolation.BICUBIC
    )


def _trimmed(picture: Image.Image, size: tuple[int, int], move: Move) -> tuple[Image.Image, Move]:
    """Without the parts that the move never shows, which would be scaled for nothing in every frame."""
    shape = size[0] / size[1]
    if picture.width / picture.height < shape:
        seen = picture.width / shape
        low, high = ((picture.height - seen) * each for each in sorted(move.down))
        top, bottom = math.floor(low), min(picture.height, math.ceil(high + seen))
        room = max(1e-6, bottom - top - seen)
        first, last = (min(1.0, ((picture.height - seen) * each - top) / room) for each in move.down)
        return picture.crop((0, top, picture.width, bottom)), replace(move, down=(first, last))
    return picture, move


def _view(plane: Any, size: tuple[int, int]) -> Image.Image:
    return Image.frombuffer("L", size, plane, "raw", "L", plane.line_size, 1)


def _gray(plane: Image.Image) -> av.VideoFrame:
    frame = av.VideoFrame(*plane.size, "gray")
    _fill(frame, (plane,))
    return frame


def _fill(frame: av.VideoFrame, planes: Sequence[Image.Image]) -> None:
    for target, plane in zip(frame.planes, planes, strict=True):
        view = _view(target, plane.size)
        view.readonly = 0  # a paste then writes into the frame itself, and saves two copies
        view.paste(plane)


def _moved(plane: Image.Image, part: float, step: tuple[int, int]) -> Image.Image:
    """The plane shifted by a part of one step to the left or up: neighbours blended; its edge stands still."""
    if not part:
        return plane
    neighbour = plane.copy()
    neighbour.paste(plane, (-step[0], -step[1]))
    return Image.blend(plane, neighbour, part)
