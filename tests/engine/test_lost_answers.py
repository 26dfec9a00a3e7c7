"""A lost answer is settled by Oxen's own list; see test_both_providers.py for what holds at fal too."""

from __future__ import annotations

from typing import Any

from hubside import HubSide

from kling_nb.engine.job import Job
from kling_nb.studio import Studio

QUEUE = {"method": "POST", "path": "/api/ai/queue"}
AMBIGUOUS = ["unknown_error", "upstream", "html", "dropped_connection"]


def begin(studio: Studio, prompt: str = "a paper boat", **fields: Any) -> Job:
    job = studio.generate(prompt, **{"duration": 3, **fields})
    assert isinstance(job, Job)
    return job


def test_a_list_that_cannot_be_read_is_tried_again(studio: Studio, hub: HubSide) -> None:
    hub.fault("lost_reply", times=1)
    hub.fault("unknown_error", times=2, method="GET", path="/api/ai/queue")
    assert begin(studio, "a boat in bad weather").result(90).path.exists()
    assert (hub.posts, hub.enqueued) == (1, 1)


def test_a_request_that_timed_out_at_the_hub_is_not_sent_again(studio: Studio, hub: HubSide) -> None:
    hub.fault("unknown_error", status=408, **QUEUE)
    job = begin(studio, "a boat that took too long")
    job.wait(60)
    assert (hub.posts, job.record.failure.kind) == (1, "lost")


def test_an_answer_without_an_id_is_settled_by_the_list(studio: Studio, hub: HubSide) -> None:
    hub.fault("empty_200", times=1, body={"generations": [{"status": "queued"}]}, **QUEUE)
    job = begin(studio, "a boat whose answer has no id")
    job.wait(60)
    assert (hub.posts, job.record.failure.kind) == (1, "lost")


def test_any_5xx_to_a_submission_is_uncertain_whatever_it_says(studio: Studio, hub: HubSide) -> None:
    text = {"error": {"message": "Getting model response error: 500 - Internal Server Error"}}
    hub.fault("unknown_error", times=1, body=text, **QUEUE)
    job = begin(studio, "a boat that the model dropped")
    job.wait(60)
    assert (hub.posts, job.record.failure.kind) == (1, "lost")
