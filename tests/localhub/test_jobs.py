"""Jobs as a function of time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kling_nb.localhub.jobs import Job, Jobs

JOB = Job("id", "m", "video", {"prompt": "p", "model": "m", "duration": 3}, 1000.0, 1.5, 4.5)


def test_a_job_waits_then_is_processed_then_succeeds() -> None:
    job = JOB.rendered(1002.0, path="x.mp4")
    seen = [job.status(now) for now in (1000.0, 1001.4, 1001.5, 1005.9, 1006.0, 9e9)]
    assert seen == ["queued", "queued", "processing", "processing", "succeeded", "succeeded"]


def test_a_job_is_processing_until_its_clip_is_rendered() -> None:
    assert JOB.status(9e9) == "processing"
    late = JOB.rendered(2000.0, path="x.mp4")
    assert [late.status(now) for now in (1999.9, 2000.0)] == ["processing", "succeeded"]


def test_an_error_appears_when_the_job_ends() -> None:
    job = replace(JOB, error="no")
    assert [job.status(now) for now in (1001.0, 1005.0, 1006.0)] == ["queued", "processing", "failed"]


def test_terminal_states_never_change() -> None:
    cancelled = JOB.cancelled(1002.0)
    assert cancelled.rendered(1003.0, path="x").status(9e9) == "cancelled"
    done = JOB.rendered(1002.0, path="x")
    assert done.cancelled(1006.0) is done


def test_a_stuck_job_never_ends_but_can_be_cancelled() -> None:
    job = replace(JOB, stuck=True)
    assert job.status(9e9) == "processing"
    assert job.cancelled(9e9).status(9e9) == "cancelled"


def test_a_record_has_whole_seconds_and_null_for_unknown_values() -> None:
    queued = JOB.record(1000.2, result_url="u")
    assert (queued["enqueued_at"], queued["started_at"], queued["completed_at"]) == (1000, None, None)
    assert queued["result_url"] is None
    done = JOB.rendered(1002.0, path="x").record(1010.0, result_url="u")
    assert (done["started_at"], done["completed_at"], done["result_url"]) == (1001, 1006, "u")
    assert done["duration"] == 3


def test_a_job_cancelled_in_the_queue_never_started() -> None:
    record = JOB.cancelled(1001.0).record(2000.0, result_url=None)
    assert (record["started_at"], record["completed_at"]) == (None, 1001)


def test_saved_jobs_are_loaded_again_without_damaged_files(tmp_path: Path) -> None:
    Jobs(tmp_path).save(JOB)
    (tmp_path / "damaged.json").write_text('{"id": ')
    assert list(Jobs(tmp_path)) == [JOB]
