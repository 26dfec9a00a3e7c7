"""One tracker follows all jobs: events wake it, the queue is the truth, and it waits for a hub that is down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hubside import DELETE, LIST, READ, HubSide, until

from kling_nb.engine.job import Jobs
from kling_nb.studio import Studio


def test_twenty_jobs_share_one_request_per_poll(studio: Studio, hub: HubSide) -> None:
    hub.fault("stuck")
    began = time.monotonic()
    jobs = studio.gather(studio.generate(f"boat {number}", duration=3) for number in range(20))
    until(lambda: all(job.state == "processing" for job in jobs), within=60)
    polls, due = hub.asked(LIST), (time.monotonic() - began) / 0.4 + 2
    for stopped in jobs.cancel():
        stopped.result(60)
    assert jobs.wait(60)
    assert polls <= due
    assert hub.asked(READ) <= 40  # one for each cancel, and one more if a poll saw the end first
    assert (hub.posts, hub.enqueued, hub.asked(DELETE)) == (20, 20, 20)


def test_jobs_started_on_many_threads_are_each_sent_once(studio: Studio, hub: HubSide) -> None:
    hub.fault("failed")
    started: list[object] = []
    threads = [
        threading.Thread(target=lambda number=number: started.append(studio.generate(f"boat {number}", duration=3)))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    jobs = Jobs.of(started, studio.session.display)
    assert jobs.wait(60)
    assert (len(jobs), len({job.record.generation_id for job in jobs}), hub.posts) == (8, 8, 8)
    assert len(studio.log()) == 8


def test_a_clip_arrives_without_a_single_event(studio: Studio, hub: HubSide) -> None:
    hub.fault("silent_events")
    assert studio.generate("a silent boat", duration=3).result(60).path.exists()


def test_a_clip_arrives_although_the_event_stream_breaks(studio: Studio, hub: HubSide) -> None:
    hub.fault("dropped_events", after=0.05)
    assert studio.generate("a boat on a broken wire", duration=3).result(60).path.exists()


def test_a_clip_arrives_although_events_are_refused(studio: Studio, hub: HubSide) -> None:
    hub.fault("not_found", path="/api/events")
    assert studio.generate("a deaf boat", duration=3).result(60).path.exists()


def test_an_event_ends_the_wait_for_the_next_poll(pace: Callable[..., None], studio: Studio, hub: HubSide) -> None:
    pace(usual=60)
    hub.fault("failed")
    job = studio.generate("a boat that calls", duration=3)
    assert job.wait(60)
    assert (hub.asked(LIST), hub.asked(READ)) == (0, 1)  # without an event, the first poll comes after five seconds


def test_an_error_of_the_hub_is_shown_in_the_row_and_the_poll_is_retried(studio: Studio, hub: HubSide) -> None:
    hub.fault("stuck")
    job = studio.generate("a boat in the fog", duration=3)
    until(lambda: job.state == "processing")
    hub.fault("rate_limited", method="GET", path="/api/ai/queue", retry_after=0)
    until(lambda: "Retrying" in job.progress.trouble)
    hub.clear()
    until(lambda: job.progress.trouble == "")
    job.cancel().result(60)


def test_an_invalid_entry_of_another_user_delays_no_job(studio: Studio, hub: HubSide) -> None:
    hub.fault("silent_events")
    odd = {"generations": [{"generation_id": "theirs", "status": "paused"}], "count": 1}
    hub.fault("empty_200", method="GET", path="/api/ai/queue", times=1, body=odd)
    job = studio.generate("a boat beside a strange one", duration=3)
    assert job.result(60).path.exists()


def test_a_job_that_the_hub_no_longer_knows_is_lost(studio: Studio, hub: HubSide) -> None:
    hub.fault("empty_200", times=1, body={"generations": [{"generation_id": "no-such", "status": "queued"}]})
    job = studio.generate("a ghost ship", duration=3)
    assert job.wait(60)
    assert (job.state, job.record.failure.kind) == ("failed", "lost")


def test_a_job_ends_although_the_hub_is_killed_and_started_again(
    own_hub: Callable[..., HubSide], studio_at: Callable[..., Studio]
) -> None:
    hub = own_hub(speed=3)
    job = studio_at(hub).generate("a boat in an earthquake", duration=3)
    until(lambda: job.state in ("queued", "processing"))
    hub.kill()
    until(lambda: job.progress.trouble or job.done)
    hub.start()
    assert job.result(60).path.exists()
    assert hub.stats()["enqueued"] == 1


def test_two_studios_on_one_log_do_not_disturb_each_other(hub: HubSide, studio_at: Callable[..., Studio]) -> None:
    hub.fault("stuck")
    one, other = studio_at(hub), studio_at(hub)
    job = one.generate("a boat", duration=3)
    until(lambda: job.state == "processing")
    (followed,) = other.resume()
    assert other.resume() == (followed,)
    assert (followed.state, other.store.get(job.id).holder) == ("processing", job.record.holder)
    followed.cancel().result(60)
    assert job.wait(60) and followed.wait(60)
    assert (job.state, followed.state, hub.posts) == ("cancelled", "cancelled", 1)


def test_a_job_of_another_kernel_is_followed_to_its_clip(hub: HubSide, studio_at: Callable[..., Studio]) -> None:
    one, other = studio_at(hub), studio_at(hub)
    job = one.generate("a boat", duration=3)
    (followed,) = other.resume()
    assert followed.result(60).path == job.result(60).path
    assert (hub.posts, followed.record.holder) == (1, job.record.holder)
