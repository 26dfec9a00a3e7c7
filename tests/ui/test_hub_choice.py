"""The panel's choice of a provider."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hubside import png_image
from support.frontend import FakeFrontend

from kling_nb.studio import Studio
from kling_nb.ui.panel.panel import Panel


@pytest.fixture
def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Panel]:
    """A panel of a user with both keys, whose providers do not answer."""
    addresses = {"oxen": ("OXEN_API_KEY", "http://127.0.0.1:9"), "fal": ("FAL_KEY", "http://127.0.0.1:9/fal")}
    for module in ("kling_nb.settings", "kling_nb.connection"):
        monkeypatch.setattr(f"{module}.PROVIDERS", addresses)
    monkeypatch.setenv("OXEN_API_KEY", "one")
    monkeypatch.setenv("FAL_KEY", "an-id:another")
    studio = Studio(log=tmp_path / "log")
    yield studio.panel({"prompt": "@Image1 sails", "input_image": [png_image()], "negative_prompt": "rain"})
    studio.close()


def test_both_prices_are_offered_and_the_chosen_one_counts(panel: Panel) -> None:
    page = FakeFrontend(panel)
    verdict: dict[str, Any] = page.widget.verdict
    assert [(offer["id"], offer["price"]) for offer in verdict["hubs"]] == [("oxen", "$1.12"), ("fal", "$0.56")]
    assert (verdict["hub"], verdict["price"], verdict["uploads"]) == ("oxen", "$1.12", "")
    page.edit(hub="fal")
    verdict = page.widget.verdict
    assert (verdict["hub"], verdict["price"]) == ("fal", "$0.56")
    assert "fal.ai" in verdict["uploads"]
    assert [problem["path"] for problem in verdict["problems"] if problem["severity"] == "error"] == ["negative_prompt"]
    page.edit(negative_prompt="")
    assert (panel.request.hub, panel.fields["hub"]) == ("fal", "fal")


def test_another_model_keeps_the_provider(panel: Panel) -> None:
    page = FakeFrontend(panel)
    page.edit(hub="fal", negative_prompt="")
    page.say("choose", id="c", model="kling-video-o3-omni")
    assert panel.request.hub == "fal"
