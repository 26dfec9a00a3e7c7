"""The sound of an animatic: a soft chord from the request's digest, and a tick at each cut."""

from __future__ import annotations

import array
import math
from fractions import Fraction

import av

__all__ = ["RATE", "bed", "frames"]

RATE = 48_000
_COARSE = 6_000  # the bed has nothing above 1.4 kHz: made coarse, resampled by FFmpeg
_LOOP = 2  # seconds; every partial makes whole turns in it, so that the loop has no seam
_CHORDS = ((0, 7, 12, 16), (0, 7, 12, 15), (0, 5, 12, 16), (0, 7, 14, 16), (0, 4, 11, 14))


def bed(seed: bytes, seconds: int, cuts: list[float]) -> array.array[int]:
    """Interleaved stereo samples at the coarse rate."""
    left = _loop(seed)
    right = left[len(left) // 3 :] + left[: len(left) // 3]  # the same later: each partial in another phase
    length = seconds * _COARSE
    turns = -(-length // len(left))
    track = array.array("h", bytes(4 * length))
    track[0::2] = (left * turns)[:length]
    track[1::2] = (right * turns)[:length]
    for cut in cuts:
        _add_tick(track, round(cut * _COARSE))
    _fade(track, round(0.6 * _COARSE), round(1.0 * _COARSE))
    return track


def frames(track: array.array[int]) -> list[av.AudioFrame]:
    """The track as 48 kHz frames for the encoder."""
    frame = av.AudioFrame(format="s16", layout="stereo", samples=len(track) // 2)
    frame.planes[0].update(track.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
    frame.sample_rate = _COARSE
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE, frame_size=1024)
    made = [*resampler.resample(frame), *resampler.resample(None)]
    at = 0
    for piece in made:  # the resampler dates only some of them, and a mix of both is refused by the muxer
        piece.pts, piece.time_base = at, Fraction(1, RATE)
        at += piece.samples
    return made


def _loop(seed: bytes) -> array.array[int]:
    root = 98.0 * 2 ** (seed[1] % 8 / 12)
    tones = [_whole(root * 2 ** (step / 12)) for step in _CHORDS[seed[2] % len(_CHORDS)]]
    partials = [(tone * turn, 1900 / (n + 1.6) / turn**1.7) for n, tone in enumerate(tones) for turn in (1, 2)]
    length = _LOOP * _COARSE
    total = [0.0] * length
    for number, (frequency, loudness) in enumerate(partials):
        step = math.tau * frequency / _COARSE
        swell = math.tau * 0.5 * (1 + number % 2) / _COARSE
        turn = number * 0.9
        wave = [loudness * math.sin(step * at) * (0.75 + 0.25 * math.sin(swell * at + turn)) for at in range(length)]
        total = [a + b for a, b in zip(total, wave, strict=True)]
    return array.array("h", [int(value) for value in total])


def _whole(frequency: float) -> float:
    return round(frequency * _LOOP) / _LOOP


def _add_tick(track: array.array[int], at: int) -> None:
    for step in range(_COARSE // 12):
        where = 2 * (at + step)
        if where + 1 >= len(track):
            return
        value = int(3200 * math.exp(-step / 130) * math.sin(math.tau * 1320 * step / _COARSE))
        track[where] = max(-32768, min(32767, track[where] + value))
        track[where + 1] = max(-32768, min(32767, track[where + 1] + value))


def _fade(track: array.array[int], rise: int, fall: int) -> None:
    length = len(track) // 2
    for step in range(min(rise, length)):
        for side in (0, 1):
            track[2 * step + side] = int(track[2 * step + side] * step / rise)
    for step in range(min(fall, length)):
        for side in (0, 1):
            at = 2 * (length - 1 - step) + side
            track[at] = int(track[at] * step / fall)
