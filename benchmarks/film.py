"""How fast the local hub draws an animatic, beside encoding the same length of frames that stand still."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import av
from PIL import Image

from benchmarks.table import Row
from kling_nb.localhub import animatic
from kling_nb.localhub.inputs import decode_image

_SIZE, _FPS = (1280, 720), 24
_PHOTOS = Path(__file__).resolve().parents[1] / "notebooks" / "images"


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Draw each kind of film in turn with the plain encoding; speeds are seconds of film per second."""
    photos = {name: decode_image((_PHOTOS / name).read_bytes(), name) for name in ("astronaut.jpg", "coffee.jpg")}
    named = list(photos)
    shots = [{"prompt": f"@Image{1 + number % 2} in shot {number + 1}", "duration": 2} for number in range(3)]
    kinds: dict[str, tuple[int, dict[str, Any]]] = {
        "a title card": (5, {"prompt": "A lighthouse in the storm", "duration": 5}),
        "two photos with sound": (5, {"prompt": "two", "duration": 5, "input_image": named, "generate_audio": True}),
        "three shots": (6, {"multi_prompt": shots, "input_image": named}),
    }
    target, still = folder / "film.mp4", photos["coffee.jpg"].resize(_SIZE)
    folder.mkdir(parents=True)
    for what, (seconds, body) in kinds.items():
        drawn: list[_Took] = []
        plain: list[_Took] = []
        for _ in range(2 if quick else 5):
            drawn.append(_took(lambda body=body: animatic.write_video(target, body, photos)))
            plain.append(_took(lambda seconds=seconds: _plain(target, still, seconds)))
        wall, cpu = (median(one[at] for one in drawn) for at in (0, 1))
        base = median(one[0] for one in plain)
        yield Row(f"animatic, 720p, {what}", seconds / wall, "x", seconds / base, "still frames by PyAV", 12, True)
        yield Row("the same by processor time, on one core", seconds / cpu, "x", seconds / median(p[1] for p in plain))


_Took = tuple[float, float]


def _took(work: Callable[[], None]) -> _Took:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def _plain(target: Path, picture: Image.Image, seconds: int) -> None:
    """The straightforward loop: each frame from a picture, with libx264's own choices but the quickest preset."""
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=_FPS, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *_SIZE, "yuv420p"
        for number in range(seconds * _FPS):
            frame = av.VideoFrame.from_image(picture)
            frame.pts, frame.time_base = number, Fraction(1, _FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
