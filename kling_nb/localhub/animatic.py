"""Animatics: the video or image of a request, drawn from its prompt and images.

The same request gives the same bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
from av.video.frame import PictureType
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from . import sound
from .graphics import draw_backdrop, draw_overlay, palette_of
from .inputs import SourceVideo
from .motion import Move, MovingImage, Planes, dissolve, to_frame, to_planes, to_yuv
from .storyboard import FPS, Shot, Storyboard, seed_of, size_of

_COMMENT = "kling_nb local hub animatic"
# In frames.
_DISSOLVE = 12
_FADE = 8
_LOOKAHEAD = 8
_BAND = 16  # rows
_FACE, _EYES = 0.28, 0.4  # how far down a face is in a portrait, and should be in a frame
_ZOOM = 1.08  # in the middle of a move
_THREADS = 2  # fixed, because the encoder's slices and thus its bytes depend on it
# `zerolatency` turns off the lookahead and its thread, which ultrafast does not use: a sixth less work. A constant `qp`
# does without the estimate of each frame's difficulty: a third less.
_X264 = {"preset": "ultrafast", "tune": "zerolatency", "qp": "24", "g": "48", "bf": "0", "x264-params": "scenecut=0"}
# Half of the default's work, and enough for a chord.
_AAC = {"aac_coder": "fast", "b": "48000"}
_BT709, _LIMITED_RANGE = 1, 1


def write_video(
    path: Path,
    body: Mapping[str, Any],
    images: Mapping[str, Image.Image],
    *,
    size: str = "720p",
    index: int = 0,
    edited: SourceVideo | None = None,
) -> None:
    """Write the video of a request as MP4 with H.264 and, if requested, AAC.

    Args:
        path: The file to write.
        body: The request.
        images: The images of the request by URL.
        size: The resolution: 180p, 720p or 1080p.
        index: The number of the generation, if the request makes several.
        edited: The video that the request edits; the clip has its length and shows its frames.
    """
    board = Storyboard.of(body, images, size=size, index=index, edited=edited)
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        container.metadata["comment"] = _COMMENT
        video = container.add_stream("libx264", rate=FPS, options=_X264)
        video.width, video.height = board.size
        video.pix_fmt = "yuv420p"
        video.codec_context.thread_count = _THREADS
        video.codec_context.colorspace = video.codec_context.color_primaries = video.codec_context.color_trc = _BT709
        video.codec_context.color_range = _LIMITED_RANGE
        audio = container.add_stream("aac", rate=sound.RATE, layout="stereo", options=_AAC) if board.has_sound else None
        container.start_encoding()  # opens both encoders before two threads use them
        with ThreadPoolExecutor(_THREADS) as executor:
            packets = executor.submit(_encode_sound, board, audio.encode) if audio else None
            _encode_video(board, executor, lambda frame: container.mux(video.encode(frame)))
            if packets:
                container.mux(packets.result())


def write_image(
    path: Path, body: Mapping[str, Any], images: Mapping[str, Image.Image], *, size: str = "720p", index: int = 0
) -> None:
    """Write the image of a request as PNG; the arguments are those of `write_video`."""
    seed = seed_of(body, images, index)
    shape = size_of(None, str(body.get("aspect_ratio") or "1:1"), size)
    shown = next(iter(images.values()), None)
    background = ImageOps.fit(shown, shape, Image.Resampling.LANCZOS) if shown else draw_backdrop(seed, 1, shape)
    shot = Shot(1, str(body.get("prompt") or ""), 0, 1, (shown,) if shown else (), ())
    layer = draw_overlay(shot, 1, shape, palette_of(seed), as_title=shown is None)
    comment = PngInfo()
    comment.add_text("Comment", _COMMENT)
    Image.alpha_composite(background.convert("RGBA"), layer).convert("RGB").save(path, format="PNG", pnginfo=comment)


def draw_frames(board: Storyboard) -> Iterator[Planes]:
    """Draw every frame, in YUV planes."""
    for shot in board.shots:
        scene = _Scene(board, shot)
        yield from map(scene.draw, range(shot.frame_count))


def _encode_sound(
    board: Storyboard, encode: Callable[[av.AudioFrame | None], list[av.Packet[Any]]]
) -> list[av.Packet[Any]]:
    cuts = [shot.first_frame / FPS for shot in board.shots[1:]]
    frames = sound.frames_of(board.seed, board.frame_count // FPS, cuts)
    return [packet for frame in (*frames, None) for packet in encode(frame)]


def _encode_video(
    board: Storyboard, executor: ThreadPoolExecutor, encode: Callable[[av.VideoFrame | None], None]
) -> None:
    """Encode one frame while the executor draws the next ones; neither holds the interpreter for long."""

    def draw(scene: _Scene, number: int) -> av.VideoFrame:
        frame = to_frame(scene.draw(number))
        frame.pts, frame.time_base = scene.shot.first_frame + number, Fraction(1, FPS)
        if number == 0:
            frame.pict_type = PictureType.I
        return frame

    waiting: deque[Future[av.VideoFrame]] = deque()
    for scene in executor.map(partial(_Scene, board), board.shots):
        for number in range(scene.shot.frame_count):
            waiting.append(executor.submit(draw, scene, number))
            if len(waiting) > _LOOKAHEAD:
                encode(waiting.popleft().result())
    for future in waiting:
        encode(future.result())
    encode(None)


@dataclass(frozen=True)
class _Part:
    """The time of one image within its shot, in frames."""

    moving: MovingImage
    first: int
    last: int

    def draw(self, frame: int) -> Planes:
        return self.moving.at((frame - self.first) / max(1, self.last - self.first))


class _Scene:
    """A shot, ready to be drawn at any frame and on any thread."""

    def __init__(self, board: Storyboard, shot: Shot) -> None:
        self.board, self.shot = board, shot
        self._opens = board.start_image is not None and shot.first_frame == 0
        self._closes = board.tail_image is not None and shot is board.shots[-1]
        self._parts = self._arrange()
        as_title = not (shot.images or shot.elements or board.start_image or board.tail_image)
        overlay = draw_overlay(shot, len(board.shots), board.size, palette_of(board.seed), as_title=as_title)
        self._layers = _split(overlay)

    def draw(self, frame: int) -> Planes:
        """Draw a frame; the first frame of the shot is 0."""
        # Nothing covers the start image in the first frame and the tail image in the last one.
        rise = frame / _FADE if self._opens else 1.0
        fall = (self.shot.frame_count - 1 - frame) / _FADE if self._closes else 1.0
        opacity = min(1.0, rise, fall)
        planes = self._draw_images(frame)
        for layer in self._layers:
            layer.paste_onto(planes, opacity)
        if opacity == 1.0:
            _draw_progress(planes, self.board, self.shot.first_frame + frame)
        return planes

    def _draw_images(self, frame: int) -> Planes:
        visible = [part for part in self._parts if part.first <= frame <= part.last]
        if len(visible) == 1:
            return visible[0].draw(frame)
        here, there = visible[0], visible[1]
        share = (frame - there.first + 1) / (here.last - there.first + 2)
        return dissolve(here.draw(frame), there.draw(frame), share * share * (3 - 2 * share))

    def _arrange(self) -> list[_Part]:
        """Give each image of the shot an equal part of its time, a second at least."""
        board, shot = self.board, self.shot
        images = list(shot.images)
        if self._opens and board.start_image is not None:
            images.insert(0, board.start_image)
        if self._closes and board.tail_image is not None:
            images.append(board.tail_image)
        if not images:
            images.append(board.start_image or _background(board, shot))
        limit = max(1, shot.frame_count // FPS)
        images = [*images[:-1][: limit - 1], images[-1]] if self._closes else images[:limit]
        each = shot.frame_count / len(images)
        overlap = min(_DISSOLVE, int(each / 2))
        parts: list[_Part] = []
        for place, image in enumerate(images):
            is_first, is_last = place == 0, place == len(images) - 1
            first = 0 if is_first else round(place * each) - overlap // 2
            last = shot.frame_count - 1 if is_last else round((place + 1) * each) + overlap // 2 - 1
            opens, closes = self._opens and is_first, self._closes and is_last
            move = _move(board, shot.number * 7 + place, image, opens=opens, closes=closes)
            parts.append(_Part(MovingImage(image, board.size, move), first, last))
        return parts


def _move(board: Storyboard, turn: int, image: Image.Image, *, opens: bool, closes: bool) -> Move:
    """Choose a move by the seed; all are small, so that a short shot is calm."""
    low, high = _vertical_range(image, board.size)
    if opens or closes:
        middle = (low + high) / 2
        return Move((1.0, 1.07) if opens else (1.07, 1.0), y=(middle, middle))
    choice = board.seed[turn % len(board.seed)]
    sideways = (0.38, 0.62) if choice & 2 else (0.62, 0.38)
    return Move((1.03, 1.12) if choice & 1 else (1.13, 1.04), sideways, (low, high) if choice & 4 else (high, low))


def _vertical_range(image: Image.Image, size: tuple[int, int]) -> tuple[float, float]:
    """Return the highest and the lowest anchor that keep a face in sight, which is above the middle of a portrait."""
    tall = image.height / image.width * size[0] / size[1]
    if tall <= 1:
        return 0.5, 0.5
    tall *= _ZOOM
    room = tall - 1
    face = _FACE if image.height >= image.width else _EYES
    rest, reach = max(0.0, (face * tall - _EYES) / room), min(0.08, 0.04 / room)
    return max(0.0, rest - reach), rest + reach


def _background(board: Storyboard, shot: Shot) -> Image.Image:
    """Return the background of a shot without images: a backdrop, or its first element out of focus."""
    if not shot.elements:
        return draw_backdrop(board.seed, shot.number, board.size)
    field = draw_backdrop(board.seed, shot.number, board.size, figure=False)
    small = shot.elements[0].frontal.convert("RGB").resize((48, 48), Image.Resampling.BOX)
    return Image.blend(small.resize(board.size, Image.Resampling.BICUBIC), field, 0.6)


def _draw_progress(planes: Planes, board: Storyboard, frame: int) -> None:
    """Draw a thin progress bar at the bottom, with a gap at each cut."""
    width, height = board.size
    top = height - max(2, round(min(board.size) / 240) // 2 * 2)
    done = width * (frame + 1) / board.frame_count
    for shot in board.shots:
        left = round(width * shot.first_frame / board.frame_count) + (4 if shot.first_frame else 0)
        right = round(width * (shot.first_frame + shot.frame_count) / board.frame_count)
        _fill(planes, (left, top, right, height), 86)
        if done > left:
            _fill(planes, (left, top, min(right, round(done)), height), 226)


def _fill(planes: Planes, box: tuple[int, int, int, int], luma: int) -> None:
    planes[0].paste(luma, box)
    half = (box[0] // 2, box[1] // 2, box[2] // 2, box[3] // 2)
    for plane in planes[1:]:
        plane.paste(128, half)


def _split(overlay: Image.Image) -> list[_Layer]:
    """Split an overlay into bands without its transparent rows, which are most of it."""
    alpha, width = overlay.getchannel("A"), overlay.width
    filled = [top for top in range(0, overlay.height, _BAND) if alpha.crop((0, top, width, top + _BAND)).getbbox()]
    tops = [top for top in filled if top - _BAND not in filled]
    bottoms = [top + _BAND for top in filled if top + _BAND not in filled]
    return [
        _Layer(overlay, (0, top, width, min(bottom, overlay.height))) for top, bottom in zip(tops, bottoms, strict=True)
    ]


class _Layer:
    """A part of an overlay, as planes and masks."""

    def __init__(self, overlay: Image.Image, box: tuple[int, int, int, int]) -> None:
        left, top, right, bottom = box
        right, bottom = min(overlay.width, -(-right // 2) * 2), min(overlay.height, -(-bottom // 2) * 2)
        self._corner = left // 2 * 2, top // 2 * 2
        part = overlay.crop((*self._corner, right, bottom))
        alpha = part.getchannel("A")
        # The planes are views of this frame, which must therefore stay alive.
        self._frame = to_yuv(part.convert("RGB"))
        self._planes = to_planes(self._frame)
        self._masks = (alpha, alpha.resize((alpha.width // 2, alpha.height // 2), Image.Resampling.BOX))

    def paste_onto(self, planes: Planes, opacity: float) -> None:
        if opacity <= 0.0:
            return
        masks = self._masks
        if opacity < 1.0:
            table = [round(level * opacity) for level in range(256)]
            masks = (masks[0].point(table), masks[1].point(table))
        left, top = self._corner
        planes[0].paste(self._planes[0], (left, top), masks[0])
        for plane, own in zip(planes[1:], self._planes[1:], strict=True):
            plane.paste(own, (left // 2, top // 2), masks[1])
