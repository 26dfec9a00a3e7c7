"""A request's fields as a draft, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_in import png

from kling_nb.errors import RequestError
from kling_nb.hubs.catalogue import bundled
from kling_nb.models.request import HubRequest, Omni, ReferenceToVideo
from kling_nb.models.specs import form_of
from kling_nb.ui.panel.form import draft_of, fields_of, plain_fields, switch_model, unsupported_notes
from kling_nb.ui.panel.uploads import AssetTable
from tests.models.drafts import visible_texts

TARGET_FORM = form_of("kling-video-o3-pro-reference-to-video")


def form(name):
    return form_of(name, bundled()[name])


def there_and_back(request, form=TARGET_FORM):
    assets = AssetTable()
    draft, extra = draft_of(plain_fields(request), assets, form)
    return extra | fields_of(draft, assets, form)


def test_a_request_survives_the_panel():
    request = ReferenceToVideo(
        multi_prompt=[{"prompt": "@Image1", "duration": 4}, {"prompt": "@Element1", "duration": 3}],
        input_image=[png(), png("blue")],
        start_image_url="https://example.org/a.png",
        elements=[{"frontal_image_url": png("green"), "reference_image_urls": [png("black")]}],
        negative_prompt="blur",
        aspect_ratio="1:1",
        generate_audio=True,
        num_generations=3,
        target_namespace="team",
    )

    assert ReferenceToVideo(**there_and_back(request)) == request


prompts = visible_texts(60)


@given(
    prompt=prompts, duration=st.integers(3, 15), aspect=st.sampled_from(["16:9", "9:16", "1:1"]), audio=st.booleans()
)
def test_any_plain_request_survives_the_panel(prompt, duration, aspect, audio):
    request = ReferenceToVideo(prompt=prompt, duration=duration, aspect_ratio=aspect, generate_audio=audio)

    assert ReferenceToVideo(**there_and_back(request)) == request


def test_a_draft_has_a_prompt_and_shots_and_its_mode_chooses():
    draft, _ = draft_of({"prompt": "one", "duration": 7}, assets := AssetTable(), TARGET_FORM)
    draft |= {"mode": "shots", "multi_prompt": [{"prompt": "two", "duration": 3, "id": "from the browser"}]}

    assert fields_of(draft, assets, TARGET_FORM)["multi_prompt"] == [{"prompt": "two", "duration": 3}]
    assert "prompt" not in fields_of(draft, assets, TARGET_FORM)
    assert fields_of(draft | {"mode": "prompt"}, assets, TARGET_FORM)["prompt"] == "one"


def test_an_unknown_key_is_not_an_image():
    draft, _ = draft_of({"prompt": "x"}, assets := AssetTable(), TARGET_FORM)

    assert "input_image" not in fields_of(
        draft | {"input_image": ["a99"], "start_image_url": {"x": 1}}, assets, TARGET_FORM
    )


def test_a_single_value_is_a_list_of_one():
    assets = AssetTable()
    draft, _ = draft_of(
        {"multi_prompt": "a boat", "elements": "https://example.org/a.png", "input_image": png()}, assets, TARGET_FORM
    )
    assert draft["multi_prompt"] == [{"prompt": "a boat", "duration": 5}]
    assert [len(draft[name]) for name in ("elements", "input_image")] == [1, 1]
    with pytest.raises(RequestError, match=r"elements\.0\.frontal_image_url"):
        draft_of({"elements": 5}, assets, TARGET_FORM)


def test_an_unreadable_image_is_reported_at_its_field():
    with pytest.raises(RequestError) as caught:
        draft_of({"prompt": "x", "elements": [{"frontal_image_url": "no-such.png"}]}, AssetTable(), TARGET_FORM)

    assert caught.value.problems[0].field == "elements.0.frontal_image_url"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L"])
def test_a_thumbnail_is_small_and_shows_what_is_sent(mode):
    assets = AssetTable()
    draft, _ = draft_of({"input_image": [png(0, (1200, 900), mode)]}, assets, TARGET_FORM)

    uri = assets.labels(TARGET_FORM.model)[draft["input_image"][0]]["uri"]

    assert uri.startswith("data:image/jpeg;base64,")
    assert len(uri) < 6000


def test_a_label_has_no_url_signature():
    assets = AssetTable()
    draft_of({"input_image": ["https://example.org/a.png?token=secret"]}, assets, TARGET_FORM)

    assert "secret" not in str(assets.labels(TARGET_FORM.model))


@pytest.mark.parametrize(
    "request_",
    [
        Omni(
            prompt="x",
            input_video="https://example.org/a.mp4",
            video_mode="reference",
            resolution="4k",
            keep_audio=False,
        ),
        HubRequest(model="kling-video-o3-pro-image-to-video", prompt="x", input_image=png(), aspect_ratio="1:1"),
        HubRequest(model="kling-video-v2-6-pro-text-to-video", prompt="x", cfg_scale=0.0, generate_audio=False),
        HubRequest(
            model="black-forest-labs-flux-2-klein-4b", prompt="x", num_generations=2, response_format="b64_json"
        ),
    ],
)
def test_a_request_of_any_model_survives_the_panel_unchanged(request_):
    assert type(request_)(**there_and_back(request_, form(request_.model))) == request_


def test_fields_without_a_control_are_edited_as_json():
    schema = {"properties": {"prompt": {"type": "string"}, "style": {"type": "object"}}}
    odd = form_of("odd", bundled()["black-forest-labs-flux-2-klein-4b"].model_copy(update={"request_schema": schema}))
    draft, _ = draft_of({"style": {"name": "é", "n": 3}}, assets := AssetTable(), odd)

    assert draft["style"] == '{"name": "é", "n": 3}'
    assert fields_of(draft, assets, odd)["style"] == {"name": "é", "n": 3}
    assert fields_of(draft | {"style": "{half"}, assets, odd)["style"] == "{half"


def test_shots_become_one_prompt_for_a_model_without_shots_and_come_back():
    omni, shots = form("kling-video-o3-omni"), [{"prompt": "one", "duration": 3}, {"prompt": "two", "duration": 4}]
    draft, _ = draft_of({"multi_prompt": shots}, assets := AssetTable(), TARGET_FORM)

    there = switch_model(draft, TARGET_FORM, omni)
    assert (there["prompt"], there["duration"]) == ("one\ntwo", 7)
    assert "2 shots" in there["unsupported"]["multi_prompt"]["why"]
    back = switch_model(there, omni, TARGET_FORM)

    assert fields_of(back, assets, TARGET_FORM) == fields_of(draft, assets, TARGET_FORM)
    assert {**back, "unsupported": {}} == {**back, **draft}
    assert unsupported_notes(back) == []  # only defaults of the other model
    edited = switch_model({**there, "prompt": "other"}, omni, TARGET_FORM)
    assert (edited["prompt"], edited["mode"]) == ("other", "shots")  # the newer prompt is kept for the other mode
