"""Slow pans and zooms over images, in YUV planes and quarters of a pixel.

libswscale scales each plane to a whole size, from a copy that was shifted by quarters of a pixel before, and the crop
is at whole pixels. This takes a third of the time of shifting every frame. It looks as smooth, since H.264 also moves
blocks by quarters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import av
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from PIL import Image

Planes = tuple[Image.Image, Image.Image, Image.Image]
_STEPS = 4  # per pixel
# Each size needs its own scaler, whose pool of threads would cost more than the scaling.
_FAST: dict[str, Any] = {"interpolation": Interpolation.FAST_BILINEAR, "threads": 1}


@dataclass(frozen=True)
class Move:
    """The zoom at both ends of a move, and the anchors of the crop (0 is left or top, 1 right or bottom)."""

    zoom: tuple[float, float] = (1.0, 1.08)
    x: tuple[float, float] = (0.5, 0.5)
    y: tuple[float, float] = (0.5, 0.5)


class MovingImage:
    """An image that fills the frame at any moment of its move."""

    def __init__(self, image: Image.Image, size: tuple[int, int], move: Move) -> None:
        self._size = size
        image, self._move = _trim(image, size, move)
        cover = max(size[0] / image.width, size[1] / image.height)
        self._cover = (image.width * cover, image.height * cover)
        largest = max(move.zoom)
        width, height = (2 * math.ceil(side * largest / 2) for side in self._cover)
        # The planes are views of this frame, which must therefore stay alive.
        self._frame = to_yuv(image, (width, height))
        luma, *chroma = to_planes(self._frame)
        self._luma, self._chroma = _Plane(luma), [_Plane(plane) for plane in chroma]

    def at(self, progress: float) -> Planes:
        """Return the planes at `progress` from 0 to 1."""
        eased = 0.45 * progress + 0.55 * progress * progress * (3 - 2 * progress)
        zoom, x, y = (a + (b - a) * eased for a, b in (self._move.zoom, self._move.x, self._move.y))
        (width, height), (cover_width, cover_height) = self._size, self._cover
        scaled = max(width, round(cover_width * zoom)), max(height, round(cover_height * zoom))
        left, top = (scaled[0] - width) * x, (scaled[1] - height) * y
        half, half_size = ((scaled[0] + 1) // 2, (scaled[1] + 1) // 2), (width // 2, height // 2)
        first, second = (plane.crop(half, (left / 2, top / 2), half_size) for plane in self._chroma)
        return self._luma.crop(scaled, (left, top), self._size), first, second


class _Plane:
    """A plane of an image, with copies that are shifted by quarters of a pixel and made when needed."""

    def __init__(self, plane: Image.Image) -> None:
        self._plane = plane
        self._shifted: dict[tuple[int, int], av.VideoFrame] = {}

    def crop(self, scaled: tuple[int, int], corner: tuple[float, float], size: tuple[int, int]) -> Image.Image:
        """Scale the plane to `scaled`, then crop it to `size` at `corner`."""
        (left, right_shift), (top, down_shift) = (divmod(round(place * _STEPS), _STEPS) for place in corner)
        if (right_shift, down_shift) not in self._shifted:
            plane = _shift(_shift(self._plane, right_shift / _STEPS, (1, 0)), down_shift / _STEPS, (0, 1))
            shifted = av.VideoFrame(*plane.size, "gray")
            _fill(shifted, (plane,))
            self._shifted[right_shift, down_shift] = shifted
        frame = self._shifted[right_shift, down_shift]
        if scaled != (frame.width, frame.height):
            # A new scaler each time: nearly every frame has another size, and several threads draw frames.
            frame = VideoReformatter().reformat(frame, *scaled, "gray", **_FAST)
        return _view(frame.planes[0], scaled).crop((left, top, left + size[0], top + size[1]))


def dissolve(first: Planes, second: Planes, share: float) -> Planes:
    """Blend two frames; `share` is the weight of the second."""
    luma, blue, red = (Image.blend(a, b, share) for a, b in zip(first, second, strict=True))
    return luma, blue, red


def to_planes(frame: av.VideoFrame) -> Planes:
    """Return the planes of a yuv420p frame as images that share its memory."""
    half = ((frame.width + 1) // 2, (frame.height + 1) // 2)
    sizes = ((frame.width, frame.height), half, half)
    luma, blue, red = (_view(plane, size) for plane, size in zip(frame.planes, sizes, strict=True))
    return luma, blue, red


def to_frame(planes: Planes) -> av.VideoFrame:
    """Return a yuv420p frame with these planes."""
    frame = av.VideoFrame(*planes[0].size, "yuv420p")
    _fill(frame, planes)
    return frame


def to_yuv(image: Image.Image, size: tuple[int, int] | None = None) -> av.VideoFrame:
    """Convert an RGB image to a frame of this size in BT.709 and limited range, which players expect of HD video."""
    width, height = size or image.size
    return av.VideoFrame.from_image(image).reformat(
        width, height, "yuv420p", dst_colorspace=Colorspace.ITU709, interpolation=Interpolation.LANCZOS
    )


def _trim(image: Image.Image, size: tuple[int, int], move: Move) -> tuple[Image.Image, Move]:
    """Cut off the rows that the move never shows, and adapt the move: every frame would scale them in vain."""
    shape = size[0] / size[1]
    if image.width / image.height >= shape:
        return image, move
    visible = image.width / shape
    low, high = ((image.height - visible) * each for each in sorted(move.y))
    top, bottom = math.floor(low), min(image.height, math.ceil(high + visible))
    room = max(1e-6, bottom - top - visible)
    first, last = (min(1.0, ((image.height - visible) * each - top) / room) for each in move.y)
    return image.crop((0, top, image.width, bottom)), replace(move, y=(first, last))


def _view(plane: Any, size: tuple[int, int]) -> Image.Image:
    return Image.frombuffer("L", size, plane, "raw", "L", plane.line_size, 1)


def _fill(frame: av.VideoFrame, planes: Sequence[Image.Image]) -> None:
    for target, plane in zip(frame.planes, planes, strict=True):
        view = _view(target, plane.size)
        view.readonly = 0  # pasting then writes to the frame itself, which saves two copies
        view.paste(plane)


def _shift(plane: Image.Image, fraction: float, direction: tuple[int, int]) -> Image.Image:
    """Shift a plane left or up by a fraction of a pixel, blending neighbours; its edge stays in place."""
    if not fraction:
        return plane
    neighbour = plane.copy()
    neighbour.paste(plane, (-direction[0], -direction[1]))
    return Image.blend(plane, neighbour, fraction)
