"""Rebuilds the database from the bucket, and finds where the two, and this machine's folder, disagree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import Any

from pydantic import ValidationError

from kling_nb.errors import LogError
from kling_nb.models.record import Record
from kling_nb.store.audit import Finding, request_findings
from kling_nb.store.index import in_chunks
from kling_nb.store.media import digest_of
from kling_nb.store.sidecars import digests_of
from kling_nb.store.tables import records as rows
from kling_nb.store.team import tables
from kling_nb.store.team.bucket import Bucket
from kling_nb.store.team.media import TeamMedia
from kling_nb.store.team.records import TeamRecords, statement_of, sums_of
from kling_nb.store.team.sync import FOLDERS, newest_of
from kling_nb.store.team.trash import FOLDER as TRASH

_READERS, _CHUNK = 16, 2_000
_SEND = "call kn.sync()"


def rebuild(store: TeamRecords, bucket: Bucket) -> int:
    """Copy everything in the bucket to the database, and return how many records the database has then.

    Newer revisions in the database are kept. Others may continue to work meanwhile.
    """
    store.ready(writing=True)
    documents = [
        (_path(key), revision, data.decode())
        for folder in FOLDERS
        if folder != "records"
        for key, revision, data in _newest(bucket, folder)
    ]
    trashed = {
        record.id: record for path, _, text in documents if path.startswith(f"{TRASH}/") and (record := _read(text))
    }
    for some in in_chunks(documents, _CHUNK):
        store.database.run(lambda one, some=some: _put_documents(one, some))
    for some in in_chunks(list(_newest(bucket, "records")), _CHUNK):
        found = [record for _, _, data in some if (record := _read(data.decode()))]
        known = [one for one in found if one.id not in trashed or trashed[one.id].revision < one.revision]
        store.database.run(lambda one, known=known: _put_records(one, known))
    sums = sums_of(list(trashed.values()))
    store.database.run(lambda one: _sum_up(one, sums))
    return store.ask(lambda index: index.count([rows.c.id == rows.c.id], []), 0)


def findings(store: TeamRecords, media: TeamMedia, bucket: Bucket) -> Iterator[Finding]:
    """Yield every disagreement. Every record is read, and the hash of each file on this machine is computed again."""
    late = store.database.run(lambda one: one.execute(tables.ALL_LATE).fetchall())
    for name, revision, arrived in late:
        has = f"its revision {arrived} of {revision}" if arrived else "nothing of it"
        yield Finding("not in bucket", name, f"{bucket.address} has {has}", _SEND)
    for path, _ in store.spool.first():
        yield Finding("not in bucket", path.stem, "it waits in this machine's folder", _SEND)
    for digest in media.waiting():
        yield Finding("not in bucket", digest[:19], "its file waits in this machine's folder", _SEND)
    late_ids = {name for name, _, _ in late}
    try:
        objects = {PurePosixPath(name).name for name in newest_of(bucket.names("records")).values()}
        here = {f"sha256:{PurePosixPath(name).name}" for name in bucket.names("media")} | set(media.waiting())
    except LogError as exc:
        yield Finding("not in bucket", bucket.address, str(exc), "try again when it is back")
        return
    for record in store.index.every():
        if record.id not in late_ids and f"{record.id}.{record.revision}.json" not in objects:
            message = f"{bucket.address} lacks its revision {record.revision}, which had arrived"
            yield Finding("sidecar missing", record.id, message, "restore the bucket from a copy")
        yield from request_findings(record)
        for digest, file in digests_of(record):
            if digest not in here:
                message = f"{file} is missing in {bucket.address} ({digest[:19]}…)"
                yield Finding("media missing", record.id, message, "restore it from a copy")
    for digest, path in media.all():
        if digest_of(path) != digest:
            name = path.relative_to(media.folder).as_posix()
            yield Finding("media changed", name, "its bytes do not have the digest in its name", "delete it")


def _newest(bucket: Bucket, folder: str) -> Iterator[tuple[str, int, bytes]]:
    """Yield the newest objects of a folder, each with its name without the revision, and its revision."""
    found = list(newest_of(bucket.names(folder)).items())
    with ThreadPoolExecutor(_READERS) as pool:
        for (key, name), data in zip(found, pool.map(bucket.get, [name for _, name in found]), strict=True):
            yield key, int(name.removesuffix(".json").rsplit(".", 1)[1]), data or b""


def _path(key: str) -> str:
    return "budget.json" if key == "budget/budget" else f"{key}.json"


def _read(text: str) -> Record | None:
    try:
        return Record.model_validate_json(text) if text else None
    except ValidationError:
        return None


def _put_documents(connection: Any, some: Sequence[tuple[str, int, str]]) -> None:
    given = [{"path": path, "revision": revision, "text": text} for path, revision, text in some]
    connection.cursor().executemany(tables.RESTORE_DOCUMENT, given)


def _put_records(connection: Any, some: Iterable[Record]) -> None:
    """Insert the records that are missing, and replace older revisions; the sums are computed at the end."""
    found = list(some)
    known = dict(connection.execute(tables.REVISIONS, [[one.id for one in found]]).fetchall())
    with connection.pipeline():
        for record in found:
            revision = known.get(record.id)
            if revision is None:
                connection.execute(*statement_of(record, None, counted=True))
            elif revision < record.revision:
                given = statement_of(record, None, counted=True)[1]
                connection.execute(tables.UPDATE_RECORD, {**given, "expected": revision})
    arrived = {"keys": [one.id for one in found], "revisions": [one.revision for one in found]}
    connection.execute(tables.RECORDS_ARRIVED, arrived)


def _sum_up(connection: Any, trashed: Any) -> None:
    with connection.transaction():
        connection.execute(tables.LOCK_SUMS)
        connection.execute("DELETE FROM sums")
        connection.execute(tables.SUM_UP)
        for (scope, name), amount in trashed.items():
            connection.execute(tables.ADD_SUM, {"scope": scope, "name": name, "amount": amount})
