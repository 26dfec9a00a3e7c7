"""Loudness and silence."""

from __future__ import annotations

import math

from kling_nb.errors import NotApplicable
from kling_nb.scoring.footage import Footage
from kling_nb.scoring.measure import Measure
from kling_nb.scoring.measures.still import stretches, total
from kling_nb.scoring.registry import scorer

#: Silence: in windows of `_WINDOW` seconds no sample is above `_THRESHOLD`, for at least `_MIN_SECONDS`.
_WINDOW, _THRESHOLD, _MIN_SECONDS = 0.05, 10 ** (-50 / 20), 0.5
#: The limits of BS.1770: five channels, and blocks of 0.4 seconds.
_MAX_CHANNELS, _BLOCK = 5, 0.4


@scorer(version="1", unit="LUFS")
def loudness(clip: Footage) -> Measure:
    """Perceived loudness of the sound: integrated loudness in LUFS.

    Range: -70 to about 0; broadcasts are at -23 (EBU R 128), streams at about -14. Source: ITU-R BS.1770-4 with its
    gate, by pyloudnorm. It does not tell speech from noise, or whether sound and images match. It does not apply to a
    clip that has no sound or is silent.
    """
    import numpy as np
    import pyloudnorm

    sound = clip.sound()
    if sound.samples.shape[1] > _MAX_CHANNELS or len(sound.samples) < _BLOCK * sound.rate:
        raise NotApplicable("the sound is shorter than 0.4 s or has more than five channels")
    with np.errstate(divide="ignore"):  # silence is minus infinity
        value = float(pyloudnorm.Meter(sound.rate).integrated_loudness(sound.samples.astype(np.float64)))
    if not math.isfinite(value):
        raise NotApplicable("the sound is silent")
    return Measure(value)


@scorer(version="1", unit="s")
def silence(clip: Footage) -> Measure:
    """Seconds of silence: stretches of at least 0.5 s in which no sample is above -50 dBFS.

    Range: 0 to the duration of the sound. Source: the peak of each window of 0.05 s, all channels. It does not tell an
    intended pause from missing sound. It does not apply to a clip without a sound track.
    """
    import numpy as np

    sound = clip.sound()
    window = max(1, round(_WINDOW * sound.rate))
    peaks = np.abs(sound.samples).max(axis=1)
    quiet = [bool(peaks[start : start + window].max() <= _THRESHOLD) for start in range(0, len(peaks), window)]
    times = [start / sound.rate for start in range(0, len(peaks), window)]
    return total(stretches(times, quiet, len(peaks) / sound.rate, _MIN_SECONDS - 1e-9))
