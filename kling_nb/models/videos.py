"""The facts of a video file, and the limits of Kling's O3 models for an input video."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from kling_nb.models.problem import Draft, Path, Problem, error
from kling_nb.models.urls import media_type_of, suffix_of

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

    from kling_nb.models.asset import Asset

MIN_SECONDS, MAX_SECONDS, MAX_EDITED_SECONDS = 3, 10, 15
MIN_SIDE, MAX_SIDE = 720, 2160
MIN_FPS, MAX_FPS = 24, 60
MAX_BYTES = 200 * 2**20
#: Containers round a length, and 24 frames per second are often 24,000 per 1,001 seconds.
_SECONDS_OFF, _FPS_OFF = 0.1, 0.05

_PQ = 16  # FFmpeg's number of the HDR transfer function that screens cannot show as it is

#: The models with these limits, and whether each edits its video whatever `video_mode` says.
_LIMITED: Mapping[str, bool] = {"kling-video-o3-omni": False, "kling-video-o3-pro-video-to-video-edit": True}


@dataclass(frozen=True)
class VideoFacts:
    """The length of a video file in seconds, and its size in pixels; `error` is set if it cannot be read.

    Attributes:
        width: In pixels, as players show the video: phones note in the file how it must be turned.
        height: Likewise.
        fps: The frames per second, on average.
    """

    seconds: float = 0
    width: int = 0
    height: int = 0
    fps: float = 0
    error: str = ""


def video_facts(data: bytes) -> VideoFacts:
    """Read a video file's headers and its first frame, and return its facts."""
    if not data:
        return VideoFacts(error="the file is empty")
    if media_type_of(data).startswith("image/"):
        return VideoFacts(error="it is an image")
    import av

    try:
        with av.open(io.BytesIO(data), "r") as container:
            if not container.streams.video:
                return VideoFacts(error="it has no frames")
            stream = container.streams.video[0]
            ticks, base = stream.duration, stream.time_base
            seconds = float(ticks * base) if ticks and base else (container.duration or 0) / av.time_base
            frame = next(container.decode(stream))
            width, height = upright_size(frame)
            facts = VideoFacts(seconds, width, height, float(stream.average_rate or 0))
    except StopIteration:
        return VideoFacts(error="it has no frames")
    except (OSError, ValueError) as exc:  # PyAV's errors are one or the other
        return VideoFacts(error=getattr(exc, "strerror", None) or str(exc) or "it cannot be decoded")
    return facts if seconds > 0 else VideoFacts(error="its duration is unknown")


def upright_size(frame: Any) -> tuple[int, int]:
    """Return the width and height of a frame as players show it."""
    return (frame.height, frame.width) if frame.rotation % 180 else (frame.width, frame.height)


def upright_frame(frame: Any) -> PILImage:
    """Return a frame in RGB as players show it: turned as the file says, and HDR within the range of a screen."""
    image, turned = frame.to_image(), frame.rotation
    if frame.color_trc == _PQ:
        image = image.point(_screen_levels() * 3)
    return image.rotate(turned, expand=True) if turned else image


@cache
def _screen_levels() -> list[int]:
    """Return the level on a screen for each level of PQ (SMPTE ST 2084), which reaches to 10,000 cd/m².

    White in the studio's sense, 203 cd/m² (ITU-R BT.2408), stays bright; highlights to 1,000 are compressed (Reinhard).
    """
    levels: list[int] = []
    for level in range(256):
        signal = (level / 255) ** (1 / 78.84375)
        light = (max(signal - 0.8359375, 0) / (18.8515625 - 18.6875 * signal)) ** (1 / 0.1593017578125)
        relative = light * 10_000 / 203
        shown = min(1.0, relative * (1 + relative / (1000 / 203) ** 2) / (1 + relative))
        levels.append(round(255 * shown ** (1 / 2.2)))
    return levels


def check_video(path: Path, asset: Asset, *, model: str, edited: bool) -> Iterator[Problem]:
    """Yield the problems that a model would have with a local video that it edits, or refers to."""
    facts, size = asset.video_facts, len(asset.data or b"")
    if model not in _LIMITED or facts is None or facts.error:
        return
    longest = MAX_EDITED_SECONDS if edited or _LIMITED[model] else MAX_SECONDS
    kind = suffix_of(asset.data or b"").removeprefix(".").upper()
    length, shape, rate = f"{facts.seconds:.1f} s long", f"{facts.width}×{facts.height} px", f"{facts.fps:.4g} fps"
    lengths, sides, rates = f"{MIN_SECONDS} to {longest} s", f"{MIN_SIDE} to {MAX_SIDE:,} px", f"{MIN_FPS} to {MAX_FPS}"
    found = (
        (
            kind not in ("MP4", "MOV"),
            f"{kind or 'unknown'} video, which is not supported",
            "convert it to MP4",
        ),
        (size > MAX_BYTES, f"{size / 2**20:.0f} MB, which is too large", f"at most {MAX_BYTES >> 20} MB"),
        (facts.seconds < MIN_SECONDS - _SECONDS_OFF, f"{length}, which is too short", lengths),
        (facts.seconds > longest + _SECONDS_OFF, f"{length}, which is too long", lengths),
        (min(facts.width, facts.height) < MIN_SIDE, f"{shape}, which is too small", f"{sides} on each side"),
        (max(facts.width, facts.height) > MAX_SIDE, f"{shape}, which is too large", f"{sides} on each side"),
        (facts.fps < MIN_FPS - _FPS_OFF, f"{rate}, which is too slow", f"{rates} frames per second"),
        (facts.fps > MAX_FPS + _FPS_OFF, f"{rate}, which is too fast", f"{rates} frames per second"),
    )
    for wrong, what, remedy in found:
        if wrong:
            yield error(path, f"{asset.named} is {what}", remedy)


def edits_video(draft: Draft) -> bool:
    """Return whether the draft edits a video, which is the default for an input video; the clip keeps its length."""
    return draft.get("input_video") is not None and draft.get("video_mode", "edit") == "edit"
