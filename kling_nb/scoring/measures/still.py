"""The measures of still images: black frames, and frames without motion."""

from __future__ import annotations

from collections.abc import Sequence

from kling_nb.scoring.footage import Footage
from kling_nb.scoring.measure import Measure
from kling_nb.scoring.registry import scorer

#: The brightest black pixel, and the share of black pixels in a black frame (as in FFmpeg's blackdetect).
_BLACK_LEVEL, _BLACK_SHARE = 0.10, 0.98
#: Two frames are equal up to this mean difference, as a share of full scale (FFmpeg's freezedetect, -60 dB).
_EQUAL = 0.001
#: The shares of the three planes in a frame's samples.
_SHARES = (4 / 6, 1 / 6, 1 / 6)
#: The shortest stretches that count, in seconds.
_BLACK, _FROZEN = 0.1, 0.5


@scorer(version="2", unit="s")
def black(clip: Footage) -> Measure:
    """Seconds of black frames: stretches of at least 0.1 s.

    Range: 0 to the clip's duration. Source: the rule of FFmpeg's `blackdetect` (in a black frame 98 % of the pixels are
    at most 10 % bright) on frames 320 pixels wide. It does not tell an intended dark scene from an error; a black part
    of a frame does not count.
    """
    import numpy as np

    limit = int(255 * _BLACK_LEVEL)
    is_black = [np.count_nonzero(image <= limit) >= _BLACK_SHARE * image.size for image in clip.grey()]
    return total(_of(clip, is_black, _BLACK))


@scorer(version="2", unit="s")
def frozen(clip: Footage) -> Measure:
    """Seconds without motion: stretches of at least 0.5 s in which all frames are equal.

    Range: 0 to the clip's duration. Source: the rule of FFmpeg's `freezedetect` (the mean difference from the previous
    frame is at most 0.1 % of full scale, -60 dB) on frames 320 pixels wide. It does not tell an error from an intended
    freeze, and does not find a person who is frozen in moving surroundings.
    """
    equal = [bool(change <= 255 * _EQUAL) for change in clip.changes() @ _SHARES]
    equal[:1] = [False]  # there is none before it
    # The first frame of a stretch equals the next one, not the one before.
    is_frozen = [one or following for one, following in zip(equal, [*equal[1:], False], strict=True)]
    return total(_of(clip, is_frozen, _FROZEN))


def _of(clip: Footage, marked: Sequence[bool], least: float) -> list[tuple[float, float]]:
    times = clip.times()
    return stretches(times, marked, times[-1] + clip.step if times else 0, least - clip.step / 2)


def stretches(times: Sequence[float], marked: Sequence[bool], end: float, least: float) -> list[tuple[float, float]]:
    """Return the start and the end of each run of marked times that is at least so long."""
    found: list[tuple[float, float]] = []
    start: float | None = None
    for at, is_marked in zip([*times, end], [*marked, False], strict=True):
        if is_marked and start is None:
            start = at
        elif not is_marked and start is not None:
            found.append((start, at))
            start = None
    return [(begin, stop) for begin, stop in found if stop - begin >= least]


def total(found: Sequence[tuple[float, float]]) -> Measure:
    """Return the seconds of some stretches, with the first of them as the note."""
    note = ", ".join(f"{begin:.2f} to {end:.2f} s" for begin, end in found[:6])
    return Measure(sum(end - begin for begin, end in found), note, {"stretches": float(len(found))})
