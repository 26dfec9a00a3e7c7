"""Where a card finds its media: the addresses come from above, since only the log knows the files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kling_nb.models.frontend import Video
from kling_nb.models.record import Record, Reference


class Links(Protocol):
    """The addresses of a record's media, fit for an attribute as they are."""

    def videos(self, records: Sequence[Record]) -> list[Video]:
        """Return how one output shows the clips of these records: a relative URL, already quoted, or a data URI."""
        ...

    def poster(self, record: Record) -> str | None:
        """Return a small still as a data URI (see `small_poster`); None when there is none."""
        ...

    def thumbnail(self, reference: Reference) -> str | None:
        """Return a small picture of a reference as a data URI (see `small_thumbnail`); None when there is none."""
        ...
