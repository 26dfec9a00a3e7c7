"""Which failures are retried, after how long, and the loop that does it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling_nb import errors, retry

FAILURES = [
    errors.RateLimited("slow down"),
    errors.Unreachable("no route"),
    errors.NoResponse("gone"),
    errors.ServerError("500", status=500),
    errors.AuthError("401", status=401),
    errors.CreditError("402", status=402),
    errors.NotFound("404", status=404),
    errors.InvalidParams("400", status=400),
    errors.UpdateRequired("426", status=426),
    errors.LogError("disk full"),
    ValueError("ours"),
]


def limited(seconds: float | None) -> errors.RateLimited:
    return errors.RateLimited("slow down", retry_after=seconds)


def transfer_after(cause: Exception | None) -> errors.TransferError:
    failure = errors.TransferError("incomplete")
    failure.__cause__ = cause
    return failure


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_a_billed_request_is_sent_again_only_when_the_hub_cannot_have_received_it(failure: Exception) -> None:
    refused = isinstance(failure, errors.RateLimited | errors.Unreachable)
    uncertain = isinstance(failure, errors.NoResponse | errors.ServerError)
    assert retry.may_resend(failure, billed=True) == refused
    assert retry.may_resend(failure, billed=False) == (refused or uncertain)


@pytest.mark.parametrize("billed", [True, False])
def test_a_request_ends_at_a_retry_after_of_more_than_two_minutes(billed: bool) -> None:
    assert retry.LONGEST_RETRY_AFTER == 120.0
    assert retry.may_resend(limited(120.0), billed=billed)
    assert not retry.may_resend(limited(120.1), billed=billed)


def test_a_request_is_sent_six_times_at_most() -> None:
    assert retry.ATTEMPTS == 6


def test_pauses_double_from_half_a_second_to_a_minute() -> None:
    pauses = [retry.delay(attempt, None, 0.0) for attempt in range(1, 10)]
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


def test_jitter_adds_up_to_a_quarter() -> None:
    assert [retry.delay(4, None, jitter) for jitter in (0.0, 0.5, 1.0)] == [4.0, 4.5, 5.0]


@pytest.mark.parametrize(
    ("asked", "pause"), [(7.0, 7.0), (1.9, 2.0), (0.0, 2.0), (-3.0, 2.0), (nan, 2.0), (900.0, 900.0), (None, 2.0)]
)
def test_a_retry_after_lengthens_the_pause_and_never_shortens_it(asked: float | None, pause: float) -> None:
    assert retry.delay(3, limited(asked), 0.0) == pause


@given(st.floats(0, 600), st.floats(0, 1))
def test_the_hub_is_left_alone_for_as_long_as_it_asks(asked: float, jitter: float) -> None:
    assert max(asked, 2.0) <= retry.delay(3, limited(asked), jitter) <= max(asked, 2.0) * 1.25


@pytest.mark.parametrize(
    ("failure", "seconds"),
    [
        (limited(7.0), 7.0),
        (limited(-7.0), 0.0),
        (limited(nan), 0.0),
        (limited(None), 0.0),
        (transfer_after(limited(8.0)), 8.0),
        (transfer_after(None), 0.0),
        (ValueError("ours"), 0.0),
        (None, 0.0),
    ],
)
def test_retry_after_is_read_from_a_failure_or_its_cause(failure: Exception | None, seconds: float) -> None:
    assert retry.retry_after(failure) == retry.bounded_retry_after(failure) == seconds


def test_a_loop_that_continues_waits_two_minutes_at_most() -> None:
    assert retry.bounded_retry_after(limited(900.0)) == 120.0


class Attempts:
    """Fails a number of times, then returns how often it was called; records the pauses."""

    def __init__(self, failures: int, failure: BaseException | None = None) -> None:
        self.failures, self.failure = failures, failure
        self.calls = 0
        self.pauses = list[float]()

    async def __call__(self) -> int:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.failure or ValueError(self.calls)
        return self.calls

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def run(self, wait: Callable[[int, Exception], float | None], **more: Any) -> int:
        return await retry.retrying(self, wait, sleep=self.sleep, **more)


async def test_a_call_is_repeated_after_the_decided_pauses_until_it_returns() -> None:
    attempts = Attempts(failures=2)
    assert await attempts.run(lambda failures, _: failures * 10.0) == 3
    assert attempts.pauses == [10.0, 20.0]


async def test_a_pause_of_no_seconds_is_a_retry_too() -> None:
    attempts = Attempts(failures=1)
    assert await attempts.run(lambda *_: 0.0) == 2
    assert attempts.pauses == [0.0]


async def test_the_last_failure_is_raised_once_the_decision_is_to_give_up() -> None:
    attempts = Attempts(failures=9)
    with pytest.raises(ValueError, match="3"):
        await attempts.run(lambda failures, _: 1.0 if failures < 3 else None)
    assert (attempts.calls, attempts.pauses) == (3, [1.0, 1.0])


async def test_the_decision_may_raise_another_error() -> None:
    def wait(_: int, exc: Exception) -> float | None:
        raise errors.TransferError("incomplete") from exc

    with pytest.raises(errors.TransferError) as caught:
        await Attempts(failures=1).run(wait)
    assert isinstance(caught.value.__cause__, ValueError)


async def test_each_retry_is_announced_with_the_failure_and_the_pause() -> None:
    told, awaited = list[tuple[str, float]](), list[float]()

    async def tell(_: Exception, seconds: float) -> None:
        awaited.append(seconds)

    await Attempts(failures=2).run(lambda *_: 1.5, on_retry=lambda exc, seconds: told.append((str(exc), seconds)))
    await Attempts(failures=1).run(lambda *_: 2.5, on_retry=tell)
    assert (told, awaited) == ([("1", 1.5), ("2", 1.5)], [2.5])


async def test_cancellation_is_not_a_failure_to_retry() -> None:
    attempts = Attempts(failures=1, failure=asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await attempts.run(lambda *_: 0.0)
    assert attempts.calls == 1


def test_jitter_is_between_none_and_all() -> None:
    assert all(0.0 <= retry.jitter() <= 1.0 for _ in range(100))
