"""Motion, flicker and sharpness: what the pictures are like, one by one and from one to the next."""

from __future__ import annotations

from typing import Any

from kling_nb.errors import NotApplicable
from kling_nb.scoring.footage import Footage
from kling_nb.scoring.measure import Measure
from kling_nb.scoring.measures.shots import cut_numbers
from kling_nb.scoring.registry import scorer

#: Of the pairs of neighbours, the optical flow looks at every so many: it is what takes longest.
_FLOW_EVERY = 2
#: Width of the frames whose sharpness is measured, and how many are passed over from one to the next.
_SHARP_WIDTH, _SHARP_EVERY = 640, 6


@scorer(version="1", unit="% of width/s")
def motion(clip: Footage) -> Measure:
    """How fast the picture moves: the mean length of its optical flow, in percent of the frame's width per second.

    Range: 0 (nothing moves) and up; 100 is everything moving once across the frame in a second. Source: OpenCV's DIS
    optical flow (Kroeger et al. 2016) on every second pair of neighbours, at 320 pixels' width, cuts left out. It does
    not tell a moving camera from moving things, nor good motion from bad, and sees none where there is no texture.
    """
    import cv2
    import numpy as np

    frames = list(clip.frames())
    if len(frames) < 2:
        raise NotApplicable("the clip has one frame")
    flow_of: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)  # its stubs know no `None` for the flow
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
        raise NotApplicable("no two frames belong to one shot")
    slow, fast = np.percentile(speeds, (5, 95))
    return Measure(float(np.mean(speeds)), f"{slow:.3g} to {fast:.3g} in nine tenths of it")


@scorer(version="1", unit="% of full scale")
def flicker(clip: Footage) -> Measure:
    """How much the brightness of the whole picture trembles: the mean swing of a frame against its two neighbours.

    Range: 0 (steady, or a smooth fade) to 50 (black and white in turn); a brightness that alternates by ±5 % of full
    scale gives 5. Source: the second difference of each frame's mean luma (Rec. 601), cuts left out. It does not see
    flicker of a part that another part makes up for, nor shimmering texture.
    """
    import cv2
    import numpy as np

    frames = list(clip.frames())
    light = np.array([cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY).mean() for frame in frames])
    new = set(cut_numbers(frames))
    inside = [number for number in range(1, len(frames) - 1) if number not in new and number + 1 not in new]
    if not inside:
        raise NotApplicable("no three frames belong to one shot")
    swing = [abs(light[number] - (light[number - 1] + light[number + 1]) / 2) / 2 for number in inside]
    return Measure(float(100 * np.mean(swing) / 255))


@scorer(version="1", unit="")
def sharpness(clip: Footage) -> Measure:
    """How much fine detail there is: the variance of the Laplacian of luma, the median over the clip.

    Range: 0 (a plain surface, or all out of focus) and up, some tens to some thousands for photographs; no unit.
    Source: Pech-Pacheco et al. 2000, by OpenCV, on every sixth frame at 640 pixels' width (a smaller clip as it is).
    Compare clips of the same scene and size only: grain and hard edges count as detail, a soft background lowers it.
    """
    import cv2
    import numpy as np

    found: list[Any] = [
        cv2.Laplacian(cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var()
        for frame in clip.frames(_SHARP_WIDTH, every=_SHARP_EVERY)
    ]
    return Measure(float(np.median(found)), f"{min(found):.3g} to {max(found):.3g}")
