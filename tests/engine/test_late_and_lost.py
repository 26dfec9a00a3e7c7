"""A hub that is slow, forgetful or says odd things: no paid clip is lost, none is paid twice, and every wait ends."""

from __future__ import annotations

import datetime
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from front import Answer, Front
from hubside import HubSide, until

from kling_nb import errors
from kling_nb.engine.job import Job
from kling_nb.studio import Studio

QUEUE = "/api/ai/queue"
POST = {"method": "POST", "path": QUEUE}
STREAM = {"Content-Type": "text/event-stream"}
KEY = {"Authorization": "Bearer test-key"}

Change = Callable[[dict[str, Any]], dict[str, Any] | None]


@pytest.fixture
def behind() -> Iterator[Callable[..., Front]]:
    """Put a server before a hub that changes each record of the queue, or hides it if the change is None."""
    fronts: list[Front] = []

    def put(hub: HubSide, change: Change, **answers: Callable[[str], Answer | None]) -> Front:
        def answer(method: str, path: str, _: Mapping[str, str]) -> Answer | None:
            if method in answers and (own := answers[method](path)):
                return own
            if method != "GET" or not path.startswith(QUEUE):
                return None
            body = front._http.get(path, headers=KEY).json()
            if "generations" not in body:
                changed = change(body)
                return (200, changed) if changed else (404, {"error": {"type": "resource_not_found"}})
            kept = [changed for entry in body["generations"] if (changed := change(entry))]
            return 200, {"count": len(kept), "generations": kept}

        front = Front(hub.url, answer)
        fronts.append(front)
        return front

    yield put
    for front in fronts:
        front.close()


@pytest.fixture
def slow(own_hub: Callable[..., HubSide]) -> HubSide:
    """A hub whose jobs take about a second."""
    return own_hub(speed=5)


def same(entry: dict[str, Any]) -> dict[str, Any]:
    return entry


def generate(studio: Studio, prompt: str) -> Job:
    job = studio.generate(prompt, duration=3)
    assert isinstance(job, Job)
    return job


# --- the answer to a submission ---


def test_a_submission_is_waited_for_as_long_as_the_contract_allows(
    behind: Callable[..., Front], studio_at: Callable[..., Studio], hub: HubSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kling_nb.hubs import client

    assert client._BILLED_TIMEOUT.read == 120
    monkeypatch.setattr(client, "_TIMEOUT", httpx.Timeout(0.3))
    front = behind(hub, same, POST=lambda path: time.sleep(0.5) if path == QUEUE else None)
    job = generate(studio_at(front), "a boat at a slow gate")
    assert "uncertain" not in [progress.status for progress in job]
    assert job.result(60).path.exists()
    assert (front.count("POST", QUEUE), hub.posts) == (1, 1)


@pytest.mark.parametrize("answer", [{"error": "timeout"}, {"error": {"message": "busy"}, "generations": None}, {}, []])
def test_an_answer_that_names_no_job_and_has_no_list_is_settled_by_the_queue(
    studio: Studio, hub: HubSide, answer: Any
) -> None:
    prompt = f"a boat answered with {answer}"
    (own,) = ids_of(hub, prompt, 1)
    hub.mark()
    hub.fault("empty_200", times=1, body=answer, **POST)
    job = generate(studio, prompt)
    assert job.result(60).path.exists()
    assert (job.record.generation_id, hub.posts) == (own, 1)


@pytest.mark.parametrize("restart", [False, True], ids=["here", "in another kernel"])
def test_a_job_that_the_queue_shows_late_is_found_by_resume(
    behind: Callable[..., Front], studio_at: Callable[..., Studio], hub: HubSide, pace: Any, restart: bool
) -> None:
    pace(lost=60)
    shown: list[bool] = []
    front = behind(hub, lambda entry: entry if shown else None)
    hub.fault("lost_reply", times=1)
    studio = studio_at(front)
    job = generate(studio, "a boat that is listed late")
    with pytest.raises(errors.JobUncertain):
        job.result(60)
    assert (job.state, studio.store.get(job.id).status) == ("uncertain", "uncertain")
    assert "billed" in job.progress.trouble
    if restart:
        studio.close()
        studio = studio_at(front)
    shown.append(True)
    (again,) = studio.resume()
    assert again.result(60).path.exists()
    assert (again.id, hub.posts, hub.enqueued) == (job.id, 1, 1)


@pytest.mark.parametrize("seconds", [-60, -32_400, 32_400], ids=["a minute ago", "nine hours ago", "in nine hours"])
def test_an_equal_job_of_another_time_is_not_taken_and_the_user_is_asked(
    behind: Callable[..., Front], studio_at: Callable[..., Studio], hub: HubSide, seconds: int
) -> None:
    front = behind(hub, lambda entry: {**entry, "enqueued_at": entry["enqueued_at"] + seconds})
    hub.fault("lost_reply", times=1)
    job = generate(studio_at(front), f"a boat of another hour ({seconds})")
    with pytest.raises(errors.JobUncertain):
        job.result(60)
    assert (job.record.generation_id, hub.posts) == (None, 1)
    assert "a job like this one" in job.progress.trouble


# --- ids ---


def ids_of(hub: HubSide, prompt: str, count: int, **more: Any) -> list[str]:
    """Enqueue jobs as our client would, and return their ids."""
    body = {"model": "kling-video-o3-pro-reference-to-video", "prompt": prompt, "duration": 3, **more}
    return [hub.enqueue({**body, "aspect_ratio": "16:9", "generate_audio": False}) for _ in range(count)]


def named(hub: HubSide, *ids: Any) -> None:
    """Let the next answer to a submission name these ids; the submission itself is swallowed."""
    hub.mark()
    entries = [{"generation_id": one, "status": "queued"} for one in ids]
    hub.fault("empty_200", times=1, body={"generations": entries}, **POST)


def test_ids_too_many_become_jobs_of_the_batch(studio: Studio, hub: HubSide) -> None:
    ids = ids_of(hub, "one boat too many", 3)
    named(hub, *ids)
    job = generate(studio, "one boat too many")
    assert job.result(60).path.exists()
    records = until(lambda: [one for one in studio.log() if one.status == "succeeded"][2:] and list(studio.log()))
    assert sorted(str(record.generation_id) for record in records) == sorted(ids)
    assert {record.batch for record in records} == {job.record.batch}
    assert [record.index for record in sorted(records, key=lambda record: record.id)] == [0, 1, 2]
    assert len(studio.session.engine.jobs) == 3
    assert hub.posts == 1


def test_an_id_that_is_named_twice_is_one_job(studio: Studio, hub: HubSide) -> None:
    (own,) = ids_of(hub, "a boat named twice", 1)
    named(hub, own, own)
    job = generate(studio, "a boat named twice")
    assert job.result(60).path.exists()
    assert (job.record.generation_id, len(studio.log()), hub.posts) == (own, 1, 1)


def test_an_id_that_another_record_has_is_not_taken(studio: Studio, hub: HubSide) -> None:
    before = generate(studio, "a boat with its own name").record
    taken = until(lambda: studio.store.get(before.id).generation_id)
    (own,) = ids_of(hub, "a boat with a name of another", 1)
    named(hub, taken)
    job = generate(studio, "a boat with a name of another")
    assert job.result(60).path.exists()
    assert (job.record.generation_id, hub.posts) == (own, 1)


@pytest.mark.parametrize("foreign", [{"generation_id": "another-id"}, {"prompt": "a kite of another user"}])
def test_a_record_of_another_job_is_not_taken_for_ours(
    behind: Callable[..., Front], studio_at: Callable[..., Studio], hub: HubSide, pace: Any, foreign: dict[str, Any]
) -> None:
    pace(lost=60)
    told: list[bool] = []
    front = behind(hub, lambda entry: {**entry, **({} if told else foreign)})
    job = generate(studio_at(front, deadline=60), f"a boat taken for {sorted(foreign)}")
    until(lambda: job.progress.trouble)
    assert job.record.clip is None
    told.append(True)
    until(lambda: job.state == "succeeded")
    assert hub.posts == 1


# --- a job that takes long ---


@pytest.mark.parametrize("restart", [False, True], ids=["here", "in another kernel"])
def test_a_job_that_continues_after_it_was_stopped_still_gives_its_clip(
    behind: Callable[..., Front], studio_at: Callable[..., Studio], slow: HubSide, pace: Any, restart: bool
) -> None:
    pace(stopping=2, shortest=0.1)  # the answer to the DELETE must arrive before the wait ends
    ready: list[bool] = []
    running = {"status": "processing", "result_url": None, "completed_at": None}
    front = behind(
        slow,
        lambda entry: entry if ready else {**entry, **running},
        DELETE=lambda path: (200, {"status": "success", "generation_id": path.rpartition("/")[2]}),
    )
    studio = studio_at(front, deadline=0.3)
    job = generate(studio, "a boat that does not stop")
    with pytest.raises(errors.WaitTimeout, match="does not stop"):
        job.result(60)
    assert (studio.store.get(job.id).status, front.count("DELETE")) == ("processing", 1)
    if restart:
        studio.close()
        (job,) = studio_at(front).resume()
    ready.append(True)
    until(lambda: job.state == "succeeded")
    assert job.wait(60)
    assert job.result(0).path.exists()
    assert front.count("POST", QUEUE) == 1


def test_a_job_that_is_stopped_too_late_can_be_waited_for_again(
    behind: Callable[..., Front], studio_at: Callable[..., Studio], slow: HubSide, pace: Any
) -> None:
    pace(stopping=2, shortest=0.1)
    ready: list[bool] = []
    front = behind(
        slow,
        lambda entry: entry if ready else {**entry, "status": "processing", "result_url": None},
        DELETE=lambda _: (200, {"status": "success"}),
    )
    studio = studio_at(front, deadline=0.3)
    job = generate(studio, "a boat that is waited for again")
    with pytest.raises(errors.WaitTimeout):
        job.result(60)
    (again,) = studio.resume()
    assert (again, again.done) == (job, False)
    ready.append(True)
    assert again.result(60).path.exists()
    assert front.count("POST", QUEUE) == 1


def test_a_wait_ends_after_the_deadline_although_the_hub_cannot_be_asked(
    studio_at: Callable[..., Studio], own_hub: Callable[..., HubSide], pace: Any
) -> None:
    pace(stopping=0.2, shortest=0.1)
    hub = own_hub(speed=5)
    hub.fault("stuck")  # the job must not end before the key is refused
    hub.fault("unauthenticated", method="DELETE")
    job = generate(studio_at(hub, deadline=0.5), "a boat whose papers expire")
    until(lambda: job.state == "processing")  # in the queue it might wait for hours
    hub.fault("unauthenticated")
    with pytest.raises(errors.WaitTimeout, match="could not be asked"):
        job.result(60)
    hub.clear()
    until(lambda: job.state in ("succeeded", "cancelled"))
    assert hub.posts == 1


def test_a_job_that_has_run_for_weeks_is_given_up(
    behind: Callable[..., Front], studio_at: Callable[..., Studio], hub: HubSide, pace: Any
) -> None:
    pace(stopping=0.1, shortest=0.1)
    front = behind(
        hub,
        lambda entry: {**entry, "status": "processing", "result_url": None, "started_at": 1},
        DELETE=lambda _: (200, {"status": "success"}),
    )
    studio = studio_at(front, deadline=0.3)
    job = generate(studio, "a boat for weeks")
    until(lambda: job.state == "processing")
    active = studio.session.engine._active
    now = active.now
    active.now = lambda: now() + datetime.timedelta(days=8)
    with pytest.raises(errors.JobFailed, match="may have been billed"):
        job.result(60)
    assert (job.record.failure.kind, front.count("DELETE"), hub.posts) == ("stuck", 1, 1)


def test_waiting_in_the_queue_does_not_count_towards_the_deadline(
    behind: Callable[..., Front], studio_at: Callable[..., Studio], slow: HubSide, pace: Any
) -> None:
    pace(shortest=0.1)
    free: list[bool] = []
    waiting = {"status": "queued", "started_at": None, "completed_at": None, "result_url": None}
    front = behind(slow, lambda entry: entry if free else {**entry, **waiting})
    job = generate(studio_at(front, deadline=1), "a boat in a long queue")
    until(lambda: job.progress.trouble.startswith("Waiting since"))
    time.sleep(1.2)
    assert front.count("DELETE") == 0
    free.append(True)
    assert job.result(60).path.exists()
    assert front.count("POST", QUEUE) == 1


def test_waiting_in_the_queue_has_its_own_bound(
    behind: Callable[..., Front], studio_at: Callable[..., Studio], slow: HubSide, pace: Any
) -> None:
    pace(shortest=0.1, waiting=0.3, stopping=0.1)
    front = behind(
        slow,
        lambda entry: {**entry, "status": "queued", "started_at": None, "result_url": None},
        DELETE=lambda _: (200, {"status": "success"}),
    )
    job = generate(studio_at(front), "a boat that is never let in")
    with pytest.raises(errors.WaitTimeout):
        job.result(60)
    assert (front.count("DELETE"), front.count("POST", QUEUE)) == (1, 1)
    assert any("had not begun" in note for note in job.record.notes)


def test_an_id_that_could_not_be_saved_is_saved_at_the_next_poll(
    slow: HubSide, studio_at: Callable[..., Studio], monkeypatch: pytest.MonkeyPatch, pace: Any
) -> None:
    pace(shortest=0.1)
    slow.mark()
    slow.fault("stuck")
    studio = studio_at(slow)
    save, failed = type(studio.store).save, list[bool]()

    def full_once(log: Any, record: Any) -> Any:
        if record.status == "queued" and not failed:
            failed.append(True)
            raise errors.LogError("The log cannot be written (No space left on device).")
        return save(log, record)

    monkeypatch.setattr(type(studio.store), "save", full_once)
    job = generate(studio, "a boat whose name is saved late")
    until(lambda: studio.store.get(job.id).generation_id)
    assert (failed, job.done) == ([True], False)
    job.cancel().result(60)
    assert slow.posts == 1


# --- what the hub says of a job ---


@pytest.mark.parametrize(
    ("word", "more", "state"),
    [
        ("COMPLETED", {}, "succeeded"),
        ("Success", {}, "succeeded"),
        ("delivered", {}, "succeeded"),
        ("canceled", {}, "cancelled"),
        ("Timed Out", {}, "failed"),
        ("error", {}, "failed"),
        ("gone fishing", {"result_url": None, "error_message": "The pond is frozen."}, "failed"),
    ],
)
def test_a_status_is_read_as_the_end_that_it_means(
    behind: Callable[..., Front],
    studio_at: Callable[..., Studio],
    hub: HubSide,
    word: str,
    more: dict[str, Any],
    state: str,
) -> None:
    front = behind(hub, lambda entry: {**entry, "status": word, **more} if entry["completed_at"] else entry)
    job = generate(studio_at(front), f"a boat that is {word}")
    assert job.wait(60)
    assert (job.state, hub.posts) == (state, 1)
    if state == "failed":
        assert word in job.record.failure.message or "frozen" in job.record.failure.message


def test_a_status_without_a_meaning_is_shown_as_it_is(
    behind: Callable[..., Front], studio_at: Callable[..., Studio], hub: HubSide
) -> None:
    asleep: list[bool] = [True]
    front = behind(hub, lambda entry: {**entry, "status": "Hibernating", "result_url": None} if asleep else entry)
    job = generate(studio_at(front), "a boat in winter")
    until(lambda: '"Hibernating"' in job.progress.trouble)
    asleep.clear()
    assert job.result(60).path.exists()
    assert hub.posts == 1


def test_a_success_without_an_address_is_asked_for_again_until_it_has_one(
    behind: Callable[..., Front],
    studio_at: Callable[..., Studio],
    hub: HubSide,
    pace: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pace(fetching=60.0)
    monkeypatch.setattr("kling_nb.engine.pace.Pace.back_off", lambda *_, **__: 0.02)
    asked: list[int] = []

    def change(entry: dict[str, Any]) -> dict[str, Any]:
        asked.append(1)
        return entry if len(asked) > 12 else {**entry, "result_url": None}

    job = generate(studio_at(behind(hub, change)), "a boat without an address")
    until(lambda: job.progress.trouble or job.done)
    assert "safe at the hub" not in job.progress.trouble
    assert job.result(60).path.exists()
    assert hub.posts == 1


def test_the_address_in_an_event_serves_when_the_queue_has_forgotten_the_job(
    behind: Callable[..., Front], studio_at: Callable[..., Studio], hub: HubSide, pace: Any
) -> None:
    pace(unknown=60)
    events: list[bytes] = []
    front = behind(
        hub, lambda _: None, GET=lambda path: (200, events[0], STREAM) if events and path == "/api/events" else None
    )
    events.append(b": connected\n\n")
    job = generate(studio_at(front), "a boat that only an event knows")
    known = until(lambda: job.record.generation_id)
    address = until(lambda: hub._http.get(f"{QUEUE}/{known}", headers=KEY).json()["result_url"])
    event = {"generation_id": known, "status": "succeeded", "media_type": "video", "model": "m", "url": address}
    events[0] = f"event: media_generation_completed\ndata: {json.dumps(event)}\n\n".encode()
    assert job.result(60).path.exists()
    assert hub.posts == 1


def test_the_address_in_an_event_serves_when_the_queue_never_hears_of_the_end(
    behind: Callable[..., Front], studio_at: Callable[..., Studio], hub: HubSide
) -> None:
    events = [b": connected\n\n"]
    front = behind(
        hub,
        lambda entry: {**entry, "status": "processing", "result_url": None},
        GET=lambda path: (200, events[0], STREAM) if path == "/api/events" else None,
    )
    job = generate(studio_at(front, deadline=8), "a boat whose queue stands still")
    known = until(lambda: job.record.generation_id)
    address = until(lambda: hub._http.get(f"{QUEUE}/{known}", headers=KEY).json()["result_url"])
    event = {"generation_id": known, "status": "succeeded", "media_type": "video", "url": address}
    events[0] = f"event: media_generation_completed\ndata: {json.dumps(event)}\n\n".encode()
    assert job.result(60).path.exists()
    assert (front.count("DELETE"), hub.posts) == (0, 1)


@pytest.mark.parametrize("told_first", [True, False], ids=["event first", "record first"])
def test_the_address_in_an_event_serves_when_the_record_has_none(
    behind: Callable[..., Front], studio_at: Callable[..., Studio], hub: HubSide, pace: Any, told_first: bool
) -> None:
    pace(fetching=60.0)
    events = [b": connected\n\n"]
    shown: list[bool] = []
    front = behind(
        hub,
        lambda entry: {**entry, "result_url": None} if shown else {**entry, "status": "queued", "result_url": None},
        GET=lambda path: (200, events[0], STREAM) if path == "/api/events" else None,
    )
    job = generate(studio_at(front), f"a boat without an address of its own {told_first}")
    known = until(lambda: job.record.generation_id)
    if not told_first:
        shown.append(True)
        until(lambda: job.state == "downloading")
    address = until(lambda: hub._http.get(f"{QUEUE}/{known}", headers=KEY).json()["result_url"])
    event = {"generation_id": known, "status": "succeeded", "media_type": "video", "url": address}
    events[0] = f"event: media_generation_completed\ndata: {json.dumps(event)}\n\n".encode()
    shown.append(True)
    assert job.result(60).path.exists()
    assert front.count("POST", QUEUE) == 1


def test_a_job_that_the_hub_forgets_for_long_is_not_lost_for_good(
    behind: Callable[..., Front], studio_at: Callable[..., Studio], hub: HubSide, pace: Any
) -> None:
    pace(lost=60, unknown=0.1, shortest=0.1)
    back: list[bool] = []
    front = behind(hub, lambda entry: entry if back else None)
    studio = studio_at(front)
    job = generate(studio, "a boat in a forgetful harbour")
    with pytest.raises(errors.JobUncertain, match="does not know"):
        job.result(60)
    assert not studio.store.get(job.id).ended
    back.append(True)
    until(lambda: job.state == "succeeded")
    assert job.result(0).path.exists()
    assert hub.posts == 1


# --- the log ---


def test_a_wait_ends_when_the_log_has_gone_and_the_clip_comes_once_it_is_back(
    studio_at: Callable[..., Studio], slow: HubSide, tmp_path: Path
) -> None:
    studio = studio_at(slow)
    job = generate(studio, "a boat without a log")
    until(lambda: job.record.generation_id)
    studio.store.folder.rename(tmp_path / "elsewhere")
    with pytest.raises(errors.LogError, match="is missing"):
        job.result(60)
    assert "is missing" in job.progress.trouble
    shutil.rmtree(studio.store.folder, ignore_errors=True)
    (tmp_path / "elsewhere").rename(studio.store.folder)
    studio.resume()
    until(lambda: studio.store.get(job.id).status == "succeeded")
    assert slow.posts == 1
