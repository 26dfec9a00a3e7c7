"""The rules by which one revision of a record may replace another. Pure."""

from __future__ import annotations

from kling_nb.models.record import RECORD_VERSION, Record
from kling_nb.store.sidecars import LATER, UPDATE, UnreadableRecord

#: The fields that only the user changes.
_USER_FIELDS = ("tags", "stars", "note")


def rank(record: Record) -> int:
    """Return how far a record got: 0 running, 1 ended, 2 succeeded, 3 with its clip."""
    if not record.ended:
        return 0
    return 1 if record.status != "succeeded" else 3 if record.clip else 2


def is_ahead(stored: Record, record: Record) -> bool:
    """Return whether the stored record is ahead: an end, a clip or the id of a paid generation is never undone."""
    return rank(stored) > rank(record) or bool(stored.generation_id and not record.generation_id)


def writable(record: Record) -> Record:
    """Return the record. Raises `UnreadableRecord` if a later version wrote it, since some fields are unknown."""
    if record.version > RECORD_VERSION:
        raise UnreadableRecord(record.id, LATER, f"{UPDATE} to change it")
    return record


def with_user_fields(record: Record, stored: Record | None) -> Record:
    """Return the next revision of a record, with the tags, stars and note of the stored one."""
    if stored is None:
        return record.model_copy(update={"revision": record.revision + 1})
    users = {name: getattr(stored, name) for name in _USER_FIELDS}
    return record.model_copy(update={**users, "revision": max(stored.revision, record.revision) + 1})
