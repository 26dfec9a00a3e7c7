"""Parsing and linting: every problem at once, each at its field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import HealthCheck, given, settings
from support.images import image_file
from support.texts import assert_texts

from kling_nb.errors import RequestError
from kling_nb.models.catalogue import Model
from kling_nb.models.lint import lint, parse
from kling_nb.models.problem import Problem
from kling_nb.models.request import HubRequest, Omni, ReferenceToVideo

from .drafts import FACE, FIELDS, SIDE, drafts, garbage

quick = settings(max_examples=37, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def errors(problems: list[Problem]) -> list[str]:
    return [problem.field for problem in problems if problem.severity == "error"]


def warnings(problems: list[Problem]) -> list[str]:
    return [problem.field for problem in problems if problem.severity == "warning"]


def test_all_problems_are_listed_at_once_errors_first() -> None:
    draft = {"prompt": 5, "duration": 99, "aspect_ratio": "4:3", "tail_image_url": FACE, "generate_audio": "no"}
    found = lint({**draft, "input_image": [SIDE]})
    assert errors(found) == ["prompt", "duration", "aspect_ratio", "generate_audio", "tail_image_url"]
    assert [problem.severity for problem in found][-1] == "warning"


@pytest.mark.parametrize("data", [b"", b"no video", image_file()], ids=["empty", "unknown", "image"])
def test_an_unreadable_video_is_an_error(data: bytes) -> None:
    assert errors(lint(Omni(prompt="a", input_video=data))) == ["input_video"]


def test_a_video_without_frames_is_an_error(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as out:
        track = out.add_stream("aac", rate=48_000)
        frame = av.AudioFrame(layout="mono", samples=1024)
        frame.rate = 48_000
        out.mux([*track.encode(frame), *track.encode(None)])

    assert errors(lint(Omni(prompt="a", input_video=tmp_path / "a.mp4"))) == ["input_video"]


def test_one_mistake_is_one_problem() -> None:
    assert errors(lint({"prompt": "a", "elements": [{"frontal_image_url": "nowhere.png"}]})) == [
        "elements.0.frontal_image_url"
    ]
    broken = {"frontal_image_url": FACE, "reference_image_urls": 5}
    assert warnings(lint({"prompt": "@Element1", "elements": [broken]})) == []
    assert "elements.0.reference_image_urls" not in warnings(lint({"prompt": "a", "elements": [5]}))


def test_an_invalid_image_keeps_its_place() -> None:
    found = lint({"prompt": "@Image1 @Image2", "input_image": ["nowhere.png", FACE]})
    assert errors(found) == ["input_image.0"]
    assert warnings(found) == []


@pytest.mark.parametrize(
    "fields",
    [{"prompt": "@Image1 waves" + "!" * 2500}, {"multi_prompt": [{"prompt": "@Image1 waves" + "!" * 512}]}],
)
def test_a_prompt_that_is_too_long_still_mentions_its_images(fields: dict[str, Any]) -> None:
    found = lint({**fields, "input_image": [FACE]})
    assert len(errors(found)) == 1
    assert warnings(found) == []


def test_every_local_image_is_decoded() -> None:
    small = image_file(200, 320)
    draft = {
        "prompt": "@Image1 @Element1",
        "input_image": [small],
        "start_image_url": small,
        "elements": [{"frontal_image_url": small, "reference_image_urls": [small]}],
    }
    places = ["input_image.0", "start_image_url", "elements.0.frontal_image_url", "elements.0.reference_image_urls.0"]
    assert sorted(errors(lint(draft))) == sorted(places)
    assert sorted(errors(lint(ReferenceToVideo(**draft)))) == sorted(places)


@pytest.mark.parametrize("value", [FACE, {"frontal_image_url": FACE}])
def test_a_message_shows_the_given_value(value: Any) -> None:
    [problem] = lint({"prompt": "a", "elements": value})
    assert FACE in problem.message
    assert "Asset" not in problem.message


def test_a_misspelt_field_gets_its_right_name() -> None:
    [problem] = lint({"prompt": "a", "aspect_ration": "1:1"})
    assert problem.remedy == "did you mean aspect_ratio?"


def test_a_misspelt_field_of_an_element_gets_its_right_name() -> None:
    found = lint({"prompt": "@Element1", "elements": [{"frontal_image": FACE}]})
    assert "did you mean frontal_image_url?" in [problem.remedy for problem in found]


WARNED = [
    ({"prompt": "x" * 513}, "prompt"),
    ({"multi_prompt": [{"prompt": "a"}], "duration": 9}, "duration"),
    ({"prompt": "a", "start_image_url": FACE, "aspect_ratio": "1:1"}, "aspect_ratio"),
    ({"prompt": "@Element1", "elements": [{"frontal_image_url": FACE}]}, "elements.0.reference_image_urls"),
    ({"prompt": "@Image1@Image2@Image3 @Image4 @Image5", "input_image": [FACE] * 5}, "input_image"),
]
OMNI_WARNED = [
    ({"video_mode": "reference"}, "video_mode"),
    ({"input_video": "https://example.org/a.mp4", "duration": 9}, "duration"),
]


@pytest.mark.parametrize(("draft", "where"), WARNED)
def test_a_value_that_is_probably_not_intended_is_a_warning(draft: dict[str, Any], where: str) -> None:
    found = lint(draft)
    assert errors(found) == []
    assert where in warnings(found)
    ReferenceToVideo(**draft)


def test_omni_accepts_seven_references_without_a_warning() -> None:
    names = " ".join(f"@Image{number}" for number in range(1, 8))
    assert lint({"model": "kling-video-o3-omni", "prompt": names, "input_image": [FACE] * 7}) == []


@pytest.mark.parametrize(("draft", "where"), OMNI_WARNED)
def test_omni_warns_of_values_that_it_ignores(draft: dict[str, Any], where: str) -> None:
    assert where in warnings(lint(Omni(prompt="@Video1", **draft)))


def test_the_texts_of_warnings() -> None:
    found = [problem for draft, _ in WARNED for problem in lint(draft)]
    found += [problem for draft, _ in OMNI_WARNED for problem in lint(Omni(prompt="@Video1", **draft))]
    assert_texts("request-warnings", map(str, found))


def test_a_generator_of_images_is_read_once() -> None:
    request, problems = parse({"prompt": "@Image1 @Image2", "input_image": (url for url in (FACE, SIDE))})
    assert problems == []
    assert isinstance(request, ReferenceToVideo)
    assert len(request.input_image) == 2


def test_the_request_holds_the_bytes_that_were_checked(tmp_path: Path) -> None:
    file = tmp_path / "face.png"
    file.write_bytes(image_file())
    request, problems = parse({"prompt": "@Image1", "input_image": [file]})
    file.write_bytes(b"something else")
    assert problems == []
    assert isinstance(request, ReferenceToVideo)
    assert request.input_image[0].data == image_file()


def test_parse_returns_no_request_but_every_problem_of_invalid_fields() -> None:
    request, problems = parse({"duration": 99})
    assert request is None
    assert errors(problems) == ["duration", "prompt"]


def test_a_blank_model_is_the_default_model() -> None:
    request, problems = parse({"model": " ", "prompt": "a"})
    assert isinstance(request, ReferenceToVideo)
    assert problems == []


def test_the_errors_of_a_hub_request_are_at_their_fields() -> None:
    found = lint({"model": "other", "prompt": "@Image1", "input_image": ["nowhere.png"], "seed": 2**70, "elements": 5})
    assert errors(found) == ["input_image.0", "seed"]


SCHEMA = {
    "type": "object",
    "required": ["prompt"],
    "properties": {
        "prompt": {"type": "string"},
        "duration": {"type": "integer", "minimum": 5, "maximum": 10},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16"]},
        "cfg_scale": {"type": "number", "nullable": True},
        "input_image": {"type": "string", "format": "uri", "maxLength": 60},
    },
}


@pytest.mark.parametrize("as_request", [False, True])
def test_a_hub_request_is_checked_against_its_own_schema(as_request: bool) -> None:
    fields = {"model": "other", "duration": 3, "aspect_ratio": "1:1", "cfg_scale": "high", "aspect_ration": "16:9"}
    found = lint(HubRequest.model_validate(fields) if as_request else fields, Model(id="other", request_schema=SCHEMA))
    assert errors(found) == ["prompt", "duration", "aspect_ratio", "cfg_scale"]
    assert warnings(found) == ["aspect_ration"]
    assert_texts("schema-problems", map(str, found))


def test_a_schema_never_repeats_a_signed_address() -> None:
    fields = {"model": "other", "prompt": "a", "input_image": f"https://example.org/{'a' * 60}?sig=SECRET"}
    found = lint(fields, Model(id="other", request_schema=SCHEMA))
    assert errors(found) == ["input_image"]
    assert "SECRET" not in "".join(map(str, found))


@pytest.mark.parametrize(
    "schema",
    [{"type": "nonsense"}, {"properties": []}, {"properties": {"prompt": {"$ref": "https://example.org/s.json"}}}],
)
def test_an_unusable_schema_is_a_warning_and_fetches_nothing(schema: dict[str, Any]) -> None:
    found = lint({"model": "other", "prompt": "a"}, Model(id="other", request_schema=schema))
    assert [problem.severity for problem in found] == ["warning"]


@quick
@given(drafts)
def test_lint_finds_an_error_exactly_when_the_request_cannot_be_made(draft: dict[str, Any]) -> None:
    found = errors(lint(draft))
    try:
        ReferenceToVideo(**draft)
    except RequestError:
        assert found
    else:
        assert found == []


@quick
@given(garbage)
def test_lint_and_parse_report_any_garbage_at_its_fields(fields: dict[str, Any]) -> None:
    request, problems = parse(fields)
    assert problems == lint(fields)
    # An unusable image is an error of lint, but a request can be made of it.
    assert request is not None or errors(problems)
    for problem in problems:
        assert problem.path[0] in {*FIELDS, *fields}
        assert problem.message and problem.remedy
        assert str(problem) and len(problem.message) < 300


@pytest.mark.parametrize("field", ["duration", "num_generations", "prompt", "multi_prompt", "start_image_url"])
@pytest.mark.parametrize("model", ["kling-video-o3-pro-reference-to-video", "other"])
def test_a_number_too_long_to_print_is_an_error(field: str, model: str) -> None:
    found = lint({"model": model, "prompt": "a", field: 10**5000})
    assert errors(found)
    assert all(len(str(problem)) < 300 for problem in found)


FLUX, IMAGE_TO_VIDEO = "black-forest-labs-flux-2-klein-4b", "kling-video-o3-pro-image-to-video"


@pytest.mark.parametrize("data", [image_file(200, 320), image_file(1200, 300)], ids=["small", "wide"])
def test_the_limits_on_images_are_those_of_kling_and_bind_no_other_model(data: bytes) -> None:
    assert errors(lint({"model": IMAGE_TO_VIDEO, "prompt": "a", "input_image": data})) == ["input_image"]
    assert lint({"model": FLUX, "prompt": "@Image1", "input_image": [data]}) == []


@pytest.mark.parametrize("model", [FLUX, IMAGE_TO_VIDEO])
def test_an_unreadable_image_is_an_error_for_every_model(model: str) -> None:
    assert errors(lint({"model": model, "prompt": "a", "input_image": b"no picture"})) == ["input_image"]
