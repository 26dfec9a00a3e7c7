"""Requests: the values that they accept and refuse, and the bodies that they make."""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from support.images import image_file
from support.texts import assert_texts

from kling_nb.errors import ArgumentTypeError, RequestError
from kling_nb.models import rules
from kling_nb.models.asset import Asset
from kling_nb.models.lint import lint, parse
from kling_nb.models.request import OMNI, TARGET, Element, HubRequest, Omni, ReferenceToVideo, Shot, request_type

from .drafts import FACE, SIDE

TWO = {"multi_prompt": [{"prompt": "one"}, {"prompt": "two"}]}
FRONT = {"frontal_image_url": FACE}
VALID: list[dict[str, Any]] = [
    {"prompt": "@Image1", "input_image": FACE},
    {"prompt": "a cat"},
    {"prompt": "x" * 2500},
    {"prompt": "a cat", "duration": 3},
    {"prompt": "a cat", "duration": 15},
    {"prompt": "a cat", "multi_prompt": []},
    TWO,
    {"multi_prompt": [{"prompt": "x" * 512, "duration": 15}]},
    {"multi_prompt": [{"prompt": "s", "duration": 1}] * 6},
    {"prompt": "a cat", "input_image": [FACE] * 7},
    {"prompt": "a cat", "input_image": [FACE] * 4, "elements": [FRONT] * 3},
    {"prompt": "a cat", "elements": [{**FRONT, "reference_image_urls": [SIDE] * 3}]},
    {"prompt": "a cat", "start_image_url": FACE, "tail_image_url": SIDE},
    {"prompt": "a cat", "negative_prompt": "blur", "aspect_ratio": "9:16", "generate_audio": True},
    {"prompt": "a cat", "num_generations": 4, "response_format": "b64_json", "target_namespace": "team"},
]
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "prompt"),
    ({"prompt": " \n"}, "prompt"),
    ({"prompt": "20261127-112847-dde8ca-0"}, "prompt"),
    ({"multi_prompt": []}, "prompt"),
    ({"prompt": "a", **TWO}, "multi_prompt"),
    ({"prompt": "x" * 2501}, "prompt"),
    ({"negative_prompt": "x" * 2501, "prompt": "a"}, "negative_prompt"),
    ({"prompt": "a", "duration": 2}, "duration"),
    ({"prompt": "a", "duration": 16}, "duration"),
    ({"prompt": "a", "duration": 5.0}, "duration"),
    ({"prompt": "a", "duration": "5"}, "duration"),
    ({"prompt": "a", "duration": True}, "duration"),
    ({"multi_prompt": [{"prompt": "a", "duration": 2}]}, "multi_prompt"),
    ({"multi_prompt": [{"prompt": "a", "duration": 8}] * 2}, "multi_prompt"),
    ({"multi_prompt": [{"prompt": "a", "duration": 1}] * 7}, "multi_prompt"),
    ({"multi_prompt": [{"prompt": "a", "duration": 16}]}, "multi_prompt.0.duration"),
    ({"multi_prompt": [{"prompt": "a"}, {"duration": 3}]}, "multi_prompt.1.prompt"),
    ({"multi_prompt": [{"prompt": ""}]}, "multi_prompt.0.prompt"),
    ({"multi_prompt": [{"prompt": "  "}]}, "multi_prompt.0.prompt"),
    ({"multi_prompt": [{"prompt": "x" * 513}]}, "multi_prompt.0.prompt"),
    ({"multi_prompt": ["a cat"]}, "multi_prompt.0"),
    ({"multi_prompt": "a cat"}, "multi_prompt"),
    ({"prompt": "a", "input_image": {FACE}}, "input_image"),
    ({"prompt": "a", "input_image": {FACE: 1}}, "input_image"),
    ({"prompt": "a", "input_image": [FACE, 5]}, "input_image.1"),
    ({"prompt": "a", "input_image": [FACE] * 8}, "input_image"),
    ({"prompt": "a", "input_image": [FACE] * 3, "elements": [FRONT] * 5}, "elements"),
    ({"prompt": "a", "tail_image_url": FACE}, "tail_image_url"),
    ({"prompt": "a", "elements": [{}]}, "elements.0.frontal_image_url"),
    ({"prompt": "a", "elements": [FACE]}, "elements.0"),
    ({"prompt": "a", "elements": [{**FRONT, "reference_image_urls": [SIDE] * 4}]}, "elements.0.reference_image_urls"),
    ({"prompt": "a", "elements": [{"frontal_image": FACE, **FRONT}]}, "elements.0.frontal_image"),
    ({"prompt": "a", "aspect_ratio": "4:3"}, "aspect_ratio"),
    ({"prompt": "a", "generate_audio": "yes"}, "generate_audio"),
    ({"prompt": "a", "generate_audio": 1}, "generate_audio"),
    ({"prompt": "a", "num_generations": 5}, "num_generations"),
    ({"prompt": "a", "num_generations": 0}, "num_generations"),
    ({"prompt": "a", "response_format": "mp4"}, "response_format"),
    ({"prompt": "a", "seed": 7}, "seed"),
]
OMNI_REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "prompt"),
    ({"prompt": "a", "multi_prompt": [{"prompt": "b"}]}, "multi_prompt"),
    ({"prompt": "a", "input_video": FACE, "generate_audio": True}, "generate_audio"),
    ({"prompt": "a", "input_video": FACE, "input_image": [FACE] * 5}, "input_image"),
    ({"prompt": "a", "video_mode": "cut"}, "video_mode"),
    ({"prompt": "a", "resolution": "8k"}, "resolution"),
    ({"prompt": "a", "tail_image_url": FACE}, "tail_image_url"),
]


@pytest.mark.parametrize("fields", VALID, ids=lambda fields: ",".join(fields))
def test_a_valid_request_can_be_made_and_has_no_error(fields: dict[str, Any]) -> None:
    ReferenceToVideo(**fields)
    assert parse(fields).errors == []


@pytest.mark.parametrize(("fields", "where"), REFUSED)
def test_an_invalid_value_is_one_error_at_its_field(fields: dict[str, Any], where: str) -> None:
    with pytest.raises(RequestError) as caught:
        ReferenceToVideo(**fields)
    errors = parse(fields).errors
    assert [problem.field for problem in errors] == [where]
    assert [(problem.field, problem.remedy) for problem in caught.value.problems] == [(where, errors[0].remedy)]


@pytest.mark.parametrize(("fields", "where"), OMNI_REFUSED)
def test_omni_has_its_own_rules(fields: dict[str, Any], where: str) -> None:
    with pytest.raises(RequestError):
        Omni(**fields)
    assert [problem.field for problem in parse({**fields, "model": OMNI}).errors] == [where]


def test_the_texts_of_errors() -> None:
    problems = [problem for fields, _ in REFUSED for problem in parse(fields).errors]
    problems += [problem for fields, _ in OMNI_REFUSED for problem in parse({**fields, "model": OMNI}).errors]
    assert_texts("request-errors", map(str, problems))
    assert_texts("request-errors-in-a-form", (problem.form_remedy for problem in problems if problem.form_remedy))


def test_numpy_scalars_are_numbers() -> None:
    plain = ReferenceToVideo(prompt="a", duration=7, generate_audio=True, num_generations=2)
    given = {"duration": np.int64(7), "generate_audio": np.True_, "num_generations": np.uint8(2)}
    assert ReferenceToVideo(prompt="a", **given) == plain
    whole, problems = parse({"prompt": "a", **given})
    assert (whole, problems) == (plain, [])
    assert Shot(prompt="a", duration=np.int32(4)).duration == 4
    other = HubRequest(model="other", prompt="a", cfg_scale=np.float32(0.5), duration=np.int64(5))
    assert other.body(str) == {"model": "other", "num_generations": 1, "prompt": "a", "cfg_scale": 0.5, "duration": 5}


@pytest.mark.parametrize(
    "held",
    [tuple, iter, deque, np.array, pd.Series, pd.Index, dict.fromkeys, lambda many: dict.fromkeys(many).keys()],
    ids=["tuple", "iterator", "deque", "array", "series", "index", "dict", "keys"],
)
def test_the_images_of_any_collection_are_checked(held: Callable[[list[str]], Any], tmp_path: Path) -> None:
    small, broken = tmp_path / "small.png", tmp_path / "broken.png"
    small.write_bytes(image_file(100, 100))
    broken.write_bytes(image_file()[:300])
    for name in ("input_image", "elements"):
        paths = [str(small), str(broken)]
        given = held(paths) if name == "input_image" else deque([{"frontal_image_url": path} for path in paths])
        parsed = parse({"prompt": "a", name: given})
        found = [problem.field.split(".")[:2] for problem in parsed.errors]
        if isinstance(given, dict):
            assert (parsed.request, found) == (None, [[name]])
        else:
            assert found == [[name, "0"], [name, "1"]]


@pytest.mark.parametrize("held", [np.array, pd.Series, deque, tuple])
def test_a_column_of_images_becomes_a_list(held: Callable[[list[str]], Any]) -> None:
    request = ReferenceToVideo(prompt="a", input_image=held([FACE, SIDE]))
    assert request.draft()["input_image"] == [Asset.from_url(FACE), Asset.from_url(SIDE)]
    assert HubRequest(model="other", input_image=held([FACE])).draft()["input_image"] == [Asset.from_url(FACE)]


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda: Element(frontal_image_url="nope.png"), "frontal_image_url"),
        (lambda: Shot(prompt="a", duration=99), "duration"),
        (lambda: Shot(promt="a", prompt="a"), "promt"),
        (lambda: Omni(prompt="a", resolution="8k"), "resolution"),
    ],
)
def test_an_invalid_part_is_an_error_without_pydantics_traceback(make: Callable[[], Any], where: str) -> None:
    with pytest.raises(RequestError) as caught:
        make()
    assert [problem.field for problem in caught.value.problems] == [where]
    assert "pydantic" not in "".join(traceback.format_exception(caught.value)).rpartition("RequestError")[2]


def test_a_hub_request_names_the_field_that_cannot_be_sent() -> None:
    with pytest.raises(RequestError, match=r"^seed: nan"):
        HubRequest(model="m", seed=float("nan"))


@pytest.mark.parametrize(("kind", "field"), [(Element, "frontal_image_url"), (Shot, "prompt"), (Omni, "prompt")])
def test_positional_arguments_are_a_type_error_that_shows_the_keyword(kind: Any, field: str) -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        kind("a cat")
    assert str(caught.value) == (
        f"{kind.__name__}() takes keyword arguments only. Write {kind.__name__}({field}='a cat')."
    )


def test_an_error_in_a_part_keeps_its_path() -> None:
    with pytest.raises(RequestError) as caught:
        ReferenceToVideo(multi_prompt=[{"prompt": "a"}, {"prompt": "b", "duration": 99}], elements=[{}])
    assert [p.field for p in caught.value.problems] == ["multi_prompt.1.duration", "elements.0.frontal_image_url"]


def test_a_request_cannot_be_changed() -> None:
    request = ReferenceToVideo(prompt="a cat")
    with pytest.raises(ValidationError):
        request.prompt = "a dog"  # type: ignore[misc]  # the point of the test


def test_the_class_follows_the_model() -> None:
    assert request_type(TARGET) is ReferenceToVideo
    assert request_type(OMNI) is Omni
    assert request_type("kling-video-v2-6-pro-text-to-video") is HubRequest


def test_the_body_leaves_out_fields_that_the_hub_ignores() -> None:
    shots = ReferenceToVideo(multi_prompt=(Shot(prompt="one"),), duration=9, input_image=())
    body = shots.body(lambda asset: asset.identity)
    assert body["multi_prompt"] == [{"prompt": "one", "duration": 5}]
    assert not {"duration", "prompt", "input_image", "elements"} & set(body)


def test_the_body_of_an_element_without_angles_has_no_empty_list() -> None:
    request = ReferenceToVideo(prompt="@Element1", elements=(Element(frontal_image_url=FACE),))
    assert request.body(lambda asset: asset.identity)["elements"] == [{"frontal_image_url": FACE}]


def test_an_edit_by_omni_sends_no_duration() -> None:
    edit = Omni(prompt="make it night", input_video="https://example.org/clip.mp4", duration=9)
    body = edit.body(lambda asset: asset.identity)
    assert "duration" not in body
    assert body["video_mode"] == "edit"


def test_omni_without_a_video_sends_nothing_about_videos() -> None:
    assert not {"video_mode", "keep_audio"} & set(Omni(prompt="a").body(lambda asset: asset.identity))


def test_assets_come_in_order_with_their_paths() -> None:
    request = ReferenceToVideo(
        prompt="a", input_image=[FACE], elements=[{"frontal_image_url": SIDE, "reference_image_urls": [FACE]}]
    )
    assert [path for path, _ in request.assets()] == [
        "input_image.0",
        "elements.0.frontal_image_url",
        "elements.0.reference_image_urls.0",
    ]


@pytest.mark.parametrize("name", ["input_image", "image", "tail_image_url", "image_urls", "last_frame", "input_images"])
def test_a_hub_request_accepts_files_for_images(name: str, tmp_path: Path) -> None:
    file = tmp_path / "face.png"
    file.write_bytes(image_file())
    request = HubRequest.model_validate({"model": "other", name: str(file)})
    assert [(path, asset.kind) for path, asset in request.assets()] == [(name, "image")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image_size", "1024x1024"),
        ("image_format", "png"),
        ("video_quality", "high"),
        ("video_mode", "edit"),
        ("image_prompt", "a cat"),
        ("frame_rate", "24"),
        ("num_frames", 24),
        ("keep_video", True),
    ],
)
def test_a_hub_request_keeps_text_about_images(name: str, value: Any) -> None:
    request = HubRequest.model_validate({"model": "other", name: value})
    assert request.body(lambda asset: "an address")[name] == value


def test_a_hub_request_names_the_image_that_cannot_be_read() -> None:
    with pytest.raises(ValidationError, match=r"input_image\.1: "):
        HubRequest.model_validate({"model": "other", "input_image": [FACE, "nowhere.png"]})


@pytest.mark.parametrize("value", [float("nan"), 2**60, "\ud800", object(), {1: 2}])
def test_a_hub_request_refuses_values_that_json_cannot_carry(value: Any) -> None:
    with pytest.raises(ValidationError, match="seed"):
        HubRequest.model_validate({"model": "other", "seed": value})


def test_errors_and_reprs_do_not_show_a_signed_address() -> None:
    signed = "https://example.org/a.png?oxen_signature=SECRET"
    request = ReferenceToVideo(prompt="a", input_image=[signed])
    assert "SECRET" not in repr(request) + str(request) + request.model_dump_json()
    assert "SECRET" not in repr(Asset.from_url(signed))
    for fields in ({"prompt": "a", "input_image": {signed}}, {"prompt": signed * 90}, {"prompt": [signed]}):
        with pytest.raises(RequestError) as caught:
            ReferenceToVideo(**fields)
        assert "SECRET" not in str(caught.value)
        assert "SECRET" not in "".join(map(str, lint(fields)))


def test_a_draft_is_computed_once_and_a_copy_has_its_own() -> None:
    request = ReferenceToVideo(prompt="a", duration=7)
    assert request.draft() is request.draft()
    changed = request.model_copy(update={"duration": 9, "prompt": "x" * 600})
    assert changed.draft()["duration"] == 9
    assert [problem.path for problem in changed.broken_rules] == [("prompt",)]
    assert (request.draft()["duration"], request.broken_rules) == (7, [])
    assert request == ReferenceToVideo(prompt="a", duration=7) != changed


def test_rules_are_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    check = rules.check_rules
    monkeypatch.setattr(rules, "check_rules", lambda *args: (calls.append(args), check(*args))[1])
    request = parse({"prompt": "x" * 600}).request
    assert request is not None
    assert [problem.path for problem in parse(request).warnings] == [("prompt",)]
    assert len(calls) == 1
