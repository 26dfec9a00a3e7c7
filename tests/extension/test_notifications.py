"""The news of several logs: one that cannot be read delays no other."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from support.records import make_record

from kling_nb.lab.notifications import Notifications
from kling_nb.lab.queries import Queries
from kling_nb.store import Log

OWN, TEAM = "one/kling_log", "team/kling_log"


class Server:
    """The parts of a server that `Notifications` uses: the logs, and the notebooks that are open."""

    def __init__(self, root: Path) -> None:
        self.queries = Queries(root)

    async def notebooks(self) -> list[str]:
        return ["one/a.ipynb", "team/b.ipynb"]


async def test_a_teams_database_that_never_answers_delays_the_news_of_no_other_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mute = socket.create_server(("127.0.0.1", 0))  # it accepts connections and never answers
    database, media = f"postgresql://127.0.0.1:{mute.getsockname()[1]}/team", f"file://{tmp_path}/bucket"
    cache = tmp_path / TEAM
    (cache / "records").mkdir(parents=True)
    (cache / "team.json").write_text(json.dumps({"database": database, "media": media}))
    monkeypatch.setenv("KLING_NB_DATABASE", database)
    monkeypatch.setenv("KLING_NB_MEDIA", media)
    monkeypatch.chdir(tmp_path)
    log = Log(tmp_path / OWN)
    running = log.save(make_record(1, status="queued", generation_id="g1"))
    server = Server(tmp_path)
    news: Any = Notifications(server)  # pyright: ignore[reportArgumentType] -- the two parts that it uses
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    news.add(heard.put_nowait)

    async def next_logs() -> dict[str, Any]:
        while (one := await asyncio.wait_for(heard.get(), 60))["kind"] != "logs":
            pass
        return {each["name"]: each for each in one["logs"]}

    told = [await next_logs()]
    log.save(running.model_copy(update={"status": "failed"}))
    told.append(await next_logs())
    news.remove(heard.put_nowait)
    mute.close()  # which also ends the attempt to connect

    assert [[(name, len(each["jobs"])) for name, each in logs.items()] for logs in told] == [[(OWN, 1)], [(OWN, 0)]]
    log.close()
    server.queries.logs.close()
