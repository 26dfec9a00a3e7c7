"""Videos that are sent along: how long a file runs, since an edited clip is as long as its source and is paid by that.

The video library is not imported before a video is at hand.
"""

from __future__ import annotations

import io
from dataclasses import dataclass


@dataclass(frozen=True)
class VideoFacts:
    """What a video file says of itself: `seconds` that its pictures run; `fault` is set when it cannot be read."""

    seconds: float = 0
    fault: str = ""


def video_facts(data: bytes) -> VideoFacts:
    """Read a file's heads, decode its first picture and return what it is."""
    if not data:
        return VideoFacts(fault="the file is empty")
    import av

    try:
        with av.open(io.BytesIO(data), "r") as container:
            if not container.streams.video:
                return VideoFacts(fault="it has no pictures")
            stream = container.streams.video[0]
            ticks, base = stream.duration, stream.time_base
            seconds = float(ticks * base) if ticks and base else (container.duration or 0) / av.time_base
            next(container.decode(stream))
    except StopIteration:
        return VideoFacts(fault="it has no pictures")
    except (OSError, ValueError) as exc:  # PyAV's errors are one or the other
        return VideoFacts(fault=getattr(exc, "strerror", None) or str(exc) or "it cannot be decoded")
    return VideoFacts(seconds) if seconds > 0 else VideoFacts(fault="it does not say how long it is")
