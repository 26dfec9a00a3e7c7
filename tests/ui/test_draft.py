"""Fields to a draft and back."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from kling_nb.errors import RequestError
from kling_nb.hubs.catalogue import bundled
from kling_nb.models.request import HubRequest, Omni, ReferenceToVideo
from kling_nb.models.specs import form_of
from kling_nb.ui.panel.form import asides_in, draft_of, fields_of, plain_fields, switched
from kling_nb.ui.panel.uploads import AssetTable


def png(colour="red", size=(400, 300), mode="RGB"):
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, "PNG")
    return buffer.getvalue()


TARGET_FORM = form_of("kling-video-o3-pro-reference-to-video")


def form(name):
    return form_of(name, bundled()[name])


def there_and_back(request, form=TARGET_FORM):
    shelf = AssetTable()
    draft, extra = draft_of(plain_fields(request), shelf, form)
    return extra | fields_of(draft, shelf, form)


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


prompts = st.text(min_size=1, max_size=60).filter(str.strip)


@given(
    prompt=prompts, duration=st.integers(3, 15), aspect=st.sampled_from(["16:9", "9:16", "1:1"]), audio=st.booleans()
)
def test_any_plain_request_survives_the_panel(prompt, duration, aspect, audio):
    request = ReferenceToVideo(prompt=prompt, duration=duration, aspect_ratio=aspect, generate_audio=audio)

    assert ReferenceToVideo(**there_and_back(request)) == request


def test_both_descriptions_are_kept_and_one_counts():
    draft, _ = draft_of({"prompt": "one", "duration": 7}, shelf := AssetTable(), TARGET_FORM)
    draft |= {"mode": "shots", "multi_prompt": [{"prompt": "two", "duration": 3, "id": "of the browser"}]}

    assert fields_of(draft, shelf, TARGET_FORM)["multi_prompt"] == [{"prompt": "two", "duration": 3}]
    assert "prompt" not in fields_of(draft, shelf, TARGET_FORM)
    assert fields_of(draft | {"mode": "prompt"}, shelf, TARGET_FORM)["prompt"] == "one"


def test_a_key_that_is_not_on_the_shelf_is_no_picture():
    draft, _ = draft_of({"prompt": "x"}, shelf := AssetTable(), TARGET_FORM)

    assert "input_image" not in fields_of(
        draft | {"input_image": ["a99"], "start_image_url": {"x": 1}}, shelf, TARGET_FORM
    )


def test_one_that_stands_alone_is_a_list_of_one():
    shelf = AssetTable()
    draft, _ = draft_of(
        {"multi_prompt": "a boat", "elements": "https://example.org/a.png", "input_image": png()}, shelf, TARGET_FORM
    )
    assert draft["multi_prompt"] == [{"prompt": "a boat", "duration": 5}]
    assert [len(draft[name]) for name in ("elements", "input_image")] == [1, 1]
    with pytest.raises(RequestError, match=r"elements\.0\.frontal_image_url: an int is not an image"):
        draft_of({"elements": 5}, shelf, TARGET_FORM)


def test_a_picture_that_cannot_be_read_says_where():
    with pytest.raises(RequestError) as caught:
        draft_of({"prompt": "x", "elements": [{"frontal_image_url": "no-such.png"}]}, AssetTable(), TARGET_FORM)

    assert caught.value.problems[0].field == "elements.0.frontal_image_url"


@pytest.mark.parametrize(("mode", "kind"), [("RGB", "jpeg"), ("RGBA", "png"), ("P", "jpeg"), ("L", "jpeg")])
def test_a_thumbnail_is_small_and_keeps_transparency(mode, kind):
    shelf = AssetTable()
    draft, _ = draft_of({"input_image": [png(0, (1200, 900), mode)]}, shelf, TARGET_FORM)

    uri = shelf.labels[draft["input_image"][0]]["uri"]

    assert uri.startswith(f"data:image/{kind};base64,")
    assert len(uri) < 6000


def test_a_label_knows_no_signature():
    shelf = AssetTable()
    draft_of({"input_image": ["https://example.org/a.png?token=secret"]}, shelf, TARGET_FORM)

    assert "secret" not in str(shelf.labels)


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
def test_a_request_of_any_model_survives_the_panel_with_no_field_added(request_):
    assert type(request_)(**there_and_back(request_, form(request_.model))) == request_


def test_fields_of_a_structure_that_no_control_has_are_written_as_json():
    schema = {"properties": {"prompt": {"type": "string"}, "style": {"type": "object"}}}
    odd = form_of("odd", bundled()["black-forest-labs-flux-2-klein-4b"].model_copy(update={"request_schema": schema}))
    draft, _ = draft_of({"style": {"name": "é", "n": 3}}, shelf := AssetTable(), odd)

    assert draft["style"] == '{"name": "é", "n": 3}'
    assert fields_of(draft, shelf, odd)["style"] == {"name": "é", "n": 3}
    assert fields_of(draft | {"style": "{half"}, shelf, odd)["style"] == "{half"


def test_shots_become_one_prompt_where_there_are_none_and_come_back():
    omni, shots = form("kling-video-o3-omni"), [{"prompt": "one", "duration": 3}, {"prompt": "two", "duration": 4}]
    draft, _ = draft_of({"multi_prompt": shots}, shelf := AssetTable(), TARGET_FORM)

    there = switched(draft, TARGET_FORM, omni)
    assert (there["prompt"], there["duration"]) == ("one\ntwo", 7)
    assert "2 shots" in there["aside"]["multi_prompt"]["why"]
    back = switched(there, omni, TARGET_FORM)

    assert fields_of(back, shelf, TARGET_FORM) == fields_of(draft, shelf, TARGET_FORM)
    assert {**back, "aside": {}} == {**back, **draft}
    assert asides_in(back) == []  # only the other model's defaults, which nobody misses
    edited = switched({**there, "prompt": "other"}, omni, TARGET_FORM)
    assert (edited["prompt"], edited["mode"]) == ("other", "shots")  # the newer words wait behind their switch
