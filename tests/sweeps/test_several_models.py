"""The panel's comparison of models, with the real hub: prices first, then a plan whose clips are shown side by side."""

from __future__ import annotations

from typing import Any

import pytest
from hubside import HubSide, png_image, until

from kling_nb.models.request import OMNI, TARGET
from kling_nb.studio import Studio
from kling_nb.ui.panel.panel import Panel
from tests.support.frontend import FakeFrontend

TEXT = "kling-video-o3-pro-text-to-video"


class Page:
    """A panel, and a way to wait for the answers that come from another thread."""

    def __init__(self, panel: Panel) -> None:
        self.page = FakeFrontend(panel)

    def ask(self, kind: str, id: str, **content: object) -> dict[str, Any]:
        self.page.say(kind, id=id, draft=self.page.draft, **content)
        return until(lambda: next((reply for reply in self.page.replies if reply.get("id") == id), None))


@pytest.fixture
def page(studio: Studio) -> Page:
    prompt = f"@Image1 wakes at {studio.store.folder.parent.name}"
    return Page(studio.panel({"prompt": prompt, "input_image": [png_image()], "duration": 3}))


def test_each_model_has_its_price_and_the_one_without_pictures_its_reason(page: Page, hub: HubSide) -> None:
    reply = page.ask("models", "1", models=[TARGET, OMNI, TEXT])
    assert "$0.672" in reply["texts"][TARGET] and "Left out" in reply["texts"][TEXT]
    assert reply["button"].startswith("Generate 2 clips · $") and hub.posts == 0


def test_all_are_started_once_at_the_price_that_was_shown_and_end_in_a_matrix(
    page: Page, hub: HubSide, studio: Studio
) -> None:
    models = [TARGET, OMNI]
    assert "now" in page.ask("run_models", "1", models=models, button="Generate 2 clips · $0.01")["reason"]
    button = page.ask("models", "2", models=models)["button"]
    studio.options.confirm_above = "0.10"
    assert "Spend" in page.ask("run_models", "3", models=models, button=button)["question"]
    assert hub.posts == 0
    assert "kn.plan(" in page.ask("run_models", "4", models=models, button=button, confirmed=True)["text"]
    panel = page.page.view
    until(lambda: len(panel.jobs) == 2)
    assert all(job.wait(60) for job in panel.jobs)
    until(lambda: any("model" in card["text/plain"] for card in panel.outlet.cards))
    assert hub.posts == 2
    assert page.ask("models", "5", models=models)["button"] == "Show the clips"
