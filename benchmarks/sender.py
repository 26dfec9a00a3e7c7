"""One of several senders at one limit: `python -m benchmarks.sender FOLDER NAME COUNT [MEDIA]`, for `team.py`.

Saves its records and prints `ready`; after a line on standard input it sends them, and prints how many the limit let
through. The database of a team is in `KLING_NB_DATABASE`; without MEDIA the log is a folder's.
"""

from __future__ import annotations

import os
import sys

from benchmarks.logbook import record_of
from kling_nb.errors import BudgetError
from kling_nb.models.price import Estimate
from kling_nb.store.log import Log


def main(folder: str, name: str, count: str, media: str = "") -> None:
    """Send so many records."""
    log = _team(folder, media, name) if media else Log(folder)
    priced = Estimate(each="0.10", total="0.10", seconds=5, generations=1, rate="0.02", source="live")  # type: ignore[arg-type]
    given = {"estimate": priced, "status": "prepared", "holder": log.holder(), "by": name}
    records = [
        log.save(record_of(number).model_copy(update={**given, "id": f"{name}-{number}"}))
        for number in range(int(count))
    ]
    print("ready", flush=True)
    sys.stdin.readline()
    sent = 0
    for record in records:
        try:
            sent += log.spend([record.model_copy(update={"status": "submitting"})]) != [None]
        except BudgetError:
            continue
    print(sent, flush=True)
    log.close()


def _team(folder: str, media: str, name: str) -> Log:
    from kling_nb.store.team import TeamLog

    return TeamLog(folder, os.environ["KLING_NB_DATABASE"], media, name)


if __name__ == "__main__":
    main(*sys.argv[1:])
