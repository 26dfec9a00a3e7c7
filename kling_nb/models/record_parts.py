"""The parts of a record: references, the file, times, the failure and messages."""

from __future__ import annotations

import datetime
import re
from pathlib import PurePosixPath
from typing import Any, Literal

from pydantic import ConfigDict, model_serializer, model_validator

from kling_nb.models.images import WHITENED
from kling_nb.models.reprs import BriefModel, format_size, parts
from kling_nb.models.signatures import own_names


class Part(BriefModel):
    """A frozen value that ignores fields of later versions and offers its own names to Tab."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def __dir__(self) -> list[str]:
        return sorted(own_names(self))


class Reference(Part):
    """An image or a video of the request.

    Attributes:
        path: The path of its field, `input_image.0`.
        identity: The identity of its content in the canonical request.
        given: A description of the value that was given.
        digest: The `sha256:` of the file in the log's media; None for a URL.
        sent: The address that the hub got, without its query.
        thumbnail: The `sha256:` of a small JPEG in the log's media.
        original: The `sha256:` of the image before it was fixed, if it was.
        fixes: The changes made to the file: converted, padded, made smaller.
        source: The ID of the record whose clip it is a frame of, if it is one.
    """

    path: str
    identity: str
    given: str
    name: str = ""
    kind: Literal["image", "video"] = "image"
    digest: str | None = None
    media_type: str = ""
    width: int | None = None
    height: int | None = None
    size: int | None = None
    sent: str | None = None
    thumbnail: str | None = None
    original: str | None = None
    fixes: tuple[str, ...] = ()
    source: str = ""

    @property
    def digests(self) -> set[str]:
        """The digests of its files in the log's media."""
        return {digest for digest in (self.digest, self.original, self.thumbnail) if digest}

    def public(self) -> Reference:
        """Return the reference for others: a file's name without its folders, and no original with hidden colours."""
        if not self.digest:
            return self
        original = None if WHITENED in self.fixes else self.original
        return self.model_copy(update={"given": re.split(r"[\\/]", self.given)[-1], "original": original})


class File(Part):
    """The file of a clip, with the facts of a decoder.

    Attributes:
        file: The path in the log, relative.
        size: In bytes.
        duration: In seconds.
        poster: The `sha256:` of a JPEG of the first frame.
    """

    file: str
    digest: str
    size: int
    media_type: str = "video/mp4"
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    fps: float | None = None
    frames: int | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    poster: str | None = None

    def __repr__(self) -> str:
        return f"<File {self.digest.removeprefix('sha256:')[:12]}: {self.text}>"

    @property
    def text(self) -> str:
        """Its figures: `3 s · 1280×720 · 24 fps · 1.7 MB`."""
        return parts(
            f"{self.duration:.1f}".removesuffix(".0") + " s" if self.duration else None,
            f"{self.width}×{self.height}" if self.width and self.height else None,
            f"{self.fps:g} fps" if self.fps else None,
            format_size(self.size),
        )

    @property
    def place(self) -> str:
        """Its path in the log. A path that leads out of the log is replaced by the one that the digest gives."""
        parts = PurePosixPath(self.file).parts
        if ".." not in parts and not self.file.startswith("/") and not any(one in self.file for one in "\\:\0"):
            return self.file
        name = self.digest.removeprefix("sha256:")
        return f"media/{name[:2]}/{name}"


class Times(Part):
    """The times of a job's steps in UTC; `enqueued`, `started` and `completed` are the hub's, in whole seconds."""

    created: datetime.datetime
    submitted: datetime.datetime | None = None
    accepted: datetime.datetime | None = None
    enqueued: datetime.datetime | None = None
    started: datetime.datetime | None = None
    completed: datetime.datetime | None = None
    ended: datetime.datetime | None = None


class Failure(Part):
    """Why there is no clip: a message of the hub or of this package, and a remedy."""

    kind: str
    message: str
    remedy: str = ""


class Message(Part):
    """A message about the progress of a job. In JSON it is one line, `2026-11-22T12:00:01Z Queued`."""

    at: datetime.datetime
    text: str

    @model_validator(mode="before")
    @classmethod
    def _of_a_line(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        at, _, text = given.partition(" ")
        return {"at": at, "text": text}

    @model_serializer
    def _line(self) -> str:
        return f"{self.at.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ} {self.text}"
