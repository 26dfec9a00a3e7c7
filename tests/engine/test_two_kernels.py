"""Kernels that share a log never claim one paid job twice, and never send one request twice."""

from __future__ import annotations

import asyncio
import datetime
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hubside import HubSide, until

from kling_nb import errors
from kling_nb.engine.job import Job
from kling_nb.hubs.oxen import Oxen
from kling_nb.models.record import Failure
from kling_nb.studio import Studio

QUEUE = {"method": "POST", "path": "/api/ai/queue"}
LIST = {"method": "GET", "path": "/api/ai/queue"}

Studios = Callable[..., Studio]


def dies(studio: Studio) -> None:
    """Release the lock, as the system does for a killed kernel."""
    studio.store._lease.release()


def begin(studio: Studio, prompt: str, **fields: Any) -> Job:
    job = studio.generate(prompt, **{"duration": 3, **fields})
    assert isinstance(job, Job)
    return job


def left_uncertain(studio: Studio, hub: HubSide, prompt: str, fault: str) -> str:
    """A job whose answer was lost, in a kernel that dies before it has read the queue."""
    hub.fault(fault, times=1, **QUEUE)
    hub.fault("unauthenticated", **LIST)
    job = begin(studio, prompt)
    job.wait(60)
    assert job.state == "uncertain"
    hub.clear()
    dies(studio)
    return job.id


def test_two_kernels_that_resume_twins_at_once_claim_the_only_entry_once(
    hub: HubSide, studio_at: Studios, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = {left_uncertain(studio_at(hub), hub, "a boat for two kernels", "lost_reply")}
    theirs.add(left_uncertain(studio_at(hub), hub, "a boat for two kernels", "dropped_connection"))
    kernels = [studio_at(hub), studio_at(hub)]
    for kernel, own in zip(kernels, sorted(theirs), strict=True):
        sees_only(kernel, own, monkeypatch)
    both_have_read, have_read = threading.Barrier(2), set[Oxen]()

    def together(hub: Oxen) -> None:
        if hub not in have_read:
            have_read.add(hub)
            both_have_read.wait(60)

    after_reading_the_lists(together, monkeypatch)
    jobs = [job for kernel in kernels for job in kernel.resume()]
    assert len(jobs) == 2
    for job in jobs:
        job.wait(60)
    assert sorted(job.state for job in jobs) == ["failed", "succeeded"]
    assert (hub.posts, hub.enqueued) == (2, 1)


def after_reading_the_lists(then: Callable[[Oxen], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Do something, on a studio's own thread, after it has read the queue and before it acts on it."""
    listed = Oxen.generations

    async def listed_and_then(self: Oxen, **filters: str) -> Any:
        found = await listed(self, **filters)
        if filters.get("status") == "cancelled":  # the last of the lists
            then(self)
        return found

    monkeypatch.setattr(Oxen, "generations", listed_and_then)


def sees_only(studio: Studio, record_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a kernel find this record only, as if another had taken the rest."""
    unfinished = studio.store.unfinished
    monkeypatch.setattr(studio.store, "unfinished", lambda: [one for one in unfinished() if one.id == record_id])


def test_a_lost_request_leaves_an_entry_to_a_kernel_that_waits_for_its_answer(
    hub: HubSide, studio_at: Studios, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_uncertain(studio_at(hub), hub, "a slow twin", "dropped_connection")
    slow, other = studio_at(hub), studio_at(hub)
    answered, readings = threading.Event(), list[Oxen]()
    submit = Oxen.submit

    async def answered_late(self: Oxen, *asked: Any) -> list[str]:
        ids = await submit(self, *asked)
        await asyncio.to_thread(answered.wait, 30)
        return ids

    monkeypatch.setattr(Oxen, "submit", answered_late)
    after_reading_the_lists(readings.append, monkeypatch)
    job = begin(slow, "a slow twin")
    until(lambda: hub.enqueued == 1)
    lost = other.resume()[0]  # the other is followed
    until(lambda: len(readings) >= 2)  # once, and again after it had found an entry that may be its own
    answered.set()
    assert job.result(60).path.exists()
    assert lost.wait(60)
    assert (lost.state, lost.record.generation_id, lost.record.failure.kind) == ("failed", None, "lost")
    assert (hub.posts, hub.enqueued) == (2, 1)


def test_a_kernel_that_died_between_claim_and_save_finds_its_entry_again(
    hub: HubSide, studio_at: Studios, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = left_uncertain(studio_at(hub), hub, "claimed and not saved", "lost_reply")
    twin = left_uncertain(studio_at(hub), hub, "claimed and not saved", "dropped_connection")
    dead = studio_at(hub)
    sees_only(dead, mine, monkeypatch)
    save = dead.store._records.save
    at_the_save, over = threading.Event(), threading.Event()

    def never_saved(record: Any) -> Any:
        if record.status != "queued":
            return save(record)
        at_the_save.set()
        over.wait(60)
        raise errors.LogError("it was dead long before")

    monkeypatch.setattr(dead.store._records, "save", never_saved)
    dead.resume()
    assert at_the_save.wait(60)
    dies(dead)
    again = {job.id: job for job in studio_at(hub).resume()}
    for job in again.values():
        job.wait(60)
    over.set()
    assert (again[mine].state, again[twin].state) == ("succeeded", "failed")


def test_a_job_that_finished_without_a_kernel_is_found(hub: HubSide, studio_at: Studios) -> None:
    left_uncertain(studio_at(hub), hub, "finished meanwhile", "lost_reply")
    (finished,) = until(lambda: hub.prompted("finished meanwhile", status="succeeded"))
    (job,) = studio_at(hub).resume()
    assert job.result(60).path.exists()
    assert job.record.generation_id == finished
    assert (hub.posts, hub.enqueued) == (1, 1)


def test_a_job_is_found_although_the_hubs_clock_is_two_hours_behind(
    hub: HubSide, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = studio.session.engine._active
    real = ahead.now
    ahead.now = lambda: real() + datetime.timedelta(hours=2)
    hub.fault("lost_reply", times=1)
    assert begin(studio, "from the future").result(60).path.exists()
    assert (hub.posts, hub.enqueued) == (1, 1)


def test_of_two_kernels_that_resume_one_batch_one_sends_the_unsaved_part(
    hub: HubSide, studio_at: Studios, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = studio_at(hub)
    save, saved = first.store.save, []

    def two_only(record: Any) -> Any:
        if len(saved) == 2:
            raise SystemExit  # the kernel is killed while it saves its intent
        saved.append(save(record))
        return saved[-1]

    monkeypatch.setattr(first.store, "save", two_only)
    with pytest.raises(SystemExit):
        first.generate("three of a kind", duration=3, num_generations=3)
    dies(first)
    uploaded = threading.Event()
    kernels = [studio_at(hub), studio_at(hub)]
    for kernel, record in zip(kernels, saved, strict=True):
        sees_only(kernel, record.id, monkeypatch)
        hold_back(kernel, uploaded, monkeypatch)
    jobs = [job for kernel in kernels for job in kernel.resume()]
    uploaded.set()
    for job in jobs:
        job.wait(60)
    assert (len(jobs), hub.posts, hub.enqueued) == (3, 3, 3)


def hold_back(studio: Studio, until_then: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a studio from sending until the event is set."""
    sender = studio.session.engine._sender
    describe = sender._describe

    async def patiently(*args: Any) -> dict[str, Any]:
        await asyncio.to_thread(until_then.wait, 30)
        return await describe(*args)

    monkeypatch.setattr(sender, "_describe", patiently)


def test_a_job_that_another_kernel_took_over_is_not_sent_by_the_first(
    hub: HubSide, studio_at: Studios, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = studio_at(hub), studio_at(hub)
    thought_dead = threading.Event()
    hold_back(first, thought_dead, monkeypatch)
    job = begin(first, "sent by one")
    dies(first)
    assert second.resume().result(60)
    thought_dead.set()
    assert job.wait(60)
    assert (hub.posts, hub.enqueued) == (1, 1)


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("status", ["queued", "failed"])
def test_the_wait_ends_though_another_kernel_was_quicker_while_the_request_was_sent(
    answered: bool, status: str, hub: HubSide, studio_at: Studios, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = studio_at(hub)
    submit = Oxen.submit

    async def overtaken(self: Oxen, *asked: Any) -> list[str]:
        (ticket,) = await submit(self, *asked)
        (record,) = studio.store.find(status="submitting")
        changes = {"status": status, "generation_id": ticket}
        if status == "failed":
            changes["failure"] = Failure(kind="hub", message="The hub refused it.", remedy="")
        await asyncio.to_thread(studio.store.save, record.model_copy(update=changes))
        if not answered:
            raise errors.NoResponse("The answer was lost.")
        return [ticket]

    monkeypatch.setattr(Oxen, "submit", overtaken)
    job = begin(studio, f"overtaken {answered} {status}")
    if status == "failed":
        with pytest.raises(errors.JobFailed, match="refused"):
            job.result(60)
    else:
        assert job.result(60).path.exists()
    assert hub.posts == 1


def test_a_resume_on_another_thread_does_not_adopt_a_job_that_is_just_starting(
    hub: HubSide, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, take, taken = studio.store.save, studio.store.take, threading.Event()
    found = list[Job]()
    resumed = threading.Thread(target=lambda: found.extend(studio.resume()))

    def resumed_meanwhile(record: Any) -> Any:
        saved = save(record)
        if record.status == "prepared":
            resumed.start()
            assert taken.wait(60)
            resumed.join(0.5)  # it waits for the job that is starting here, or it would be done by now
        return saved

    def taken_first(record_id: str) -> Any:
        found = take(record_id)
        taken.set()
        return found

    monkeypatch.setattr(studio.store, "save", resumed_meanwhile)
    monkeypatch.setattr(studio.store, "take", taken_first)
    job = begin(studio, "started and resumed")
    assert job.result(60).path.exists()
    resumed.join()
    assert (found, hub.posts, hub.enqueued) == ([job], 1, 1)


def test_a_plan_does_not_wait_for_a_job_that_its_living_kernel_has_given_up(
    hub: HubSide, studio_at: Studios, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kling_nb.engine.pace.Pace.settled", 0.5)
    theirs, mine = studio_at(hub), studio_at(hub)
    hub.fault("dropped_connection", times=1, **QUEUE)
    hub.fault("unauthenticated", **LIST)
    job = begin(theirs, "a boat that both want")
    job.wait(60)
    assert job.state == "uncertain"
    hub.clear()
    posts = hub.posts
    run = mine.sweep(prompt=["a boat that both want"], duration=3).run()
    assert run.wait(60)
    (status,) = run.statuses
    assert status.record is not None
    assert (status.state, status.record.id, hub.posts) == ("uncertain", job.id, posts)
