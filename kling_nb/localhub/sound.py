"""The sound of an animatic: a soft chord chosen by the seed, and a tick at each cut."""

from __future__ import annotations

import array
import math
from fractions import Fraction

import av

__all__ = ["RATE", "to_frames", "track"]

RATE = 48_000
_SYNTHESIS_RATE = 6_000  # enough, since nothing is above 1.4 kHz; FFmpeg resamples it
_LOOP_SECONDS = 2  # every partial makes whole turns in it, so that the loop has no seam
_CHORDS = ((0, 7, 12, 16), (0, 7, 12, 15), (0, 5, 12, 16), (0, 7, 14, 16), (0, 4, 11, 14))


def track(seed: bytes, seconds: int, cuts: list[float]) -> array.array[int]:
    """Return interleaved stereo samples at 6 kHz, with ticks at `cuts` in seconds."""
    left = _loop(seed)
    right = left[len(left) // 3 :] + left[: len(left) // 3]  # a time shift puts each partial in another phase
    length = seconds * _SYNTHESIS_RATE
    turns = -(-length // len(left))
    samples = array.array("h", bytes(4 * length))
    samples[0::2] = (left * turns)[:length]
    samples[1::2] = (right * turns)[:length]
    for cut in cuts:
        _add_tick(samples, round(cut * _SYNTHESIS_RATE))
    _fade(samples, round(0.6 * _SYNTHESIS_RATE), round(1.0 * _SYNTHESIS_RATE))
    return samples


def to_frames(samples: array.array[int]) -> list[av.AudioFrame]:
    """Return the samples as 48 kHz frames for the encoder."""
    frame = av.AudioFrame(format="s16", layout="stereo", samples=len(samples) // 2)
    frame.planes[0].update(samples.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
    frame.sample_rate = _SYNTHESIS_RATE
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE, frame_size=1024)
    frames = [*resampler.resample(frame), *resampler.resample(None)]
    position = 0
    for piece in frames:  # the resampler sets the time of some of them only, which the muxer refuses
        piece.pts, piece.time_base = position, Fraction(1, RATE)
        position += piece.samples
    return frames


def _loop(seed: bytes) -> array.array[int]:
    root = 98.0 * 2 ** (seed[1] % 8 / 12)
    notes = (root * 2 ** (step / 12) for step in _CHORDS[seed[2] % len(_CHORDS)])
    tones = [round(note * _LOOP_SECONDS) / _LOOP_SECONDS for note in notes]
    partials = [(tone * turn, 1900 / (n + 1.6) / turn**1.7) for n, tone in enumerate(tones) for turn in (1, 2)]
    length = _LOOP_SECONDS * _SYNTHESIS_RATE
    total = [0.0] * length
    for number, (frequency, loudness) in enumerate(partials):
        step = math.tau * frequency / _SYNTHESIS_RATE
        swell = math.tau * 0.5 * (1 + number % 2) / _SYNTHESIS_RATE
        phase = number * 0.9
        wave = [loudness * math.sin(step * at) * (0.75 + 0.25 * math.sin(swell * at + phase)) for at in range(length)]
        total = [a + b for a, b in zip(total, wave, strict=True)]
    return array.array("h", [int(value) for value in total])


def _add_tick(samples: array.array[int], start: int) -> None:
    for step in range(_SYNTHESIS_RATE // 12):
        left = 2 * (start + step)
        if left + 1 >= len(samples):
            return
        value = int(3200 * math.exp(-step / 130) * math.sin(math.tau * 1320 * step / _SYNTHESIS_RATE))
        for side in (left, left + 1):
            samples[side] = max(-32768, min(32767, samples[side] + value))


def _fade(samples: array.array[int], rise: int, fall: int) -> None:
    length = len(samples) // 2
    for step in range(min(rise, length)):
        for side in (0, 1):
            samples[2 * step + side] = int(samples[2 * step + side] * step / rise)
    for step in range(min(fall, length)):
        for side in (0, 1):
            at = 2 * (length - 1 - step) + side
            samples[at] = int(samples[at] * step / fall)
