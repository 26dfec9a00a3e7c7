"""Motion, flicker and sharpness of the frames."""

from __future__ import annotations

from typing import Any

from kling_nb.errors import NotApplicable
from kling_nb.scoring.footage import Footage
from kling_nb.scoring.measure import Measure
from kling_nb.scoring.measures.shots import cut_numbers
from kling_nb.scoring.registry import scorer

#: The optical flow is computed for every second pair of frames: it takes longest.
_FLOW_EVERY = 2
#: Width of the frames whose sharpness is measured, and the step from one to the next.
_SHARP_WIDTH, _SHARP_EVERY = 640, 6


@scorer(version="1", unit="% of width/s")
def motion(clip: Footage) -> Measure:
    """Speed of motion: the mean length of the optical flow, in percent of the frame's width per second.

    Range: 0 (no motion) and up; at 100 everything crosses the frame once in a second. Source: OpenCV's DIS optical
    flow (Kroeger et al. 2016) on every second pair of frames, 320 pixels wide, without cuts. It does not tell a moving
    camera from moving objects, or good motion from bad, and finds none where there is no texture.
    """
    import cv2
    import numpy as np

    frames = list(clip.frames())
    if len(frames) < 2:
        raise NotApplicable("the clip has a single frame")
    flow_of: Any = cv2.DISOpticalFlow.create(
        cv2.DISOPTICAL_FLOW_PRESET_MEDIUM
    )  # its stubs do not allow `None` for the flow
    new = set(cut_numbers(frames))
    grey = [cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY) for frame in frames]
    speeds: list[float] = []
    for number in range(1, len(frames), _FLOW_EVERY):
        seconds = frames[number].at - frames[number - 1].at
        if number not in new and seconds > 0:
            flow = flow_of.calc(grey[number - 1], grey[number], None)
            pixels = float(np.hypot(flow[..., 0], flow[..., 1]).mean())
            speeds.append(100 * pixels / grey[0].shape[1] / seconds)
    if not speeds:
        raise NotApplicable("no shot has two frames")
    slow, fast = np.percentile(speeds, (5, 95))
    return Measure(float(np.mean(speeds)), f"{slow:.3g} to {fast:.3g} in 90 % of the clip")


@scorer(version="1", unit="% of full scale")
def flicker(clip: Footage) -> Measure:
    """Flicker of the brightness: the mean deviation of a frame from its two neighbours.

    Range: 0 (steady, or a smooth fade) to 50 (alternately black and white); a brightness that alternates by ±5 % of
    full scale gives 5. Source: the second difference of each frame's mean luma (Rec. 601), without cuts. It does not
    find flicker in one part that another part evens out, or shimmering texture.
    """
    import cv2
    import numpy as np

    frames = list(clip.frames())
    light = np.array([cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY).mean() for frame in frames])
    new = set(cut_numbers(frames))
    inside = [number for number in range(1, len(frames) - 1) if number not in new and number + 1 not in new]
    if not inside:
        raise NotApplicable("no shot has three frames")
    deviations = [abs(light[number] - (light[number - 1] + light[number + 1]) / 2) / 2 for number in inside]
    return Measure(float(100 * np.mean(deviations) / 255))


@scorer(version="1", unit="")
def sharpness(clip: Footage) -> Measure:
    """Amount of fine detail: the variance of the Laplacian of luma, as the median over the clip.

    Range: 0 (a plain surface, or out of focus) and up; photographs have tens to thousands; no unit. Source:
    Pech-Pacheco et al. 2000, by OpenCV, on every sixth frame, 640 pixels wide (a smaller clip is not enlarged).
    Compare only clips of the same scene and size: grain and hard edges count as detail, a soft background lowers it.
    """
    import cv2
    import numpy as np

    found: list[Any] = [
        cv2.Laplacian(cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var()
        for frame in clip.frames(_SHARP_WIDTH, every=_SHARP_EVERY)
    ]
    return Measure(float(np.median(found)), f"{min(found):.3g} to {max(found):.3g}")
