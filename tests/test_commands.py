"""`python -m kling_nb`: what a log holds, what it cost, its export, and clips downloaded without a notebook."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hubside import HubSide, until
from support.records import make_record, priced

from kling_nb.__main__ import main
from kling_nb.store import Log
from kling_nb.studio import Studio


@pytest.fixture
def log(tmp_path: Path) -> Log:
    log = Log(tmp_path / "log")
    log.save(make_record(0, prompt="a red kite", status="failed"))
    log.save(make_record(1, prompt="a paper boat", status="succeeded", local=False, estimate=priced("1.12")))
    return log


def run(log: Log, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--log", str(log.folder), *arguments])


def test_the_log_is_listed_and_searched(log: Log) -> None:
    whole = run(log, "log")
    assert (whole.exit_code, "job00000" in whole.output, "job00001" in whole.output) == (0, True, True)
    found = run(log, "log", "boat", "--status", "succeeded").output
    assert ("job00001" in found, "job00000" in found) == (True, False)
    lines = run(log, "log", "--json", "--limit", "1").output.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["job00001"]


def test_spending_is_shown_with_the_budgets(log: Log) -> None:
    log.budget.change(lambda limits: limits.changed(total="20"))
    said = run(log, "spending", "--by", "model")
    assert (said.exit_code, "$1.12" in said.output, "$20.00" in said.output) == (0, True, True)


def test_an_export_has_the_records_that_were_asked_for(log: Log, tmp_path: Path) -> None:
    said = run(log, "export", str(tmp_path / "boats.jsonl"), "boat")
    lines = (tmp_path / "boats.jsonl").read_text("utf-8").splitlines()
    assert (said.exit_code, len(lines)) == (0, 1)


def test_a_clip_is_brought_in_and_nothing_is_sent(
    studio_at: Callable[..., Studio], hub: HubSide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OXEN_API_KEY", "test-key")
    monkeypatch.setenv("KLING_NB_HUB", hub.url)
    kernel = studio_at(hub)
    job = kernel.generate("a boat", duration=3)
    until(lambda: job.record.generation_id)
    kernel.store.save(make_record(7, hub=hub.url, local=False))
    kernel.close()
    said = run(kernel.store, "resume")
    assert (said.exit_code, hub.posts) == (0, 1)
    assert kernel.store.get(job.id).status == "succeeded"
    assert kernel.store.get("job00007").status == "prepared"
    assert "not sent" in said.output


def test_an_error_is_one_line_and_begins_no_log(tmp_path: Path) -> None:
    missing = Log(tmp_path / "none")
    said = run(missing, "log")
    assert (said.exit_code, missing.folder.exists()) == (1, False)
    assert said.output.startswith("Error:") and "Traceback" not in said.output
    assert run(missing, "log", "--stars", "9").exit_code == 2
