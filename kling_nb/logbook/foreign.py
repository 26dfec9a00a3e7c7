"""A record that comes from elsewhere: from a clip's file, another's crate, a line of JSON. It is not trusted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import ValidationError

from kling_nb.errors import LogError
from kling_nb.logbook.audit import digests_of
from kling_nb.logbook.sidecars import NEWER, checked_id
from kling_nb.models.canonical import canonical_json
from kling_nb.models.media import sha256
from kling_nb.models.record import RECORD_VERSION, Record

#: Bytes of JSON; ours have some thousands.
LARGEST = 1_000_000

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_FILE = re.compile(r"media/[0-9a-f]{2}/[0-9a-f]{64}\.[A-Za-z0-9]{1,8}")


def admitted(text: str | bytes, where: str) -> Record:
    """Return the record in some JSON. Raises `LogError` naming `where` for what is no sound record of an ended job.

    Names that could lead out of a log's folder are refused, and so is a request that is not the one of its hash. What
    another process held, it holds no more; and who is billed is not for another's file to say.
    """
    if len(text) > LARGEST:
        raise LogError(f"{where} is larger than a record can be ({len(text):,} of {LARGEST:,} bytes).")
    try:
        record = Record.model_validate_json(text)
    except ValidationError as exc:
        raise LogError(f"{where} is no readable record ({exc.error_count()} faults).") from exc
    if faults := list(_faults(record)):
        raise LogError(f"{where} is no sound record: {'; '.join(faults)}.")
    return record.model_copy(update={"holder": None, "delivery": {}})


def _faults(record: Record) -> Iterator[str]:
    if record.version > RECORD_VERSION:
        yield f"it {NEWER}"
    for what, name in (("id", record.id), ("batch", record.batch)):
        try:
            checked_id(name)
        except LogError:
            yield f"its {what} is {name[:80]!r}"
    for digest, what in digests_of(record):
        if not _DIGEST.fullmatch(digest):
            yield f"{what} is called {digest[:80]!r}"
    if record.clip and not _FILE.fullmatch(record.clip.file):
        yield f"its clip would lie at {record.clip.file[:80]!r}"
    if not record.ended:
        yield f"its job is {record.status}: only what has ended can be handed on"
    try:
        if sha256(canonical_json(record.canonical)) != record.request_hash:
            yield "its request is not the one of its hash"
    except ValueError as exc:
        yield f"its request has no canonical form ({exc})"
