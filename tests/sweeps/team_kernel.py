"""A kernel of a team: `python team_kernel.py HUB FOLDER MEDIA PERSON CELLS` runs a plan, and prints how many it began.

The database is in `KLING_NB_DATABASE`. Its lease ends after two seconds instead of a minute.
"""

from __future__ import annotations

import os
import sys

from kling_nb import connection
from kling_nb.engine.pace import LOCAL_PACE
from kling_nb.store.team import lease
from kling_nb.studio import Studio

lease.BEAT, lease.LEASE = 0.3, 2.0


def main(hub: str, folder: str, media: str, person: str, cells: str) -> None:
    """Run the plan when a line comes, and wait for its end."""
    connection.HUB_PACE = LOCAL_PACE
    os.environ.update({"KLING_NB_MEDIA": media, "KLING_NB_USER": person})
    studio = Studio(hub=hub, key="test-key", log=folder)
    plan = studio.sweep(prompt=[f"boat {number} of {media}" for number in range(int(cells))], duration=3)
    studio.store.holder()
    print("READY", flush=True)
    sys.stdin.readline()
    run = plan.run(limit=8)
    run.wait(300)
    print(sum(status.started for status in run.statuses), flush=True)
    studio.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
