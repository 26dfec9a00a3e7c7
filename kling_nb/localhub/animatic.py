"""The film of a request: an animatic as MP4, H.264 and, when asked, AAC; the same request gives the same frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
from av.video.frame import PictureType
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from . import sound
from .graphics import backdrop, overlay, palette
from .inputs import Footage
from .motion import Move, Moving, Planes, blend, frame_of, planes_of, yuv
from .storyboard import FPS, Plan, Shot, plan, seed_of, size_of

__all__ = ["COMMENT", "frames", "write_image", "write_video"]

COMMENT = "kling_nb local hub animatic"
_DISSOLVE = 12
_FADE = 8
_AHEAD = 8
_BAND = 16
_FACE, _EYES = 0.28, 0.4  # how far down a face is in a portrait, and should be in a frame
_ZOOM = 1.08  # in the middle of a move
_THREADS = 2  # fixed: the encoder's slices, and so its bytes, depend on it
# Zero latency is no look ahead, which ultrafast has no use for anyway, nor a thread for it: a sixth less work.
_X264 = {"preset": "ultrafast", "tune": "zerolatency", "crf": "23", "g": "48", "bf": "0", "x264-params": "scenecut=0"}
_BT709 = 1


def write_video(
    path: Path,
    body: Mapping[str, Any],
    pictures: Mapping[str, Image.Image],
    *,
    size: str = "720p",
    index: int = 0,
    edited: Footage | None = None,
) -> None:
    """Write the film of a request; one that edits a video is as long as that, and shows it still by still."""
    film = plan(body, pictures, size=size, index=index, edited=edited)
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        container.metadata["comment"] = COMMENT
        video = container.add_stream("libx264", rate=FPS, options=_X264)
        video.width, video.height = film.size
        video.pix_fmt = "yuv420p"
        video.codec_context.thread_count = _THREADS
        video.codec_context.colorspace = video.codec_context.color_primaries = video.codec_context.color_trc = _BT709
        video.codec_context.color_range = 1  # limited
        audio = container.add_stream("aac", rate=sound.RATE, layout="stereo") if film.sound else None
        container.start_encoding()  # opens both encoders, which are used on two threads from here on
        with ThreadPoolExecutor(_THREADS) as working:
            heard = working.submit(_sound, film, audio.encode) if audio else None
            _encode(film, working, lambda frame: container.mux(video.encode(frame)))
            if heard:
                container.mux(heard.result())


def _sound(film: Plan, encode: Callable[[av.AudioFrame | None], list[av.Packet[Any]]]) -> list[av.Packet[Any]]:
    track = sound.bed(film.seed, film.frames // FPS, [first / FPS for first in sorted(_cuts(film) - {0})])
    return [packet for piece in (*sound.frames(track), None) for packet in encode(piece)]


def _cuts(film: Plan) -> set[int]:
    return {shot.first for shot in film.shots}


def _encode(film: Plan, drawing: ThreadPoolExecutor, encode: Callable[[av.VideoFrame | None], None]) -> None:
    """Draw some frames ahead while one is encoded: both leave the interpreter free most of the time."""
    cuts = _cuts(film)

    def drawn(scene: _Scene, moment: int) -> av.VideoFrame:
        number = scene.shot.first + moment
        frame = frame_of(scene.at(moment))
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        if number in cuts:
            frame.pict_type = PictureType.I
        return frame

    waiting: deque[Future[av.VideoFrame]] = deque()
    for scene, moment in _moments(film, drawing):
        waiting.append(drawing.submit(drawn, scene, moment))
        if len(waiting) > _AHEAD:
            encode(waiting.popleft().result())
    for future in waiting:
        encode(future.result())
    encode(None)


def _moments(film: Plan, drawing: ThreadPoolExecutor) -> Iterator[tuple[_Scene, int]]:
    """Every frame as its shot's scene and its place in that; the next scene is set up while one is drawn."""
    ahead = drawing.submit(_Scene, film, film.shots[0])
    for shot, following in pairwise((*film.shots, None)):
        scene = ahead.result()
        if following:
            ahead = drawing.submit(_Scene, film, following)
        for moment in range(shot.frames if shot else 0):
            yield scene, moment


def frames(film: Plan) -> Iterator[Planes]:
    """Every frame of the film, in YUV planes."""
    for shot in film.shots:
        scene = _Scene(film, shot)
        yield from map(scene.at, range(shot.frames))


@dataclass(frozen=True)
class _Stretch:
    """One picture's time within its shot."""

    moving: Moving
    first: int
    last: int

    def at(self, frame: int) -> Planes:
        return self.moving.at((frame - self.first) / max(1, self.last - self.first))


class _Scene:
    """One shot, ready to be drawn at any of its moments, on any thread."""

    def __init__(self, film: Plan, shot: Shot) -> None:
        self.film, self.shot = film, shot
        self._opens = film.start is not None and shot.first == 0
        self._closes = film.tail is not None and shot is film.shots[-1]
        self._stretches = _stretches(film, shot, opens=self._opens, closes=self._closes)
        bare = not (shot.pictures or shot.elements or film.start or film.tail)
        self._layers = _layers(overlay(shot, len(film.shots), film.size, palette(film.seed), bare=bare))

    def at(self, moment: int) -> Planes:
        """One frame, counted from the shot's first."""
        # The first frame given is the first frame seen, and the last one the last: nothing lies over them.
        rise = moment / _FADE if self._opens else 1.0
        fall = (self.shot.frames - 1 - moment) / _FADE if self._closes else 1.0
        seen = min(1.0, rise, fall)
        planes = _picture(self._stretches, moment)
        for layer in self._layers:
            layer.onto(planes, seen)
        _progress(planes, self.film, self.shot.first + moment, seen)
        return planes


def _picture(stretches: list[_Stretch], frame: int) -> Planes:
    """The stretch of the moment, dissolving into the next where both are on."""
    on = [stretch for stretch in stretches if stretch.first <= frame <= stretch.last]
    if len(on) == 1:
        return on[0].at(frame)
    here, there = on[0], on[1]
    share = (frame - there.first + 1) / (here.last - there.first + 2)
    return blend(here.at(frame), there.at(frame), share * share * (3 - 2 * share))


def _stretches(film: Plan, shot: Shot, *, opens: bool, closes: bool) -> list[_Stretch]:
    shown = list(shot.pictures)
    if opens and film.start is not None:
        shown.insert(0, film.start)
    if closes and film.tail is not None:
        shown.append(film.tail)
    if not shown and film.start is not None:
        shown.append(film.start)
    if not shown:
        shown.append(_ground(film, shot))
    most = max(1, shot.frames // FPS)
    shown = [*shown[:-1][: most - 1], shown[-1]] if closes else shown[:most]
    each = shot.frames / len(shown)
    overlap = min(_DISSOLVE, int(each / 2))
    stretches: list[_Stretch] = []
    for place, picture in enumerate(shown):
        first = 0 if place == 0 else round(place * each) - overlap // 2
        last = shot.frames - 1 if place == len(shown) - 1 else round((place + 1) * each) + overlap // 2 - 1
        begins, ends = opens and place == 0, closes and place == len(shown) - 1
        move = _move(film, shot.number * 7 + place, picture, begins=begins, ends=ends)
        stretches.append(_Stretch(Moving(picture, film.size, move), first, last))
    return stretches


def _move(film: Plan, turn: int, picture: Image.Image, *, begins: bool, ends: bool) -> Move:
    """In, out, or along: chosen by the digest, and never far, so that a short shot is calm."""
    low, high = _heights(picture, film.size)
    if begins or ends:
        middle = (low + high) / 2
        return Move((1.0, 1.07) if begins else (1.07, 1.0), down=(middle, middle))
    choice = film.seed[turn % len(film.seed)]
    sideways = (0.38, 0.62) if choice & 2 else (0.62, 0.38)
    return Move((1.03, 1.12) if choice & 1 else (1.13, 1.04), sideways, (low, high) if choice & 4 else (high, low))


def _heights(picture: Image.Image, size: tuple[int, int]) -> tuple[float, float]:
    """The highest and the lowest anchor of the crop.

    What matters in a portrait is rarely in its middle: a face is above the upper third, and stays in sight.
    """
    tall = picture.height / picture.width * size[0] / size[1]
    if tall <= 1:
        return 0.5, 0.5
    tall *= _ZOOM
    room = tall - 1
    face = _FACE if picture.height >= picture.width else _EYES
    rest, reach = max(0.0, (face * tall - _EYES) / room), min(0.08, 0.04 / room)
    return max(0.0, rest - reach), rest + reach


def _ground(film: Plan, shot: Shot) -> Image.Image:
    """Behind a shot without a picture of its own: a field of colour, or the first element far out of focus."""
    if not shot.elements:
        return backdrop(film.seed, shot.number, film.size)
    field = backdrop(film.seed, shot.number, film.size, figure=False)
    small = shot.elements[0].frontal.convert("RGB").resize((48, 48), Image.Resampling.BOX)
    soft = small.resize(film.size, Image.Resampling.BICUBIC)
    return Image.blend(soft, field, 0.6)


def _progress(planes: Planes, film: Plan, frame: int, seen: float) -> None:
    """A thin line at the foot, with a gap at each cut."""
    if seen < 1.0:
        return
    width, height = film.size
    thick = max(2, round(min(film.size) / 240) // 2 * 2)
    done = width * (frame + 1) / film.frames
    for shot in film.shots:
        left = round(width * shot.first / film.frames) + (4 if shot.first else 0)
        right = round(width * (shot.first + shot.frames) / film.frames)
        _bar(planes, (left, height - thick, right, height), 86)
        if done > left:
            _bar(planes, (left, height - thick, min(right, round(done)), height), 226)


def _bar(planes: Planes, box: tuple[int, int, int, int], level: int) -> None:
    planes[0].paste(level, box)
    half = (box[0] // 2, box[1] // 2, box[2] // 2, box[3] // 2)
    for plane in planes[1:]:
        plane.paste(128, half)


def _layers(whole: Image.Image) -> list[_Layer]:
    """An overlay in parts, without the clear rows between them: most of a picture has nothing over it."""
    alpha, width = whole.getchannel("A"), whole.width
    tops = range(0, whole.height, _BAND)
    filled = [top for top in tops if alpha.crop((0, top, width, top + _BAND)).getbbox()]
    begins = [top for top in filled if top - _BAND not in filled]
    ends = [top + _BAND for top in filled if top + _BAND not in filled]
    return [_Layer(whole, (0, top, width, min(end, whole.height))) for top, end in zip(begins, ends, strict=True)]


class _Layer:
    """A part of an overlay in planes, with the mask that lays it on."""

    def __init__(self, layer: Image.Image, box: tuple[int, int, int, int]) -> None:
        self._box = _even_box(box, layer.size)
        part = layer.crop(self._box)
        alpha = part.getchannel("A")
        # Kept: the planes are views of this frame.
        self._frame = yuv(part.convert("RGB"))
        self._planes = planes_of(self._frame)
        self._masks = (alpha, alpha.resize((alpha.width // 2, alpha.height // 2), Image.Resampling.BOX))

    def onto(self, planes: Planes, seen: float) -> None:
        """Lay it on; `seen` from 0 to 1."""
        if seen <= 0.0:
            return
        whole, half = self._masks if seen >= 1.0 else tuple(_dimmed(mask, seen) for mask in self._masks)
        left, top = self._box[:2]
        planes[0].paste(self._planes[0], (left, top), whole)
        for plane, own in zip(planes[1:], self._planes[1:], strict=True):
            plane.paste(own, (left // 2, top // 2), half)


def _dimmed(mask: Image.Image, seen: float) -> Image.Image:
    return mask.point([round(level * seen) for level in range(256)])


def _even_box(box: tuple[int, int, int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    left, top, right, bottom = box
    return left // 2 * 2, top // 2 * 2, min(size[0], -(-right // 2) * 2), min(size[1], -(-bottom // 2) * 2)


def write_image(
    path: Path, body: Mapping[str, Any], pictures: Mapping[str, Image.Image], *, size: str = "720p", index: int = 0
) -> None:
    """Write the still of a request."""
    seed = seed_of(body, pictures, index)
    shape = size_of(None, str(body.get("aspect_ratio") or "1:1"), size)
    shown = next(iter(pictures.values()), None)
    ground = ImageOps.fit(shown, shape, Image.Resampling.LANCZOS) if shown else backdrop(seed, 1, shape)
    shot = Shot(1, str(body.get("prompt") or ""), 0, 1, (shown,) if shown else (), ())
    layer = overlay(shot, 1, shape, palette(seed), bare=shown is None)
    note = PngInfo()
    note.add_text("Comment", COMMENT)
    Image.alpha_composite(ground.convert("RGBA"), layer).convert("RGB").save(path, format="PNG", pnginfo=note)
