"""Black and frozen: stretches in which nothing is to be seen, or nothing happens."""

from __future__ import annotations

from collections.abc import Sequence

from kling_nb.scoring.footage import Footage, Frame
from kling_nb.scoring.measure import Measure
from kling_nb.scoring.registry import scorer

#: A pixel is black up to this share of full scale, a frame with so many of them (the defaults of FFmpeg's blackdetect).
_DARK, _MOST = 0.10, 0.98
#: Two frames are the same up to this mean difference, as a share of full scale (FFmpeg's freezedetect, -60 dB).
_SAME = 0.001
#: Seconds that a stretch must last to count.
_BLACK, _FROZEN = 0.1, 0.5


@scorer(version="1", unit="s")
def black(clip: Footage) -> Measure:
    """How long the picture is black, in seconds: stretches of at least 0.1 s.

    Range: 0 to the clip's length. Source: the rule of FFmpeg's `blackdetect` (a frame is black when 98 % of its pixels
    are at most 10 % bright) on frames of 320 pixels' width. It does not tell a dark scene that was asked for from a
    fault; a black part of the picture does not count.
    """
    import cv2

    frames = list(clip.frames())
    grey = (cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY) for frame in frames)
    dark = [bool((picture <= 255 * _DARK).mean() >= _MOST) for picture in grey]
    return _whole(_stretches(frames, dark, clip.step, _BLACK))


@scorer(version="1", unit="s")
def frozen(clip: Footage) -> Measure:
    """How long the picture stands still, in seconds: stretches of at least 0.5 s in which no frame differs.

    Range: 0 to the clip's length. Source: the rule of FFmpeg's `freezedetect` (the mean difference to the frame before
    is at most 0.1 % of full scale, -60 dB) on frames of 320 pixels' width. It does not tell a fault from a still that
    was asked for, and does not see a person who stands still in moving surroundings.
    """
    import numpy as np

    frames = list(clip.frames())
    same = [False] * len(frames)
    for number in range(1, len(frames)):
        before, after = (frames[one].rgb.astype(np.int16) for one in (number - 1, number))
        same[number] = bool(np.abs(after - before).mean() <= 255 * _SAME)
    # A frame that the next one repeats belongs to the stretch too.
    still = [one or following for one, following in zip(same, [*same[1:], False], strict=True)]
    return _whole(_stretches(frames, still, clip.step, _FROZEN))


def _stretches(frames: Sequence[Frame], marked: Sequence[bool], step: float, least: float) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    start: float | None = None
    for frame, is_in in zip(frames, marked, strict=True):
        if is_in and start is None:
            start = frame.at
        elif not is_in and start is not None:
            found.append((start, frame.at))
            start = None
    if start is not None:
        found.append((start, frames[-1].at + step))
    return [(begin, end) for begin, end in found if end - begin >= least - step / 2]


def _whole(found: Sequence[tuple[float, float]]) -> Measure:
    said = ", ".join(f"{begin:.2f} to {end:.2f} s" for begin, end in found[:6])
    return Measure(sum(end - begin for begin, end in found), said, {"stretches": float(len(found))})
