"""A notebook with a card in Voila, which loads the extension's browser side as JupyterLab does."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import pytest
from browser.screen import plays
from hubside import HubSide
from lab import chromium, free_port, lab_environment, serving
from playwright.sync_api import expect, sync_playwright

from hosts.extension import JOB, errors_of, ours

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.mark.parametrize("loaded", [True, False], ids=["with the extension", "without it"])
def test_a_card_is_shown_and_plays(
    loaded: bool, environment: dict[str, str], hub_of_lab: HubSide, tmp_path: Path
) -> None:
    expect.set_options(timeout=60_000)
    folder = tmp_path / "notebooks"
    folder.mkdir()
    cells = [nbformat.v4.new_code_cell(JOB + "\njob.result()\njob")]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "boat.ipynb")
    port = free_port()
    command = [
        *(sys.executable, "-m", "voila", str(folder), "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"),
        "--VoilaConfiguration.file_allowlist=.*\\.(png|jpg|gif|svg|mp4)",
        *([] if loaded else ["--VoilaConfiguration.extension_denylist=kling_nb"]),
    ]
    environment = {**environment, **lab_environment(tmp_path, base=environment)}
    with (
        serving(command, environment, tmp_path / "voila.log", "/voila/static/voila.js", port) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.set_default_timeout(60_000)
        said = errors_of(page)
        page.goto(f"{url}/voila/render/boat.ipynb", wait_until="commit")
        card = page.locator(".kling-card")
        expect(card).to_have_count(1)
        plays(card.locator("video"))
        assert page.evaluate("() => Boolean(window._JUPYTERLAB?.kling_nb)") is loaded
        assert (ours(said), hub_of_lab.enqueued) == ([], 1)
        page.screenshot(path=tmp_path / "voila.png")
        browser.close()
