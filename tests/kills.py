"""`make kills`: kernels of a team are killed at every step of a send while they carry out one plan.

`python -m tests.kills [KILLS] [KERNELS] [SEED]`. Exits with 1 if something is lost, doubled, or does not add up. The
steps are those of `kill_steps`, in turn, and any instant.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import nursery
from hubside import HubSide
from kill_steps import STEPS
from support import postgres

from kling_nb.localhub import serve
from kling_nb.store.team import TeamLog, tables

KERNEL = Path(__file__).parent / "sweeps" / "team_kernel.py"
LEASE = 3.0
ANY, TOO_LATE = "any instant", "none: the plan had ended"
#: At any instant, a kernel is killed after at most so many changes in the log since it began, its own or others'; and
#: after `LATE` seconds if it has not come to its step.
CHANGES, LATE = 15, 20.0
#: So many cells for each kill, so that even the last kernels have new ones to begin.
CELLS = 4
#: How often, at most, a kernel goes on at its step before it dies there.
SKIPS = 2
#: Seconds after which a kernel no longer looks for a job whose answer was lost: one of those may be killed in between.
PATIENCE, LOST = 1800, 45
_OPEN = ("prepared", "submitting", "uncertain", "queued", "processing", "downloading")


class Round:
    """One plan, several kernels, and what was seen of those that were killed."""

    def __init__(self, folder: Path, hub: HubSide, url: str, kills: int, seed: int) -> None:
        self.folder, self.hub, self.url, self.media = folder, hub, url, f"file://{folder}/bucket"
        self.cells, self.left, self._dice = max(120, CELLS * kills), kills, random.Random(seed)  # noqa: S311 - no secret
        self.log = TeamLog(folder / "observer", url, self.media, "observer")
        self.seen, self.killed = Counter[str](), Counter[str]()
        self._number = seed * 7  # another seed begins with another step
        self._guard = threading.Lock()

    def kernel(self, name: str) -> None:
        """Start a kernel that is killed, again and again, and let the last one end by itself."""
        while True:
            with self._guard:
                last, self.left = self.left <= 0, self.left - 1
                step = [*STEPS, ANY][self._number % (len(STEPS) + 1)]
                self._number += 1
                skip, lives = self._dice.randrange(SKIPS), self._dice.randrange(CHANGES)
            kill = () if last or step == ANY else (step, skip)
            arguments = (self.hub.url, self.folder / name, self.media, name, self.cells, LEASE, PATIENCE, LOST, *kill)
            with nursery.Kernel(KERNEL, *arguments) as kernel:
                assert kernel.stdout.readline() == "READY\n", (self.folder / f"{name}.log").read_text()
                kernel.stdin.write("\n")
                kernel.stdin.flush()
                if last:
                    assert kernel.wait(PATIENCE) == 0, (self.folder / f"{name}.log").read_text()
                    return
                self.killed[self._killed(kernel, step, lives)] += 1
                held = Counter(record.status for record in self.log.find(by=name, status=_OPEN))
                with self._guard:
                    self.seen += held
                    if self.left % 10 == 0:
                        print(f"  {max(self.left, 0)} more, {sum(self.seen.values())} jobs hit", flush=True)

    def _killed(self, kernel: nursery.Kernel, step: str, changes: int) -> str:
        """Wait until a kernel has killed itself, or kill it after so many changes in the log; return where it died."""
        lives, deadline = self._changes() + changes, time.monotonic() + LATE
        while time.monotonic() < deadline and (step != ANY or self._changes() < lives):
            if (code := kernel.wait(0.05)) is not None:
                assert code in (0, -signal.SIGKILL), f"a kernel that should die {step} ended with {code}"
                return step if code else TOO_LATE
        kernel.kill()
        kernel.wait()
        return ANY

    def _changes(self) -> int:
        query = "SELECT coalesce(sum(revision), 0) FROM records"
        return int(self.log._database.run(lambda one: one.execute(query).fetchone()[0]))

    def findings(self, names: list[str]) -> list[str]:
        """Return what is wrong after the last kernel has ended."""
        found: list[str] = []
        for name in names:  # what a killed kernel had not sent goes out from its folder
            with closing(TeamLog(self.folder / name, self.url, self.media, name)) as own:
                found += own.sync()[0].problems
        records = self.log.find()
        made = Counter(record.cell for record in records if record.generation_id or record.status == "uncertain")
        tickets = Counter(record.generation_id for record in records if record.generation_id)
        states = Counter(record.status for record in records)
        found += [f"cell {cell} has {count} paid records" for cell, count in made.items() if count > 1]
        found += [f"generation {ticket} has {count} records" for ticket, count in tickets.items() if count > 1]
        if len(made) != self.cells:
            found.append(f"{self.cells - len(made)} cells have no record")
        # A request that was broken off with its kernel stays uncertain, and is not sent again.
        broken = self.hub.posts - self.hub.enqueued
        if not self.hub.enqueued == len(tickets) == states["succeeded"] or broken > states["uncertain"]:
            counts = f"{self.hub.posts} submits, {self.hub.enqueued} accepted, {len(tickets)} generations in the log"
            found.append(f"{counts}, {states['succeeded']} succeeded")
        with self.log._database.writing() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            stored = {(scope, name): amount for scope, name, amount in driver.execute("SELECT * FROM sums") if amount}
            driver.execute("DELETE FROM sums")
            driver.execute(tables.SUM_UP)
            counted = {(scope, name): amount for scope, name, amount in driver.execute("SELECT * FROM sums") if amount}
        found += [
            f"sum {key}: {stored.get(key)}, by the records {counted.get(key)}"
            for key in stored.keys() | counted.keys()
            if stored.get(key) != counted.get(key)
        ]
        found += map(str, self.log.verify())
        print(f"  the log in the end: {dict(states)}; the hub: {self.hub.posts} submits, {self.hub.enqueued} accepted")
        print(f"  open when their kernel was killed: {dict(self.seen)}")
        print("  kills by step:", *(f"{self.killed[step]:4} {step}" for step in (*STEPS, ANY, TOO_LATE)), sep="\n  ")
        return found


def main(kills: int = 100, kernels: int = 4, seed: int = 0) -> int:
    """Kill so many kernels, check the log after it, and return the exit status."""
    if postgres.UNAVAILABLE:
        print(postgres.UNAVAILABLE)
        return 1
    began, names = time.monotonic(), [f"k{number}" for number in range(kernels)]
    print(f"{kills} kills of {kernels} kernels at one plan of {max(120, CELLS * kills)} cells, seed {seed}", flush=True)
    serve._spawn = nursery.Hub
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kn-kills-")))
        os.environ |= {f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("CACHE", "CONFIG", "DATA", "STATE")}
        server = stack.enter_context(closing(postgres.Postgres()))
        os.environ["KLING_NB_DATABASE"] = url = server.schema()
        hub = stack.enter_context(closing(HubSide(folder / "hub", "--keep-alive", "0.5", speed=100)))
        round_ = Round(folder, hub, url, kills, seed)
        stack.callback(round_.log.close)
        round_.log.budget.change(lambda limits: limits.changed(total="1000000.00"))
        with ThreadPoolExecutor(kernels) as pool:
            for future in [pool.submit(round_.kernel, name) for name in names]:
                future.result()
        found = round_.findings(names)
    print(f"  {time.monotonic() - began:.0f} s; {len(found)} findings", *found, sep="\n  ")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
