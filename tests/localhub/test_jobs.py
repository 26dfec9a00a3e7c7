"""Every job as a function of the clock."""

from __future__ import annotations

from dataclasses import replace

from kling_nb.localhub import jobs
from kling_nb.localhub.jobs import Job

JOB = Job("id", "m", "video", {"prompt": "p", "model": "m", "duration": 3}, 1000.0, 1.5, 4.5)


def test_a_job_waits_then_is_processed_then_succeeds() -> None:
    job = jobs.rendered(JOB, 1002.0, path="x.mp4")
    seen = [jobs.status(job, now) for now in (1000.0, 1001.4, 1001.5, 1005.9, 1006.0, 9e9)]
    assert seen == ["queued", "queued", "processing", "processing", "succeeded", "succeeded"]


def test_a_film_that_takes_longer_than_scheduled_is_waited_for() -> None:
    assert jobs.status(JOB, 9e9) == "processing"
    late = jobs.rendered(JOB, 2000.0, path="x.mp4")
    assert [jobs.status(late, now) for now in (1999.9, 2000.0)] == ["processing", "succeeded"]


def test_a_failure_known_at_once_turns_up_when_the_job_is_due() -> None:
    job = replace(JOB, failure="no")
    assert [jobs.status(job, now) for now in (1001.0, 1005.0, 1006.0)] == ["queued", "processing", "failed"]


def test_terminal_states_stick() -> None:
    cancelled = jobs.cancelled(JOB, 1002.0)
    assert jobs.status(jobs.rendered(cancelled, 1003.0, path="x"), 9e9) == "cancelled"
    done = jobs.rendered(JOB, 1002.0, path="x")
    assert jobs.cancelled(done, 1006.0) is done


def test_a_stuck_job_never_ends_but_can_be_cancelled() -> None:
    job = replace(JOB, stuck=True)
    assert jobs.status(job, 9e9) == "processing"
    assert jobs.status(jobs.cancelled(job, 9e9), 9e9) == "cancelled"


def test_a_record_has_whole_seconds_and_nulls_where_nothing_is_known() -> None:
    queued = jobs.record(JOB, 1000.2, result_url="u")
    assert (queued["enqueued_at"], queued["started_at"], queued["completed_at"]) == (1000, None, None)
    assert queued["result_url"] is None
    done = jobs.record(jobs.rendered(JOB, 1002.0, path="x"), 1010.0, result_url="u")
    assert (done["started_at"], done["completed_at"], done["result_url"]) == (1001, 1006, "u")
    assert done["duration"] == 3


def test_a_job_cancelled_in_the_queue_never_started() -> None:
    record = jobs.record(jobs.cancelled(JOB, 1001.0), 2000.0, result_url=None)
    assert (record["started_at"], record["completed_at"]) == (None, 1001)


def test_a_job_survives_its_own_json() -> None:
    assert Job.from_json(JOB.to_json()) == JOB
