"""`Footage`: what a scorer is given of a clip: its pictures, its sound, and, when it says so, what was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from kling_nb.errors import KlingError, NotApplicable

#: Width in pixels of the frames that a scorer gets by default; they are decoded once for all scorers of a clip.
WIDTH = 320
#: Bytes of small frames that are kept for the next scorer: half a minute at 24 frames a second.
KEPT = 160_000_000


class Frame(NamedTuple):
    """A frame: its time in seconds, and its pixels as an array of height × width × 3 bytes (RGB)."""

    at: float
    rgb: Any


class Sound(NamedTuple):
    """The sound: samples as an array of time × channels, floats of -1 to 1, and how many there are in a second."""

    samples: Any
    rate: int


class Picture(NamedTuple):
    """A picture that the request refers to: the path of its field, its name, its file."""

    path: str
    name: str
    file: Path


@dataclass(frozen=True)
class Asked:
    """What was asked for: the canonical request, the pictures of it that are in the log, and how many are not."""

    request: Mapping[str, Any] = field(default_factory=dict[str, Any])
    pictures: tuple[Picture, ...] = ()
    missing: int = 0


@dataclass
class Footage:
    """One clip, as a scorer sees it. Nothing is decoded before it is asked for.

    >>> @kn.scoring.scorer(version="1", unit="%")
    ... def redness(clip):
    ...     "How red the clip is, 0 to 100."
    ...     reds = [frame.rgb[..., 0].mean() for frame in clip.frames()]
    ...     return 100 * sum(reds) / len(reds) / 255
    """

    path: Path
    _asked: Asked | None = None
    """None for a scorer that did not say `request=True`."""
    kept: list[Frame] = field(default_factory=list[Frame], repr=False)
    """The frames of the default width, once they are decoded."""

    def frames(self, width: int = WIDTH, *, every: int = 1) -> Iterator[Frame]:
        """Yield every `every`th frame from the first on, as wide as `width` pixels; a smaller clip is not enlarged.

        Those of the default width are kept, so that asking again costs nothing.
        """
        if width != WIDTH:
            return self._decoded(width, every)
        if not self.kept:
            return self._kept(every)
        return iter(self.kept[::every])

    def sound(self) -> Sound:
        """Return the sound of the clip. Raises `NotApplicable` when it has none."""
        import av
        import numpy as np

        with av.open(str(self.path)) as container:
            if not container.streams.audio:
                raise NotApplicable("the clip has no sound")
            stream = container.streams.audio[0]
            resampler = av.AudioResampler(format="fltp")
            blocks = [block for frame in container.decode(stream) for block in resampler.resample(frame)]
            blocks += resampler.resample(None)
            rate = stream.rate
        if not blocks:
            raise NotApplicable("the clip has no sound")
        return Sound(np.concatenate([block.to_ndarray() for block in blocks], axis=1).T, rate)

    @cached_property
    def step(self) -> float:
        """Seconds from one frame to the next, by the file's own rate."""
        import av

        with av.open(str(self.path)) as container:
            rate = container.streams.video[0].average_rate
        return float(1 / rate) if rate else 1 / 24

    @property
    def request(self) -> Mapping[str, Any]:
        """The canonical request: `clip.request["prompt"]`. Needs `request=True` in the scorer."""
        return self._told.request

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures that the request refers to, as far as the log has them. Needs `request=True` in the scorer."""
        return self._told.pictures

    @property
    def missing(self) -> int:
        """How many of its pictures the log has not: those that were given as addresses."""
        return self._told.missing

    @property
    def planned_cuts(self) -> list[float]:
        """When the request has its shots change, in seconds; empty for one shot. Needs `request=True` in the scorer."""
        cuts, at = list[float](), 0.0
        for shot in self.request.get("multi_prompt") or ():
            at += float(shot.get("duration", 5))
            cuts.append(at)
        return cuts[:-1]

    @property
    def _told(self) -> Asked:
        if self._asked is None:  # else a number would be kept for all requests that gave the same file
            raise KlingError("this scorer looks at the request: register it with @kn.scoring.scorer(..., request=True)")
        return self._asked

    def _kept(self, every: int) -> Iterator[Frame]:
        kept, size = list[Frame](), 0
        for number, frame in enumerate(self._decoded(WIDTH, 1)):
            size += frame.rgb.nbytes
            if size <= KEPT:
                kept.append(frame)
            if number % every == 0:
                yield frame
        if size <= KEPT:
            self.kept = kept

    def _decoded(self, width: int, every: int) -> Iterator[Frame]:
        import av

        with av.open(str(self.path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            wide = min(width, stream.width)
            high = max(1, round(stream.height * wide / stream.width))
            for number, frame in enumerate(container.decode(stream)):
                if number % every == 0:
                    small = frame.reformat(width=wide, height=high, format="rgb24", interpolation="AREA")
                    yield Frame(number * self.step if frame.pts is None else frame.time, small.to_ndarray())
