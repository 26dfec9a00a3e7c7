"""A real log of invented records for galleries and comparisons, with fake paid jobs.

Each frame of its videos shows its own number as a row of black and white cells, so that a test can read it.
"""

from __future__ import annotations

import datetime
import io
import time
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import av
from PIL import Image
from stand_in import Job

from kling_nb.models.canonical import canonical_json
from kling_nb.models.price import estimate
from kling_nb.models.record import File, Record, Times
from kling_nb.models.request import ReferenceToVideo
from kling_nb.models.urls import sha256
from kling_nb.notebook.links import Links
from kling_nb.render.images import small_poster, small_thumbnail
from kling_nb.store import Log
from kling_nb.ui.compare import CompareView
from kling_nb.ui.gallery.controller import GalleryController
from kling_nb.ui.gallery.gallery import Gallery

MODEL = "kling-video-o3-pro-reference-to-video"
BITS, CELL, HEIGHT = 7, 48, 192
PLANTED = "'\"><script>window.planted = 1</script><img src=x onerror='window.planted = 2'>"
START = datetime.datetime(2026, 11, 1, 12, tzinfo=datetime.UTC)


@cache
def video(frames, colour, rate=24):
    """Return a video whose frames show their number; the lower half has the colour."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", "mp4") as out:
        stream = out.add_stream("libx264", rate=Fraction(rate), options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = BITS * CELL, HEIGHT, "yuv420p"
        for number in range(frames):
            image = Image.new("RGB", (BITS * CELL, HEIGHT), colour)
            for bit in range(BITS):
                light = 255 * (number >> bit & 1)
                image.paste((light, light, light), (bit * CELL, 0, (bit + 1) * CELL, HEIGHT // 2))
            out.mux(stream.encode(av.VideoFrame.from_image(image)))
        out.mux(stream.encode())
    return buffer.getvalue()


def poster(colour):
    buffer = io.BytesIO()
    Image.new("RGB", (640, 360), colour).save(buffer, "JPEG")
    return buffer.getvalue()


class Stand:
    """A log with clips, and a gallery controller on it."""

    def __init__(self, folder="kling_log", count=12, *, prompts=(), frames=(72, 60, 48), engine=None):
        self.log = Log(Path(folder))
        self.engine, self.started, self.fault = engine, [], None
        colours = ["teal", "darkred", "indigo"]
        self.clips = [self._clip(length, colour) for length, colour in zip(frames, colours, strict=True)]
        for number in range(count):
            self._write(number, prompts[number] if number < len(prompts) else f"take {number} of a red kite")
        self.log.rebuild()
        links = Links(self.log.folder, Path.cwd(), self.log.media_file, self.log.read, small_poster, small_thumbnail)
        session = SimpleNamespace(
            store=self.log,
            display=SimpleNamespace(links=links),
            connection=SimpleNamespace(estimate=lambda request: estimate(request.draft())),
            actions=SimpleNamespace(
                request_of=lambda record: ReferenceToVideo.model_validate(
                    {"prompt": record.prompt, "duration": record.canonical["duration"]}
                )
            ),
        )
        self.controller = GalleryController(session)
        self.controller.generate = self._generate
        self.controller.use_frame = self._use_frame
        self.controller.open_record = lambda record_id: f"{record_id} is in the panel"

    def gallery(self, clock=time.monotonic, **filters):
        return Gallery(self.controller, {"kind": "result", **filters}, clock=clock)

    def compare(self, *ids):
        return CompareView(self.controller.comparison(self.controller.records(ids)), self.log.clip, self._use_frame)

    def record(self, record_id):
        return self.log.get(record_id)

    def _use_frame(self, record_id, number):
        return f"frame {number} of {record_id} is the start frame"

    def _generate(self, record_id):
        if self.fault:
            raise self.fault
        job = Job(self.record(record_id).prompt, engine=self.engine)
        self.started.append((job, record_id))
        return [job]

    def _clip(self, frames, colour):
        data = video(frames, colour)
        digest = self.log.add_media(data, ".mp4")
        return File(
            file=self.log.file(digest).relative_to(self.log.folder).as_posix(),
            digest=digest,
            size=len(data),
            width=BITS * CELL,
            height=HEIGHT,
            duration=frames / 24,
            fps=24,
            frames=frames,
            video_codec="h264",
            poster=self.log.add_media(poster(colour), ".jpg"),
        )

    def _write(self, number, prompt):
        """Write a record's file directly, which is faster than the log's crash-safe way: some tests need thousands."""
        canonical = {"model": MODEL, "prompt": prompt, "duration": 3 + number % 5}
        failed = number % 10 == 9
        record = Record(
            id=f"job{number:05}",
            batch="batch",
            hub="https://hub.example",
            local=False,
            model=MODEL,
            status="failed" if failed else "succeeded",
            canonical=canonical,
            request_hash=sha256(canonical_json(canonical)),
            estimate=estimate(canonical),
            times=Times(created=START + datetime.timedelta(minutes=number)),
            clip=None if failed else self.clips[number % len(self.clips)],
            revision=1,
        )
        file = self.log.folder / "records" / "2026-11" / f"{record.id}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(record.model_dump_json(), "utf-8")
