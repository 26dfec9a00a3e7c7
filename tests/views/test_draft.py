"""Fields to a draft and back."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from kling_nb.errors import RequestError
from kling_nb.models.request import ReferenceToVideo
from kling_nb.views.draft import draft_of, fields_of
from kling_nb.views.shelf import Shelf


def png(colour="red", size=(400, 300), mode="RGB"):
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def there_and_back(request):
    shelf = Shelf()
    draft, extra = draft_of(request, shelf)
    return extra | fields_of(draft, shelf)


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
    draft, _ = draft_of({"prompt": "one", "duration": 7}, shelf := Shelf())
    draft |= {"mode": "shots", "multi_prompt": [{"prompt": "two", "duration": 3, "id": "of the browser"}]}

    assert fields_of(draft, shelf)["multi_prompt"] == [{"prompt": "two", "duration": 3}]
    assert "prompt" not in fields_of(draft, shelf)
    assert fields_of(draft | {"mode": "prompt"}, shelf)["prompt"] == "one"


def test_a_key_that_is_not_on_the_shelf_is_no_picture():
    draft, _ = draft_of({"prompt": "x"}, shelf := Shelf())

    assert "input_image" not in fields_of(draft | {"input_image": ["a99"], "start_image_url": {"x": 1}}, shelf)


def test_a_picture_that_cannot_be_read_says_where():
    with pytest.raises(RequestError) as caught:
        draft_of({"prompt": "x", "elements": [{"frontal_image_url": "no-such.png"}]}, Shelf())

    assert caught.value.problems[0].field == "elements.0.frontal_image_url"


@pytest.mark.parametrize(("mode", "kind"), [("RGB", "jpeg"), ("RGBA", "png"), ("P", "jpeg"), ("L", "jpeg")])
def test_a_thumbnail_is_small_and_keeps_transparency(mode, kind):
    shelf = Shelf()
    draft, _ = draft_of({"input_image": [png(0, (1200, 900), mode)]}, shelf)

    uri = shelf.labels[draft["input_image"][0]]["uri"]

    assert uri.startswith(f"data:image/{kind};base64,")
    assert len(uri) < 6000


def test_a_label_knows_no_signature():
    shelf = Shelf()
    draft_of({"input_image": ["https://example.org/a.png?token=secret"]}, shelf)

    assert "secret" not in str(shelf.labels)
