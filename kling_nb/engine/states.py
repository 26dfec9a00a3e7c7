"""The states of a job and the legal transitions between them. A state is a value: a transition makes a new record.

prepared ── submitting ──┬── queued <─> processing ── downloading ── succeeded
                         └── uncertain ──┘ (settled by the hub's own list)
from any state before the end: failed; until the hub has finished: cancelled
"""

from __future__ import annotations

import datetime
import html
import re
from collections.abc import Mapping
from typing import Any

from kling_nb.models.generation import Generation, from_unix
from kling_nb.models.price import format_money
from kling_nb.models.progress import Progress
from kling_nb.models.record import Failure, Message, Record, Status
from kling_nb.models.refusals import MODERATION, MODERATION_REMEDY, refuses_content
from kling_nb.models.urls import redact_urls

TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    "prepared": frozenset({"submitting", "failed", "cancelled"}),
    "submitting": frozenset({"queued", "uncertain", "failed", "cancelled"}),
    "uncertain": frozenset({"queued", "failed", "cancelled"}),
    "queued": frozenset({"processing", "downloading", "failed", "cancelled"}),
    "processing": frozenset({"queued", "downloading", "failed", "cancelled"}),
    "downloading": frozenset({"succeeded", "failed"}),
    "succeeded": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
}

#: States in which the hub may be working on the job and is asked about it.
AT_THE_HUB: frozenset[Status] = frozenset({"queued", "processing"})

#: How many messages a record keeps, and how many characters of each.
MAX_MESSAGES, MAX_MESSAGE_LENGTH = 24, 240
#: Characters of its prompt in a job's title: more than a row has room for, since its tooltip shows the rest.
MAX_TITLE_LENGTH = 200

#: The message that a record keeps of each state that it enters.
_MESSAGES: Mapping[Status, str] = {
    "prepared": "Preparing",
    "submitting": "Sent",
    "uncertain": "No response",
    "queued": "Queued",
    "processing": "Generating",
    "downloading": "Downloading the clip",
    "succeeded": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
}


class IllegalTransition(AssertionError):
    """A transition that the table does not have: a bug in kling_nb, not the user's mistake."""


def with_status(record: Record, status: Status, at: datetime.datetime, **changes: Any) -> Record:
    """Return the record in its new state, with its time and a message. Raises `IllegalTransition`."""
    if status not in TRANSITIONS[record.status]:
        raise IllegalTransition(f"{record.id}: {record.status} -> {status}")
    times = record.times
    if status == "submitting":
        times = times.model_copy(update={"submitted": at})
    if status == "queued" and record.status != "processing":
        times = times.model_copy(update={"accepted": at})
    if status in ("succeeded", "failed", "cancelled"):
        times = times.model_copy(update={"ended": at})
    after = record.model_copy(update={"status": status, "times": times, **changes})
    match status:
        case "failed" if after.failure:
            text = after.failure.message
        case "uncertain" if after.notes:
            text = after.notes[-1]
        case "queued" if record.status == "uncertain":
            text = "Found in the hub's queue"
        case _:
            text = _MESSAGES[status]
    return with_message(after, text, at)


#: The kinds of failures whose message is the hub's.
HUB_KINDS = frozenset({"hub", "InvalidParams", "HubError", "ServerError"})


def with_failure(record: Record, kind: str, message: str, remedy: str, at: datetime.datetime) -> Record:
    """Return the record as failed, with the reason and what to do.

    A message of the hub that refuses the content has its own kind and remedy, which claims nothing about the bill.
    """
    if kind in HUB_KINDS and refuses_content(message):
        kind, remedy = MODERATION, MODERATION_REMEDY
    return with_status(record, "failed", at, failure=Failure(kind=kind, message=redact_urls(message), remedy=remedy))


def with_message(record: Record, text: str, at: datetime.datetime) -> Record:
    """Return the record with one more message, without signed queries; a repetition changes nothing.

    Of too many messages the first and the last are kept.
    """
    text = _shortened(redact_urls(text), MAX_MESSAGE_LENGTH)
    if record.messages and record.messages[-1].text == text:
        return record
    kept = record.messages
    if len(kept) >= MAX_MESSAGES:
        half = MAX_MESSAGES // 2
        kept = (*kept[:half], *kept[1 - half :])
    return record.model_copy(update={"messages": (*kept, Message(at=at.replace(microsecond=0), text=text))})


def with_report(record: Record, generation: Generation, at: datetime.datetime) -> Record:
    """Return the record after the hub's report on its job; the same one when there is nothing new.

    A success leads to `downloading`: it counts only when the file is here. A hub may take a job back from a worker that
    failed: it is `queued` again after `processing`.
    """
    record = _with_times(record, generation)
    match generation.outcome:
        case "processing" if record.status == "queued":
            return with_status(record, "processing", at)
        case "queued" if record.status == "processing":
            return with_status(record, "queued", at)
        case "succeeded" if record.status in AT_THE_HUB:
            return with_status(record, "downloading", at, server=server_side(generation))
        case "cancelled" if record.status in AT_THE_HUB:
            return with_status(record, "cancelled", at, server=server_side(generation))
        case "failed" if record.status in AT_THE_HUB:
            message = generation.error_message or f'The hub reports "{generation.status_text}" and gave no reason.'
            record = record.model_copy(update={"server": server_side(generation)})
            remedy = remedy_for(message, retryable=generation.error_retryable)
            return with_failure(record, "hub", message, remedy, at)
        case _:
            return record


def is_of_another(echo: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    """Return whether the hub's record is of another request.

    Only letters of the prompt count: a hub may shorten it, write mentions in another way, or change the rest.
    """
    theirs, ours = (_letters(str(body.get("prompt") or "")) for body in (echo, sent))
    return bool(theirs and ours) and theirs not in ours and ours not in theirs


def _letters(text: str) -> str:
    return re.sub(r"<<<.*?>>>|@\w+|[\W_]+", "", html.unescape(text).casefold())


def remedy_for(message: str, *, retryable: bool | None = None) -> str:
    """Return what the user can do about the hub's error message."""
    low = message.lower()
    if refuses_content(message):
        return MODERATION_REMEDY
    if retryable or "provider" in low or "timeout" in low or "internal" in low:
        return "This may be temporary; try again."
    if "credit" in low:
        return "Add credits at the hub, then try again."
    return "Fix the request and try again."


def server_side(generation: Generation) -> dict[str, Any]:
    """Return the hub's own facts for the record, without inputs and signatures."""
    kept = ("generation_id", "model_name", "media_type", "status", "error_message", "error_retryable", "result_url")
    times = ("enqueued_at", "started_at", "completed_at")
    facts = {name: generation.raw[name] for name in (*kept, *times) if generation.raw.get(name) is not None}
    return {name: redact_urls(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}


def progress_of(
    record: Record, *, expected_seconds: float | None = None, uploading: str = "", trouble: str = ""
) -> Progress:
    """Return the progress of a record's job, as its row shows it."""
    times = record.times
    expected = None
    if record.status in AT_THE_HUB and times.accepted and expected_seconds is not None:
        expected = times.accepted + datetime.timedelta(seconds=expected_seconds)
    return Progress(
        id=record.id,
        status=record.status,
        title=_title(record),
        model=record.model,
        created=times.created,
        since=times.ended or times.accepted or times.submitted or times.created,
        expected=expected,
        price="" if record.kind == "preview" else _price(record),
        preview=record.kind == "preview",
        uploading=uploading,
        failure=record.failure,
        trouble=trouble,
    )


def _price(record: Record) -> str:
    if record.local or record.price is None:
        return "free" if record.local else "price unknown"
    return f"{'up to ' if record.estimate.most else ''}{format_money(record.price)}"


def _title(record: Record) -> str:
    # The number comes first, since a narrow row cuts the end off.
    number = f"{record.index + 1} of {record.generations} · " if record.generations > 1 else ""
    return number + (_shortened(record.prompt.replace("\n", " / "), MAX_TITLE_LENGTH) or record.model)


def _shortened(text: str, longest: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


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
