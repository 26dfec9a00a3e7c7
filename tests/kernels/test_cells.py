"""Cells of a real kernel: progress is seen while they run and while none does, waits can be interrupted.

In one file, so that all share a kernel of each line.
"""

from __future__ import annotations

import time
from pathlib import Path

import nbformat
import pytest
from hubside import DELETE, HubSide, until

from kernels.kernelside import Kernel

pytestmark = pytest.mark.kernel
GENERATE = "job = kn.generate('A red kite over the sea', duration=3)\njob"
ON_ITS_WAY = {"queued", "processing"}
MOVING = {"processing", "downloading"}


@pytest.mark.parametrize("busy", ["time.sleep(0.01)", "sum(range(10_000))"], ids=["asleep", "computing"])
def test_progress_arrives_while_a_cell_is_busy(kernel: Kernel, hub: HubSide, busy: str) -> None:
    hub.fault("slow_download", times=1, bytes_per_second=15_000)  # a quick job may be asked about only when it is over
    shown = kernel.run(GENERATE)

    cell = kernel.run(
        f"import time\nend = time.monotonic() + 30\nwhile not job.done and time.monotonic() < end: {busy}"
    )

    seen = kernel.states(since=shown.over_at or 0, before=cell.over_at or 0)
    assert MOVING & set(seen)


def test_progress_arrives_while_no_cell_runs_and_becomes_the_card(kernel: Kernel, hub: HubSide) -> None:
    hub.fault("slow_download", times=1, bytes_per_second=15_000)
    began = kernel.run(GENERATE).over_at or 0

    cards = kernel.hear(lambda: kernel.cards(began))

    assert MOVING & set(kernel.states(began))
    assert "<video" in cards[-1]


WAYS = {
    "sleeping": "import time\nend = time.monotonic() + PATIENCE\n"
    "while not job.done and time.monotonic() < end: time.sleep(0.01)\nprint(job.done)",
    "waiting": "from kling_nb.errors import JobCancelled\ntry: print(job.wait(PATIENCE))\n"
    "except JobCancelled: print(True)",
}


@pytest.mark.parametrize("busy", WAYS)
def test_a_click_on_cancel_is_handled_immediately_or_after_the_cell(kernel: Kernel, hub: HubSide, busy: str) -> None:
    hub.fault("stuck", times=1)
    began = time.monotonic()
    kernel.run(GENERATE)
    kernel.hear(lambda: ON_ITS_WAY & set(kernel.states(began)))
    job = kernel.run("print(job.id)").text.strip()

    # ipykernel 6 has one shell, and handles the click after the cell: jupyter.md section 4
    single = kernel.line.startswith("6")
    cell = kernel.send(WAYS[busy].replace("PATIENCE", "1.5" if single else "30"))
    kernel.hear(lambda: any(m.kind == "execute_input" for m in cell.heard))
    kernel.clicked({"kind": "cancel", "job": job})
    during = kernel.ended(cell).text.strip()

    assert during == ("False" if single else "True")
    kernel.hear(lambda: "cancelled" in kernel.states(began))
    until(lambda: hub.asked(DELETE) == 1)


WAITS = ["job.result()", "await job"]


@pytest.mark.parametrize("wait", WAITS)
def test_a_wait_gives_the_clip(kernel: Kernel, wait: str) -> None:
    cell = kernel.run(f"{GENERATE}\nclip = {wait}\nprint(clip.path.exists(), clip.record.status)")

    assert cell.text.split() == ["True", "succeeded"]


@pytest.mark.parametrize("wait", WAITS)
def test_an_interrupt_ends_the_wait_and_the_job_continues(kernel: Kernel, hub: HubSide, wait: str) -> None:
    hub.fault("stuck", times=1)
    began = time.monotonic()
    kernel.run(GENERATE)
    cell = kernel.send(f"print('waiting')\n{wait}")
    kernel.hear(lambda: cell.text and set(kernel.states(began)) & {"queued", "processing"})

    kernel.interrupt()
    kernel.ended(cell)  # nothing else would end this wait

    assert cell.error in ("KeyboardInterrupt", "CancelledError"), cell.traceback
    assert (kernel.run("print(job.done)").text.strip(), hub.asked(DELETE)) == ("False", 0)
    assert kernel.run("job.cancel().result(60)\njob.wait(60)\nprint(job.state)").text.strip() == "cancelled"


def test_asyncio_run_works_in_a_cell_once_nested_loops_are_allowed(start) -> None:
    kernel = start()
    before = kernel.ended(
        kernel.send("import asyncio\nasync def clip(): return await job\nasyncio.run(asyncio.sleep(0))")
    )
    assert before.error == "RuntimeError"

    cell = kernel.run(f"kn.allow_nested_loops()\n{GENERATE}\nprint(asyncio.run(clip()).path.exists())")

    assert cell.text.strip() == "True"
    assert kernel.run("print((await kn.preview('A red kite', duration=3)).path.exists())").text.strip() == "True"


def test_a_kernel_knows_the_id_of_the_cell_that_runs_where_the_frontend_tells_it(kernel: Kernel) -> None:
    ask = "from kling_nb.notebook.location import cell_id; print(repr(cell_id()))"
    told = ("2f1c0a9e-3b-_Z", "", "vscode-notebook-cell:/home/a.ipynb#W0sZmlsZQ==")
    assert [kernel.run(ask, cell_id=cell).text.strip() for cell in told] == ["'2f1c0a9e-3b-_Z'", "''", "''"]


def test_an_id_that_is_new_at_each_opening_is_not_used(kernel: Kernel, tmp_path: Path) -> None:
    said = list[str]()
    for minor in (4, 5):
        notebook = tmp_path / f"of-4-{minor}.ipynb"
        nbformat.write(nbformat.v4.new_notebook(nbformat_minor=minor), notebook)
        ask = f"""import os
from kling_nb.notebook.location import cell_id
os.environ["JPY_SESSION_NAME"] = {str(notebook)!r}
print(repr(cell_id()))
del os.environ["JPY_SESSION_NAME"]"""
        said.append(kernel.run(ask, cell_id="2f1c0a9e").text.strip())
    assert said == ["''", "'2f1c0a9e'"]
