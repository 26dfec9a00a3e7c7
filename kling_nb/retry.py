"""May this be sent again, and when? Pure decisions after HUB_API section 5; nothing is sent or slept here."""

from __future__ import annotations

from typing import Literal

from kling_nb.errors import HubError, HubFault, RateLimited, ReplyLost, TransferError, Unreachable

#: What is sent: something that can be repeated without harm, or an enqueue, which may be billed each time.
Sending = Literal["repeatable", "enqueue"]

ATTEMPTS = 6
LONGEST_WAIT = 60.0
#: A `Retry-After` beyond this many seconds is not sat out within one question, and by nobody for longer than this.
LONGEST_RETRY_AFTER = 120.0


def may_resend(sending: Sending, failure: BaseException) -> bool:
    """Return whether the same request may be sent again after this failure.

    An enqueue only after 429, or when no connection was made: after anything else the job may exist and be billed.
    """
    if requested_wait(failure) > LONGEST_RETRY_AFTER:
        return False
    if sending == "enqueue":
        return isinstance(failure, RateLimited | Unreachable)
    return isinstance(failure, RateLimited | Unreachable | ReplyLost | HubFault)


def delay(attempt: int, failure: BaseException | None, jitter: float) -> float:
    """Return the seconds to wait after the `attempt`-th failure (from 1).

    What the hub asked for (`Retry-After`) when it asked, else 0.5 s doubled each time; `jitter` of 0.0 to 1.0 spreads
    many clients over up to a quarter more.
    """
    asked = failure.retry_after if isinstance(failure, HubError) else None
    wait = min(0.5 * 2 ** (attempt - 1), LONGEST_WAIT) if asked is None else max(asked, 0.0)
    return wait * (1 + 0.25 * jitter)


def retry_after(failure: BaseException | None) -> float:
    """Return the seconds to leave the hub alone: its `Retry-After`, at most `LONGEST_RETRY_AFTER`."""
    return min(requested_wait(failure), LONGEST_RETRY_AFTER)


def requested_wait(failure: BaseException | None) -> float:
    """Return the seconds that a hub asked to be left alone for (`Retry-After`), 0.0 when it did not.

    Of a `TransferError` what lay under it counts.
    """
    if isinstance(failure, TransferError):
        failure = failure.__cause__
    return (failure.retry_after or 0.0) if isinstance(failure, HubError) else 0.0
