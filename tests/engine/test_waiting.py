"""No way of waiting blocks or stops a job."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hubside import DELETE, HubSide, until

from kling_nb import errors
from kling_nb.engine.job import Job
from kling_nb.studio import Studio


@pytest.fixture
def job(studio: Studio, hub: HubSide) -> Job:
    """A job that the hub fails immediately, so that no video is drawn."""
    hub.fault("failed", message="No such luck.")
    return studio.generate("a paper boat", duration=3)


def test_a_wait_that_times_out_leaves_the_job_running(studio: Studio, hub: HubSide) -> None:
    hub.fault("stuck")
    job = studio.generate("a boat in the ice", duration=3)
    with pytest.raises(errors.WaitTimeout):
        job.result(0.05)
    assert not job.wait(0.05)
    until(lambda: job.state == "processing")
    assert hub.asked(DELETE) == 0
    job.cancel().result(60)


def test_a_wait_timeout_is_a_builtin_timeout_error_too(studio: Studio, hub: HubSide) -> None:
    hub.fault("stuck")
    job = studio.generate("a boat in the ice", duration=3)
    with pytest.raises(TimeoutError):
        studio.gather(job).result(0.01)
    job.cancel().result(60)


async def test_a_job_can_be_awaited(studio: Studio, hub: HubSide) -> None:
    clip = await studio.generate("a boat", duration=3)
    assert clip.path.exists()


async def test_awaiting_leaves_the_callers_loop_free(job: Job) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    with pytest.raises(errors.JobFailed, match="No such luck"):
        await job
    ticking.cancel()
    assert ticks > 3


async def test_cancelling_an_awaiting_task_leaves_the_job_running(studio: Studio, hub: HubSide) -> None:
    hub.fault("stuck")
    job = studio.generate("a boat in the ice", duration=3)
    waiting = asyncio.ensure_future(asyncio.wait_for(asyncio.shield(_await(job)), 0.2))
    with pytest.raises(TimeoutError):
        await waiting
    assert (job.done, hub.asked(DELETE)) == (False, 0)
    job.cancel()
    with pytest.raises(errors.JobCancelled):
        await job


async def _await(job: Job) -> object:
    try:
        return await job
    except errors.KlingError as exc:
        return exc


def test_iterating_gives_each_state_from_now_on_up_to_the_end(studio: Studio, hub: HubSide) -> None:
    hub.fault("stuck")
    job, states = studio.generate("a boat in the ice", duration=3), []
    for progress in job:
        if progress.status == "processing" and "processing" not in states:
            job.cancel()
        states.append(progress.status)
    _check_order(states)


async def test_iterating_works_in_a_coroutine_too(studio: Studio, hub: HubSide) -> None:
    hub.fault("stuck")
    job, states = studio.generate("a boat in the ice", duration=3), []
    async for progress in job:
        if progress.status == "processing" and "processing" not in states:
            job.cancel()
        states.append(progress.status)
    _check_order(states)


def _check_order(states: list[str]) -> None:
    """Check that the states come in order; where they start depends on the machine."""
    order = ("prepared", "submitting", "queued", "processing", "cancelled")
    assert list(dict.fromkeys(states)) == [state for state in order if state in states]
    assert {"processing", "cancelled"} <= set(states)
    assert states.count("cancelled") == 1


def test_iterating_over_a_job_that_has_ended_ends_immediately(job: Job) -> None:
    job.wait(60)
    assert [progress.status for progress in job] == ["failed"]


def test_the_clips_of_several_jobs_come_in_order_and_a_failure_keeps_the_others(studio: Studio, hub: HubSide) -> None:
    hub.fault("failed", times=1, message="No such luck.")
    first = studio.generate("an unlucky boat", duration=3)
    until(lambda: hub.enqueued == 1)
    second = studio.generate("a lucky boat", duration=3)
    with pytest.raises(errors.JobFailed, match="No such luck") as caught:
        studio.gather(first, second).result(60)
    assert caught.value.job_id == first.id
    assert second.result(0).path.exists()


async def test_awaiting_gathered_jobs_waits_for_all_although_one_failed(job: Job, studio: Studio) -> None:
    other = studio.generate("another boat", duration=3)
    with pytest.raises(errors.JobFailed):
        await studio.gather([job, other])
    assert job.done
    assert other.done


def test_gather_joins_jobs_and_lists_of_jobs_each_once(job: Job, studio: Studio) -> None:
    assert studio.gather(job, [job]) == (job,)
    assert studio.gather() == ()
    assert studio.gather().result(1) == []


def test_a_log_folder_that_cannot_be_written_raises_and_nothing_is_sent(hub: HubSide, tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file is in the way")
    studio = Studio(hub=hub.url, key="test-key", log=tmp_path / "blocked")
    with pytest.raises(errors.LogError, match="file is in the way"):
        studio.generate("a paper boat", duration=3)
    assert hub.posts == 0
    studio.close()


def test_a_failing_listener_affects_neither_the_job_nor_other_listeners(job: Job) -> None:
    heard: list[str] = []

    def broken(progress: object) -> None:
        if heard:
            raise RuntimeError("a view is broken")

    job.subscribe(broken)
    job.subscribe(lambda progress: heard.append(progress.status))
    assert job.wait(60)
    assert (job.state, heard[-1]) == ("failed", "failed")


def test_closing_a_studio_ends_every_wait(studio: Studio, hub: HubSide) -> None:
    hub.fault("stuck")
    job = studio.generate("a boat in the ice", duration=3)
    until(lambda: job.state == "processing")
    studio.close()
    with pytest.raises(errors.KlingError, match=f"The studio was closed; job {job.id} is still running at the hub\\."):
        job.result(60)
    assert hub.asked(DELETE) == 0


SCRIPT = """
import sys, threading
from kling_nb.studio import Studio
studio = Studio(hub=sys.argv[1], key="test-key", log=sys.argv[2])
job = studio.generate("a paper boat", duration=3)
while not job.record.generation_id:
    job.wait(0.01)
"""


def script(hub: HubSide, log: Path, more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-c", SCRIPT + more, hub.url, str(log)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_interrupting_a_wait_leaves_the_job_running(hub: HubSide, tmp_path: Path) -> None:
    hub.fault("stuck")
    waits = """
try:
    print("WAITING", flush=True)
    job.result()
except KeyboardInterrupt:
    print("INTERRUPTED", job.done, flush=True)
"""
    with script(hub, tmp_path / "log", waits) as child:
        assert child.stdout.readline() == "WAITING\n"
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    assert (out, child.returncode) == ("INTERRUPTED False\n", 0)
    assert "1 job is unfinished" in err
    assert (hub.asked(DELETE), hub.stats()["jobs"].get("processing", 0) > 0) == (0, True)


@pytest.mark.parametrize("fault", ["stuck", "failed"])
def test_a_script_that_ends_with_a_running_job_ends_quickly_and_says_so(
    hub: HubSide, tmp_path: Path, fault: str
) -> None:
    hub.fault(fault)
    with script(hub, tmp_path / "log", "print('END', flush=True)") as child:
        assert child.stdout.readline() == "END\n"
        _, err = child.communicate(timeout=19)  # a wait would take twenty
    line = f"kling_nb: 1 job is unfinished; kn.resume() continues it ({tmp_path / 'log'}).\n"
    assert err in ((line,) if fault == "stuck" else ("", line))  # it may have failed by then
    assert child.returncode == 0


def test_a_script_that_ends_in_the_middle_of_a_download_ends_quickly_and_says_so(hub: HubSide, tmp_path: Path) -> None:
    hub.fault("slow_download", bytes_per_second=1000)
    waits = """
while job.state != "downloading":
    job.wait(0.01)
print("END", flush=True)
"""
    with script(hub, tmp_path / "log", waits) as child:
        assert child.stdout.readline() == "END\n"
        _, err = child.communicate(timeout=19)  # a wait would take twenty
    assert (err.count("\n"), "1 job is unfinished" in err, child.returncode) == (1, True, 0)


def test_a_script_that_ends_during_a_price_request_prints_no_error(hub: HubSide, tmp_path: Path) -> None:
    ends = """
import sys, kling_nb as kn
for number in range(10):
    studio = kn.Studio(hub=sys.argv[1], key="test-key", log=sys.argv[2])
    studio.panel({"prompt": "a boat"})  # requests the price in the background
    studio.close()
"""
    command = [sys.executable, "-c", ends, hub.url, str(tmp_path / "log")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    where = [line for line in ran.stderr.splitlines() if "are shown in JupyterLab" in line]  # a script shows no panel
    assert (ran.stdout, len(where)) == ("", len(ran.stderr.splitlines()))


@pytest.mark.skipif(sys.platform == "win32", reason="needs os.fork")
def test_a_forked_process_can_use_the_same_studio(hub: HubSide, tmp_path: Path) -> None:
    hub.fault("stuck", times=1)
    hub.fault("failed")
    forks = """
import os
from kling_nb import errors as studio_errors
pid = os.fork()
if pid == 0:
    told = True
    for ask in (job.wait, job.cancel, lambda: list(job)):
        try:
            ask()
            told = False
        except studio_errors.KlingError as exc:
            told &= "belongs to another process" in str(exc)
    child = studio.generate("a child's boat", duration=3)
    os._exit(0 if child.wait(60) and child.state == "failed" and told else 1)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
again = studio.generate("the parent's boat", duration=3)
again.wait(60)
print(job.done, again.state, flush=True)
"""
    with script(hub, tmp_path / "log", forks) as child:
        out, err = child.communicate(timeout=60)
    assert out == "0\nFalse failed\n"
    assert err.count("\n") == 1  # about the job of the parent only
    assert "1 job is unfinished" in err
    assert hub.posts == 3


def test_only_jobs_can_be_gathered_from_any_nesting(studio: Studio, hub: HubSide) -> None:
    hub.fault("failed", message="No such luck.")
    one, two = (studio.generate(prompt, duration=3) for prompt in ("a boat", "two boats"))
    assert studio.gather(one, [two, (one,)], iter(())) == (one, two)
    assert studio.gather([studio.gather(one, two)]) == (one, two)
    for wrong in (None, one.id, [one.record], {"a": one}, 5):
        with pytest.raises(errors.KlingError, match=r"Expected a Job"):
            studio.gather(wrong)
