"""Retries: pure decisions about whether and when (hub-api.md section 5), and one loop that carries them out."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, TypeVar

from kling_nb.errors import HubError, NoResponse, RateLimited, ServerError, TransferError, Unreachable

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")

ATTEMPTS = 6
LONGEST_WAIT = 60.0
#: A longer `Retry-After`, in seconds, ends the attempts of one request; loops that keep trying wait at most this long.
LONGEST_RETRY_AFTER = 120.0
#: Failures that pass by themselves. After `NoResponse` and `ServerError` the request may have been carried out.
TRANSIENT = (RateLimited, Unreachable, NoResponse, ServerError)


async def retrying(
    call: Callable[[], Awaitable[T]],
    wait: Callable[[int, Exception], float | None],
    *,
    on_retry: Callable[[Exception, float], Any] = lambda _exc, _seconds: None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> T:
    """Await `call()` until it returns.

    Args:
        call: Makes one attempt.
        wait: Takes the number of failures so far and the last one; returns the seconds until the next attempt, or
            None to give up.
        on_retry: Called, or awaited, with the failure and the seconds before each pause. May raise to give up.
        sleep: Pauses. May return early, or raise to give up.

    Raises:
        Exception: The last failure of `call`, once `wait` gives up.
    """
    from tenacity import AsyncRetrying  # nothing is tried before the first request, which waits for its import

    seconds: float | None = None

    def gives_another_try(state: RetryCallState) -> bool:
        nonlocal seconds
        failure = state.outcome.exception() if state.outcome else None
        seconds = wait(state.attempt_number, failure) if isinstance(failure, Exception) else None
        return seconds is not None

    async def before_sleep(state: RetryCallState) -> None:
        told = on_retry(state.outcome.exception(), state.upcoming_sleep)  # pyright: ignore[reportOptionalMemberAccess, reportArgumentType] -- only called after a failure
        if isawaitable(told):
            await told

    async def attempt() -> T:
        return await call()

    policy = AsyncRetrying(
        retry=gives_another_try, wait=lambda _: seconds or 0.0, before_sleep=before_sleep, sleep=sleep
    )
    return await policy(attempt)


def may_resend(failure: BaseException, *, billed: bool) -> bool:
    """Return whether the same request may be sent again after this failure.

    A billed one only after 429, or when no connection was made: after anything else the job may exist.
    """
    if retry_after(failure) > LONGEST_RETRY_AFTER:
        return False
    return isinstance(failure, (RateLimited, Unreachable) if billed else TRANSIENT)


def delay(attempt: int, failure: BaseException | None, jitter: float) -> float:
    """Return the seconds to wait after the `attempt`-th failure (from 1).

    0.5 s, doubled each time, or the hub's `Retry-After` if that is longer; `jitter` of 0.0 to 1.0 spreads many clients
    over up to a quarter more.
    """
    return max(min(0.5 * 2 ** (attempt - 1), LONGEST_WAIT), retry_after(failure)) * (1 + 0.25 * jitter)


def retry_after(failure: BaseException | None) -> float:
    """Return the seconds of the hub's `Retry-After`, 0.0 without a valid one; for a `TransferError`, its cause's."""
    if isinstance(failure, TransferError):
        failure = failure.__cause__
    return max(0.0, (failure.retry_after or 0.0)) if isinstance(failure, HubError) else 0.0


def bounded_retry_after(failure: BaseException | None) -> float:
    """Return the seconds of the hub's `Retry-After`, at most `LONGEST_RETRY_AFTER`."""
    return min(retry_after(failure), LONGEST_RETRY_AFTER)


def jitter() -> float:
    """Return a random number from 0.0 to 1.0, which spreads many clients over time."""
    return random.random()  # noqa: S311 - keeps no secret
