"""Faults on the way of a paid job, at both providers: requests are counted at the server, and each end has its word.

The providers differ in what can be known: Oxen's queue shows a job at once and proves that there is none; fal's history
shows a request late, and proves nothing by not showing it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hubside import FalSide, HubSide, png_image, until

from kling_nb import errors
from kling_nb.engine.job import Job
from kling_nb.studio import Studio


@pytest.fixture
def studio(studio_at: Callable[..., Studio], provider: HubSide) -> Studio:
    """A studio at the stand-in of a provider."""
    return studio_at(provider)


def begin(studio: Studio, prompt: str, **fields: Any) -> Job:
    job = studio.generate(prompt, **{"duration": 3, **fields})
    assert isinstance(job, Job)
    return job


def end_of(job: Job) -> str:
    """Wait for the end of a job, and return its word: its state, or the kind of its failure."""
    assert job.wait(90)
    return job.record.failure.kind if job.record.failure else job.state


def test_a_request_with_an_image_leads_to_a_clip_by_one_post(studio: Studio, provider: HubSide) -> None:
    clip = begin(studio, "@Image1 sails", input_image=[png_image()]).result(90)
    assert clip.path.read_bytes()[4:8] == b"ftyp"
    assert (provider.posts, provider.enqueued) == (1, 1)
    assert provider.stats()["other_origin_keys"] == 0


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("unauthenticated", "AuthError"), ("insufficient_credits", "CreditError"), ("model_not_found", "ModelNotFound")],
)
def test_a_refused_request_is_sent_once_and_was_not_billed(
    studio: Studio, provider: HubSide, fault: str, kind: str
) -> None:
    provider.fault(fault, **provider.SUBMIT)
    assert end_of(begin(studio, f"a boat, {fault}")) == kind
    assert (provider.posts, provider.enqueued) == (1, 0)


def test_after_429_the_request_is_sent_again_and_queued_once(studio: Studio, provider: HubSide) -> None:
    provider.fault("rate_limited", times=1, retry_after=0, **provider.SUBMIT)
    provider.fault("failed")
    assert end_of(begin(studio, "a patient boat")) == "hub"
    assert (provider.posts, provider.enqueued) == (2, 1)


@pytest.mark.parametrize("fault", ["unknown_error", "upstream", "html", "dropped_connection"])
def test_after_an_uncertain_answer_nothing_is_sent_again(studio: Studio, provider: HubSide, fault: str) -> None:
    provider.fault(fault, times=1, **provider.SUBMIT)
    job = begin(studio, f"a boat that {fault} sank")
    assert end_of(job) == ("lost" if provider.provider == "oxen" else "uncertain")
    assert (provider.posts, provider.enqueued) == (1, 0)


def test_a_lost_answer_still_leads_to_the_clip_with_one_submission(studio: Studio, provider: HubSide) -> None:
    provider.fault("lost_reply", times=1)
    clip = begin(studio, "a boat whose reply was lost").result(90)
    assert any("No response from" in note for note in clip.record.notes)
    assert (provider.posts, provider.enqueued) == (1, 1)


def test_a_job_that_was_accepted_behind_a_proxys_error_is_found(studio: Studio, provider: HubSide) -> None:
    provider.fault("failed")
    provider.fault("lost_to_proxy", times=1)
    assert end_of(begin(studio, "a boat behind a proxy")) == "hub"
    assert (provider.posts, provider.enqueued) == (1, 1)


def test_fal_has_accepted_a_request_although_its_answer_has_no_id(
    fal: FalSide, studio_at: Callable[..., Studio]
) -> None:
    fal.fault("failed")
    fal.fault("empty_200", times=1)
    assert end_of(begin(studio_at(fal), "a boat without a number")) == "hub"
    assert (fal.posts, fal.enqueued) == (1, 1)


@pytest.mark.parametrize("restart", [False, True], ids=["here", "in another kernel"])
def test_a_job_that_is_listed_late_stays_uncertain_until_a_later_resume_adopts_it(
    provider: HubSide, studio_at: Callable[..., Studio], pace: Callable[..., None], restart: bool
) -> None:
    pace(lost=60)
    studio = studio_at(provider)
    provider.fault("failed")
    provider.fault("lost_reply", times=1)
    provider.fault("late_listing", seconds=60, **provider.SEARCH)
    job = begin(studio, f"a boat that is listed late, {restart}")
    with pytest.raises(errors.JobUncertain, match=r"kn\.resume"):
        job.result(90)
    assert (job.state, studio.store.get(job.id).status) == ("uncertain", "uncertain")
    if restart:
        studio.close()
        studio = studio_at(provider)
    provider.clear()
    (again,) = studio.resume()
    assert (again.id, end_of(again)) == (job.id, "hub")
    assert (provider.posts, provider.enqueued) == (1, 1)


def test_requests_that_look_alike_never_claim_one_job_twice(studio: Studio, provider: HubSide) -> None:
    provider.fault("failed")
    provider.fault("lost_reply", times=2)
    jobs = studio.gather(begin(studio, "the same boat") for _ in range(2))
    assert jobs.wait(60)
    assert (provider.posts, provider.enqueued) == (2, 2)
    assert len({job.record.generation_id for job in jobs}) == 2


def test_a_lost_request_never_claims_the_job_of_its_twin(studio: Studio, provider: HubSide) -> None:
    provider.fault("dropped_connection", times=1, **provider.SUBMIT)
    provider.fault("failed")
    jobs = studio.gather(begin(studio, "one of twins") for _ in range(2))
    assert sorted(map(end_of, jobs)) == ["hub", "lost" if provider.provider == "oxen" else "uncertain"]
    assert (provider.posts, provider.enqueued) == (2, 1)


def test_of_several_clips_only_the_one_whose_answer_was_lost_is_looked_for(studio: Studio, provider: HubSide) -> None:
    provider.fault("failed")
    provider.fault("lost_reply", times=1)
    jobs = studio.generate("three boats", duration=3, num_generations=3)
    assert [end_of(job) for job in jobs] == ["hub"] * 3
    assert (provider.posts, provider.enqueued) == (3, 3)
    assert len({job.record.generation_id for job in jobs}) == 3


def test_a_key_that_is_revoked_in_between_leaves_the_job_uncertain_until_resume(
    studio: Studio, provider: HubSide
) -> None:
    provider.fault("failed")
    provider.fault("lost_reply", times=1)
    provider.fault("unauthenticated", **provider.SEARCH)
    job = begin(studio, "a boat without papers")
    with pytest.raises(errors.JobUncertain, match=r"kn\.resume"):
        job.result(90)
    provider.clear()
    (again,) = studio.resume()
    assert end_of(again) == "hub"
    assert (provider.posts, provider.enqueued) == (1, 1)


@pytest.mark.parametrize(
    ("fault", "more"),
    [("upstream", {}), ("rate_limited", {"retry_after": 0}), ("nested_json", {})],
)
def test_a_job_is_not_given_up_while_the_hub_answers_badly(
    studio: Studio, provider: HubSide, fault: str, more: dict[str, Any]
) -> None:
    provider.fault("failed")
    provider.fault(fault, times=2, **provider.LOOK, **more)
    assert end_of(begin(studio, f"a boat in bad weather, {fault}")) == "hub"
    assert (provider.posts, provider.enqueued) == (1, 1)


def test_a_failed_job_has_the_models_words_without_the_key(studio: Studio, provider: HubSide) -> None:
    provider.fault("failed", message="The model broke on {key}")
    job = begin(studio, "a broken boat")
    assert end_of(job) == "hub"
    assert "The model broke on" in job.record.failure.message
    assert "test-key" not in job.record.model_dump_json()


def test_a_request_that_the_model_refuses_is_not_billed_twice(studio: Studio, provider: HubSide) -> None:
    job = begin(studio, "@Image1 sinks", input_image=["https://example.invalid/none.png"])
    assert end_of(job) == "hub"
    assert (provider.posts, provider.enqueued) == (1, 1)


def test_a_cancelled_job_is_stopped_at_the_hub(studio: Studio, provider: HubSide) -> None:
    provider.fault("stuck")
    job = begin(studio, "an unwanted boat")
    until(lambda: job.record.generation_id)
    job.cancel().result(60)
    assert end_of(job) == "cancelled"
    assert provider.prompted("an unwanted boat", "cancelled") == [job.record.generation_id]


def test_a_cancel_that_the_hub_ignores_still_brings_the_clip_that_is_billed(studio: Studio, provider: HubSide) -> None:
    provider.fault("ignored_cancel")
    job = begin(studio, "a boat that sails all the same")
    until(lambda: job.record.generation_id)
    job.cancel()
    assert job.result(90).path.exists()


@pytest.mark.parametrize(
    ("fault", "more"),
    [("interrupted_download", {}), ("wrong_result", {"content": "half"}), ("expired_url", {})],
)
def test_a_download_that_fails_is_tried_again(
    studio: Studio, provider: HubSide, fault: str, more: dict[str, Any]
) -> None:
    provider.fault(fault, times=1, **more)
    assert begin(studio, f"a boat in fog, {fault}").result(90).path.exists()
    assert (provider.posts, provider.enqueued) == (1, 1)


def test_a_job_goes_back_to_the_queue_and_ends_once(studio_at: Callable[..., Studio], fal: FalSide) -> None:
    fal.fault("requeued")
    job = begin(studio_at(fal), "a boat that turned back")
    assert end_of(job) == "succeeded"
    assert (fal.posts, fal.enqueued) == (1, 1)


def test_addresses_at_another_host_get_no_key(studio_at: Callable[..., Studio], fal: FalSide) -> None:
    before = fal.stats()["other_origin_keys"]
    fal.fault("failed")
    fal.fault("foreign_urls")
    assert end_of(begin(studio_at(fal), "a boat abroad")) == "hub"
    assert fal.stats()["other_origin_keys"] == before
