"""Two people in one notebook, on a server with jupyter-collaboration."""

from __future__ import annotations

from pathlib import Path

import pytest
from hubside import HubSide
from playwright.sync_api import expect

from hosts.extension import FRONT, JOB, errors_of, is_seen_played_and_carried, ours, python_of, started
from kling_nb.store import Log

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def test_two_people_see_one_job_that_is_sent_and_recorded_once(
    environment: dict[str, str], hub_of_lab: HubSide, tmp_path: Path
) -> None:
    expect.set_options(timeout=60_000)
    with started(tmp_path, environment, python=python_of("collaboration")) as lab:
        said = errors_of(lab.page)
        first = lab.notebook(JOB + "\njob", "kn.panel()", name="shared/notebook.ipynb")
        page = lab.new_page()
        said_there = errors_of(page)
        lab.open(first.path, page=page)

        lab.page.bring_to_front()
        first.run(0)
        first.run(1)
        cells = lab.page.locator(f"{FRONT} .jp-Cell")
        expect(cells.nth(0).locator("video")).to_have_count(1)
        expect(cells.nth(1).locator(".kn-main-prompt textarea")).to_be_visible()
        there = page.locator(f"{FRONT} .jp-Cell")
        page.bring_to_front()
        expect(there.nth(0)).to_contain_text("A paper boat")
        log = Log(tmp_path / "root" / "shared" / "kling_log", as_it_is=True)
        assert (hub_of_lab.enqueued, log.count()) == (1, 1)

        lab.page.bring_to_front()
        lab.page.evaluate("() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
        is_seen_played_and_carried(first)
        expect(there).to_have_count(3)
        assert (hub_of_lab.enqueued, ours(said), ours(said_there)) == (2, [], [])
        log.close()
