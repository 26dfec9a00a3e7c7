"""The cuts between shots."""

from __future__ import annotations

from collections.abc import Iterator

from kling_nb.scoring.footage import Footage
from kling_nb.scoring.measure import Measure
from kling_nb.scoring.registry import scorer

#: Seconds that a cut may differ from the planned one.
TOLERANCE = 0.5


def shot_starts(clip: Footage) -> list[int]:
    """Return the numbers of the frames that begin a new shot (PySceneDetect's adaptive detector with its defaults).

    It tells a cut from fast motion by the frames around it. Shots shorter than 15 frames are not found.
    """
    if clip.decoded.shot_starts is None:
        clip.decoded.shot_starts = list(_detected(clip))
    return clip.decoded.shot_starts


def _detected(clip: Footage) -> Iterator[int]:
    import cv2
    from scenedetect import FrameTimecode
    from scenedetect.detectors import AdaptiveDetector

    detector = AdaptiveDetector()
    for number, frame in enumerate(clip.frames()):
        image = cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2BGR)
        yield from (cut.frame_num for cut in detector.process_frame(FrameTimecode(number, fps=24.0), image))


@scorer(version="2", unit="off plan", request=True)
def cuts(clip: Footage) -> Measure:
    """Cuts that are not as planned: planned cuts that are missing, and cuts that were not planned.

    Range: 0 (every planned cut is found within 0.5 s, and no other) and up, in cuts. The plan is the request's
    `multi_prompt`; a request with one shot plans no cut. Source: PySceneDetect, `AdaptiveDetector` on frames 320 pixels
    wide. It does not find dissolves, cuts between two similar images, or shots shorter than 15 frames, and it does not
    check what the shots show.
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
