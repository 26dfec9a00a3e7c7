"""Kernels of a team on one plan: every cell is paid once, also if one is killed or asleep in the middle."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hubside import HubSide, until
from nursery import Kernel
from support import postgres

from kling_nb.store.team import TeamLog
from kling_nb.store.team import lease as leases

KERNEL = Path(__file__).with_name("team_kernel.py")
#: 120 of them are in `make kills`.
CELLS, LEASE = 20, 3.0
NAMES = ("ann", "bob", "cat")

pytestmark = pytest.mark.skipif(
    os.environ.get("KLING_NB_NO_TEAM") == "1", reason="A team's log is not tested: KLING_NB_NO_TEAM=1."
)


def seldom(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true, and leave the processor to the kernels meanwhile."""
    until(lambda: condition() or time.sleep(0.2), 240)


@pytest.mark.timeout(900)
def test_each_cell_is_paid_once_though_one_kernel_is_killed_and_one_sleeps_past_its_lease(
    hub: HubSide, server: postgres.Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, media = server.schema(), f"file://{tmp_path}/bucket"
    monkeypatch.setenv("KLING_NB_DATABASE", url)
    monkeypatch.setattr(leases, "LEASE", LEASE)
    log = TeamLog(tmp_path / "test", url, media, "test")
    kernels = [Kernel(KERNEL, hub.url, tmp_path / name, media, name, CELLS, LEASE) for name in NAMES]
    killed, asleep, last = kernels
    assert [kernel.stdout.readline() for kernel in kernels] == ["READY\n"] * 3
    for kernel in kernels:
        kernel.stdin.write("\n")
        kernel.stdin.flush()
    seldom(lambda: all(log.count(status="succeeded", by=name) >= 1 for name in NAMES))
    killed.kill()
    killed.wait()
    seldom(lambda: log.count(status="succeeded") >= 10)
    os.kill(asleep._process.pid or 0, signal.SIGSTOP)
    seldom(lambda: "bob" not in [person for person, *_ in log.team().members])
    os.kill(asleep._process.pid or 0, signal.SIGCONT)
    for kernel, name in ((asleep, "bob"), (last, "cat")):
        assert kernel.wait(400) == 0, (tmp_path / f"{name}.log").read_text()
    for name in NAMES[:2]:  # what a killed kernel had not sent goes out from its folder
        with contextlib.closing(TeamLog(tmp_path / name, url, media, name)) as own:
            assert own.sync()[0].problems == []
    records = log.find()
    done = [record for record in records if record.status == "succeeded"]
    lost = [record for record in records if record.status == "uncertain"]  # killed between the record and the POST
    made = Counter(record.cell for record in records if record.status not in ("failed", "cancelled", "prepared"))
    assert set(made.values()) == {1}
    states = Counter(record.status for record in records)
    assert len(made) == len(done) + len(lost) == CELLS, states
    assert hub.posts == len(done) >= CELLS - 8
    assert {record.by for record in done} == set(NAMES)
    assert log.sync()[0].problems == []
    assert log.verify() == []
    log.close()
