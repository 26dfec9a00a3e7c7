"""A cancel stops a job at the earliest moment, and never leaves a paid job untracked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from hubside import DELETE, HubSide, png_image, until

from kling_nb import errors
from kling_nb.engine.job import Job
from kling_nb.studio import Studio


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Keeps an upload waiting; opened in the end, so that no thread is left running."""
    event = threading.Event()
    yield event
    event.set()


def ended(job: Job) -> str:
    with pytest.raises(errors.JobCancelled):
        job.result(60)
    return job.state


def test_a_cancel_during_an_upload_ends_the_job_immediately_and_nothing_is_sent(
    hub: HubSide, studio_at: Callable[..., Studio], gate: threading.Event
) -> None:
    studio = studio_at(hub, upload=lambda _: gate.wait(60) and "https://example.org/a.png")
    job = studio.generate("@Image1 sails", input_image=[png_image()], duration=3)
    until(lambda: job.progress.uploading)
    job.cancel().result(60)
    assert (ended(job), gate.is_set()) == ("cancelled", False)
    gate.set()
    studio.generate("@Image1 sails on", input_image=[png_image()], duration=3).wait(60)
    assert (hub.posts, job.state, studio.store.get(job.id).status) == (1, "cancelled", "cancelled")


def test_a_generation_that_is_cancelled_during_the_upload_is_not_billed(
    hub: HubSide, studio_at: Callable[..., Studio], gate: threading.Event
) -> None:
    hub.fault("failed")
    studio = studio_at(hub, upload=lambda _: gate.wait(60) and "https://example.org/a.png")
    jobs = studio.generate("@Image1 sails", input_image=[png_image()], duration=3, num_generations=3)
    until(lambda: jobs[1].progress.uploading)
    jobs[1].cancel().result(60)
    gate.set()
    assert jobs.wait(60)
    assert (hub.posts, hub.enqueued, [job.state for job in jobs]) == (2, 2, ["failed", "cancelled", "failed"])


def test_a_cancel_during_the_submission_waits_for_the_id_and_then_stops_the_job(studio: Studio, hub: HubSide) -> None:
    hub.fault("stuck")
    job = studio.generate("a boat in the ice", duration=3)
    until(lambda: job.state != "prepared")
    job.cancel().result(60)
    assert (ended(job), hub.enqueued, hub.asked(DELETE)) == ("cancelled", 1, 1)


def test_a_running_job_is_stopped_at_the_hub(studio: Studio, hub: HubSide) -> None:
    hub.fault("stuck")
    job = studio.generate("a boat in the ice", duration=3)
    until(lambda: job.state == "processing")
    job.cancel().result(60)
    assert ended(job) == "cancelled"
    assert hub.status(job.record.generation_id) == "cancelled"
    assert "You cancelled it." in job.record.notes


def test_a_cancel_after_the_end_changes_nothing(studio: Studio, hub: HubSide) -> None:
    hub.fault("failed")
    job = studio.generate("a boat", duration=3)
    job.wait(60)
    job.cancel().result(60)
    assert (job.state, hub.asked(DELETE)) == ("failed", 0)


@pytest.mark.parametrize("answer", ["200", "400", "404"])
def test_a_cancel_that_comes_too_late_keeps_the_clip(
    own_hub: Callable[..., HubSide], studio_at: Callable[..., Studio], answer: str
) -> None:
    hub = own_hub("--choice", f"late_delete_status={answer}")
    hub.fault("silent_events")
    studio = studio_at(hub)
    job = studio.generate("a quick boat", duration=3)
    until(lambda: job.record.generation_id and hub.status(job.record.generation_id) == "succeeded")
    job.cancel().result(60)
    assert job.result(60).path.exists()


def test_a_refused_cancel_is_shown_and_the_job_continues(studio: Studio, hub: HubSide) -> None:
    hub.fault("stuck")
    job = studio.generate("a boat in the ice", duration=3)
    until(lambda: job.state == "processing")
    hub.fault("unauthenticated", method="DELETE")
    with pytest.raises(errors.AuthError):
        job.cancel().result(60)
    assert job.state == "processing"
    hub.clear()
    job.cancel().result(60)
    assert ended(job) == "cancelled"


def test_a_job_past_its_deadline_is_stopped_at_the_hub_and_says_why(
    hub: HubSide, studio_at: Callable[..., Studio]
) -> None:
    hub.fault("stuck")
    job = studio_at(hub, deadline=0.3).generate("a boat for ever in the ice", duration=3)
    with pytest.raises(errors.JobCancelled, match="had not finished after"):
        job.result(60)
    assert (hub.asked(DELETE), hub.status(job.record.generation_id)) == (1, "cancelled")
