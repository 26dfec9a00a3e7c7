"""Loudness and silence."""

from __future__ import annotations

import math

from kling_nb.errors import NotApplicable
from kling_nb.scoring.footage import Footage
from kling_nb.scoring.measure import Measure
from kling_nb.scoring.registry import scorer

#: Silence: no sample of a window of so many seconds is louder than this, for at least so many seconds.
_WINDOW, _QUIET, _LEAST = 0.05, 10 ** (-50 / 20), 0.5
#: What BS.1770 knows: five channels, and blocks of so many seconds.
_CHANNELS, _BLOCK = 5, 0.4


@scorer(version="1", unit="LUFS")
def loudness(clip: Footage) -> Measure:
    """How loud the sound is as people hear it: integrated loudness in LUFS.

    Range: -70 to about 0; broadcasts are at -23 (EBU R 128), streams at about -14. Source: ITU-R BS.1770-4 with its
    gate, by pyloudnorm. It does not tell speech from noise, nor say whether sound and picture belong together; a clip
    without sound, or silent throughout, has none.
    """
    import numpy as np
    import pyloudnorm

    sound = clip.sound()
    if sound.samples.shape[1] > _CHANNELS or len(sound.samples) < _BLOCK * sound.rate:
        raise NotApplicable("the sound is shorter than 0.4 s, or has more than five channels")
    with np.errstate(divide="ignore"):  # silence is minus infinity
        value = float(pyloudnorm.Meter(sound.rate).integrated_loudness(sound.samples.astype(np.float64)))
    if not math.isfinite(value):
        raise NotApplicable("the sound is silent throughout")
    return Measure(value)


@scorer(version="1", unit="s")
def silence(clip: Footage) -> Measure:
    """How long the sound is silent, in seconds: stretches of at least 0.5 s in which no sample passes -50 dBFS.

    Range: 0 to the sound's length. Source: the peak of each window of 0.05 s, all channels. It does not tell a pause
    that was asked for from sound that is missing; a clip without a sound track has none to be silent.
    """
    import numpy as np

    sound = clip.sound()
    window = max(1, round(_WINDOW * sound.rate))
    peaks = np.abs(sound.samples).max(axis=1)
    quiet = [bool(peaks[start : start + window].max() <= _QUIET) for start in range(0, len(peaks), window)]
    seconds, run, stretches = 0.0, 0, list[str]()
    for number, is_quiet in enumerate([*quiet, False]):
        if is_quiet:
            run += 1
        elif run:
            begin, end = ((number - run) * window / sound.rate, min(number * window, len(peaks)) / sound.rate)
            if end - begin >= _LEAST - 1e-9:
                seconds += end - begin
                stretches.append(f"{begin:.2f} to {end:.2f} s")
            run = 0
    return Measure(seconds, ", ".join(stretches[:6]), {"stretches": float(len(stretches))})
