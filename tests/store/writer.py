"""A process that writes to a log until it is done or killed: `python writer.py FOLDER NAME TURNS [DATABASE BUCKET]`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from kling_nb.store import Log
from kling_nb.store.team import TeamLog

sys.path.insert(0, str(Path(__file__).parents[1]))
make_record = importlib.import_module("support.records").make_record


def main(folder: str, name: str, turns: int, *team: str) -> None:
    """Save own records, annotate the shared one, add media and search, again and again."""
    log = TeamLog(folder, *team, name) if team else Log(folder)
    for turn in range(turns):
        saved = log.save(make_record(turn, id=f"{name}-{turn:05}", prompt=f"{name} turn {turn}"))
        log.annotate(saved.id, note=f"seen by {name}", stars=turn % 5 + 1)
        log.annotate("shared", note=f"{name} {turn}")
        log.claim(saved.model_copy(update={"generation_id": f"wanted-by-all-{turn}"}))
        log.add_media(f"shared media {turn}".encode(), ".bin")
        assert log.find(text=f"{name} turn", limit=3)
        print(turn, flush=True)
    log.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
