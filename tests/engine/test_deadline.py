"""The time that a job has waited or worked: whatever the hub's clocks say, no job is stopped too early."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.records import START, a_record, a_report

from kling_nb.engine.active import ActiveJobs
from kling_nb.engine.pace import HUB_PACE
from kling_nb.engine.tracker import Tracker

SECONDS = st.integers(-100_000, 100_000)
UNIX = int(START.timestamp())


class Scene:
    """A job that the hub accepted at `START`, and the two clocks that tell how long ago that was."""

    def __init__(self, ours: int, theirs: int | None = None, status: str = "queued") -> None:
        log = SimpleNamespace(save=lambda record: record, durations=lambda *_: [])
        self.now = START
        self.active = ActiveJobs(log, now=lambda: self.now)  # type: ignore[arg-type]
        clock = None if theirs is None else START + datetime.timedelta(seconds=theirs)
        hub: Any = SimpleNamespace(clock=clock)
        self.tracker = Tracker(hub, self.active, SimpleNamespace(), HUB_PACE, deadline=60)  # type: ignore[arg-type]
        times = a_record().times.model_copy(update={"accepted": START})
        self.job = self.active.add(a_record(status=status, generation_id="g1", times=times))
        self.ours = ours

    async def report(self, status: str, at: int, **more: Any) -> float:
        """Take in a report of the hub `at` seconds, and return how long the job has waited or worked later."""
        self.now = START + datetime.timedelta(seconds=at)
        report = a_report(status, **more)
        await self.tracker._take_report(self.job, report)
        self.now = START + datetime.timedelta(seconds=self.ours)
        return self.tracker._seconds(self.job, report)


async def test_waiting_does_not_count_as_work() -> None:
    scene = Scene(7300)
    assert await scene.report("queued", 7200) == 7300
    assert await scene.report("processing", 7250) == 50


async def test_after_a_restart_work_counts_from_the_time_that_the_hub_gives() -> None:
    scene = Scene(7300, status="processing")
    assert await scene.report("processing", 7290, started_at=UNIX + 7000) == 300


async def test_a_clock_that_is_set_forward_here_makes_no_job_late() -> None:
    scene = Scene(100_000, theirs=20)
    assert await scene.report("processing", 10, started_at=UNIX + 10) == 10


@pytest.mark.parametrize("behind", [1, 30, 119])
async def test_an_answer_that_was_long_on_the_way_makes_no_job_late(behind: int) -> None:
    scene = Scene(100_000, theirs=10 - behind)
    assert await scene.report("processing", 10, started_at=UNIX + 10) == 0


async def test_a_start_that_the_hub_gives_in_the_future_leaves_our_clock() -> None:
    scene = Scene(100, theirs=100)
    assert await scene.report("processing", 50, started_at=UNIX + 100_000) == 50


async def test_a_clock_that_is_set_back_here_leaves_the_hubs() -> None:
    scene = Scene(-7200, theirs=20)
    assert await scene.report("processing", 10, started_at=UNIX + 5) == 15


@given(ours=st.integers(100, 90_000), theirs=st.none() | SECONDS, dated=st.none() | SECONDS)
async def test_whatever_the_hubs_times_are_no_job_seems_to_have_worked_for_longer_than_since_it_was_accepted(
    ours: int, theirs: int | None, dated: int | None
) -> None:
    times = dict.fromkeys(("enqueued_at", "started_at"), None if dated is None else UNIX + dated)
    for status in ("queued", "processing"):
        scene = Scene(ours, theirs)
        assert 0 <= await scene.report(status, 50, **times) <= ours
