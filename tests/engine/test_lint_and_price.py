"""Requests to the hub before anything is spent: a model's schema and its current price."""

from __future__ import annotations

import pytest
from hubside import HubSide

from kling_nb import errors
from kling_nb.models.request import TARGET, ReferenceToVideo
from kling_nb.studio import Studio

MODEL = "GET /api/ai/models/:id"
OTHER = "kling-video-v2-6-pro-text-to-video"


def test_lint_returns_the_problems_that_generate_raises(studio: Studio, hub: HubSide) -> None:
    fields = {"model": OTHER, "prompt": "a boat", "duration": 99}
    with pytest.raises(errors.RequestError) as caught:
        studio.generate(**fields)
    assert caught.value.problems == tuple(studio.lint(**fields))
    assert [problem.field for problem in caught.value.problems] == ["duration"]
    assert [problem.field for problem in studio.lint(model="no-such-model", prompt="a boat")] == ["model"]
    hub.fault("unauthenticated", path="/api/ai/models")
    (warning,) = studio.lint(model="kling-video-o3-pro-text-to-video", prompt="a boat")
    assert (warning.field, warning.severity) == ("model", "warning")


def test_lint_takes_a_request_with_changes(studio: Studio) -> None:
    request = ReferenceToVideo(prompt="a boat")
    assert [problem.field for problem in studio.lint(request, duration=99)] == ["duration"]
    assert studio.lint(request) == []


def test_a_panel_cannot_be_opened_from_just_anything(studio: Studio) -> None:
    with pytest.raises(errors.KlingError, match="Cannot open a panel from int"):
        studio.panel(5)  # type: ignore[arg-type] - what is refused


def test_a_price_is_fetched_again_when_it_is_old(studio: Studio, hub: HubSide, monkeypatch: pytest.MonkeyPatch) -> None:
    assert studio.price("a boat").source == "live"
    asked = hub.asked(MODEL)
    studio.price("a boat")
    assert hub.asked(MODEL) == asked
    monkeypatch.setattr("kling_nb.hubs.catalogue.FRESH", 0.0)
    studio.price("a boat")
    assert hub.asked(MODEL) > asked
    hub.fault("unauthenticated", path="/api/ai/models")
    assert studio.hub.model(TARGET).id == TARGET  # an old price is better than none
