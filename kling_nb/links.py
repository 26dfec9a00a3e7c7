"""How a cell reaches the log's media: a path relative to the notebook, or the bytes themselves where links fail."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from kling_nb.models.record import Record, Reference


def notebook_path() -> Path | None:
    """Return the notebook that this kernel runs, None where the server does not say."""
    name = os.environ.get("JPY_SESSION_NAME", "")
    return Path(name) if name.endswith(".ipynb") and Path(name).is_absolute() else None


class Links:
    """Resolves a record's media for its card. Videos are linked; pictures are small enough to be embedded."""

    def __init__(
        self,
        folder: Path,
        beside: Path,
        file: Callable[[str], Path | None],
        small_poster: Callable[[bytes], str],
        small_thumbnail: Callable[[bytes], str],
    ) -> None:
        self._folder, self._beside, self._file = folder, beside, file
        self._small_poster, self._small_thumbnail = small_poster, small_thumbnail

    def clip(self, record: Record) -> str | None:
        """Return the clip's URL relative to the notebook; None when the file is missing."""
        if record.clip is None or not (self._folder / record.clip.file).exists():
            return None
        try:
            relative = os.path.relpath(self._folder / record.clip.file, self._beside)
        except ValueError:  # another drive: no relative way leads there
            return (self._folder / record.clip.file).as_uri()
        return quote(Path(relative).as_posix())

    def poster(self, record: Record) -> str | None:
        """Return a small poster as a data URI."""
        return self._embedded(record.clip.poster if record.clip else None, self._small_poster)

    def thumbnail(self, reference: Reference) -> str | None:
        """Return a small picture of a reference as a data URI."""
        return self._embedded(reference.thumbnail, self._small_thumbnail)

    def _embedded(self, digest: str | None, small: Callable[[bytes], str]) -> str | None:
        file = self._file(digest) if digest else None
        return small(file.read_bytes()) if file else None
