"""The trash: records that were thrown away, with their media, laid out as in the log: `trash/records`, `trash/media`.

Nothing here is ever deleted by us. At every moment of a move the record is in one of the two places, whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kling_nb.errors import LogError
from kling_nb.models.record import Record
from kling_nb.store.disk import move, written_in
from kling_nb.store.index import pointed_to
from kling_nb.store.media import Media
from kling_nb.store.records import RecordStore
from kling_nb.store.sidecars import Sidecars, digests_of, is_id


@dataclass(frozen=True)
class Trash:
    """The trash of one log."""

    record_store: RecordStore
    media: Media
    sidecars: Sidecars
    pool: Media

    @classmethod
    def of(cls, record_store: RecordStore, media: Media) -> Trash:
        """The trash in the log's own folder; nothing is opened."""
        folder = record_store.folder / "trash"
        return cls(record_store, media, Sidecars(folder / "records"), Media(folder))

    def throw(self, record_id: str) -> Record:
        """Move a record there, with what no other record points to. Raises `LogError` while its job is under way."""
        record = self.record_store.take_out(record_id, self.sidecars)
        mine = {digest for digest, _ in digests_of(record)}
        self._carry(self._unused(mine), self.media, self.pool)
        # Another kernel may have begun to use one of them in between: what is wanted again comes back.
        self._carry(mine - self._unused(mine), self.pool, self.media)
        return record

    def restore(self, record_id: str) -> Record:
        """Bring a record back, its media first. Raises `LogError` when it is not there, or is in the log."""
        record = self.sidecars.read(record_id)
        if record is None:
            raise LogError(f"There is no record {record_id!r} in the trash of {self.record_store.folder}.")
        self._carry({digest for digest, _ in digests_of(record)}, self.pool, self.media)
        return self.record_store.put_back(record_id, self.sidecars)

    def ids(self) -> list[str]:
        """The ids of the records in it, sorted; not of a file whose name is none, such as a copy's."""
        return sorted({path.stem for path, _ in self.sidecars.all() if is_id(path.stem)})

    def _unused(self, digests: set[str]) -> set[str]:
        left = digests - self.record_store.kept().keys()
        return left - self.record_store.ask(lambda index: pointed_to(index.database, left), left)

    def _carry(self, digests: set[str], source: Media, target: Media) -> None:
        for digest in sorted(digests):
            if (file := source.file(digest)) is not None:
                _moved(file, source.folder, target.folder)


def _moved(file: Path, source: Path, target: Path) -> None:
    place = target / file.relative_to(source)
    with written_in(target):
        place.parent.mkdir(parents=True, exist_ok=True)
        move(file, place)
