"""Tiny clips with known scores: 24 frames a second, made of given images and sound."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

SIZE, FPS, RATE = (160, 96), 24, 48_000


def texture(seed: int, width: int = SIZE[0]) -> Any:
    """An image with soft texture everywhere, so that its motion can be followed."""
    noise = np.random.default_rng(seed).integers(0, 256, (SIZE[1], width, 3)).astype(np.uint8)
    soft = cv2.GaussianBlur(noise, (0, 0), 2)
    return cv2.normalize(soft, None, 0, 255, cv2.NORM_MINMAX)


def frozen(seconds: float, image: Any) -> list[Any]:
    """The same image all the time."""
    return [image] * round(seconds * FPS)


def pan(seconds: float, pixels: int, seed: int = 1) -> list[Any]:
    """A texture that moves by `pixels` from frame to frame."""
    count = round(seconds * FPS)
    whole = texture(seed, SIZE[0] + pixels * count)
    return [np.ascontiguousarray(whole[:, pixels * at : pixels * at + SIZE[0]]) for at in range(count)]


def grey(level: float) -> Any:
    return np.full((SIZE[1], SIZE[0], 3), round(level), np.uint8)


def tone(seconds: float, decibels: float, hertz: float = 997) -> Any:
    """A sine in both channels with a peak of `decibels` dBFS; silence for minus infinity."""
    at = np.arange(round(seconds * RATE)) / RATE
    one = 10 ** (decibels / 20) * np.sin(2 * np.pi * hertz * at)
    return np.stack([one, one]).astype(np.float32)


def write_clip(path: Path, frames: Iterable[Any], sound: Any = None) -> Path:
    """Write the frames, without loss, and the sound to an MP4 file."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=FPS, options={"qp": "0", "preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        track = out.add_stream("aac", rate=RATE, layout="stereo", options={"b": "256k"}) if sound is not None else None
        for number, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        for start in range(0, sound.shape[1] if track else 0, 1024):
            block = np.ascontiguousarray(sound[:, start : start + 1024])
            piece = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
            piece.rate, piece.pts, piece.time_base = RATE, start, Fraction(1, RATE)
            out.mux(track.encode(piece))
        if track:
            out.mux(track.encode(None))
    return path
