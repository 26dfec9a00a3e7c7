"""The trash: records with their media, laid out as in the log: `trash/records`, `trash/media`.

Nothing here is ever deleted. At every moment of a move the record is whole in one of the two places.
"""

from __future__ import annotations

from dataclasses import dataclass

from kling_nb.errors import NotSaved
from kling_nb.models.record import Record
from kling_nb.store.disk import move, written_in
from kling_nb.store.media import Media
from kling_nb.store.records import RecordStore
from kling_nb.store.sidecars import Sidecars, digests_of, is_id


@dataclass(frozen=True)
class Trash:
    """The trash of one log; `media` and `trashed_media` are the two places of its files."""

    store: RecordStore
    media: Media
    sidecars: Sidecars
    trashed_media: Media

    @classmethod
    def of(cls, store: RecordStore, media: Media) -> Trash:
        """Return the trash in the log's folder; nothing is opened."""
        folder = store.folder / "trash"
        return cls(store, media, Sidecars(folder / "records"), Media(folder))

    def add(self, record_id: str) -> Record:
        """Move a record and the media that only it names to the trash. Raises `ArgumentError` while its job runs."""
        record = self.store.move_out(record_id, self.sidecars)
        digests = {digest for digest, _ in digests_of(record)}
        _move(self._unused(digests), self.media, self.trashed_media)
        # Another kernel may have started to use one of them meanwhile: move those back.
        _move(digests - self._unused(digests), self.trashed_media, self.media)
        return record

    def restore(self, record_id: str) -> Record:
        """Move a record back, its media first. Raises `NotSaved` if it is not in the trash, or is in the log."""
        record = self.sidecars.read(record_id)
        if record is None:
            raise NotSaved(f"There is no record {record_id!r} in the trash of {self.store.folder}.")
        _move({digest for digest, _ in digests_of(record)}, self.trashed_media, self.media)
        return self.store.move_in(record_id, self.sidecars)

    def has(self, record_id: str) -> bool:
        """Return whether a record is in the trash."""
        return self.sidecars.find(record_id) is not None

    def put(self, record: Record) -> None:
        """Write a record of another log's trash into this one."""
        self.sidecars.write(record)

    def ids(self) -> list[str]:
        """Return the ids of the records in the trash, sorted; files whose name is not an id are left out."""
        return sorted({path.stem for path, _ in self.sidecars.all() if is_id(path.stem)})

    def _unused(self, digests: set[str]) -> set[str]:
        left = digests - self.store.other_digests().keys()
        return left - self.store.ask(lambda index: index.referenced(left), left)


def _move(digests: set[str], source: Media, target: Media) -> None:
    for digest in sorted(digests):
        if (file := source.file(digest)) is not None:
            place = target.folder / file.relative_to(source.folder)
            with written_in(target.folder):
                place.parent.mkdir(parents=True, exist_ok=True)
                move(file, place)
