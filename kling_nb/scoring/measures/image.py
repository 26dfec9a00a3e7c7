"""Motion, flicker and sharpness of the frames."""

from __future__ import annotations

from typing import Any

from kling_nb.errors import NotApplicable
from kling_nb.scoring.footage import Footage
from kling_nb.scoring.measure import Measure
from kling_nb.scoring.measures.shots import shot_starts
from kling_nb.scoring.registry import scorer

#: The optical flow is computed for every fourth pair of frames, in frames of this width: it takes longest.
_FLOW_EVERY, _FLOW_WIDTH = 4, 160


@scorer(version="4", unit="% of width/s")
def motion(clip: Footage) -> Measure:
    """Speed of motion: the mean length of the optical flow, in percent of the frame's width per second.

    Range: 0 (no motion) and up; at 100 everything crosses the frame once in a second. Source: OpenCV's DIS optical
    flow (Kroeger et al. 2016) without refinement, on every fourth pair of frames, 160 pixels wide, without cuts. It
    does not tell a moving camera from moving objects, or good motion from bad, and finds none where there is no
    texture.
    """
    import cv2
    import numpy as np

    grey, times = clip.grey(), clip.times()
    if len(grey) < 2:
        raise NotApplicable("the clip has a single frame")
    # The stubs do not allow `None` for the flow.
    flow_of: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    # A third of the time, and no less exact on known pans.
    flow_of.setVariationalRefinementIterations(0)
    flow_of.setGradientDescentIterations(12)
    flow_of.setPatchStride(4)
    new = set(shot_starts(clip))
    speeds: list[float] = []
    for number in range(1, len(grey), _FLOW_EVERY):
        seconds = times[number] - times[number - 1]
        if number not in new and seconds > 0:
            before, after = (_at_most(_FLOW_WIDTH, image) for image in grey[number - 1 : number + 1])
            flow = flow_of.calc(before, after, None)
            pixels = float(cv2.magnitude(flow[..., 0], flow[..., 1]).mean())
            speeds.append(100 * pixels / flow.shape[1] / seconds)
    if not speeds:
        raise NotApplicable("no shot has two frames")
    slow, fast = np.percentile(speeds, (5, 95))
    return Measure(float(np.mean(speeds)), f"{slow:.3g} to {fast:.3g} in 90 % of the clip")


def _at_most(width: int, image: Any) -> Any:
    import cv2

    height, given = image.shape
    if given <= width:
        return image
    return cv2.resize(image, (width, max(1, round(height * width / given))), interpolation=cv2.INTER_AREA)


@scorer(version="3", unit="% of full scale")
def flicker(clip: Footage) -> Measure:
    """Flicker of the brightness: the mean deviation of a frame from its two neighbours.

    Range: 0 (steady, or a smooth fade) to 50 (alternately black and white); a brightness that alternates by ±5 % of
    full scale gives 5. Source: the second difference of each frame's mean luma, without cuts. It does not
    find flicker in one part that another part evens out, or shimmering texture.
    """
    import cv2
    import numpy as np

    light = [cv2.mean(image)[0] for image in clip.grey()]
    new = set(shot_starts(clip))
    inside = [number for number in range(1, len(light) - 1) if number not in new and number + 1 not in new]
    if not inside:
        raise NotApplicable("no shot has three frames")
    deviations = [abs(light[number] - (light[number - 1] + light[number + 1]) / 2) / 2 for number in inside]
    return Measure(float(100 * np.mean(deviations) / 255))


@scorer(version="3", unit="")
def sharpness(clip: Footage) -> Measure:
    """Amount of fine detail: the variance of the Laplacian of luma, as the median over the clip.

    Range: 0 (a plain surface, or out of focus) and up; photographs have tens to thousands; no unit. Source:
    Pech-Pacheco et al. 2000, by OpenCV, on every sixth frame, 640 pixels wide (a smaller clip is not enlarged).
    Compare only clips of the same scene and size: grain and hard edges count as detail, a soft background lowers it.
    """
    import cv2
    import numpy as np

    # In whole numbers, which a Laplacian of bytes has anyway: a fifth of the time.
    spreads = [cv2.meanStdDev(cv2.Laplacian(image, cv2.CV_16S))[1] for image in clip.details()]
    found = [float(spread[0, 0]) ** 2 for spread in spreads]
    return Measure(float(np.median(found)), f"{min(found):.3g} to {max(found):.3g}")
