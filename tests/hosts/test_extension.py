"""The extension in JupyterLab and Notebook 7, of today and of 2024, and below a prefix, as a person uses it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hubside import HubSide
from playwright.sync_api import expect

from hosts.extension import (
    FRONT,
    JOB,
    LEFT,
    errors_of,
    is_seen_played_and_carried,
    is_shown_in_the_gallery,
    ours,
    python_of,
    shows_its_clip_after_its_kernel,
    sidebar,
    started,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
RESUME = "import kling_nb as kn\nkn.resume()"


@pytest.fixture(scope="module", autouse=True)
def _patient() -> None:
    expect.set_options(timeout=60_000)


@pytest.mark.parametrize("host", ["", "lab43"], ids=["now", "Lab 4.3"])
def test_in_lab(host: str, environment: dict[str, str], tmp_path: Path) -> None:
    with started(tmp_path, environment, python=python_of(host) if host else sys.executable) as lab:
        said = errors_of(lab.page)
        notebook = lab.notebook(JOB)
        is_seen_played_and_carried(notebook)
        is_shown_in_the_gallery(lab.page, "A paper boat")
        waiting = lab.notebook(LEFT, name="left/waiting.ipynb")
        other = lab.notebook(RESUME, name="left/other.ipynb", page=lab.new_page())
        shows_its_clip_after_its_kernel(waiting, other)
        assert ours(said) == []


@pytest.mark.parametrize("host", ["", "lab43"], ids=["now", "7.3"])
def test_in_notebook_7_with_eight_tabs_at_once(host: str, environment: dict[str, str], tmp_path: Path) -> None:
    with started(tmp_path, environment, python=python_of(host) if host else sys.executable) as lab:
        first = lab.seven(JOB, page=lab.page)
        said = errors_of(lab.page)
        is_seen_played_and_carried(first)
        is_shown_in_the_gallery(lab.page, "A paper boat")
        waiting = lab.seven(LEFT, page=lab.page, name="left/waiting.ipynb")
        other = lab.seven(RESUME, page=lab.new_page(), name="left/other.ipynb")
        shows_its_clip_after_its_kernel(waiting, other)
        other.page.close()
        pages = [lab.new_page() for _ in range(7)]
        for page in pages:
            lab.seven("1 + 1", page=page)
            expect(sidebar(page).locator(".knl-clip", has_text="A paper boat").first).to_be_visible()
        assert ours(said) == []


def test_below_a_prefix(environment: dict[str, str], tmp_path: Path) -> None:
    with started(tmp_path, environment, base="/user/ann") as lab:
        is_seen_played_and_carried(lab.notebook(JOB))


def test_without_the_server_half_it_hides(environment: dict[str, str], tmp_path: Path) -> None:
    with started(tmp_path, environment | {"JUPYTER_CONFIG_DIR": str(tmp_path / "none")}) as lab:
        said = errors_of(lab.page)
        lab.notebook("1 + 1").run()
        expect(lab.page.locator("#kling_nb")).to_have_count(0)
        commands = lab.page.evaluate("() => window.jupyterapp.commands.listCommands()")
        assert [name for name in commands if name.startswith("kling_nb")] == []
        assert ours(said) == []


def test_a_job_that_another_notebook_runs_is_followed_to_its_end(
    environment: dict[str, str], tmp_path: Path, hub_of_lab: HubSide
) -> None:
    with started(tmp_path, environment) as lab:
        hub_of_lab.fault("stuck", times=1)
        first = lab.notebook(JOB + "\njob", "job.cancel()", name="one/first.ipynb")
        first.run(0)
        page = lab.new_page()
        second = lab.notebook("import kling_nb as kn\njobs = kn.resume()\njobs", name="one/second.ipynb", page=page)
        second.run(0)
        shown = page.locator(f"{FRONT} .jp-Cell").first
        expect(shown.locator(".kn-jobs-view")).to_contain_text("A paper boat")
        first.page.bring_to_front()
        first.run(1)
        page.bring_to_front()
        expect(shown).to_contain_text("Cancelled")
        assert hub_of_lab.enqueued == 1
