"""The cuts between shots."""

from __future__ import annotations

from kling_nb.scoring.footage import Footage
from kling_nb.scoring.measure import Measure
from kling_nb.scoring.registry import scorer

#: Seconds that a cut may differ from the planned one.
TOLERANCE = 0.5
#: The defaults of PySceneDetect's `AdaptiveDetector`: a new shot differs by at least so many levels, and so many times
#: as much as the frames around it change, two on either side; the shot before it has at least so many frames.
_LEVELS, _TIMES, _AROUND, _SHORTEST = 15.0, 3.0, 2, 15


def shot_starts(clip: Footage) -> list[int]:
    """Return the numbers of the frames that begin a new shot, by the rule of PySceneDetect's adaptive detector.

    It tells a cut from fast motion by the frames around it. Shots shorter than 15 frames are not found.
    """
    if clip.decoded.shot_starts is None:
        changes, found = clip.changes().sum(axis=1), list[int]()
        for number in range(_AROUND, len(changes) - _AROUND):
            around = changes[number - _AROUND : number + _AROUND + 1].sum() - changes[number]
            is_cut = changes[number] >= max(_LEVELS, _TIMES * around / (2 * _AROUND))
            if is_cut and number - (found[-1] if found else 0) >= _SHORTEST:
                found.append(number)
        clip.decoded.shot_starts = found
    return clip.decoded.shot_starts


@scorer(version="2", unit="off plan", request=True)
def cuts(clip: Footage) -> Measure:
    """Cuts that are not as planned: planned cuts that are missing, and cuts that were not planned.

    Range: 0 (every planned cut is found within 0.5 s, and no other) and up, in cuts. The plan is the request's
    `multi_prompt`; a request with one shot plans no cut. Source: the rule of PySceneDetect's `AdaptiveDetector`, for
    luma and chroma of frames 320 pixels wide. It does not find dissolves, cuts between two similar images, or shots
    shorter than 15 frames, and it does not check what the shots show.
    """
    times = clip.times()
    found = [times[number] for number in shot_starts(clip)]
    planned, unplanned = clip.planned_cuts, list(found)
    hits = 0
    for at in planned:
        near = [one for one in unplanned if abs(one - at) <= TOLERANCE]
        if near:
            unplanned.remove(min(near, key=lambda one, at=at: abs(one - at)))
            hits += 1
    note = f"{hits} of {len(planned)} planned cuts" if planned else "no cuts planned"
    others = f", {len(unplanned)} not planned" if unplanned else ""
    times = f"; found at {', '.join(f'{one:.2f}' for one in found)} s" if found else ""
    parts = {"planned": float(len(planned)), "found": float(len(found)), "matched": float(hits)}
    return Measure(len(planned) - hits + len(unplanned), f"{note}{others}{times}", parts)
