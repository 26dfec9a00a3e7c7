"""The states of a job and the legal moves between them. A state is a value: a move makes a new record.

prepared ── submitting ──┬── queued ── processing ── downloading ── succeeded
                         └── uncertain ──┘ (settled by the hub's own list)
from anywhere before the end: failed; until the hub has it done: cancelled
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from kling_nb.models.generation import Generation, from_unix
from kling_nb.models.progress import Progress
from kling_nb.models.record import Failure, Message, Record, Status
from kling_nb.models.urls import redact_urls

MOVES: Mapping[Status, frozenset[Status]] = {
    "prepared": frozenset({"submitting", "failed", "cancelled"}),
    "submitting": frozenset({"queued", "uncertain", "failed", "cancelled"}),
    "uncertain": frozenset({"queued", "failed", "cancelled"}),
    "queued": frozenset({"processing", "downloading", "failed", "cancelled"}),
    "processing": frozenset({"downloading", "failed", "cancelled"}),
    "downloading": frozenset({"succeeded", "failed"}),
    "succeeded": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
}

#: States in which the hub may be at work on the job and is asked about it.
AT_THE_HUB: frozenset[Status] = frozenset({"queued", "processing"})


#: How many messages a record keeps, and how many characters of each.
MOST_MESSAGES, LONGEST_MESSAGE = 24, 240
#: How much of its prompt names a job: more than any row has room for, since a pointer shows the rest.
LONGEST_TITLE = 200


class IllegalMove(AssertionError):
    """A move that the table does not have: a mistake of ours, not of the user's."""


def move(record: Record, status: Status, at: datetime.datetime, **changes: Any) -> Record:
    """Return the record in its new state, with the moment noted. Raises `IllegalMove` for one not in the table."""
    if status not in MOVES[record.status]:
        raise IllegalMove(f"{record.id}: {record.status} -> {status}")
    times = record.times
    if status == "submitting":
        times = times.model_copy(update={"submitted": at})
    if status == "queued":
        times = times.model_copy(update={"accepted": at})
    if status in ("succeeded", "failed", "cancelled"):
        times = times.model_copy(update={"ended": at})
    moved = record.model_copy(update={"status": status, "times": times, **changes})
    return said(moved, _words_for(record, moved), at)


def said(record: Record, text: str, at: datetime.datetime) -> Record:
    """Return the record with one more message of its way: no signed query, nothing twice in a row, no endless list."""
    text = _line(redact_urls(text), LONGEST_MESSAGE)
    if record.messages and record.messages[-1].text == text:
        return record
    half = MOST_MESSAGES // 2
    full = len(record.messages) >= MOST_MESSAGES
    kept = (*record.messages[:half], *record.messages[-half + 1 :]) if full else record.messages
    return record.model_copy(update={"messages": (*kept, Message(at=at.replace(microsecond=0), text=text))})


def _words_for(before: Record, after: Record) -> str:
    """Say a move as its record tells it later."""
    match after.status:
        case "failed" if after.failure:
            return after.failure.message
        case "uncertain" if after.notes:
            return after.notes[-1]
        case "queued" if before.status == "uncertain":
            return "Found in the hub's queue"
        case status:
            return _SAID[status]


_SAID: Mapping[Status, str] = {
    "prepared": "Preparing",
    "submitting": "Sent",
    "uncertain": "No answer came",
    "queued": "Queued",
    "processing": "Generating",
    "downloading": "Fetching the clip",
    "succeeded": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
}


def fail(record: Record, kind: str, message: str, remedy: str, at: datetime.datetime) -> Record:
    """Return the record as failed, with why and what to do."""
    return move(record, "failed", at, failure=Failure(kind=kind, message=redact_urls(message), remedy=remedy))


def heard(record: Record, generation: Generation, at: datetime.datetime) -> Record:
    """Return the record after the hub's word on its job; the same one when that says nothing new.

    A success leads to `downloading`: it counts only when the file is here. A word from the past (`queued` after
    `processing`) changes nothing.
    """
    record = _with_times(record, generation)
    match generation.status:
        case "processing" if record.status == "queued":
            return move(record, "processing", at)
        case "succeeded" if record.status in AT_THE_HUB:
            return move(record, "downloading", at, server=server_side(generation))
        case "cancelled" if record.status in AT_THE_HUB:
            return move(record, "cancelled", at, server=server_side(generation))
        case "failed" if record.status in AT_THE_HUB:
            said = generation.error_message or "the hub did not say why"
            record = record.model_copy(update={"server": server_side(generation)})
            return fail(record, "hub", said, remedy_for(said, retryable=generation.error_retryable), at)
        case _:
            return record


def remedy_for(said: str, *, retryable: bool | None = None) -> str:
    """Return what a user can do about the hub's message."""
    low = said.lower()
    if retryable or "provider" in low or "timeout" in low or "internal" in low:
        return "The same request may well work later: run it again."
    if "safety" in low or "policy" in low or "moderation" in low:
        return "Change the prompt or the pictures; the model refuses this content."
    if "credit" in low:
        return "Top up at the hub, then run it again."
    return "Mend the request as the message says, and run it again."


def server_side(generation: Generation) -> dict[str, Any]:
    """Return the hub's record as ours may keep it: its own facts, without inputs and signed addresses."""
    kept = ("generation_id", "model_name", "media_type", "status", "error_message", "error_retryable")
    times = ("enqueued_at", "started_at", "completed_at")
    facts = {name: generation.raw[name] for name in (*kept, *times) if generation.raw.get(name) is not None}
    return {name: redact_urls(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}


def progress_of(
    record: Record, *, expected_seconds: float | None = None, uploading: str = "", trouble: str = ""
) -> Progress:
    """Return how a record's job stands, as its row shows it."""
    times = record.times
    since = times.accepted or times.submitted or times.created
    if record.ended and times.ended:
        since = times.ended
    running = record.status in AT_THE_HUB and times.accepted and expected_seconds is not None
    return Progress(
        id=record.id,
        status=record.status,
        title=_title(record),
        model=record.model,
        created=times.created,
        since=since,
        expected=times.accepted + datetime.timedelta(seconds=expected_seconds) if running else None,  # pyright: ignore[reportOperatorIssue, reportOptionalOperand, reportArgumentType] -- `running` says that both are there
        price="" if record.kind == "preview" else _price(record),
        preview=record.kind == "preview",
        uploading=uploading,
        failure=record.failure,
        trouble=trouble,
    )


def _price(record: Record) -> str:
    if record.local:
        return "free"
    return f"${record.price:.2f}" if record.price is not None else "price unknown"


def _title(record: Record) -> str:
    # The number comes first: whatever shows the title cuts it at the end.
    number = f"{record.index + 1} of {record.generations} · " if record.generations > 1 else ""
    return number + (_line(record.prompt.replace("\n", " / "), LONGEST_TITLE) or record.model)


def _line(text: str, longest: int) -> str:
    whole = " ".join(text.split())
    return whole if len(whole) <= longest else f"{whole[: longest - 1]}…"


def _with_times(record: Record, generation: Generation) -> Record:
    times = record.times
    update = {
        "enqueued": from_unix(generation.enqueued_at) or times.enqueued,
        "started": from_unix(generation.started_at) or times.started,
        "completed": from_unix(generation.completed_at) or times.completed,
    }
    if all(getattr(times, name) == value for name, value in update.items()):
        return record
    return record.model_copy(update={"times": times.model_copy(update=update)})
