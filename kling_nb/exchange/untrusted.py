"""What comes from elsewhere: from a clip's file, another's crate, a line of JSON. It is not trusted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from kling_nb.errors import LogError
from kling_nb.models.canonical import canonical_json
from kling_nb.models.fields import media_kind
from kling_nb.models.judgements import Score, Vote
from kling_nb.models.plan import StoredPlan
from kling_nb.models.record import RECORD_VERSION, Record, Reference
from kling_nb.models.urls import sha256
from kling_nb.store.plans import digests_of_plan
from kling_nb.store.sidecars import DIGEST, LATER, UPDATE, invalid_time, invalid_values, is_id

T = TypeVar("T", bound=BaseModel)

#: Bytes of JSON: of a record (ours have some thousands), of a plan, of a vote or a score.
LARGEST, LARGEST_PLAN, LARGEST_LINE = 1_000_000, 64_000_000, 10_000

_MOST_CELLS, _MOST_CHANGES = 200_000, 1_000_000
_WEB = re.compile(r"https?://", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_FILE = re.compile(r"media/[0-9a-f]{2}/[0-9a-f]{64}\.[A-Za-z0-9]{1,8}")


def parse_record(text: str | bytes, where: str) -> Record:
    """Return the record in some JSON. Raises `LogError` naming `where` for what is no sound record of an ended job.

    Names that could lead out of a log's folder are refused, and so is a request that is not the one of its hash. What
    another process held, it holds no more; and who is billed is not for another's file to say.
    """
    record = _read(Record, "record", text, where, LARGEST)
    if faults := list(dict.fromkeys(_faults(record))):
        raise LogError(f"{where} is no sound record: {'; '.join(faults)}.")
    return record.model_copy(update={"holder": None, "delivery": {}})


def parse_plan(text: str | bytes, where: str) -> StoredPlan:
    """Return the plan in some JSON. Raises `LogError` naming `where` for what is no sound one."""
    plan = _read(StoredPlan, "plan", text, where, LARGEST_PLAN)
    if faults := list(dict.fromkeys(_faults_of_plan(plan))):
        raise LogError(f"{where} is no sound plan: {'; '.join(faults[:5])}.")
    return plan


def _faults_of_plan(plan: StoredPlan) -> Iterator[str]:
    for point in plan.points:
        yield from _unnamed(point.request or {}, plan.references)
    yield from _false(plan.references)
    for digest in digests_of_plan(plan):
        if not DIGEST.fullmatch(digest):
            yield f"a picture of it is called {digest[:80]!r}"
    cells = len(plan.points) * plan.repeat
    if plan.repeat < 1 or not 1 <= cells <= _MOST_CELLS:
        yield f"it has {cells:,} cells"
        return
    try:
        if plan.derived_id != plan.id:
            yield "it is not the plan of its id"
    except ValueError as exc:
        yield f"its requests have no canonical form ({exc})"


def parse_vote(text: str | bytes, where: str) -> Vote:
    """Return the vote in a line of JSON. Raises `LogError` naming `where` for what is no sound one.

    One that was taken back is refused too: nobody else takes a vote of this log back.
    """
    vote = _read(Vote, "vote", text, where, LARGEST_LINE)
    if vote.undone:
        raise LogError(f"{where} is a vote that was taken back.")
    if invalid_time(vote.at) or not all(map(_NAME.fullmatch, (vote.id, vote.left, vote.right))):
        raise LogError(f"{where} is no sound vote: its names or its time are none.")
    return vote


def parse_score(text: str | bytes, where: str) -> Score:
    """Return the score in a line of JSON. Raises `LogError` naming `where` for what is no sound one."""
    score = _read(Score, "score", text, where, LARGEST_LINE)
    hashes = (score.clip, score.request or score.clip)
    if invalid_time(score.at) or not all(map(DIGEST.fullmatch, hashes)) or not _NAME.fullmatch(score.name):
        raise LogError(f"{where} is no sound score: its names or its time are none.")
    return score


def _read(kind: type[T], word: str, text: str | bytes, where: str, largest: int) -> T:
    if len(text) > largest:
        raise LogError(f"{where} is larger than a {word} can be ({len(text):,} of {largest:,} bytes).")
    try:
        return kind.model_validate_json(text)
    except ValidationError as exc:
        raise LogError(f"{where} is no readable {word} ({exc.error_count()} faults).") from exc


def _faults(record: Record) -> Iterator[str]:
    if record.version > RECORD_VERSION:
        yield f"it {LATER}: {UPDATE}"
    for what, name in (("id", record.id), ("batch", record.batch)):
        if not is_id(name):
            yield f"its {what} is {name[:80]!r}"
    yield from invalid_values(record)
    if record.revision > _MOST_CHANGES:  # joined with one of here, it leaves no room to count on
        yield f"its revision is {record.revision}"
    if record.clip and not _FILE.fullmatch(record.clip.file):
        yield f"its clip would lie at {record.clip.file[:80]!r}"
    yield from _unnamed(record.canonical, record.references)
    yield from _false(record.references)
    if not record.ended:
        yield f"its job is {record.status}: only what has ended can be handed on"
    try:
        if sha256(canonical_json(record.canonical)) != record.request_hash:
            yield "its request is not the one of its hash"
    except ValueError as exc:
        yield f"its request has no canonical form ({exc})"


def _unnamed(canonical: Mapping[str, Any], references: Sequence[Reference]) -> Iterator[str]:
    """A picture that no reference tells of: its address would be read as a path, and a file of this machine sent."""
    known = {reference.identity for reference in references}
    for address in _addresses(canonical):
        if address not in known:
            yield f"its request refers to {address[:80]!r}, which is none of its pictures"


def _false(references: Iterable[Reference]) -> Iterator[str]:
    for reference in references:
        if reference.digest is None and not _WEB.match(reference.identity):
            yield f"its picture {reference.identity[:80]!r} is neither in the log nor on the web"
        elif reference.digest and reference.identity.startswith("sha256:") and reference.identity != reference.digest:
            yield f"its picture {reference.identity[:19]}… is said to be {reference.digest[:19]}…"


def _addresses(value: Any, name: str = "") -> Iterator[str]:
    match value:
        case str() if media_kind(name):
            yield value
        case dict():
            for key, item in value.items():
                yield from _addresses(item, str(key))
        case list():
            for item in value:
                yield from _addresses(item, name)
        case _:
            return
