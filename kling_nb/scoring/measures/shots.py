"""The cuts between shots."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

from kling_nb.scoring.footage import Footage, Frame
from kling_nb.scoring.measure import Measure
from kling_nb.scoring.registry import scorer

#: Seconds that a cut may differ from the planned one.
TOLERANCE = 0.5


def cut_numbers(frames: Iterable[Frame]) -> list[int]:
    """Return the numbers of the frames that begin a new shot (PySceneDetect's adaptive detector with its defaults).

    It tells a cut from fast motion by the frames around it. Shots shorter than 15 frames are not found.
    """
    import cv2
    from scenedetect import FrameTimecode
    from scenedetect.detectors import AdaptiveDetector

    detector, found = AdaptiveDetector(), list[Any]()
    for number, frame in zip(count(), frames, strict=False):
        image = cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2BGR)
        found += detector.process_frame(FrameTimecode(number, fps=24.0), image)
    return [timecode.frame_num for timecode in found]


@scorer(version="1", unit="off plan", request=True)
def cuts(clip: Footage) -> Measure:
    """Cuts that are not as planned: planned cuts that are missing, and cuts that were not planned.

    Range: 0 (every planned cut is found within 0.5 s, and no other) and up, in cuts. The plan is the request's
    `multi_prompt`; a request with one shot plans no cut. Source: PySceneDetect, `AdaptiveDetector` on frames 320 pixels
    wide. It does not find dissolves, cuts between two similar images, or shots shorter than 15 frames, and it does not
    check what the shots show.
    """
    frames = list(clip.frames())
    found = [frames[number].at for number in cut_numbers(frames)]
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
