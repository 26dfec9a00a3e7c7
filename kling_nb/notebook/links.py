"""Links from a cell to the log's media: paths relative to the notebook, or the bytes where links do not work."""

from __future__ import annotations

import base64
import logging
import math
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import quote

from kling_nb.errors import SettingsError
from kling_nb.models.frontend import MEGABYTE, Embed, Frontend, Video
from kling_nb.models.record import File, Record, Reference
from kling_nb.notebook.location import frontend

logger = logging.getLogger(__name__)


class Links:
    """The media of records for their cards.

    Clips are linked, or embedded as the setting `embed` and the front end require; images are always embedded.
    """

    def __init__(
        self,
        folder: Path,
        beside: Path,
        file: Callable[[str], Path | None],
        read: Callable[[str], bytes | None],
        small_poster: Callable[..., str | None],
        small_thumbnail: Callable[[bytes], str | None],
        *,
        fetch: Callable[[str], Path | None] | None = None,
        missing: Callable[[File], str | None] = lambda _: None,
        embed: Callable[[], Embed] = Embed,
        seen_in: Callable[[], Frontend] = frontend,
    ) -> None:
        self._folder, self._beside, self._file, self._read = folder, beside, file, read
        self._small_poster, self._small_thumbnail = small_poster, small_thumbnail
        self._fetch, self._missing = fetch or file, missing
        self._embed, self._seen_in = embed, seen_in

    @property
    def log(self) -> str:
        """The path of the log from the notebook; empty if there is none, as on another drive."""
        try:
            return Path(os.path.relpath(self._folder, self._beside)).as_posix()
        except ValueError:
            return ""

    def videos(self, records: Sequence[Record]) -> list[Video]:
        """Return how one output shows the clips of these records; embedded clips together stay under its limit."""
        where, embed = self._seen_in(), self._embed_setting()
        files = [self._clip_file(record, alone=len(records) == 1) for record in records]
        sizes = [file.stat().st_size if file else None for file in files]
        hint = where.hint if where.links else _not_linked(sum(filter(None, sizes)), embed, where)
        return [
            self._video(record.clip, file, embedded, where, hint) if record.clip else Video()
            for record, file, embedded in zip(records, files, embed.chosen(sizes, where), strict=True)
        ]

    def poster(self, record: Record, limit: int = 0) -> str | None:
        """Return an image of the clip as a data URI, of at most `limit` bytes; 0 for that of a card."""
        small = partial(self._small_poster, limit=limit) if limit else self._small_poster
        return self._image(record.clip.poster if record.clip else None, small)

    def thumbnail(self, reference: Reference) -> str | None:
        """Return a small image of a reference as a data URI."""
        return self._image(reference.thumbnail, self._small_thumbnail)

    def _video(self, clip: File, file: Path | None, embedded: bool, where: Frontend, hint: str) -> Video:
        if file is None:
            return Video(hint=self._missing(clip) or self._missing_here(clip))
        silent = f"{where.name} does not play its AAC audio." if clip.audio_codec in where.silent else ""
        href = self._href(file) if where.links else None
        if embedded:
            source = f"data:{clip.media_type};base64,{base64.b64encode(file.read_bytes()).decode()}"
            return Video(source, href, silent)
        if href is not None:
            return Video(href, href, " ".join(filter(None, [hint, silent])))
        return Video(hint=f"The clip is at {file}. {hint}")

    def _clip_file(self, record: Record, *, alone: bool) -> Path | None:
        # By its digest: the path in a record is text from a file, and may lead anywhere.
        find = self._fetch if alone else self._file
        return find(record.clip.digest) if record.clip else None

    def _missing_here(self, clip: File) -> str:
        """Return where a clip's file was, and what to do."""
        where = self._folder / clip.place
        if where.exists():
            return f"{where} is not an image or a video, so it is not shown. Restore it from a copy."
        return (
            f"The file is missing: {where}. Restore it from a copy, or from the trash of the system; if the log's "
            "folder was moved, call kn.configure(log=…) with its new place. kn.log.verify() lists missing files."
        )

    def _href(self, file: Path) -> str:
        try:
            relative = os.path.relpath(file, self._beside)
        except ValueError:  # another drive has no relative path
            return file.as_uri()
        return quote(os.fsencode(Path(relative).as_posix()))  # as bytes: a name need not be UTF-8

    def _embed_setting(self) -> Embed:
        try:
            return self._embed()
        except SettingsError as exc:  # a paid clip is shown in any case; `kn.options.embed` raises the error
            logger.warning("%s", exc)
            return Embed()

    def _image(self, digest: str | None, small: Callable[[bytes], str | None]) -> str | None:
        data = self._read(digest) if digest else None
        return small(data) if data else None


def _not_linked(size: int, embed: Embed, where: Frontend) -> str:
    """Return how to show clips of so many bytes where links do not work."""
    if not embed.wanted(where):
        return f"{where.name} cannot link to it. To embed it, set kn.options.embed = 'auto'."
    needed = max(1, math.ceil(size / MEGABYTE))
    return f"It exceeds the limit of {embed.cap:g} MB for embedded clips. To embed it, set kn.options.embed = {needed}."
