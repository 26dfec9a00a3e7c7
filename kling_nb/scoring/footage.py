"""`Footage`: a clip as a scorer gets it: its frames, its sound and, on request, the request that it was made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from kling_nb.errors import KlingError, NotApplicable

#: Default width of a scorer's frames in pixels; they are decoded once for all scorers of a clip.
WIDTH = 320
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


class SmallFrame(NamedTuple):
    """A frame as it is kept: its time in seconds, and its YUV 4:2:0 planes in full range, half of its size in RGB."""

    at: float
    yuv: Any


@dataclass
class Decoded:
    """The parts of a clip that its scorers share; the first that needs a part makes it.

    Attributes:
        frames: The frames, of the default width.
        details: The luma of a larger frame in every `DETAIL_EVERY`.
        changes: The mean difference of each frame from the one before, for each of its planes.
        shot_starts: The numbers of the frames that begin a new shot.
        step: Seconds from one frame to the next, by the file's frame rate.
    """

    frames: list[SmallFrame] | None = None
    details: list[Any] = field(default_factory=list[Any])
    changes: Any = None
    shot_starts: list[int] | None = None
    sound: Sound | None = None
    step: float = 1 / 24


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
        """Yield each frame, or only one in `every`, from the first on. Those of the default width are decoded once.

        Args:
            width: Pixels; a smaller clip is not enlarged.
            every: 1 for all frames.
        """
        from av.video.reformatter import VideoReformatter

        converter = VideoReformatter()
        for at, yuv in self._small()[::every] if width == WIDTH else self._decode(width, every):
            yield Frame(at, converter.reformat(yuv, format="rgb24").to_ndarray())

    def times(self) -> list[float]:
        """Return the time of each frame in seconds."""
        return [frame.at for frame in self._small()]

    def grey(self) -> list[Any]:
        """Return the luma of each frame, of the default width, as an array of height × width bytes, 0 to 255."""
        return [_plane(frame.yuv, 0) for frame in self._small()]

    def details(self) -> list[Any]:
        """Return the luma of one frame in `DETAIL_EVERY`, `DETAIL_WIDTH` wide; a smaller clip is not enlarged."""
        self._small()
        return self.decoded.details

    def changes(self) -> Any:
        """Return the mean difference of each frame from the one before as an array of frames × 3 planes, 0 to 255."""
        if self.decoded.changes is None:
            import cv2
            import numpy as np

            frames = self._small()
            found = np.zeros((len(frames), 3))
            for plane in range(3):
                images = [_plane(frame.yuv, plane) for frame in frames]
                for number, (before, after) in enumerate(pairwise(images), 1):
                    found[number, plane] = cv2.norm(before, after, cv2.NORM_L1) / after.size
            self.decoded.changes = found
        return self.decoded.changes

    def sound(self) -> Sound:
        """Return the sound of the clip.

        Raises:
            NotApplicable: The clip has no sound.
        """
        if self.decoded.sound is None:
            self.decoded.sound = self._decode_sound()
        return self.decoded.sound

    def _small(self) -> list[SmallFrame]:
        if self.decoded.frames is None:
            self.decoded.details.clear()
            self.decoded.frames = list(self._decode(WIDTH, 1, self.decoded.details))
        return self.decoded.frames

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

    @property
    def step(self) -> float:
        """Seconds from one frame to the next, by the file's frame rate."""
        self._small()
        return self.decoded.step

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

    def _decode(self, width: int, every: int, details: list[Any] | None = None) -> Iterator[SmallFrame]:
        """Yield one frame in `every` of this width, and append those for `details` on the way."""
        import av
        from av.video.reformatter import VideoReformatter

        scaler, detail_scaler = VideoReformatter(), VideoReformatter()  # one for each frame would take as long again
        with av.open(str(self.path)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1  # there is a process for each core
            self.decoded.step = float(1 / (stream.average_rate or 24))
            for number, frame in enumerate(container.decode(stream)):
                if number % every == 0:
                    at = number * self.decoded.step if frame.pts is None else frame.time
                    yield SmallFrame(at, _scaled(scaler, frame, width, "yuv420p"))
                if details is not None and number % DETAIL_EVERY == 0:
                    details.append(_plane(_scaled(detail_scaler, frame, DETAIL_WIDTH, "gray"), 0))


def _scaled(scaler: Any, frame: Any, width: int, pixels: str) -> Any:
    """Return a frame in full range and of at most this width."""
    from av.video.reformatter import ColorRange

    width = min(width, frame.width)
    height = max(1, round(frame.height * width / frame.width))
    options = {"interpolation": "AREA", "dst_color_range": ColorRange.JPEG}
    return scaler.reformat(frame, width, height, pixels, threads=1, **options)  # a pool costs more than the scaling


def _plane(frame: Any, number: int) -> Any:
    """Return a plane of a frame as an array that shares its memory."""
    import numpy as np

    plane = frame.planes[number]
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
