"""The log: what was asked, what it cost, what came out. Safe for many threads, and for kernels that share a folder."""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Iterable, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Final, Protocol, Unpack, cast

from kling_nb.errors import LogError
from kling_nb.models.asset import Asset
from kling_nb.models.record import File, Record, Reference
from kling_nb.models.urls import redact_url
from kling_nb.store import tables
from kling_nb.store.audit import Finding, audit
from kling_nb.store.budget import BudgetStore
from kling_nb.store.filters import Filters, Search
from kling_nb.store.index import Index, Page, models_in, tags_in
from kling_nb.store.judgements import Scores, Votes
from kling_nb.store.lease import Lease
from kling_nb.store.media import Media, clip_of, reference_of
from kling_nb.store.merge import MergeReport, merge
from kling_nb.store.named import UploadCache
from kling_nb.store.plans import Plans
from kling_nb.store.queries import Cells, Claims
from kling_nb.store.records import RecordStore
from kling_nb.store.trash import Trash


class _Unset(Enum):
    UNSET = "not given"


UNSET: Final = _Unset.UNSET


class HasId(Protocol):
    """What stands for a record by its id: the record, its job."""

    @property
    def id(self) -> str:
        """The record's id."""
        ...


class Log:
    """The record store in a folder; making one reads and writes nothing.

    `database` is a SQLAlchemy URL for the index (PostgreSQL, say); by default it is a SQLite file in the folder.
    Every method raises `LogError` when the folder or the index cannot be used, with what to do.
    """

    def __init__(self, folder: Path | str, database: str | None = None) -> None:
        self.folder = Path(folder).expanduser().absolute()
        self._records = RecordStore.at(self.folder, database)
        self._lease = Lease(self.folder)
        self._media = Media(self.folder)
        self._trash = Trash.of(self._records, self._media)
        self.budget = BudgetStore(self._records, self._trash.sidecars)
        self.cells = Cells(self._records)
        self._claims = Claims(self._records)
        self.votes = Votes(self._records)
        self.scores = Scores(self._records)
        self._uploads = UploadCache(self._records.database, tables.uploads)
        self._kept = self._records.by_name

    def __repr__(self) -> str:
        return f"Log({str(self.folder)!r})"

    @property
    def plans(self) -> Plans:
        """The plans in this log."""
        self._records.exists()
        return Plans(self.folder)

    # Records

    def save(self, record: Record) -> Record:
        """Write a record and return it as stored, its revision one higher and the user's own words kept.

        A stored record that got further stays, and is returned: one that ended, succeeded, or has a generation id
        that the given one lacks.
        """
        return self._records.save(record)

    def add(self, record: Record) -> Record | None:
        """Write a new record; None when there is one of that id, in the trash or not."""
        return None if self._trash.sidecars.find(record.id) else self._records.add(record)

    def spend(self, records: Sequence[Record]) -> list[Record | None]:
        """Write records whose POST comes next. Raises `BudgetError`, and writes none, when a limit of the log refuses.

        None stands for one that must not be sent from here: another kernel has taken it over, sent it or ended it.
        """
        return self.budget.spend(records)

    def claim(self, record: Record) -> Record | None:
        """Write a record whose generation was found in the hub's queue; None when that is another record's."""
        return self._records.save(record) if self._claims.claim(record) else None

    def claimed(self, generation_ids: Iterable[str], *, by_others_than: Iterable[str] = ()) -> set[str]:
        """Return which of the hub's generations a record has already."""
        return self._claims.of_others(list(generation_ids), list(by_others_than))

    def being_sent(self, record: Record) -> list[Record]:
        """Return the records of the same model whose POST a living kernel waits for."""
        return self._claims.being_sent(record, self._lease.alive)

    def annotate(self, record_id: str | HasId, *, tags: Any = UNSET, stars: Any = UNSET, note: Any = UNSET) -> Record:
        """Change what the user says of a record: tags, 1 to 5 stars (None for none), a note."""
        changes: dict[str, Any] = {}
        if tags is not UNSET:
            changes["tags"] = _tags(tags)
        if stars is not UNSET:
            if stars is not None and (type(stars) is not int or not 1 <= stars <= 5):
                raise LogError(f"{stars!r} stars: give 1 to 5, or None for none.")
            changes["stars"] = stars
        if note is not UNSET:
            changes["note"] = _text(str(note or ""))
        return self._records.change(self.get(record_id).id, changes)

    def get(self, record_id: str | HasId) -> Record:
        """Return a record by its id or the beginning of it, or by what has one: a record, a job.

        Raises `LogError` when none or several begin so, and for what is no id.
        """
        record_id = id_of(record_id)
        if record := self._records.ask(lambda index: index.get(record_id), None):
            return record
        found = self._records.ask(lambda index: index.starting_with(record_id), []) if record_id else []
        if len(found) > 1:
            raise LogError(f"{record_id!r} begins several records: {', '.join(found)}.")
        whole = found[0] if found else record_id
        record = self._records.ask(lambda index: index.get(whole), None) or self._records.sidecars.read(whole)
        if record is None:
            near = difflib.get_close_matches(record_id, self._records.ask(Index.newest_ids, []), n=3, cutoff=0.6)
            meant = f" Did you mean {' or '.join(near)}?" if near else ""
            raise LogError(f"There is no record {record_id!r} in {self.folder}.{meant}")
        return record

    def find(
        self, *, limit: int | None = None, offset: int = 0, newest_first: bool = True, **filters: Unpack[Search]
    ) -> list[Record]:
        """Return the records that pass the filters; see `Filters` for what each means."""
        wanted = Filters.of(filters)
        conditions = wanted.conditions(_now())  # a wrong value is said even while the log is empty
        page = Page(limit, offset, newest_first)
        return self._records.ask(lambda index: index.find(conditions, wanted.words(), page), [])

    def count(self, **filters: Unpack[Search]) -> int:
        """Return how many records pass the filters."""
        wanted = Filters.of(filters)
        conditions = wanted.conditions(_now())
        return self._records.ask(lambda index: index.count(conditions, wanted.words()), 0)

    def unfinished(self, hub: str | None = None) -> list[Record]:
        """Return the records of jobs that have not ended, oldest first."""
        return self._records.ask(lambda index: index.unfinished(hub), [])

    def holder(self) -> str:
        """Return this process's name as the one who carries jobs out."""
        self._records.exists()
        return self._lease.holder()

    def take(self, record_id: str) -> Record | None:
        """Take over an unfinished job; None when it has ended or another living kernel carries it out."""
        return self._records.take(record_id, self._lease.holder(), self._lease.alive)

    def durations(self, model: str, hub: str, limit: int = 50) -> list[tuple[float, float]]:
        """Return (seconds of clip, seconds the hub took) of the newest successes, newest first."""
        return self._records.ask(lambda index: index.durations(model, hub, limit), [])

    def models(self, kind: str = "result") -> list[str]:
        """Return the models of the records, the commonest first."""
        return self._records.ask(lambda index: models_in(index.database, kind), [])

    def tags(self) -> list[str]:
        """Return every tag in use, the commonest first."""
        return self._records.ask(lambda index: tags_in(index.database), [])

    # Trash

    def trash(self, record_id: str) -> Record:
        """Move a record into `trash/`, with those of its media that no other record points to.

        Nothing is deleted: `restore` brings it back. Raises `LogError` while its job is under way.
        """
        return self._trash.throw(self.get(record_id).id)

    def restore(self, record_id: str) -> Record:
        """Bring a record back out of the trash. Raises `LogError` when it is not there."""
        return self._trash.restore(record_id)

    def trashed(self) -> list[str]:
        """Return the ids of the records in the trash."""
        return self._trash.ids()

    # Media

    def add_media(self, data: bytes, suffix: str) -> str:
        """Keep bytes and return their digest, `sha256:…`."""
        self._records.exists()
        return self._media.put(data, suffix)

    def move_into_media(self, file: Path, digest: str, suffix: str) -> str:
        """Move a downloaded file into the media. Raises `TransferError` when its bytes are not those of the digest."""
        self._records.exists()
        return self._media.adopt(file, digest, suffix)

    def file(self, digest: str) -> Path | None:
        """Return where the content of a digest lies, None when it is not here."""
        return self._media.file(digest)

    def read(self, digest: str) -> bytes | None:
        """Return the content of a digest, None when it is not here."""
        file = self._media.file(digest)
        return file.read_bytes() if file else None

    def relative(self, digest: str) -> str | None:
        """Return the same within the folder, with `/`."""
        return self._media.relative(digest)

    def partial(self, job_id: str, suffix: str = ".part") -> Path:
        """Return where a job's download is kept while it is under way."""
        self._records.exists()
        return self._media.partial(job_id, suffix)

    def add_clip(self, record_id: str, file: Path, digest: str) -> File:
        """Move a job's result into the media, with its poster, and return what a decoder says of it.

        Raises `TransferError`, and leaves the file, when it cannot be decoded or is not what the digest says.
        """
        self._records.exists()
        return clip_of(self._media, file, digest)

    def add_reference(self, asset: Asset, *, path: str) -> Reference:
        """Keep what a request refers to (`path` is its field's, `input_image.0`) and return its part of the record."""
        self._records.exists()
        return reference_of(self._media, asset, path)

    # Small values

    def remember_upload(self, origin: str, digest: str, address: dict[str, Any]) -> None:
        """Remember where a hub keeps some content, so that it is not sent again; addresses lose their signatures."""
        self._records.ready(writing=True)
        clean = {key: _public(value) for key, value in address.items()}
        self._uploads.put(origin, digest, clean)

    def upload_of(self, origin: str, digest: str) -> dict[str, Any] | None:
        """Return what was remembered."""
        return self._uploads.get(origin, digest) if self._records.ready() else None

    def forget_upload(self, origin: str, digest: str) -> None:
        """Forget it, since the hub no longer has it."""
        if self._records.ready():
            self._uploads.drop(origin, digest)

    def save_value(self, kind: str, name: str, value: Any) -> None:
        """Keep a JSON value under a name: a preset, a draft. It is a file of its own; see `named.NamedValues`."""
        self._records.ready(writing=True)
        self._kept.put(kind, name, value)

    def load_value(self, kind: str, name: str) -> Any | None:
        """Return a kept value, None when there is none. Raises `LogError` when its file cannot be read."""
        return self._kept.get(kind, name) if self._records.ready() else None

    def value_names(self, kind: str) -> list[str]:
        """Return the names of all kept values of a kind; one whose file cannot be read is left out, with a warning."""
        return self._kept.names(kind) if self._records.ready() else []

    def delete_value(self, kind: str, name: str) -> None:
        """Forget a kept value; it may be gone already."""
        if self._records.ready():
            self._kept.drop(kind, name)

    # Care

    def verify(self) -> list[Finding]:
        """Return everything that disagrees: each hash and each row is worked out anew, which reads every file."""
        if not self._records.ready():
            return []
        return audit(self.folder, self._records, self._media)

    def rebuild(self) -> int:
        """Make the index anew from the sidecars and return how many records it has; readers notice nothing."""
        return self._records.rebuild()

    def merge(self, other: Path | str) -> MergeReport:
        """Join another log to this one; see `merge.merge`. The other is only read."""
        self._records.ready(writing=True)
        folder = Path(other).expanduser().absolute()
        return merge(self._records, self._media, self._trash, self._kept, self.votes, self.scores, folder)

    def close(self) -> None:
        """Close the index and give up this process's jobs; the log opens it again when it is next used."""
        self._lease.release()
        self._records.database.close()


def _tags(given: Any) -> tuple[str, ...]:
    if given is not None and not isinstance(given, Iterable):
        raise LogError(f"{given!r} are no tags: give a text, or several in a list.")
    words = [given] if isinstance(given, str) else list(cast("Iterable[Any]", given or ()))
    return tuple(dict.fromkeys(word for tag in words if (word := _text(str(tag).strip()))))


def _text(given: str) -> str:
    try:
        given.encode()
    except UnicodeEncodeError as exc:
        raise LogError(
            f"{given!r} holds half a character (at {exc.start}), which no file can keep: write it again."
        ) from None
    return given


def id_of(thing: Any) -> str:
    """Return a record's id, given as it is or by what has one. Raises `LogError` for anything else."""
    found = thing if isinstance(thing, str) else getattr(thing, "id", None)
    if not isinstance(found, str):
        what = repr(thing) if isinstance(thing, int | float | None) else type(thing).__name__
        raise LogError(f"Give a record's id, not {what}.")
    return found


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _public(value: Any) -> Any:
    return redact_url(value) if isinstance(value, str) and "://" in value else value
