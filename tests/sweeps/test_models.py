"""One request on several models: carried over as the panel does; models that cannot take it are left out."""

from __future__ import annotations

import pytest
from hubside import HubSide, png_image

from kling_nb import errors
from kling_nb.models.plan import StoredPlan
from kling_nb.models.request import OMNI, TARGET
from kling_nb.studio import Studio
from kling_nb.sweeps.design import from_stored

O1, TEXT, V26 = (
    "kling-video-o1-reference-to-video",
    "kling-video-o3-pro-text-to-video",
    "kling-video-v2-6-pro-image-to-video",
)
STORY = {
    "multi_prompt": [{"prompt": "@Image1 wakes", "duration": 3}, {"prompt": "@Image1 leaves", "duration": 6}],
    "aspect_ratio": "9:16",
}


def test_each_model_gets_the_request_that_the_panel_would_make(studio: Studio) -> None:
    with pytest.warns(errors.RequestWarning):
        plan = studio.sweep({**STORY, "input_image": [png_image()]}, model=[TARGET, OMNI, O1])
    own, omni, old = (cell.request for cell in plan.cells)
    assert own and omni and old and plan.errors == []
    assert [shot["duration"] for shot in own.draft()["multi_prompt"]] == [3, 6]
    assert omni.draft()["prompt"] == "@Image1 wakes\n@Image1 leaves" and omni.draft()["duration"] == 9
    assert old.draft()["duration"] == 10 and old.draft()["aspect_ratio"] == "9:16"
    assert all(len(request.draft()["input_image"]) == 1 for request in (own, omni, old))


def test_losses_prices_and_models_left_out_are_named_before_paying(studio: Studio, hub: HubSide) -> None:
    with pytest.warns(errors.RequestWarning) as issued:
        plan = studio.sweep({**STORY, "input_image": [png_image()]}, model=[TARGET, OMNI, TEXT, "kling-omny"])
    assert set(plan.sheet().left_out) == {TEXT, "kling-omny"}
    texts = plan.sheet().models
    assert "multi_prompt" in texts[OMNI] and "$" in texts[OMNI] and "without" not in texts[TARGET]
    for model in (OMNI, TEXT, "kling-omny"):
        assert any(model in str(each.message) for each in issued)
        assert model in plan._repr_mimebundle_()["text/html"]
    assert [cell.values["model"] for cell in plan.cells] == [TARGET, OMNI] and hub.posts == 0

    stored = StoredPlan.model_validate_json(plan.to_stored().model_dump_json())
    assert stored.id == stored.derived_id == plan.id  # both are told a week later, and are not part of the ID
    assert set(stored.left_out) == {TEXT, "kling-omny"} and "multi_prompt" in stored.lost[OMNI]
    assert from_stored(stored, lambda digest: None).lost == stored.lost


def test_a_request_without_pictures_may_go_to_any_model(studio: Studio) -> None:
    plan = studio.sweep("a paper boat", model=[TARGET, TEXT], duration=[3, 5])
    assert len(plan.cells) == 4 and plan.errors == [] and not plan.sheet().left_out
    assert plan.matrix("duration", "model").__repr__()


def test_a_first_frame_and_the_nearest_length_go_along(studio: Studio) -> None:
    base = {"prompt": "she turns", "start_image_url": png_image(), "duration": 8}
    with pytest.warns(errors.RequestWarning):
        plan = studio.sweep(base, model=[TARGET, V26])
    old = plan.cells[1].request
    assert old is not None and plan.errors == []
    assert old.draft()["duration"] == 10 and old.draft()["input_image"]


def test_a_field_that_only_the_other_model_has_is_kept(studio: Studio) -> None:
    plan = studio.sweep("a boat", model=[OMNI], resolution=["720p", "1080p"])
    assert [cell.request and cell.request.draft()["resolution"] for cell in plan.cells] == ["720p", "1080p"]


def test_without_any_model_left_the_reasons_are_the_error(studio: Studio) -> None:
    with pytest.raises(errors.ArgumentError, match="kling-omny"):
        studio.sweep("a boat", model=["kling-omny"])
