"""A lost answer is settled by the hub's own list, and the request is never sent twice."""

from __future__ import annotations

from typing import Any

import pytest
from hubside import HubSide
from support.studios import request_of

from kling_nb import errors
from kling_nb.engine.job import Job
from kling_nb.studio import Studio

QUEUE = {"method": "POST", "path": "/api/ai/queue"}
AMBIGUOUS = ["unknown_error", "upstream", "html", "dropped_connection"]


def begin(studio: Studio, prompt: str = "a paper boat", **fields: Any) -> Job:
    job = studio.generate(prompt, **{"duration": 3, **fields})
    assert isinstance(job, Job)
    return job


@pytest.mark.parametrize("fault", AMBIGUOUS)
def test_after_an_uncertain_answer_a_job_that_the_hub_does_not_have_is_lost(
    studio: Studio, hub: HubSide, fault: str
) -> None:
    hub.fault(fault, times=1, **QUEUE)
    job = begin(studio, f"a boat that {fault} sank")
    states = [progress.status for progress in job]
    with pytest.raises(errors.JobFailed, match="does not have the job"):
        job.result(20)
    assert "uncertain" in states
    assert (job.record.failure.kind, hub.posts, hub.enqueued) == ("lost", 1, 0)


@pytest.mark.parametrize("fault", AMBIGUOUS)
def test_after_an_uncertain_answer_a_job_that_the_hub_has_is_found(studio: Studio, hub: HubSide, fault: str) -> None:
    prompt = f"a boat that {fault} carried"
    body = request_of(studio, prompt, duration=3).body(lambda asset: asset.identity)
    theirs = hub.enqueue({**body, "num_generations": 1})
    hub.mark()
    hub.fault(fault, times=1, **QUEUE)
    job = begin(studio, prompt)
    assert job.result(30).path.exists()
    assert (job.record.generation_id, hub.posts, hub.enqueued) == (theirs, 1, 0)


def test_a_lost_answer_still_leads_to_the_clip_with_one_submission(studio: Studio, hub: HubSide) -> None:
    hub.fault("lost_reply", times=1)
    job = begin(studio, "a boat whose reply was lost")
    clip = job.result(30)
    assert (hub.posts, hub.enqueued) == (1, 1)
    assert any("No response from" in note for note in clip.record.notes)
    texts = [message.text for message in clip.record.messages]
    assert texts.index("Found in the hub's queue") == texts.index(clip.record.notes[0]) + 1


def test_generations_whose_answers_are_all_lost_are_each_found(studio: Studio, hub: HubSide) -> None:
    hub.fault("lost_reply", times=2)
    hub.fault("failed", times=2)
    jobs = studio.generate("two boats whose reply was lost", duration=3, num_generations=2)
    assert jobs.wait(30)
    assert (hub.posts, hub.enqueued) == (2, 2)
    assert len({job.record.generation_id for job in jobs}) == 2


def test_identical_requests_whose_answers_are_lost_never_claim_one_job_twice(studio: Studio, hub: HubSide) -> None:
    hub.fault("lost_reply", times=3)
    jobs = studio.gather(begin(studio, "the same boat", duration=3) for _ in range(3))
    jobs.wait(60)
    assert (hub.posts, hub.enqueued) == (3, 3)
    assert len({job.record.generation_id for job in jobs}) == 3


def test_a_lost_request_never_claims_the_job_of_its_successful_twin(studio: Studio, hub: HubSide) -> None:
    hub.fault("dropped_connection", times=1, **QUEUE)
    hub.fault("failed")
    jobs = studio.gather(begin(studio, "one of twins") for _ in range(2))
    assert jobs.wait(40)
    assert sorted(job.record.failure.kind for job in jobs) == ["hub", "lost"]
    assert (hub.posts, hub.enqueued) == (2, 1)


def test_a_list_that_cannot_be_read_is_tried_again(studio: Studio, hub: HubSide) -> None:
    hub.fault("lost_reply", times=1)
    hub.fault("unknown_error", times=2, method="GET", path="/api/ai/queue")
    assert begin(studio, "a boat in bad weather").result(40).path.exists()
    assert (hub.posts, hub.enqueued) == (1, 1)


def test_a_key_that_is_revoked_in_between_leaves_the_job_uncertain_until_resume(studio: Studio, hub: HubSide) -> None:
    hub.fault("lost_reply", times=1)
    hub.fault("unauthenticated", method="GET", path="/api/ai/queue")
    job = begin(studio, "a boat without papers")
    with pytest.raises(errors.JobUncertain, match=r"kn\.resume"):
        job.result(20)
    hub.clear()
    again = studio.resume()
    assert [each.id for each in again] == [job.id]
    assert again.result(30)[0].path.exists()
    assert (hub.posts, hub.enqueued) == (1, 1)


def test_a_request_that_timed_out_at_the_hub_is_not_sent_again(studio: Studio, hub: HubSide) -> None:
    hub.fault("unknown_error", status=408, **QUEUE)
    job = begin(studio, "a boat that took too long")
    job.wait(20)
    assert (hub.posts, job.record.failure.kind) == (1, "lost")


def test_an_answer_without_an_id_is_settled_by_the_list(studio: Studio, hub: HubSide) -> None:
    hub.fault("empty_200", times=1, body={"generations": [{"status": "queued"}]}, **QUEUE)
    job = begin(studio, "a boat without a name")
    job.wait(20)
    assert (hub.posts, job.record.failure.kind) == (1, "lost")


def test_any_5xx_to_a_submission_is_uncertain_whatever_it_says(studio: Studio, hub: HubSide) -> None:
    text = {"error": {"message": "Getting model response error: 500 - Internal Server Error"}}
    hub.fault("unknown_error", times=1, body=text, **QUEUE)
    job = begin(studio, "a boat that the model dropped")
    job.wait(20)
    assert (hub.posts, job.record.failure.kind) == (1, "lost")


def test_of_several_generations_only_those_without_a_ticket_are_looked_for(studio: Studio, hub: HubSide) -> None:
    hub.fault("dropped_connection", times=1, **QUEUE)
    hub.fault("failed")
    jobs = studio.generate("three boats", duration=3, num_generations=3)
    assert jobs.wait(40)
    assert sorted(job.record.failure.kind for job in jobs) == ["hub", "hub", "lost"]
    assert (hub.posts, hub.enqueued) == (3, 2)
