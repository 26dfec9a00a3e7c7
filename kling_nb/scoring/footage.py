"""`Footage`: a clip as a scorer gets it: its frames, its sound and, on request, the request that it was made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from kling_nb.errors import KlingError, NotApplicable

#: Default width of a scorer's frames in pixels; they are decoded once for all scorers of a clip.
WIDTH = 320
#: The most bytes of decoded frames that are cached for the next scorer: half a minute at 24 frames per second.
CACHE_BYTES = 160_000_000
#: Width of the few frames in which fine detail is measured, and the step from one to the next.
DETAIL_WIDTH, DETAIL_EVERY = 640, 6


class Frame(NamedTuple):
    """A frame: its time in seconds, and its pixels as an array of height × width × 3 bytes (RGB)."""

    at: float
    rgb: Any


class Sound(NamedTuple):
    """The sound: samples as an array of time × channels, floats from -1 to 1, and samples per second."""

    samples: Any
    rate: int


class ReferenceImage(NamedTuple):
    """An image that the request refers to: the path of its field, its name and its file."""

    path: str
    name: str
    file: Path


@dataclass(frozen=True)
class RequestInfo:
    """The canonical request, its images that are in the log, and the number of those that are not."""

    request: Mapping[str, Any] = field(default_factory=dict[str, Any])
    images: tuple[ReferenceImage, ...] = ()
    missing_images: int = 0


@dataclass
class Decoded:
    """The parts of a clip that its scorers share; the first that needs a part makes it.

    Attributes:
        frames: The frames of the default width, if they are not too many.
        details: A larger frame in every `DETAIL_EVERY`.
        grey: The luma of the frames (Rec. 601).
        shot_starts: The numbers of the frames that begin a new shot.
    """

    frames: list[Frame] = field(default_factory=list[Frame])
    details: list[Frame] = field(default_factory=list[Frame])
    grey: list[Any] | None = None
    shot_starts: list[int] | None = None
    sound: Sound | None = None


@dataclass
class Footage:
    """A clip as a scorer gets it. It is decoded when its frames or its sound are needed.

    Example:
        >>> @kn.scoring.scorer(version="1", unit="%")
        ... def redness(clip):
        ...     "Redness of the clip, 0 to 100."
        ...     reds = [frame.rgb[..., 0].mean() for frame in clip.frames()]
        ...     return 100 * sum(reds) / len(reds) / 255
    """

    path: Path
    _info: RequestInfo | None = None
    """None for a scorer without `request=True`."""
    decoded: Decoded = field(default_factory=Decoded, repr=False)
    """The parts that are decoded already."""

    def frames(self, width: int = WIDTH, *, every: int = 1) -> Iterator[Frame]:
        """Yield each frame, or only one in `every`, from the first on. Frames of the default width are cached.

        Args:
            width: Pixels; a smaller clip is not enlarged.
            every: 1 for all frames.
        """
        if width != WIDTH:
            return self._decode(width, every)
        return iter(self.decoded.frames[::every]) if self.decoded.frames else self._decode_and_cache(every)

    def details(self) -> list[Frame]:
        """Return one frame in `DETAIL_EVERY`, `DETAIL_WIDTH` wide; a smaller clip is not enlarged."""
        if not self.decoded.details:
            for _ in self._decode_and_cache(1):
                pass
        return self.decoded.details

    def grey(self) -> list[Any]:
        """Return the luma of all frames, of the default width."""
        if self.decoded.grey is None:
            import cv2

            self.decoded.grey = [cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY) for frame in self.frames()]
        return self.decoded.grey

    def sound(self) -> Sound:
        """Return the sound of the clip.

        Raises:
            NotApplicable: The clip has no sound.
        """
        if self.decoded.sound is None:
            self.decoded.sound = self._decode_sound()
        return self.decoded.sound

    def _decode_sound(self) -> Sound:
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
        """Seconds from one frame to the next, by the file's frame rate."""
        import av

        with av.open(str(self.path)) as container:
            rate = container.streams.video[0].average_rate
        return float(1 / rate) if rate else 1 / 24

    @property
    def request(self) -> Mapping[str, Any]:
        """The canonical request: `clip.request["prompt"]`. The scorer needs `request=True`."""
        return self._request_info.request

    @property
    def images(self) -> tuple[ReferenceImage, ...]:
        """The images that the request refers to, if they are in the log. The scorer needs `request=True`."""
        return self._request_info.images

    @property
    def missing_images(self) -> int:
        """The number of images that are not in the log, because they were given as URLs."""
        return self._request_info.missing_images

    @property
    def planned_cuts(self) -> list[float]:
        """The times in seconds at which the request changes its shot. The scorer needs `request=True`."""
        cuts, at = list[float](), 0.0
        for shot in self.request.get("multi_prompt") or ():
            at += float(shot.get("duration", 5))
            cuts.append(at)
        return cuts[:-1]

    @property
    def _request_info(self) -> RequestInfo:
        if self._info is None:  # otherwise one number would be saved for all requests that gave the same file
            raise KlingError("This scorer reads the request: register it with @kn.scoring.scorer(..., request=True).")
        return self._info

    def _decode_and_cache(self, every: int) -> Iterator[Frame]:
        frames, details, size = list[Frame](), list[Frame](), 0
        for number, (frame, *detail) in enumerate(self._decode_sizes((WIDTH, 1), (DETAIL_WIDTH, DETAIL_EVERY))):
            size += frame.rgb.nbytes
            if size <= CACHE_BYTES:
                frames.append(frame)
            details += detail
            if number % every == 0:
                yield frame
        self.decoded.details = details
        if size <= CACHE_BYTES:
            self.decoded.frames = frames

    def _decode(self, width: int, every: int) -> Iterator[Frame]:
        for made in self._decode_sizes((width, every)):
            yield from made

    def _decode_sizes(self, *sizes: tuple[int, int]) -> Iterator[list[Frame]]:
        """Yield each frame of the clip in these widths, each in every so many frames."""
        import av
        from av.video.reformatter import VideoReformatter

        # One scaler for all frames of a size: one for each frame would take as long again. In the clip's own format
        # first, and only then to RGB: both at once takes three times as long and shifts the colours more.
        scalers = [(VideoReformatter(), VideoReformatter()) for _ in sizes]
        with av.open(str(self.path)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1  # there is a worker for each core
            for number, frame in enumerate(container.decode(stream)):
                at, made = number * self.step if frame.pts is None else frame.time, list[Frame]()
                for (width, every), (scaler, converter) in zip(sizes, scalers, strict=True):
                    if number % every == 0:
                        width = min(width, stream.width)
                        height = max(1, round(stream.height * width / stream.width))
                        small = scaler.reformat(frame, width, height, interpolation="AREA")
                        made.append(Frame(at, converter.reformat(small, format="rgb24").to_ndarray()))
                yield made
