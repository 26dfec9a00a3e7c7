"""Upstream's error messages, word by word."""

from __future__ import annotations

from typing import Any

import pytest

from kling_nb.localhub import catalogue, validation

UPSTREAM = "Getting model response error: 422 - Value error, "
TARGET = catalogue.find("kling-video-o3-pro-reference-to-video", catalogue.models())
OMNI = catalogue.find("kling-video-o3-omni", catalogue.models())
IMAGE = "https://x/1.png"


def error(**body: Any) -> str | None:
    assert TARGET is not None
    return validation.upstream_error(body, TARGET)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"prompt": "a", "multi_prompt": [{"prompt": "b"}]}, "Cannot provide both 'prompt' and 'multi_prompt'."),
        ({}, "Either 'prompt' or 'multi_prompt' must be provided."),
        ({"multi_prompt": []}, "Either 'prompt' or 'multi_prompt' must be provided."),
        ({"multi_prompt": [{"duration": 3}]}, "Field required"),
        (
            {"prompt": "a", "duration": 2},
            "duration value '2' is invalid. Try using duration='5' instead, as duration support may vary by model"
            " and mode.",
        ),
        (
            {"multi_prompt": [{"prompt": "a", "duration": 8}] * 2},
            "Total shot duration (16s) exceeds maximum allowed (15s).",
        ),
        (
            {"multi_prompt": [{"prompt": "a", "duration": 16}]},
            "Input should be '1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13', '14' or '15'",
        ),
    ],
)
def test_documented_errors_have_the_documented_texts(body: dict[str, Any], text: str) -> None:
    assert error(**body) == UPSTREAM + text


@pytest.mark.parametrize(
    "body",
    [
        {"prompt": "a"},
        {"prompt": "a", "multi_prompt": []},
        {"prompt": "a" * 2500, "duration": 15},
        {"multi_prompt": [{"prompt": "a" * 512}] * 3},
        {"prompt": "a", "start_image_url": "https://x/1.png", "tail_image_url": "https://x/2.png"},
        {"prompt": "a", "input_image": ["https://x/1.png"] * 7},
        {"prompt": "a", "elements": [{"frontal_image_url": "https://x/1.png"}]},
        {"prompt": "a", "something_new": 1},
    ],
)
def test_valid_requests_have_no_error(body: dict[str, Any]) -> None:
    assert error(**body) is None


@pytest.mark.parametrize(
    "body",
    [
        {"prompt": "a" * 2501},
        {"multi_prompt": [{"prompt": "a" * 513}]},
        {"multi_prompt": [{"prompt": "a", "duration": 1}] * 7},
        {"prompt": "a", "tail_image_url": "https://x/2.png"},
        {"prompt": "a", "input_image": ["https://x/1.png"] * 8},
        {"prompt": "a", "elements": [{}]},
        {"prompt": "a", "elements": [{"frontal_image_url": "f", "reference_image_urls": ["r"] * 4}]},
        {"prompt": "a", "aspect_ratio": "4:3"},
    ],
)
def test_invalid_requests_have_an_error(body: dict[str, Any]) -> None:
    assert (error(**body) or "").startswith(UPSTREAM)


def test_other_models_are_validated_by_their_schema() -> None:
    assert OMNI is not None
    assert validation.upstream_error({"prompt": "a", "duration": 3}, OMNI) is None
    assert validation.upstream_error({"duration": 3}, OMNI) == f"{UPSTREAM}Field required"
    assert (
        validation.upstream_error({"prompt": "a", "resolution": "8k"}, OMNI)
        == f"{UPSTREAM}Input should be '720p', '1080p' or '4k'"
    )
    assert "generate_audio" in (
        validation.upstream_error({"prompt": "a", "input_video": "v", "generate_audio": True}, OMNI) or ""
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"prompt": "a" * 2501}, "prompt: String should have at most 2500 characters"),
        ({"duration": 16}, "duration: Input should be less than or equal to 15"),
        ({"duration": 2}, "duration: Input should be greater than or equal to 3"),
        ({"duration": "x" * 9000}, "duration: Input should be a valid integer"),
        ({"elements": "x" * 9000}, "elements: Input should be a valid list"),
        ({"elements": [{}]}, "elements.0.frontal_image_url: Field required"),
        (
            {"elements": [{"frontal_image_url": IMAGE, "reference_image_urls": ["x" * 9000] * 4}]},
            "elements.0.reference_image_urls: List should have at most 3 items after validation, not 4",
        ),
        ({"elements": ["x" * 9000]}, "elements.0: Input should be a valid dictionary"),
    ],
)
def test_schema_errors_have_upstreams_texts(body: dict[str, Any], text: str) -> None:
    assert OMNI is not None
    assert validation.upstream_error({"prompt": "a", **body}, OMNI) == UPSTREAM + text


@pytest.mark.parametrize(
    "rule", [{"pattern": "^a$"}, {"minLength": 9001}, {"const": "a"}, {"type": ["integer", "null"]}, {"not": {}}]
)
def test_messages_do_not_quote_values(rule: dict[str, Any]) -> None:
    model = {"id": "any", "request_schema": {"properties": {"style": rule}}}
    text = validation.upstream_error({"style": "x" * 9000}, model)
    assert text and text.startswith(f"{UPSTREAM}style: ") and len(text) < 200


@pytest.mark.parametrize(("images", "elements", "video", "most"), [(4, 3, None, 7), (0, 7, None, 7), (2, 2, "v", 4)])
def test_omni_images_and_elements_share_one_limit(images: int, elements: int, video: str | None, most: int) -> None:
    assert OMNI is not None
    full = {"prompt": "a", "input_image": [IMAGE] * images, "elements": [{"frontal_image_url": IMAGE}] * elements}
    for mode in ("edit", "reference"):
        body = {**full, "input_video": video, "video_mode": mode}
        assert validation.upstream_error(body, OMNI) is None
        assert validation.upstream_error({**body, "input_image": [IMAGE] * (images + 1)}, OMNI) == (
            f"{UPSTREAM}Total number of images and elements ({most + 1}) exceeds maximum allowed ({most})."
        )


@pytest.mark.parametrize("duration", [2, 20, "as long as it is"])
def test_an_edit_ignores_its_duration_and_a_reference_does_not(duration: object) -> None:
    assert OMNI is not None
    body = {"prompt": "a", "input_video": "v", "duration": duration}
    assert validation.upstream_error(body, OMNI) is None
    assert validation.upstream_error({**body, "video_mode": "edit"}, OMNI) is None
    assert validation.upstream_error({**body, "video_mode": "reference"}, OMNI) is not None
    assert validation.upstream_error({**body, "input_video": None}, OMNI) is not None


def test_every_model_has_the_fields_of_the_contract() -> None:
    fields = [
        "id",
        "object",
        "created",
        "owned_by",
        "display_name",
        "description",
        "summary",
        "model_type",
        "endpoint",
        "capabilities",
        "pricing",
        "developer",
        "image_url",
        "released_at",
        "request_schema",
    ]
    for model in catalogue.models():
        assert not set(fields) - set(model), model["id"]
        assert {"type", "title", "required", "basic", "properties"} <= set(model["request_schema"]), model["id"]


def test_the_target_schema_lacks_prompt_and_duration_and_requires_nothing() -> None:
    assert TARGET is not None
    schema = TARGET["request_schema"]
    assert not {"prompt", "multi_prompt", "duration"} & set(schema["properties"])
    assert schema["required"] == []
