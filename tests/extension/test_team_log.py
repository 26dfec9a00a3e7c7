"""A team's log in the sidebar: its records are in the team's database, and the folder is a cache."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import postgres
from support.records import make_record

from extension.conftest import with_clip
from kling_nb.lab.downloads import Downloads
from kling_nb.lab.queries import Queries
from kling_nb.models.record import Record
from kling_nb.store.team import TeamLog

pytestmark = pytest.mark.skipif(
    bool(postgres.UNAVAILABLE) or os.environ.get("KLING_NB_NO_TEAM") == "1",
    reason=postgres.UNAVAILABLE or "A team's log is not tested: KLING_NB_NO_TEAM=1.",
)
NOTEBOOKS = ["one/a.ipynb"]
NAME = "one/kling_log"


@pytest.fixture(scope="module")
def database() -> Iterator[postgres.Postgres]:
    server = postgres.Postgres()
    yield server
    server.close()


@pytest.fixture
def addresses(database: postgres.Postgres, tmp_path: Path) -> dict[str, str]:
    return {"KLING_NB_DATABASE": database.schema(), "KLING_NB_MEDIA": f"file://{tmp_path}/bucket"}


@pytest.fixture
def clip(addresses: dict[str, str], tmp_path: Path, movie: bytes) -> Record:
    """Ann has made a clip at her machine, and Bob waits for one; nothing of it is in this machine's cache."""
    made: list[Record] = []
    for person, number in (("ann", 1), ("bob", 2)):
        log = TeamLog(tmp_path / person, *addresses.values(), person)
        log.holder()
        if person == "ann":
            made.append(with_clip(log, movie, number, by="ann", notebook="a.ipynb"))
        else:
            log.save(make_record(number, by="bob", status="processing", generation_id="g2", local=False))
        assert log.sync()[0].problems == []
        log.close()
    here = TeamLog(tmp_path / "root" / "one" / "kling_log", *addresses.values(), "eve")
    here.holder()  # a kernel of this machine has used it
    here.close()
    return made[0]


@pytest.fixture
def queries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queries]:
    monkeypatch.chdir(tmp_path)
    queries = Queries(tmp_path / "root")
    yield queries
    queries.logs.close()


def shown(queries: Queries) -> dict[str, Any]:
    (overview,) = queries.overview(NOTEBOOKS)
    return overview


def test_the_jobs_and_clips_of_colleagues_are_shown_with_their_names_and_fetched_to_be_played(
    queries: Queries, clip: Record, addresses: dict[str, str], movie: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in addresses.items():
        monkeypatch.setenv(name, value)
    overview = shown(queries)
    assert [(job["by"], job["status"]) for job in overview["jobs"]] == [("bob", "processing")]
    assert [(one["id"], one["by"]) for one in overview["clips"]] == [(clip.id, "ann")]
    assert (overview["name"], overview["team"], overview["error"]) == (NAME, True, "")
    assert overview["address"].startswith("postgresql://") and "s3cret" not in overview["address"]
    _, file = queries.media(overview["clips"][0]["media"], NAME)
    assert file.read_bytes() == movie
    log = queries.logs.log(queries.logs.folder(NAME))
    assert isinstance(log, TeamLog) and log.team().members == [], "a reader is not a kernel of the team"
    Downloads(queries.logs).look(NOTEBOOKS)
    assert log.get("job00002").status == "processing", "a team's kernels take over each other's jobs"


def test_the_addresses_may_be_in_a_file_beside_the_notebook(
    queries: Queries, clip: Record, addresses: dict[str, str], tmp_path: Path
) -> None:
    text = "".join(f"{name}={json.dumps(value)}\n" for name, value in addresses.items())
    (tmp_path / "root" / "one" / ".env").write_text(text)
    assert [one["id"] for one in shown(queries)["clips"]] == [clip.id]


def test_without_the_addresses_the_cache_shows_what_waits_in_it_and_what_to_set(
    queries: Queries, clip: Record, tmp_path: Path
) -> None:
    waiting = tmp_path / "root" / "one" / "kling_log" / "records" / "2026-11" / "job00009.json"
    waiting.parent.mkdir(parents=True)
    waiting.write_text(make_record(9, status="processing", generation_id="g9").model_dump_json())
    overview = shown(queries)
    assert ([job["id"] for job in overview["jobs"]], overview["clips"]) == (["job00009"], [])
    assert "KLING_NB_DATABASE" in overview["error"] and "s3cret" not in overview["error"]
