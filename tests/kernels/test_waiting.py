"""Waiting for a job in a cell, blocking and awaiting; an interrupt ends the wait and leaves the job."""

from __future__ import annotations

import time

import pytest
from hubside import DELETE, HubSide

from kernels.kernelside import Kernel

pytestmark = pytest.mark.kernel
GENERATE = "job = kn.generate('A red kite over the sea', duration=3)"
WAITS = ["job.result()", "await job"]


@pytest.mark.parametrize("wait", WAITS)
def test_a_wait_gives_the_clip(kernel: Kernel, wait: str) -> None:
    cell = kernel.run(f"{GENERATE}\nclip = {wait}\nprint(clip.path.exists(), clip.record.status)")

    assert cell.text.split() == ["True", "succeeded"]


@pytest.mark.parametrize("wait", WAITS)
def test_an_interrupt_ends_the_wait_and_the_job_goes_on(kernel: Kernel, hub: HubSide, wait: str) -> None:
    hub.fault("stuck", times=1)
    began = time.monotonic()
    kernel.run(f"{GENERATE}\njob")
    cell = kernel.send(f"print('waiting')\n{wait}")
    kernel.hear(lambda: cell.text and set(kernel.states(began)) & {"queued", "processing"})

    kernel.interrupt()
    kernel.ended(cell)  # nothing else would end this wait

    assert cell.error in ("KeyboardInterrupt", "CancelledError"), cell.traceback
    assert (kernel.run("print(job.done)").text.strip(), hub.asked(DELETE)) == ("False", 0)
    assert kernel.run("job.cancel().result(30)\njob.wait(30)\nprint(job.state)").text.strip() == "cancelled"


def test_asyncio_run_works_in_a_cell_once_nested_loops_are_allowed(start) -> None:
    kernel = start()
    before = kernel.ended(
        kernel.send("import asyncio\nasync def clip(): return await job\nasyncio.run(asyncio.sleep(0))")
    )
    assert before.error == "RuntimeError"

    cell = kernel.run(f"kn.allow_nested_loops()\n{GENERATE}\nprint(asyncio.run(clip()).path.exists())")

    assert cell.text.strip() == "True"
    assert kernel.run("print((await kn.preview('A red kite', duration=3)).path.exists())").text.strip() == "True"
