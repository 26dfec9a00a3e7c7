"""Loudness and silence."""

from __future__ import annotations

import contextlib

from kling_nb.errors import NotApplicable
from kling_nb.scoring.footage import Footage
from kling_nb.scoring.measure import Measure
from kling_nb.scoring.measures.still import stretches, total
from kling_nb.scoring.registry import scorer

#: Silence: in windows of `_WINDOW` seconds no sample is above `_THRESHOLD`, for at least `_MIN_SECONDS`.
_WINDOW, _THRESHOLD, _MIN_SECONDS = 0.05, 10 ** (-50 / 20), 0.5
#: What the meter says of a sound without a single block above its gate.
_NOTHING = -70.0


@scorer(version="2", unit="LUFS")
def loudness(clip: Footage) -> Measure:
    """Perceived loudness of the sound: integrated loudness in LUFS.

    Range: -70 to about 0; broadcasts are at -23 (EBU R 128), streams at about -14. Source: ITU-R BS.1770 with its gate,
    by FFmpeg's `ebur128`. It does not tell speech from noise, or whether sound and images match. It does not apply to a
    clip that has no sound, is silent, or is shorter than 0.4 s.
    """
    import av
    import numpy as np
    from av.filter import Graph

    samples, rate = clip.sound()
    layout = f"{samples.shape[1]}c"
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout=layout)
    frame.sample_rate, frame.pts = rate, 0
    graph = Graph()
    source = graph.add_abuffer(sample_rate=rate, format="fltp", layout=layout)
    meter = graph.add("ebur128", "metadata=1:framelog=quiet")
    graph.link_nodes(source, meter, graph.add("abuffersink")).configure()
    graph.push(frame)
    graph.push(None)
    value = _NOTHING
    with contextlib.suppress(EOFError, BlockingIOError):  # the end
        while True:
            value = float(graph.pull().metadata.get("lavfi.r128.I", value))
    if value <= _NOTHING:
        raise NotApplicable("the sound is silent or shorter than 0.4 s")
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
