"""Kernels begin, end and are killed; the jobs and the local hub outlive them."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest
from hubside import HubSide

from kernels.kernelside import NEWEST, Place
from kling_nb.localhub import serve

# How a process ends has nothing to do with the line of its kernel.
pytestmark = [pytest.mark.kernel, pytest.mark.parametrize("line", [NEWEST], indirect=True)]
GENERATE = "job = kn.generate('A red kite over the sea', duration=3)\njob"


def test_a_new_kernel_brings_in_the_job_of_one_that_was_killed(start, hub: HubSide) -> None:
    hub.fault("interrupted_download")  # the clip must not come before the kernel has ended
    first = start()
    first.run(GENERATE)
    first.hear(lambda: {"queued", "processing", "downloading"} & set(first.states()))
    first.kill()
    hub.clear()

    second = start()
    second.run("jobs = kn.resume()\njobs")  # before it ends, the clip may be there
    second.hear(lambda: [html for html in second.shown() if "<video" in html])
    assert second.run("print(len(jobs), jobs.result()[0].path.exists(), len(kn.log()))").text.split() == [
        "1",
        "True",
        "1",
    ]
    assert hub.enqueued == 1


def test_a_kernel_with_a_running_job_ends_when_asked_to(start, hub: HubSide, tmp_path: Path) -> None:
    hub.fault("stuck", times=1)
    kernel = start(IPYTHONDIR=str(tmp_path / "ipython"))  # without the settings with which our kernels end at once
    kernel.run(GENERATE)
    kernel.hear(lambda: {"queued", "processing"} & set(kernel.states()))

    kernel.shut_down()  # fails if it waits for the job, which does not end


def test_two_kernels_that_begin_at_once_share_one_local_hub(start, tmp_path: Path) -> None:
    elsewhere = Place(tmp_path / "elsewhere")
    kernels = [start(elsewhere), start(elsewhere)]
    try:
        cells = [kernel.send("print(kn.hub().base_url)") for kernel in kernels]
        said = {kernel.ended(cell).text for kernel, cell in zip(kernels, cells, strict=True)}

        assert len(said) == 1
        served = [process.pid for process in psutil.process_iter(["cmdline"]) if _serves(process, elsewhere.state)]
        assert served == [json.loads((elsewhere.state / "hub.json").read_text())["pid"]]
    finally:
        serve.stop(elsewhere.state)


def _serves(process: psutil.Process, folder: Path) -> bool:
    line = process.info["cmdline"] or []
    return "kling_nb.localhub" in line and str(folder) in line
