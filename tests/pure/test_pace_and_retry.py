"""When the hub is asked next, and what may be sent again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling_nb import errors, retry
from kling_nb.engine.tracking import HUB_PACE, LOCAL_PACE, Pace, expected_seconds

seconds = st.floats(0, 100_000, allow_nan=False)
ages = st.lists(st.tuples(seconds, st.none() | st.floats(0.1, 10_000)), max_size=20)
paces = st.sampled_from([HUB_PACE, LOCAL_PACE])
unit = st.floats(0, 1)


@given(paces, ages, st.booleans(), unit)
def test_the_beat_stays_within_its_bounds(
    pace: Pace, jobs: list[tuple[float, float | None]], listening: bool, jitter: float
) -> None:
    beat = pace.next_beat(jobs, listening=listening, jitter=jitter)
    assert pace.shortest * 0.85 <= beat <= max(pace.longest, pace.watchful) * 1.1501


@given(paces, ages, unit, st.integers(0, 10))
def test_each_failure_makes_the_pause_no_shorter(
    pace: Pace, jobs: list[tuple[float, float | None]], jitter: float, failures: int
) -> None:
    before, after = (
        pace.next_beat(jobs, listening=False, failures=count, jitter=jitter) for count in (failures, failures + 1)
    )
    assert before <= after <= 2 * pace.longest * 1.1501


def test_the_beat_is_slow_early_dense_near_the_end_and_slow_again_when_overdue() -> None:
    early, near, overdue = (
        HUB_PACE.next_beat([(age, 120.0)], listening=False, jitter=0.5) for age in (1.0, 115.0, 1000.0)
    )
    assert near < early <= HUB_PACE.longest
    assert near < overdue <= HUB_PACE.longest


def test_one_job_that_is_nearly_done_sets_the_beat_for_all() -> None:
    alone = HUB_PACE.next_beat([(118.0, 120.0)], listening=False, jitter=0.5)
    assert HUB_PACE.next_beat([(1.0, 120.0), (118.0, 120.0)], listening=False, jitter=0.5) == alone


def test_while_events_come_the_beat_is_only_a_safety_net() -> None:
    assert HUB_PACE.next_beat([(118.0, 120.0)], listening=True, jitter=0.0) >= HUB_PACE.watchful * 0.85


def test_an_expected_end_needs_three_clips_and_is_the_median_of_their_rates() -> None:
    assert expected_seconds([(5, 50), (5, 60)], 5) is None
    assert expected_seconds([(5, 50)] * 3, 0) is None
    assert expected_seconds([(5, 50), (10, 100), (5, 500)], 3) == 30
    assert expected_seconds([(0, 5), (5, 0), (5, -1)], 3) is None


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


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_an_enqueue_is_sent_again_only_when_it_cannot_have_been_taken(failure: Exception) -> None:
    safe = isinstance(failure, errors.RateLimited | errors.Unreachable)
    assert retry.may_resend(failure, billed=True) == safe
    doubtful = isinstance(failure, errors.NoResponse | errors.ServerError)
    assert retry.may_resend(failure, billed=False) == (safe or doubtful)


def test_a_hub_that_asks_for_an_hour_is_not_sat_out_in_silence() -> None:
    assert retry.may_resend(errors.RateLimited("slow down", retry_after=retry.LONGEST_RETRY_AFTER), billed=True)
    assert not retry.may_resend(errors.RateLimited("slow down", retry_after=3600), billed=True)


@given(st.integers(1, 40), unit)
def test_pauses_grow_and_are_bounded(attempt: int, jitter: float) -> None:
    first, second = (retry.delay(number, None, jitter) for number in (attempt, attempt + 1))
    assert 0.5 <= first <= second <= retry.LONGEST_WAIT * 1.25


@given(st.floats(0, 600), unit)
def test_what_the_hub_asks_for_is_waited_for(asked: float, jitter: float) -> None:
    wait = retry.delay(3, errors.RateLimited("slow down", retry_after=asked), jitter)
    assert asked <= wait <= asked * 1.25
