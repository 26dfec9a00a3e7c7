"""One tracker follows all jobs: events wake it, the queue is the truth, and a hub that dies is waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hubside import DELETE, LIST, READ, HubSide, until

from kling_nb.engine.job import Jobs
from kling_nb.studio import Studio


def test_twenty_jobs_share_one_question_a_beat(studio: Studio, hub: HubSide) -> None:
    hub.fault("stuck")
    begun = time.monotonic()
    jobs = studio.gather(studio.generate(f"boat {number}", duration=3) for number in range(20))
    until(lambda: all(job.state == "processing" for job in jobs), within=40)
    looks, beats = hub.asked(LIST), (time.monotonic() - begun) / 0.4 + 2
    for stopped in jobs.cancel():
        stopped.result(30)
    assert jobs.wait(20)
    assert looks <= beats
    assert hub.asked(READ) <= 40  # one for each cancel, and one more where a beat saw the end first
    assert (hub.posts, hub.enqueued, hub.asked(DELETE)) == (20, 20, 20)


def test_jobs_begun_on_many_threads_are_each_sent_once(studio: Studio, hub: HubSide) -> None:
    hub.fault("failed")
    begun: list[object] = []
    threads = [
        threading.Thread(target=lambda number=number: begun.append(studio.generate(f"boat {number}", duration=3)))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    jobs = Jobs.of(begun, studio.session.display)
    assert jobs.wait(40)
    assert (len(jobs), len({job.record.generation_id for job in jobs}), hub.posts) == (8, 8, 8)
    assert len(studio.log()) == 8


def test_a_clip_comes_without_a_single_event(studio: Studio, hub: HubSide) -> None:
    hub.fault("silent_events")
    assert studio.generate("a silent boat", duration=3).result(40).path.exists()


def test_a_clip_comes_although_the_event_stream_breaks(studio: Studio, hub: HubSide) -> None:
    hub.fault("dropped_events", after=0.05)
    assert studio.generate("a boat on a broken wire", duration=3).result(40).path.exists()


def test_a_clip_comes_although_events_are_refused(studio: Studio, hub: HubSide) -> None:
    hub.fault("not_found", path="/api/events")
    assert studio.generate("a deaf boat", duration=3).result(40).path.exists()


def test_an_event_spares_the_wait_for_the_beat(studio: Studio, hub: HubSide) -> None:
    hub.fault("failed")
    job = studio.generate("a boat that calls", duration=3)
    assert job.wait(20)
    assert hub.asked(LIST) == 0  # the beat alone would have come after three seconds, with a list


def test_a_hub_in_trouble_is_said_in_the_row_and_asked_again(studio: Studio, hub: HubSide) -> None:
    hub.fault("stuck")
    job = studio.generate("a boat in the fog", duration=3)
    until(lambda: job.state == "processing")
    hub.fault("rate_limited", method="GET", path="/api/ai/queue", retry_after=0)
    until(lambda: "Retrying" in job.progress.trouble)
    hub.clear()
    until(lambda: job.progress.trouble == "")
    job.cancel().result(20)


def test_an_entry_of_somebody_elses_that_cannot_be_read_holds_up_nobody(studio: Studio, hub: HubSide) -> None:
    hub.fault("silent_events")
    odd = {"generations": [{"generation_id": "theirs", "status": "paused"}], "count": 1}
    hub.fault("empty_200", method="GET", path="/api/ai/queue", times=1, body=odd)
    job = studio.generate("a boat beside a strange one", duration=3)
    assert job.result(40).path.exists()


def test_a_job_that_the_hub_no_longer_knows_ends_as_lost(studio: Studio, hub: HubSide) -> None:
    hub.fault("empty_200", times=1, body={"generations": [{"generation_id": "no-such", "status": "queued"}]})
    job = studio.generate("a ghost ship", duration=3)
    assert job.wait(30)
    assert (job.state, job.record.failure.kind) == ("failed", "lost")


def test_a_hub_killed_in_the_middle_and_started_again_ends_the_job(
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
    assert other.resume() == ()
    assert other.store.get(job.id).status == "processing"
    job.cancel().result(20)
    assert other.store.get(job.id).status == "cancelled"
