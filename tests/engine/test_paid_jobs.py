"""A paid job is not given up, and a job that was cancelled or failed before it was sent is never paid for."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hubside import DELETE, RESULT, HubSide, png_image, until
from support.studios import request_of

from kling_nb import errors
from kling_nb.engine.pace import HUB_PACE, LOCAL_PACE
from kling_nb.studio import Studio

QUEUE = {"method": "POST", "path": "/api/ai/queue"}
LIST = {"method": "GET", "path": "/api/ai/queue"}
FULL = "The log cannot be written (No space left on device): free some space."


@pytest.fixture
def slow(own_hub: Callable[..., HubSide]) -> HubSide:
    """A hub whose jobs take about a second."""
    return own_hub(speed=5)


@pytest.mark.parametrize(("fault", "more"), [("not_found", {}), ("html", {"status": 404})])
def test_a_single_404_does_not_end_a_paid_job(
    slow: HubSide, studio_at: Callable[..., Studio], fault: str, more: dict[str, Any]
) -> None:
    job = studio_at(slow).generate("a boat in the mist", duration=3)
    until(lambda: job.record.generation_id)
    slow.fault(fault, times=1, method="GET", path="/api/ai/queue/", **more)
    assert job.result(60).path.exists()


@pytest.mark.parametrize("pace", [HUB_PACE, LOCAL_PACE])
def test_the_pauses_stay_within_the_pace_however_often_a_hub_has_failed(pace: Any) -> None:
    pauses = [pace.back_off(failures, jitter=1.0) for failures in (1, 2, 3, 10, 1024, 10**6)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == pace.longest
    assert pace.back_off(10**6, jitter=0.0) == pace.longest / 2


def test_resume_polls_immediately_about_a_job_that_is_under_way_here(
    slow: HubSide, studio_at: Callable[..., Studio]
) -> None:
    studio = studio_at(slow)
    job = studio.generate("a boat at anchor", duration=3)
    until(lambda: job.record.generation_id)
    engine = studio.session.engine
    until(lambda: engine._tracker._polling)  # pyright: ignore[reportPrivateUsage]
    engine._loop.submit(_fallen(engine._tracker)).result(60)  # pyright: ignore[reportPrivateUsage]
    (again,) = studio.resume()
    assert again is job
    assert job.result(60).path.exists()


async def _fallen(tracker: Any) -> None:
    """Leave a tracker as a bug of ours would: without its polling task."""
    tracker.close()
    await asyncio.gather(tracker._polling, return_exceptions=True)


def test_resume_does_not_send_a_job_that_failed_before_it_was_sent(studio: Studio, hub: HubSide) -> None:
    hub.fault("empty_200", times=1, method="POST", path="/api/repos/", body={"status": "success", "path": "x"})
    job = studio.generate("@Image1 is a boat of another shape", input_image=[png_image()], duration=3)
    with pytest.raises(errors.KlingError):
        job.result(60)
    assert (job.state, studio.store.get(job.id).status) == ("failed", "failed")
    assert (list(studio.resume()), hub.posts) == ([], 0)


def test_resume_does_not_send_a_job_whose_failure_could_not_be_saved(
    studio: Studio, hub: HubSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Any:
        raise errors.LogError(FULL)

    with monkeypatch.context() as disk:
        disk.setattr(type(studio.store), "spend", full)
        disk.setattr(type(studio.store), "save", _only("prepared", type(studio.store).save))
        job = studio.generate("a boat on a full disk", duration=3)
        with pytest.raises(errors.KlingError, match="No space left"):
            job.result(60)
        assert studio.store.get(job.id).status == "prepared"
    studio.resume().wait(60)
    assert (studio.store.get(job.id).status, hub.posts) == ("failed", 0)


def _only(status: str, save: Callable[..., Any]) -> Callable[..., Any]:
    def saving(log: Any, record: Any) -> Any:
        if record.status != status:
            raise errors.LogError(FULL)
        return save(log, record)

    return saving


def test_resume_sends_nothing_of_a_cell_that_was_interrupted_while_saving(
    studio: Studio, hub: HubSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, calls = type(studio.store).save, list[Any]()

    def interrupted(log: Any, record: Any) -> Any:
        saved = save(log, record)
        calls.append(saved)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return saved

    monkeypatch.setattr(type(studio.store), "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        studio.generate("a boat with a typo", duration=3)
    (record,) = studio.log()
    assert record.status == "failed"
    assert (list(studio.resume()), hub.posts) == ([], 0)


def test_a_job_that_is_cancelled_between_two_attempts_is_never_sent(studio: Studio, hub: HubSide) -> None:
    hub.fault("rate_limited", times=1, retry_after=60, **QUEUE)
    job = studio.generate("a boat that is not wanted", duration=3)
    until(lambda: any("Retrying" in message.text for message in job.record.messages))
    posts = hub.posts
    job.cancel().result(60)
    assert job.wait(60)
    assert (job.state, hub.posts, hub.enqueued) == ("cancelled", posts, 0)


@pytest.mark.parametrize(
    "body", [{"error": {"type": "unknown_error"}, "status": "error"}, {"generations": [], "error": "timeout"}]
)
def test_an_invalid_list_does_not_end_an_uncertain_job(studio: Studio, hub: HubSide, body: dict[str, Any]) -> None:
    hub.fault("lost_reply", times=1, **QUEUE)
    hub.fault("empty_200", times=3, body=body, **LIST)
    job = studio.generate(f"a boat under {len(body)} flags", duration=3)
    assert job.result(60).path.exists()
    assert (hub.posts, hub.enqueued) == (1, 1)


def test_a_submission_with_an_unexpected_answer_is_settled_by_the_list(studio: Studio, hub: HubSide) -> None:
    body = request_of(studio, "a boat of another kind", duration=3).body(lambda asset: asset.identity)
    theirs = hub.enqueue({**body, "num_generations": 1})
    hub.mark()
    hub.fault("empty_200", times=1, body={"generation_id": theirs, "status": "queued"}, **QUEUE)
    job = studio.generate("a boat of another kind", duration=3)
    assert job.result(60).path.exists()
    assert (job.record.generation_id, hub.posts) == (theirs, 1)


def test_an_id_that_cannot_be_saved_immediately_is_not_lost(
    slow: HubSide, studio_at: Callable[..., Studio], monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = studio_at(slow)
    save, full = type(studio.store).save, [True]

    def once_full(log: Any, record: Any) -> Any:
        if record.status == "queued" and full and full.pop():
            raise errors.LogError(FULL)
        return save(log, record)

    monkeypatch.setattr(type(studio.store), "save", once_full)
    job = studio.generate("a boat in a full harbour", duration=3)
    assert job.result(60).path.exists()
    assert studio.store.get(job.id).generation_id == job.record.generation_id


def test_setting_the_clock_forward_stops_no_job(own_hub: Callable[..., HubSide], studio_at: Any) -> None:
    hub = own_hub(speed=2)
    studio = studio_at(hub)
    job = studio.generate("a boat in time", duration=3)
    until(lambda: job.state in ("queued", "processing"))
    active = studio.session.engine._active  # pyright: ignore[reportPrivateUsage]
    now = active.now
    active.now = lambda: now() + datetime.timedelta(hours=2)
    assert job.result(60).path.exists()
    assert hub.asked(DELETE) == 0


def test_an_unknown_status_changes_nothing_and_the_deadline_holds(
    own_hub: Callable[..., HubSide], studio_at: Callable[..., Studio]
) -> None:
    hub = own_hub(speed=0.2)
    job = studio_at(hub, deadline=2).generate("a boat of tomorrow", duration=3)
    known = until(lambda: job.record.generation_id)
    entry = {"generation_id": known, "status": "resting", "model_name": job.record.model}
    hub.fault("empty_200", body={**entry, "generations": [entry], "count": 1}, **LIST)
    until(lambda: hub.asked(DELETE) > 0)
    assert job.wait(60)


def test_a_file_server_that_fails_for_a_while_loses_no_clip(
    studio: Studio, hub: HubSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kling_nb.hubs.download._ATTEMPTS", 1)
    monkeypatch.setattr("kling_nb.engine.pace.Pace.back_off", lambda *_, **__: 0.1)
    hub.fault("upstream", times=4, method="GET", path="/api/repos/")
    job = studio.generate("a boat behind a bridge", duration=3)
    assert job.result(60).path.exists()
    assert hub.asked(RESULT) == 5
    assert any("retrying the download" in message.text for message in job.record.messages)


def test_a_web_page_instead_of_the_hub_is_a_certain_failure(studio: Studio, hub: HubSide) -> None:
    hub.fault("html", status=404, path="/api/ai/queue")
    job = studio.generate("a boat at the wrong address", duration=3)
    with pytest.raises(errors.JobFailed, match="Nothing was queued"):
        job.result(60)


def test_outages_between_two_404s_do_not_count_towards_losing_a_job(
    slow: HubSide, studio_at: Callable[..., Studio]
) -> None:
    slow.fault("silent_events")
    job = studio_at(slow).generate("a boat in a redeployed harbour", duration=3)
    until(lambda: job.record.generation_id)
    once = {"times": 1, "method": "GET", "path": "/api/ai/queue/"}
    slow.fault("not_found", **once)
    until(lambda: "does not know" in job.progress.trouble or job.done)
    slow.kill()
    until(lambda: "Retrying" in job.progress.trouble and "know" not in job.progress.trouble)
    slow.start()
    slow.fault("not_found", **once)
    assert job.result(60).path.exists()


def test_resume_says_which_jobs_it_leaves_alone(
    own_hub: Callable[..., HubSide], studio_at: Callable[..., Studio], tmp_path: Path
) -> None:
    hub = own_hub(speed=0.2)
    studio = studio_at(hub)
    job = studio.generate("a boat of another hub", duration=3)
    until(lambda: job.record.generation_id)
    studio.close()
    elsewhere = own_hub()
    left = studio_at(elsewhere).resume()
    assert list(left) == []
    assert f"1 unfinished of {hub.url}" in left._note  # pyright: ignore[reportPrivateUsage]


def test_cancelling_a_job_that_was_given_up_returns(studio: Studio, hub: HubSide) -> None:
    hub.fault("lost_reply", times=1, **QUEUE)
    hub.fault("unauthenticated", **LIST)
    job = studio.generate("a boat whose papers were lost", duration=3)
    assert job.wait(60)
    job.cancel().result(60)


def test_the_hubs_error_message_is_saved_without_signatures(studio: Studio, hub: HubSide, tmp_path: Path) -> None:
    hub.fault("failed", times=1, message="Failed to download https://h.io/a.png?oxen_signature=PLANTED&oxen_expires=1")
    job = studio.generate("a boat with a seal", duration=3)
    assert job.wait(60)
    assert "https://h.io/a.png" in job.record.failure.message
    assert [file for file in (tmp_path / "log").rglob("*") if file.is_file() and b"PLANTED" in file.read_bytes()] == []
