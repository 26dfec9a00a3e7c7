"""A refused request is sent once and ends the job with the hub's message and what to do."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hubside import POST, HubSide

from kling_nb import errors
from kling_nb.studio import Studio

QUEUE = {"method": "POST", "path": "/api/ai/queue"}


@pytest.mark.parametrize(
    ("fault", "kind", "remedy"),
    [
        ("unauthenticated", "AuthError", "OXEN_API_KEY"),
        ("insufficient_credits", "CreditError", "Nothing was billed"),
        ("not_found", "NotFound", "Nothing was queued"),
        ("model_not_found", "ModelNotFound", "model='kling-video-o3-omni'"),
        ("update_required", "UpdateRequired", "Nothing was queued"),
        ("empty_200", "InvalidParams", "Nothing was queued"),
    ],
)
def test_a_refused_request_is_sent_once_and_says_what_to_do(
    studio: Studio, hub: HubSide, fault: str, kind: str, remedy: str
) -> None:
    hub.fault(fault, **QUEUE)
    job = studio.generate("a paper boat", duration=3)
    with pytest.raises(errors.JobFailed) as caught:
        job.result(60)
    assert caught.value.job_id == job.id
    assert (job.record.failure.kind, remedy in job.record.failure.remedy) == (kind, True)
    assert (hub.posts, hub.enqueued) == (1, 0)


def test_a_warning_names_the_callers_line_and_the_job_continues(studio: Studio, hub: HubSide) -> None:
    with pytest.warns(errors.RequestWarning) as caught:
        job = studio.generate("@Image1 and @Image2 turn", duration=3)
    assert [str(one.message) for one in caught] == [str(warning) for warning in studio.lint(job.record.request())]
    assert {one.filename for one in caught} == {__file__}
    assert job.result(60).record.status == "succeeded"
    with pytest.warns(errors.RequestWarning) as again:
        job.record.rerun().result(60)
    assert {one.filename for one in again} == {__file__}
    assert hub.posts == 2


def test_two_prompts_are_refused_and_neither_is_sent(studio: Studio, hub: HubSide) -> None:
    with pytest.raises(errors.RequestError, match="there are two: 'a boat' and 'a kite'"):
        studio.generate("a boat", prompt="a kite")
    assert hub.posts == 0


def test_a_withdrawn_model_names_its_alternatives(studio: Studio, hub: HubSide) -> None:
    hub.fault("model_not_found", **QUEUE)
    with pytest.raises(errors.JobFailed, match="kling-video-o3-omni"):
        studio.generate("a paper boat", duration=3).result(60)


def test_schema_changes_are_listed_and_a_withdrawn_model_names_its_alternatives(studio: Studio, hub: HubSide) -> None:
    name = "kling-video-v2-6-pro-text-to-video"
    assert len(studio.hub.schema_changes()) == 0
    hub.fault(
        "changed_schema", match={"model": name}, properties={"duration": {"enum": [5, 10, 15]}, "cfg_scale": None}
    )
    assert list(map(str, studio.hub.schema_changes(name))) == ["duration: also offers 15", "cfg_scale: removed"]
    hub.fault("withdrawn", match={"model": "kling-video-o3-4k-text-to-video"})
    with pytest.raises(errors.ModelNotFound) as caught:
        studio.hub.schema_changes("kling-video-o3-4k-text-to-video")
    assert "kling-video-o3-pro-text-to-video" in caught.value.alternatives


def test_after_429_the_request_is_sent_again_and_queued_once(studio: Studio, hub: HubSide) -> None:
    hub.fault("rate_limited", times=2, retry_after=0, **QUEUE)
    job = studio.generate("a paper boat", duration=3)
    assert job.result(60).path.exists()
    assert (hub.posts, hub.enqueued) == (3, 1)
    assert any("Retrying in " in message.text for message in job.record.messages)


def test_a_request_that_breaks_a_rule_is_never_sent(studio: Studio, hub: HubSide) -> None:
    with pytest.raises(errors.RequestError):
        studio.generate("a paper boat", duration=2)
    assert hub.asked(POST) == 0
    assert len(studio.log()) == 0


def test_the_hubs_failure_message_is_quoted(studio: Studio, hub: HubSide) -> None:
    hub.fault("failed", message="The content was flagged by our safety system.")
    with pytest.raises(errors.JobFailed, match="flagged by our safety") as caught:
        studio.generate("a paper boat", duration=3).result(60)
    assert "Change the prompt" in str(caught.value)
    assert (hub.posts, hub.enqueued) == (1, 1)


@pytest.mark.parametrize(
    "message",
    [
        "Failure to pass the risk control system",
        "Getting model response error: 422 - body.image_url: flagged by a content checker",
        "The prompt contains sensitive words",
        "The model provider returned an error: NSFW",
    ],
)
def test_refused_content_has_its_own_outcome_and_nothing_is_claimed_about_the_bill(
    studio: Studio, hub: HubSide, message: str
) -> None:
    hub.fault("failed", message=message)
    job = studio.generate("a paper boat", duration=3)
    with pytest.raises(errors.JobFailed) as caught:
        job.result(60)
    failure = studio.log()[job.id].failure
    assert (failure.kind, failure.message) == ("moderation", message)
    shown = f"{caught.value} {failure.remedy}".lower()
    assert not any(word in shown for word in ("billed", "charged", "try again"))
    assert (hub.posts, hub.enqueued) == (1, 1)


def test_a_clip_with_the_bytes_of_another_one_of_its_request_says_so(studio: Studio, hub: HubSide) -> None:
    both = [studio.generate("a paper boat", duration=3) for _ in range(2)]  # the local hub draws it the same again
    other = studio.generate("a paper kite", duration=3)
    records = {job.id: job.result(60).record for job in (*both, other)}
    (later,) = (record for record in records.values() if record.notes)
    (first,) = (job.id for job in both if job.id != later.id)
    assert later.clip.digest == records[first].clip.digest and first in later.notes[0]
    assert (records[other.id].notes, studio.log()[later.id].notes) == ((), later.notes)
    assert (hub.posts, hub.enqueued) == (3, 3)


@pytest.mark.filterwarnings("ignore:.*only this machine:kling_nb.errors.RequestWarning")
@pytest.mark.filterwarnings("ignore:.*only this machine:kling_nb.errors.RequestWarning")
def test_an_image_that_the_hub_cannot_fetch_fails_later_with_its_message(studio: Studio, hub: HubSide) -> None:
    nowhere = hub.url + "/api/repos/local/playground/file/main/gone.png"
    with pytest.raises(errors.JobFailed, match="404 Not Found") as caught:
        studio.generate("@Image1 sails", input_image=[nowhere], duration=3).result(60)
    assert (hub.posts, caught.value.data["failure"].kind) == (1, "hub")


def test_without_a_hub_nothing_is_sent(tmp_path: Path) -> None:
    studio = Studio(hub="http://127.0.0.1:9", log=tmp_path / "log")
    studio.session.connection.main.client._attempts = 1  # the others would only take time
    with contextlib.closing(studio), pytest.raises(errors.JobFailed, match="Nothing was sent") as caught:
        studio.generate("a paper boat", duration=3).result(60)
    assert caught.value.data["failure"].kind == "Unreachable"
