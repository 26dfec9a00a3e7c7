"""When the hub is asked next."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling_nb.engine.pace import HUB_PACE, LOCAL_PACE, Pace, expected_seconds

seconds = st.floats(0, 100_000, allow_nan=False)
ages = st.lists(st.tuples(seconds, st.none() | st.floats(0.1, 10_000)), max_size=20)
paces = st.sampled_from([HUB_PACE, LOCAL_PACE])
unit = st.floats(0, 1)


def interval(elapsed: float, expected: float | None = 120.0, *, listening: bool = False, jitter: float = 0.5) -> float:
    return HUB_PACE.next_poll([(elapsed, expected)], listening=listening, jitter=jitter)


@given(paces, ages, st.booleans(), unit)
def test_the_interval_stays_within_its_bounds(
    pace: Pace, jobs: list[tuple[float, float | None]], listening: bool, jitter: float
) -> None:
    found = pace.next_poll(jobs, listening=listening, jitter=jitter)
    assert pace.shortest * 0.85 <= found <= max(pace.longest, pace.watchful) * 1.1501


def test_polls_halve_the_time_to_the_expected_end_within_the_bounds() -> None:
    assert [interval(elapsed) for elapsed in (1.0, 60.0, 80.0, 100.0, 119.0, 120.0)] == [
        30.0,
        30.0,
        20.0,
        10.0,
        10.0,
        10.0,
    ]


def test_an_overdue_job_is_polled_more_rarely_the_later_it_is() -> None:
    assert [interval(elapsed) for elapsed in (150.0, 180.0, 220.0, 1000.0)] == [10.0, 15.0, 25.0, 30.0]


def test_a_job_without_history_is_expected_to_take_the_usual_time() -> None:
    assert interval(80.0, None) == interval(80.0, HUB_PACE.usual) == 20.0


def test_without_a_job_the_longest_interval_applies() -> None:
    assert HUB_PACE.next_poll([], listening=False) == HUB_PACE.longest


def test_one_job_that_is_nearly_done_sets_the_interval_for_all() -> None:
    assert HUB_PACE.next_poll([(1.0, 120.0), (118.0, 120.0)], listening=False) == interval(118.0)


def test_while_events_arrive_polling_is_only_a_safety_net() -> None:
    assert interval(118.0, listening=True) == HUB_PACE.watchful


def test_jitter_moves_the_interval_by_up_to_15_percent_either_way() -> None:
    assert [interval(80.0, jitter=jitter) for jitter in (0.0, 0.5, 1.0)] == pytest.approx([17.0, 20.0, 23.0])


def test_the_back_off_doubles_up_to_the_longest_interval() -> None:
    assert [HUB_PACE.back_off(failures, jitter=1.0) for failures in (1, 2, 3, 4, 5)] == [2.0, 4.0, 8.0, 16.0, 30.0]


def test_jitter_takes_up_to_half_of_the_back_off() -> None:
    assert [HUB_PACE.back_off(3, jitter=jitter) for jitter in (0.0, 0.5, 1.0)] == [4.0, 6.0, 8.0]


@pytest.mark.parametrize("pace", [HUB_PACE, LOCAL_PACE])
def test_the_back_off_stays_within_the_pace_however_often_a_hub_has_failed(pace: Pace) -> None:
    pauses = [pace.back_off(failures, jitter=1.0) for failures in (1, 2, 3, 10, 1024, 10**6)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == pace.longest
    assert pace.back_off(10**6, jitter=0.0) == pace.longest / 2


def test_the_real_hubs_pace_follows_its_contract() -> None:
    assert (HUB_PACE.shortest, HUB_PACE.longest, HUB_PACE.watchful, HUB_PACE.usual) == (10.0, 30.0, 30.0, 120.0)
    assert (HUB_PACE.unknown, HUB_PACE.fetching, HUB_PACE.stopping) == (300.0, 21_600.0, 600.0)
    assert (HUB_PACE.lost, HUB_PACE.waiting, HUB_PACE.slowest) == (86_400.0, 86_400.0, 300.0)


def test_a_lost_job_is_looked_for_at_growing_pauses_for_at_least_ten_minutes() -> None:
    assert list(HUB_PACE.settling) == sorted(HUB_PACE.settling)
    read_at = list(itertools.accumulate(HUB_PACE.settling))
    assert read_at == [2, 7, 17, 37, 77, 137, 227, 347, 497, 677]


def test_a_job_over_its_time_is_looked_at_ever_more_slowly() -> None:
    assert [HUB_PACE.next_look(late) for late in (0, 100, 400, 10**6)] == [10, 25, 100, 300]


def test_the_local_hubs_pace_fits_clips_that_take_seconds() -> None:
    assert (LOCAL_PACE.shortest, LOCAL_PACE.longest, LOCAL_PACE.watchful, LOCAL_PACE.usual) == (0.5, 1.0, 1.0, 6.0)
    assert (LOCAL_PACE.unknown, LOCAL_PACE.fetching, LOCAL_PACE.settling) == (1.0, 3.0, (0.25, 0.25, 0.25))
    assert (LOCAL_PACE.lost, LOCAL_PACE.stopping, LOCAL_PACE.slowest) == (0.0, 3.0, 5.0)


def test_an_expected_duration_needs_three_clips_and_is_the_median_of_their_rates() -> None:
    assert expected_seconds([(5, 50), (5, 60)], 5) is None
    assert expected_seconds([(5, 50)] * 3, 0) is None
    assert expected_seconds([(5, 50), (10, 100), (5, 500)], 3) == 30
    assert expected_seconds([(0, 5), (5, 0), (5, -1)], 3) is None
    assert expected_seconds([(5, 50), (5, 50), (5, 0)], 3) is None
    assert expected_seconds([(0.5, 5), (0.5, 0.5), (1, 10)], 3) == 30
