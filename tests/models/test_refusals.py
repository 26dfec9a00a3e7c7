"""Messages of the hub: which of them refuse the content of a request, and which field they name."""

from __future__ import annotations

from typing import Any

import pytest

from kling_nb.models.refusals import MODERATION_REMEDY, named_field, refuses_content

REFUSED = [
    "Failure to pass the risk control system",
    "risk_control: blocked",
    "The content could not be processed because it contained material flagged by a content checker.",
    "Your request was rejected by our safety system.",
    "The prompt contains sensitive words",
    "Sensitive content detected",
    "NSFW content detected",
    "content_policy_violation",
    "The request violates our usage policies.",
    "This prompt violates the community guidelines",
    "Getting model response error: 422 - body.image_url: content policy violation",
    "The model provider returned an error: moderated",
    "Inappropriate content",
    "The image shows a real person or a public figure",
    "提示词包含敏感词",
    "内容违规，审核未通过",
    "InputImageSensitiveContentDetected",
    "The prompt was blocked",
    "The output video was filtered",
    "The image contains violence",
    "Refused by our Responsible AI practices",
]
OTHER = [
    "The model provider returned an error.",
    "Timeout",
    "Value error, duration must be between 3 and 15",
    "Model not found: kling (names are case-sensitive)",
    "The request is time-sensitive and has expired",
    "insensitive match",
    "You have run out of credits.",
    "Rate limit exceeded",
    "Retention policy: the file was deleted",
    "internal_server_error",
    "The connection is sensitive to the network",
    "The queue is blocked",
    "The request was rejected: too many requests",
    "A minority of workers answered",
]


@pytest.mark.parametrize("message", REFUSED)
def test_refused_content_is_recognised(message: str) -> None:
    assert refuses_content(message) and refuses_content(message.upper())


@pytest.mark.parametrize("message", OTHER)
def test_other_failures_are_not_refused_content(message: str) -> None:
    assert not refuses_content(message)


def test_the_remedy_claims_nothing_about_the_bill() -> None:
    assert not any(word in MODERATION_REMEDY.lower() for word in ("bill", "charge", "paid", "cost", "credit", "free"))


FIELDS: dict[str, Any] = {
    "model": "m",
    "prompt": "a",
    "duration": 5,
    "aspect_ratio": "16:9",
    "input_image": ["a", "b"],
    "start_image_url": "c",
    "elements": [{"frontal_image_url": "d"}],
    "multi_prompt": [{"prompt": "a"}, {"prompt": "b"}],
    "num_generations": 1,
}


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ("422 - Value error, duration must be between 3 and 15", ("duration",)),
        ("num_generations must be an integer between 1 and 4", ("num_generations",)),
        ("Cannot provide both 'prompt' and 'multi_prompt'.", ("prompt",)),
        ("The prompt needs another aspect_ratio", ("aspect_ratio",)),
        ("The prompt was refused by the provider's safety check", ("prompt",)),
        ("input_images is not known", None),
        ("Insufficient credits", None),
        ("body.image_url: content policy violation", ("start_image_url",)),
        ("422 - body.image_urls.1: flagged", ("input_image", 1)),
        ("body.image_urls[0]: flagged", ("input_image", 0)),
        ("body.image_urls.7: flagged", ("input_image",)),
        ("body.elements.0.frontal_image_url: flagged", ("elements", 0, "frontal_image_url")),
        ("body.multi_prompt.1.prompt: flagged", ("multi_prompt", 1, "prompt")),
        (
            '[{"loc": ["body", "image_url"], "type": "content_policy_violation"}]',
            ("start_image_url",),
        ),
        ('{"loc": ["body", "multi_prompt", 1, "prompt"]}', ("multi_prompt", 1, "prompt")),
        ("body.video_url: flagged", None),
        ("input_image[1] is too small", ("input_image", 1)),
        ("input_image.0 is too small", ("input_image", 0)),
        ("the body of the request", None),
    ],
)
def test_a_message_belongs_to_the_field_that_it_names(message: str, path: tuple[str | int, ...] | None) -> None:
    assert named_field(message, FIELDS) == path


def test_the_only_image_of_a_request_is_the_one_that_a_provider_names() -> None:
    assert named_field("body.image_url: flagged", {"input_image": "a"}) == ("input_image",)
    assert named_field("body.end_image_url: flagged", {"tail_image_url": "a"}) == ("tail_image_url",)
