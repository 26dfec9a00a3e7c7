"""A notebook served by Voila: the panel works, and its clips play, embedded or linked."""

from __future__ import annotations

import nbformat
import pytest
from hubside import HubSide
from lab import Lab
from playwright.sync_api import Page, expect

from browser.screen import plays

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]  # a server, and two kernels one after the other
PANEL = "import kling_nb as kn\nkn.panel({'prompt': 'A red kite over the sea', 'duration': 3})"
LINKED = "import kling_nb as kn\nkn.options.embed = 'never'\nkn.log()[0]"


def test_in_voila_a_clip_is_made_and_plays_embedded_and_linked(lab: Lab, hub: HubSide, apart: Page) -> None:
    folder = lab.folder / "voila"
    folder.mkdir()
    for name, cell in (("panel", PANEL), ("linked", LINKED)):
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)]), folder / f"{name}.ipynb")

    # The page arrives in parts as its cells run, and requests icons from a CDN: do not wait for all of it.
    with lab.voila(folder) as url:
        apart.goto(f"{url}/voila/render/panel.ipynb", wait_until="commit", timeout=60_000)
        panel = apart.locator(".kn-panel")
        panel.get_by_role("button", name="Generate").click(timeout=60_000)
        clip = apart.locator(".kling-card video")
        plays(clip)
        assert str(clip.get_attribute("src")).startswith("data:video/mp4;base64,")
        assert hub.enqueued == 1

        apart.goto(f"{url}/voila/render/linked.ipynb", wait_until="commit", timeout=60_000)
        plays(clip)
        assert str(clip.get_attribute("src")).startswith("kling_log/media/")
        expect(apart.locator(".kling-card")).to_contain_text("--VoilaConfiguration.file_allowlist")
