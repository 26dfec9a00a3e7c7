"""Progress is seen while cells run and while none does; a click is felt as soon as the kernel can feel it."""

from __future__ import annotations

import time

import pytest
from hubside import HubSide, until

from kernels.kernelside import Kernel

pytestmark = pytest.mark.kernel
GENERATE = "job = kn.generate('A red kite over the sea', duration=3)\njob"
ON_ITS_WAY = {"queued", "processing"}
MOVING = {"processing", "downloading"}  # a quick job may be asked about only when it is over


@pytest.mark.parametrize("busy", ["time.sleep(0.01)", "sum(range(10_000))"], ids=["asleep", "computing"])
def test_progress_arrives_while_a_cell_is_busy(kernel: Kernel, busy: str) -> None:
    shown = kernel.run(GENERATE)

    cell = kernel.run(
        f"import time\nend = time.monotonic() + 30\nwhile not job.done and time.monotonic() < end: {busy}"
    )

    seen = kernel.states(since=shown.over_at or 0, before=cell.over_at or 0)
    assert MOVING & set(seen)


def test_progress_arrives_while_no_cell_runs_and_becomes_the_card(kernel: Kernel) -> None:
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
def test_a_click_on_cancel_is_handled_at_once_or_after_the_cell(kernel: Kernel, hub: HubSide, busy: str) -> None:
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
    until(lambda: hub.asked("DELETE /api/ai/queue/:generation_id") == 1)
