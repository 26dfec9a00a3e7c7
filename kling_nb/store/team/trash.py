"""The trash of a team: a record in it is a document, `trash/records/<id>.json`. Its media are not moved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from kling_nb.errors import NotSaved
from kling_nb.models.record import Record
from kling_nb.store.team.documents import Documents
from kling_nb.store.team.media import TeamMedia
from kling_nb.store.team.records import TeamRecords

FOLDER = "trash/records"


@dataclass(frozen=True)
class TeamTrash:
    """The trash of a team's log; nothing in it is ever deleted."""

    store: TeamRecords
    documents: Documents
    media: TeamMedia

    def add(self, record_id: str) -> Record:
        """Move a record to the trash. Raises `ArgumentError` while its job runs."""
        return self.store.remove(record_id, _path(record_id))

    def restore(self, record_id: str) -> Record:
        """Move a record back. Raises `NotSaved` if it is not in the trash, or is in the log."""
        record = self.find(record_id)
        if record is None:
            raise NotSaved(f"Record {record_id!r} is not in the trash of {self.store.database.name}.")
        if (back := self.store.put_back(record)) is None:
            raise NotSaved(f"Record {record_id} cannot be restored: it is in the log already.")
        self.documents.put(_path(record_id), "")
        return back

    def find(self, record_id: str) -> Record | None:
        """Return a record in the trash, None if it is not there."""
        found = self.documents.read(path := _path(record_id)).get(path)
        return Record.model_validate_json(found.text) if found else None

    def has(self, record_id: str) -> bool:
        """Return whether a record is in the trash."""
        return self.find(record_id) is not None

    def put(self, record: Record) -> None:
        """Write a record of another log's trash into this one. What it cost counts here, too."""
        self.documents.put(_path(record.id), record.model_dump_json())
        self.store.count(record)

    @property
    def trashed_media(self) -> TeamMedia:
        """The media of records in the trash, which are with all other media."""
        return self.media

    def ids(self) -> list[str]:
        """Return the ids of the records in the trash, sorted."""
        return sorted(Path(path).stem for path in self.documents.paths(FOLDER))

    def records(self) -> list[Record]:
        """Return the records in the trash; unreadable ones are left out."""
        found: list[Record] = []
        for one in self.documents.under(FOLDER):
            try:
                found.append(Record.model_validate_json(one.text))
            except ValidationError:
                continue
        return found


def _path(record_id: str) -> str:
    return f"{FOLDER}/{record_id}.json"
