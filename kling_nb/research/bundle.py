"""What is handed on: records with their media, laid out for people. One layout for a crate's folder and a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from kling_nb.models.embed import Film
from kling_nb.models.record import Record, Reference
from kling_nb.render import small_poster, small_thumbnail


@dataclass(frozen=True)
class Bundle:
    """Some records, oldest first, in the form that may leave this machine; `file` finds the content of a digest."""

    records: Sequence[Record]
    file: Callable[[str], Path | None]

    @classmethod
    def of(cls, records: Sequence[Record], file: Callable[[str], Path | None]) -> Bundle:
        """Bundle records that have ended; each once."""
        unique = {record.id: record for record in records}.values()
        ordered = sorted(unique, key=lambda record: (record.times.created, record.id))
        return cls([record.public() for record in ordered], file)

    def clips(self) -> Iterator[tuple[Record, str, Path]]:
        """Yield each clip that is there: its record, where it goes, and where it is."""
        for record in self.records:
            if record.clip and (source := self.file(record.clip.digest)):
                yield record, clip_name(record), source

    def references(self) -> dict[str, tuple[str, Path]]:
        """Return each picture that was referred to: where it goes and where it is, by its digest."""
        found: dict[str, tuple[str, Path]] = {}
        for reference in (item for record in self.records for item in record.references):
            for digest in (reference.digest, reference.original, reference.thumbnail):
                if digest and digest not in found and (source := self.file(digest)):
                    found[digest] = f"references/{digest.removeprefix('sha256:')[:16]}{source.suffix}", source
        return found

    def posters(self) -> dict[str, tuple[str, Path]]:
        """Return each clip's still: where it goes and where it is, by its digest."""
        found: dict[str, tuple[str, Path]] = {}
        for record in self.records:
            digest = record.clip.poster if record.clip else None
            if digest and (source := self.file(digest)):
                found[digest] = f"posters/{digest.removeprefix('sha256:')[:16]}{source.suffix}", source
        return found


def clip_name(record: Record) -> str:
    """Where a record's clip goes."""
    return f"clips/{record.id}{Path(record.clip.file).suffix if record.clip else ''}"


def record_name(record: Record) -> str:
    """Where a record goes."""
    return f"records/{record.id}.json"


class ReportLinks:
    """The media of a report: stills and thumbnails in the page; clips in it too, or beside it where `clip` says."""

    def __init__(self, bundle: Bundle, clip: Callable[[Record, Path], str | None]) -> None:
        self._bundle, self._clip = bundle, clip

    def films(self, records: Sequence[Record]) -> list[Film]:
        """Return how the page shows these clips."""
        return [self._film(record) for record in records]

    def poster(self, record: Record) -> str | None:
        """Return a small still as a data URI."""
        source = self._bundle.file(record.clip.poster) if record.clip and record.clip.poster else None
        return small_poster(source.read_bytes()) if source else None

    def thumbnail(self, reference: Reference) -> str | None:
        """Return a small picture of a reference as a data URI."""
        source = self._bundle.file(reference.thumbnail) if reference.thumbnail else None
        return small_thumbnail(source.read_bytes()) if source else None

    def _film(self, record: Record) -> Film:
        if record.clip is None:
            return Film()
        source = self._bundle.file(record.clip.digest)
        address = self._clip(record, source) if source else None
        if address is None:
            return Film(hint=f"The file is not there any more: {record.clip.file}")
        return Film(address, None if address.startswith("data:") else address)


def beside(record: Record, _source: Path) -> str:
    """Link a clip that lies in `clips/` beside the page."""
    return quote(clip_name(record))
