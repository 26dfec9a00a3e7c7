"""The log: requests, their costs and their clips. Safe for many threads, and for kernels that share a folder."""

from __future__ import annotations

import datetime
import difflib
import json
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, Unpack, cast

from kling_nb.errors import ArgumentError, ArgumentTypeError, LogError, NotSaved
from kling_nb.models.asset import Asset
from kling_nb.models.record import File, Record, Reference
from kling_nb.models.urls import redact_url
from kling_nb.store.budget import BudgetStore
from kling_nb.store.disk import path_of, read_whole
from kling_nb.store.filters import Search, conditions
from kling_nb.store.guide import Guide
from kling_nb.store.index import Index, Page, RecordSummary
from kling_nb.store.judgements import Scores, Votes
from kling_nb.store.lease import Lease
from kling_nb.store.media import Media, clip_of, reference_of
from kling_nb.store.named import NamedValues
from kling_nb.store.plans import Plans
from kling_nb.store.probe import media_kind
from kling_nb.store.records import RecordStore
from kling_nb.store.tables import split
from kling_nb.store.trash import Trash

if TYPE_CHECKING:
    from kling_nb.store.audit import Finding
    from kling_nb.store.merge import MergeReport

T = TypeVar("T")


class _Unset(Enum):
    UNSET = "not given"


UNSET: Final = _Unset.UNSET
#: The file that tells a team's cache from a log of its own.
MARK = "team.json"


class HasId(Protocol):
    """An object that has a record's id: the record, its job."""

    @property
    def id(self) -> str:
        """The record's id."""
        ...


class Log:
    """The record store in a folder; `TeamLog` is that of a team. Creating one reads and writes nothing.

    Every method raises `LogError` when the folder or the index cannot be used.

    Args:
        folder: The folder of all files; it is created at the first write.
        opened: Called with the folder when the log is opened; not for a log that does not exist yet.
        as_it_is: Read the log as it is: its index is neither migrated nor brought up to date, and no record is
            written.
    """

    def __init__(
        self, folder: Path | str, *, opened: Callable[[Path], object] = lambda folder: None, as_it_is: bool = False
    ) -> None:
        self.folder = Path(folder).expanduser().absolute()
        self._records = RecordStore(self.folder, opened, as_it_is)
        self._lease = Lease(self.folder)
        self._media = Media(self.folder)
        self._guide = Guide(self.folder, self._media.file)
        self._trash = Trash.of(self._records, self._media)
        self.budget = BudgetStore(self._records, self._trash.sidecars)
        self.votes = Votes(self._records)
        self.scores = Scores(self._records)

    def __repr__(self) -> str:
        return f"Log({str(self.folder)!r})"

    @property
    def plans(self) -> Plans:
        """The plans in this log."""
        self._records.exists()
        return Plans(self.folder)

    @property
    def values(self) -> NamedValues:
        """The values that are saved under a name: presets, drafts, options."""
        self._records.exists()
        return self._records.named

    # Records

    def save(self, record: Record) -> Record:
        """Write a record and return it as stored: its revision one higher, the user's tags, stars and note unchanged.

        A stored record that got further is returned instead: one that has ended, succeeded, or has a generation id
        that the given one lacks.
        """
        saved = self._records.save(record)
        self._guide.write()
        if saved.status == "succeeded":
            self._guide.add(saved)
        return saved

    def add(self, record: Record) -> Record | None:
        """Write a new record; return None if there is one of that id, in the trash or not."""
        return None if self._trash.sidecars.find(record.id) else self._records.add(record)

    def spend(self, records: Sequence[Record]) -> list[Record | None]:
        """Write records that are about to be sent. Raises `BudgetError`, and writes none, if a limit refuses.

        None stands for a record that must not be sent from here: another kernel has taken it over, sent or ended it.
        """
        return self.budget.spend(records)

    def claim(self, record: Record) -> Record | None:
        """Write a record whose generation was found in the hub's queue; return None if it is another record's."""
        self._records.ready(writing=True)
        mine = self._records.ask(lambda index: index.claim(record), default=False)
        return self._records.save(record) if mine else None

    def claimed(self, generation_ids: Iterable[str], *, by_others_than: Iterable[str] = ()) -> set[str]:
        """Return those of the hub's generations that a record has already."""
        wanted, own = list(generation_ids), list(by_others_than)
        return self._records.ask(lambda index: index.claimed(wanted, own), set[str]())

    def being_sent(self, record: Record) -> list[Record]:
        """Return the records of the same model that a living kernel is sending."""
        sent = self._records.ask(lambda index: index.being_sent(record), [])
        return [one for one in sent if one.holder and self._lease.alive(one.holder)]

    def annotate(self, record_id: str | HasId, *, tags: Any = UNSET, stars: Any = UNSET, note: Any = UNSET) -> Record:
        """Change a record's tags, its 1 to 5 stars (None for none), or its note.

        Raises `ArgumentError` or `ArgumentTypeError` for a wrong value, `NotSaved` for an unknown record.
        """
        changes: dict[str, Any] = {}
        if tags is not UNSET:
            changes["tags"] = _tags(tags)
        if stars is not UNSET:
            if stars is not None and (type(stars) is not int or not 1 <= stars <= 5):
                raise ArgumentError(f"stars must be 1 to 5, or None for none, got {stars!r}.")
            changes["stars"] = stars
        if note is not UNSET:
            changes["note"] = _text(str(note or ""))
        return self._records.change(self.get(record_id).id, changes)

    def get(self, record_id: str | HasId) -> Record:
        """Return a record by its id, the beginning of it, or an object that has the id: a record, a job.

        Raises `NotSaved` unless exactly one record matches, `ArgumentTypeError` for an object without an id.
        """
        record_id = id_of(record_id)
        ask = self._records.ask
        if record := ask(lambda index: index.get(record_id), None):
            return record
        found = ask(lambda index: index.ids_starting_with(record_id), []) if record_id else []
        if len(found) > 1:
            raise NotSaved(f"Several records begin with {record_id!r}: {', '.join(found)}.")
        whole = found[0] if found else record_id
        record = ask(lambda index: index.get(whole), None) or self._records.sidecars.read(whole)
        if record is None:
            near = difflib.get_close_matches(record_id, ask(Index.newest_ids, []), n=3, cutoff=0.6)
            meant = f" Did you mean {' or '.join(near)}?" if near else ""
            raise NotSaved(f"There is no record {record_id!r} in {self.folder}.{meant}")
        return record

    def find(
        self, *, limit: int | None = None, offset: int = 0, newest_first: bool = True, **filters: Unpack[Search]
    ) -> list[Record]:
        """Return the records that match the filters; see `Search`."""
        wanted = list(
            conditions(filters, datetime.datetime.now(datetime.UTC))
        )  # a wrong value raises even while the log is empty
        words, page = split(filters.get("text") or ""), Page(limit, offset, newest_first)
        return self._records.ask(lambda index: index.find(wanted, words, page), [])

    def count(self, **filters: Unpack[Search]) -> int:
        """Return how many records match the filters."""
        wanted = list(conditions(filters, datetime.datetime.now(datetime.UTC)))
        return self._records.ask(lambda index: index.count(wanted, split(filters.get("text") or "")), 0)

    def unfinished(self, hub: str | None = None) -> list[Record]:
        """Return the records of jobs that have not ended, oldest first."""
        return self._records.ask(lambda index: index.unfinished(hub), [])

    def holder(self) -> str:
        """Return this process's name as the holder of jobs."""
        self._records.exists()
        return self._lease.holder()

    def take(self, record_id: str) -> Record | None:
        """Take over an unfinished job; return None if it has ended or another living kernel runs it."""
        return self._records.take(record_id, self._lease.holder(), self._lease.alive)

    def ask_for(self, record: Record) -> None:
        """Ask the Jupyter server for a job that it holds; another kernel's job stays there."""
        if record.holder:
            self._lease.ask_for(record.holder)

    @property
    def lease(self) -> Lease:
        """This process's hold on its jobs."""
        return self._lease

    def durations(self, model: str, hub: str, limit: int = 50) -> list[tuple[float, float]]:
        """Return (seconds of clip, seconds the hub took) of the newest successes, newest first."""
        return self._records.ask(lambda index: index.durations(model, hub, limit), [])

    def models(self, kind: str = "result") -> list[str]:
        """Return the models of the records, the most common first."""
        return self._records.ask(lambda index: index.models(kind), [])

    def tags(self) -> list[str]:
        """Return every tag in use, the most common first."""
        return self._records.ask(Index.tags, [])

    # The records of requests, as plans need them

    def made(self, hashes: Sequence[str], hub: str) -> list[RecordSummary]:
        """Return the records of these requests at a hub, oldest first, without those that ended without a clip."""
        return self._records.ask(lambda index: index.made(hashes, hub), [])

    def imported(self, hashes: Sequence[str], hub: str) -> list[Record]:
        """Return those of these requests' records that were imported with a clip."""
        return self._records.ask(lambda index: index.imported(hashes, hub), [])

    def refused(self, hashes: Sequence[str], hub: str) -> set[str]:
        """Return the hashes of those requests that were refused for their content, and of which there is no clip."""
        return self._records.ask(lambda index: index.refused(hashes, hub), set[str]())

    def alone(self, begin: Callable[[], T], of: str) -> T:
        """Call `begin` while no other kernel does for the same request: of two that lack its clip, one starts it."""
        with self._records.lock("plans"):
            return begin()

    # Trash

    def trash(self, record_id: str) -> Record:
        """Move a record to `trash/`, with the media that nothing else names; `restore` brings it back.

        Raises `ArgumentError` while its job is running.
        """
        trashed = self._trash.add(self.get(record_id).id)
        self._guide.remove(trashed)
        return trashed

    def restore(self, record_id: str) -> Record:
        """Restore a record from the trash. Raises `NotSaved` if it is not there."""
        restored = self._trash.restore(record_id)
        self._guide.add(restored)
        return restored

    def trashed(self) -> list[str]:
        """Return the ids of the records in the trash."""
        return self._trash.ids()

    # Media

    def add_media(self, data: bytes, suffix: str) -> str:
        """Write bytes into the media and return their digest, `sha256:…`."""
        self._records.exists()
        return self._media.add(data, suffix)

    def file(self, digest: str) -> Path | None:
        """Return the file of a digest, None if there is none."""
        return self._media.file(digest)

    def media_file(self, digest: str) -> Path | None:
        """Return the file of a digest to be shown or passed on: None unless it is an image or a video."""
        file = self._media.file(digest)
        return file if file and media_kind(file) else None

    def missing_text(self, clip: File) -> str | None:
        """Return why a clip is not shown, if there is another reason than a missing file."""
        return None

    def shown_file(self, digest: str) -> Path | None:
        """Return the file of a digest for a table of clips; see `media_file`."""
        return self.media_file(digest)

    def foreign(self, digests: Iterable[str]) -> set[str]:
        """Return those digests whose file is neither an image nor a video, by its first bytes."""
        return {digest for digest in digests if (file := self._media.file(digest)) and not media_kind(file)}

    def read(self, digest: str) -> bytes | None:
        """Return the content of a digest, None if there is none, or the file was changed."""
        return self._media.read(digest)

    def same_clip(self, record: Record, digest: str) -> str | None:
        """Return the ID of the newest other record of the same request whose clip has these bytes, if there is one."""
        try:
            others = self.find(request_hash=record.request_hash, hub=record.hub, kind=record.kind, status="succeeded")
        except LogError:  # a failing index must not keep a paid clip from being saved
            return None
        return next((one.id for one in others if one.id != record.id and one.clip and one.clip.digest == digest), None)

    def clip(self, record_id: str) -> bytes | None:
        """Return the content of a record's clip, None if there is none."""
        clip = self.get(record_id).clip
        return self.read(clip.digest) if clip else None

    def partial(self, job_id: str) -> Path:
        """Return the path of a job's unfinished download, and create its folder."""
        self._records.exists()
        return self._media.partial(job_id)

    def add_clip(self, record_id: str, file: Path, digest: str, kind: str = "") -> File:
        """Move a job's result into the media with its poster, and return its part of the record.

        Raises `TransferError`, and leaves the file, if it cannot be decoded, is not of the `kind` (`video` or `image`)
        or does not have the digest.
        """
        self._records.exists()
        return clip_of(self._media, file, digest, kind)

    def add_reference(self, asset: Asset, *, path: str) -> Reference:
        """Write an asset into the media and return its part of the record; `path` is its field's, `input_image.0`."""
        self._records.exists()
        return reference_of(self._media, asset, path)

    # Uploads

    def remember_upload(self, origin: str, digest: str, address: dict[str, Any]) -> None:
        """Remember the address of uploaded content at a hub, without its signature, so that it is not sent again."""
        self._records.ready(writing=True)
        public = {key: redact_url(url) if "://" in (url := str(value)) else value for key, value in address.items()}
        self._records.ask(lambda index: index.put_upload(origin, digest, public), None)

    def upload_of(self, origin: str, digest: str) -> dict[str, Any] | None:
        """Return the remembered address of uploaded content, None if it is unknown."""
        return self._records.ask(lambda index: index.upload(origin, digest), None)

    def forget_upload(self, origin: str, digest: str) -> None:
        """Forget an address, since the hub no longer has the content."""
        self._records.ask(lambda index: index.put_upload(origin, digest, None), None)

    # Maintenance

    def verify(self) -> list[Finding]:
        """Return everything that disagrees; all files are read and all hashes computed again."""
        from kling_nb.store.audit import Audit

        return list(Audit(self._records, self._media).findings()) if self._records.ready() else []

    def rebuild(self) -> int:
        """Rebuild the index from the files, unnoticed by readers, and return how many records it has."""
        return self._records.rebuild()

    def merge(self, other: Path | str) -> MergeReport:
        """Merge the log in another folder into this one; see `Merge.run`."""
        from kling_nb.store.merge import Merge

        self._records.ready(writing=True)
        parts = (self._records, self._media, self._trash, self.plans, self.votes, self.scores, self.values)
        return Merge(*parts).run(path_of("folder", other).absolute())

    def close(self) -> None:
        """Close the index and release this process's jobs; the next use opens the log again."""
        self._lease.release()
        self._records.close()


def team_of(folder: Path) -> dict[str, str] | None:
    """Return the addresses of the team whose cache a folder is, None for any other folder."""
    try:
        return dict(json.loads(read_whole(folder / MARK)))
    except (OSError, ValueError, TypeError):
        return None


def _tags(given: Any) -> tuple[str, ...]:
    if given is not None and not isinstance(given, Iterable):
        raise ArgumentTypeError(f"tags must be a string or a list of strings, got {given!r}.")
    words = [given] if isinstance(given, str) else list(cast("Iterable[Any]", given or ()))
    return tuple(dict.fromkeys(word for tag in words if (word := _text(str(tag).strip()))))


def _text(given: str) -> str:
    try:
        given.encode()
    except UnicodeEncodeError as exc:
        said = f"A text must be valid Unicode, got half a character at {exc.start} of {given!r}."
        raise ArgumentError(said) from None
    return given


def id_of(thing: Any) -> str:
    """Return a record's id, given as such or by an object that has it. Raises `ArgumentTypeError`."""
    found = thing if isinstance(thing, str) else getattr(thing, "id", None)
    if not isinstance(found, str):
        given = repr(thing) if isinstance(thing, int | float | None) else type(thing).__name__
        raise ArgumentTypeError(f"A record must be given by its id, got {given}.")
    return found
