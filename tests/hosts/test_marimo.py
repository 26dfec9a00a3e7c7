"""A notebook in marimo: the panel makes a clip that plays, and a cell that marimo runs again pays nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from browser.screen import plays
from hubside import HubSide
from lab import chromium, free_port, serving
from playwright.sync_api import expect, sync_playwright

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
NOTEBOOK = """
import marimo

app = marimo.App()


@app.cell
def _():
    import kling_nb as kn
    import marimo as mo
    again = mo.ui.button(label="Run it once more", value=0, on_click=lambda count: count + 1)
    again
    return again, kn, mo


@app.cell
def _(kn):
    kn.panel({"prompt": "A red kite over the sea", "duration": 3})
    return


@app.cell
def _(again, kn, mo):
    job = kn.generate("A heron lands on the reeds", duration=3)
    mo.vstack([mo.md(f"run {again.value}"), job])
    return


if __name__ == "__main__":
    app.run()
"""


def test_in_marimo_a_clip_is_made_once_and_plays(
    environment: dict[str, str], hub_of_lab: HubSide, tmp_path: Path
) -> None:
    notebook = tmp_path / "notebook.py"
    notebook.write_text(NOTEBOOK, encoding="utf-8")
    port = free_port()
    command = [sys.executable, "-m", "marimo", "run", str(notebook), "--headless", "--no-token", f"--port={port}"]
    with (
        serving([*command, "--host=127.0.0.1"], environment, tmp_path / "marimo.log", "/health", port) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 1400})
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        page.goto(url, wait_until="commit")
        page.locator(".kn-panel [data-action=generate]").click()
        clips = page.locator(".kling-card video")
        expect(clips).to_have_count(2)
        for clip in clips.all():
            plays(clip)
        assert hub_of_lab.enqueued == 2

        page.get_by_role("button", name="Run it once more").click()
        expect(page.get_by_text("run 1")).to_be_visible()
        expect(clips).to_have_count(2)
        assert hub_of_lab.enqueued == 2
        page.screenshot(path=tmp_path / "marimo.png", full_page=True)
        browser.close()
