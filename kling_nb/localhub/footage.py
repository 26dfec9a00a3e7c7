"""The video of a request that edits one: how long it is, and a still of each of its seconds to make the animatic of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .inputs import BadPicture

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Footage", "footage_of"]

_MOST_SECONDS = 60
_LARGEST = (1280, 1280)
_UNREADABLE = "The input video cannot be read: use mp4 or mov."


@dataclass(frozen=True)
class Footage:
    """A video: its length in seconds, and what is seen at the beginning of each second."""

    seconds: float
    stills: tuple[Image.Image, ...]


def footage_of(path: Path) -> Footage:
    """Read a video's first minute. Raises `BadPicture` for a file that is none."""
    import av

    stills: list[Image.Image] = []
    seen = 0
    try:
        with av.open(str(path), "r") as container:
            stream = container.streams.video[0]
            pace = float(stream.average_rate or 24)
            for seen, frame in enumerate(container.decode(stream), 1):
                if seen > len(stills) * pace:
                    still = frame.to_image()
                    still.thumbnail(_LARGEST)
                    stills.append(still)
                if seen >= _MOST_SECONDS * pace:
                    break
    except (OSError, ValueError, IndexError) as exc:  # PyAV's errors are the first two; no stream is the last
        raise BadPicture(_UNREADABLE) from exc
    if seen < 2:  # a still is a film of one frame, for a decoder
        raise BadPicture(_UNREADABLE)
    return Footage(seen / pace, tuple(stills))
