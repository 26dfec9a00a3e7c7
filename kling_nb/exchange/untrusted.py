"""Checks of untrusted JSON: from a clip's file, another user's crate, or a line of JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from kling_nb.errors import ExchangeError
from kling_nb.models.canonical import canonical_json
from kling_nb.models.fields import media_kind
from kling_nb.models.images import WHITENED
from kling_nb.models.judgements import Score, Vote
from kling_nb.models.plan import StoredPlan
from kling_nb.models.record import RECORD_VERSION, Record, Reference
from kling_nb.models.urls import sha256
from kling_nb.store.sidecars import DIGEST, LATER, UPDATE, errors_in, invalid_time, invalid_values, is_id

T = TypeVar("T", bound=BaseModel)

#: The kinds of parts of an export; in JSON lines, each but a record is the value of a key of its kind.
RECORD, PLAN, VOTE, SCORE = "record", "plan", "vote", "score"
#: Limits in bytes of JSON: of a record (ours have a few thousand), of a plan, of a vote or a score.
LARGEST, LARGEST_PLAN, LARGEST_LINE = 1_000_000, 64_000_000, 10_000

_MOST_CELLS, _MOST_REVISIONS = 200_000, 1_000_000
_WEB = re.compile(r"https?://", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_FILE = re.compile(r"media/[0-9a-f]{2}/[0-9a-f]{64}\.[A-Za-z0-9]{1,8}")


def parse_record(text: str | bytes, where: str) -> Record:
    """Return the record of an ended job, without its holder and its payer.

    Raises `ExchangeError`, naming `where`, for any other text: also for names that could lead out of a log's folder,
    and for a request that does not have the record's hash.
    """
    record = _parse(Record, RECORD, text, where, LARGEST)
    _refuse(RECORD, where, _record_errors(record))
    return record.model_copy(update={"holder": None, "delivery": {}})


def parse_plan(text: str | bytes, where: str) -> StoredPlan:
    """Return the plan. Raises `ExchangeError`, naming `where`, for any other text."""
    plan = _parse(StoredPlan, PLAN, text, where, LARGEST_PLAN)
    _refuse(PLAN, where, _plan_errors(plan))
    return plan


def parse_vote(text: str | bytes, where: str) -> Vote:
    """Return the vote. Raises `ExchangeError`, naming `where`, for any other text.

    An undone vote is refused, since no import may undo a vote of this log.
    """
    vote = _parse(Vote, VOTE, text, where, LARGEST_LINE)
    _refuse(VOTE, where, _vote_errors(vote))
    return vote


def parse_score(text: str | bytes, where: str) -> Score:
    """Return the score. Raises `ExchangeError`, naming `where`, for any other text."""
    score = _parse(Score, SCORE, text, where, LARGEST_LINE)
    hashes = (score.clip, score.request or score.clip)
    if invalid_time(score.at) or not all(map(DIGEST.fullmatch, hashes)) or not _NAME.fullmatch(score.name):
        _refuse(SCORE, where, ["its names or its time are invalid"])
    return score


#: The check of each kind of part.
PARSERS: Mapping[str, Callable[[bytes, str], Record | StoredPlan | Vote | Score]] = {
    RECORD: parse_record,
    PLAN: parse_plan,
    VOTE: parse_vote,
    SCORE: parse_score,
}


def _parse(model: type[T], kind: str, text: str | bytes, where: str, largest: int) -> T:
    if len(text) > largest:
        raise ExchangeError(f"{where} is larger than a {kind} can be ({len(text):,} of {largest:,} bytes).")
    try:
        return model.model_validate_json(text)
    except ValidationError as exc:
        raise ExchangeError(f"{where} is not a readable {kind} ({errors_in(exc)}).") from exc


def _refuse(kind: str, where: str, errors: Iterable[str]) -> None:
    if found := list(dict.fromkeys(errors)):
        raise ExchangeError(f"{where} is not a valid {kind}: {'; '.join(found[:5])}.")


def _record_errors(record: Record) -> Iterator[str]:
    if record.version > RECORD_VERSION:
        yield f"it {LATER}: {UPDATE}"
    for what, name in (("id", record.id), ("batch", record.batch)):
        if not is_id(name):
            yield f"its {what} is {name[:80]!r}"
    yield from invalid_values(record)
    if record.revision > _MOST_REVISIONS:  # merged with one of this log, it would leave no room for later revisions
        yield f"its revision is {record.revision}"
    if record.clip and not _FILE.fullmatch(record.clip.file):
        yield f"its clip has the path {record.clip.file[:80]!r}"
    yield from _unknown_media(record.canonical, record.references)
    yield from _false_references(record.references)
    if not record.ended:
        yield f"its job is {record.status}, and only ended jobs can be imported"
    try:
        if sha256(canonical_json(record.canonical)) != record.request_hash:
            yield "its request does not have the record's hash"
    except ValueError as exc:
        yield f"its request has no canonical form ({exc})"


def _plan_errors(plan: StoredPlan) -> Iterator[str]:
    for point in plan.points:
        yield from _unknown_media(point.request or {}, plan.references)
    yield from _false_references(plan.references)
    for digest in {digest for one in plan.references for digest in one.digests}:
        if not DIGEST.fullmatch(digest):
            yield f"an image has the digest {digest[:80]!r}"
    cells = len(plan.points) * plan.repeat
    if plan.repeat < 1 or not 1 <= cells <= _MOST_CELLS:
        yield f"it has {cells:,} cells"
        return
    try:
        if plan.derived_id != plan.id:
            yield "its content has another id"
    except ValueError as exc:
        yield f"its requests have no canonical form ({exc})"


def _vote_errors(vote: Vote) -> Iterator[str]:
    if vote.undone:
        yield "it is undone"
    if invalid_time(vote.at) or not all(map(_NAME.fullmatch, (vote.id, vote.left, vote.right))):
        yield "its names or its time are invalid"
    if len(vote.model_dump_json().splitlines()) > 1:
        yield "the voter's name has a line break"


def _unknown_media(canonical: Mapping[str, Any], references: Sequence[Reference]) -> Iterator[str]:
    """Yield an error for each address without a reference: it would be read as a path, and a local file be sent."""
    known = {reference.identity for reference in references}
    for address in _addresses(canonical):
        if address not in known:
            yield f"its request names {address[:80]!r}, which is not one of its references"


def _false_references(references: Iterable[Reference]) -> Iterator[str]:
    for reference in references:
        if reference.digest is None and not _WEB.match(reference.identity):
            yield f"its reference {reference.identity[:80]!r} is neither in the log nor on the web"
        elif reference.digest and not _is_own(reference):
            yield f"its reference {reference.identity[:19]}… has the digest {reference.digest[:19]}…"


def _is_own(reference: Reference) -> bool:
    """Return whether a file is that of its identity: as it was given, or changed before it was sent."""
    left_out = reference.original is None and WHITENED in reference.fixes  # see `Reference.public`
    own = (reference.digest, reference.original)
    return left_out or reference.identity in own or not reference.identity.startswith("sha256:")


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
