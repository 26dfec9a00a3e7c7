"""A kernel of a team: `python team_kernel.py HUB FOLDER MEDIA PERSON CELLS LEASE` runs a plan; prints what it began.

With `PATIENCE LOST STEP SKIP` it kills itself at a step of `kill_steps`, after so many times at which it goes on.
The database is in `KLING_NB_DATABASE`. What it logs, and where it hangs, is in `FOLDER.log`.
"""

from __future__ import annotations

import faulthandler
import importlib
import os
import sys
from dataclasses import replace
from pathlib import Path

from kling_nb import connection
from kling_nb.engine.pace import LOCAL_PACE
from kling_nb.store.team import lease
from kling_nb.studio import Studio


def main(
    hub: str,
    folder: str,
    media: str,
    person: str,
    cells: str,
    seconds: str,
    patience: str = "360",
    lost: str = "600",
    *kill: str,
) -> None:
    """Run the plan when a line comes, and wait for its end."""
    with Path(f"{folder}.log").open("wb") as log:
        os.dup2(log.fileno(), 2)
    # As at the real hub, a job whose answer was lost is not given up immediately: its kernel may only be asleep.
    connection.HUB_PACE = replace(LOCAL_PACE, lost=float(lost))
    lease.BEAT, lease.LEASE = 0.3, float(seconds)
    os.environ.update({"KLING_NB_MEDIA": media, "KLING_NB_USER": person})
    studio = Studio(hub=hub, key="test-key", log=folder)
    plan = studio.sweep(prompt=[f"boat {number} of {media}" for number in range(int(cells))], duration=3)
    studio.store.holder()
    print("READY", flush=True)
    sys.stdin.readline()
    if kill:
        sys.path.insert(0, str(Path(__file__).parents[1]))
        importlib.import_module("kill_steps").arm(kill[0], int(kill[1]))
    faulthandler.dump_traceback_later(float(patience) + 30, exit=True)
    run = plan.run(limit=4)
    over = run.wait(float(patience))
    for status in run.statuses:
        if status.state not in ("existing", "done"):
            print(status, file=sys.stderr)
    print(sum(status.started for status in run.statuses), flush=True)
    studio.close()
    sys.exit(0 if over else "The plan has not ended.")


if __name__ == "__main__":
    main(*sys.argv[1:])
