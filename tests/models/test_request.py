"""The rules of HUB_API section 6, each as a claim about the requests."""

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

from kling_nb.errors import RequestError
from kling_nb.models.asset import Asset
from kling_nb.models.lint import lint, parse
from kling_nb.models.request import OMNI, TARGET, Element, HubRequest, Omni, ReferenceToVideo, Shot, request_type

from .drafts import FACE, SIDE, picture

TWO = {"multi_prompt": [{"prompt": "one"}, {"prompt": "two"}]}
FRONT = {"frontal_image_url": FACE}
FINE: list[dict[str, Any]] = [
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
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({}, "prompt", "no prompt"),
    ({"prompt": " \n"}, "prompt", "no prompt"),
    ({"prompt": "20261127-112847-dde8ca-0"}, "prompt", "is the id of a record"),
    ({"multi_prompt": []}, "prompt", "no prompt"),
    ({"prompt": "a", **TWO}, "multi_prompt", "both a prompt and shots"),
    ({"prompt": "x" * 2501}, "prompt", "2,501 characters"),
    ({"negative_prompt": "x" * 2501, "prompt": "a"}, "negative_prompt", "2,501 characters"),
    ({"prompt": "a", "duration": 2}, "duration", "2 s is too little"),
    ({"prompt": "a", "duration": 16}, "duration", "16 s is too much"),
    ({"prompt": "a", "duration": 5.0}, "duration", "write 5, without a point"),
    ({"prompt": "a", "duration": "5"}, "duration", "write 5, without quotes"),
    ({"prompt": "a", "duration": True}, "duration", "True is not a whole number"),
    ({"multi_prompt": [{"prompt": "a", "duration": 2}]}, "multi_prompt", "2 s in all is too short"),
    ({"multi_prompt": [{"prompt": "a", "duration": 8}] * 2}, "multi_prompt", "16 s in all is too long"),
    ({"multi_prompt": [{"prompt": "a", "duration": 1}] * 7}, "multi_prompt", "7 are too many"),
    ({"multi_prompt": [{"prompt": "a", "duration": 16}]}, "multi_prompt.0.duration", "16 s is too much"),
    ({"multi_prompt": [{"prompt": "a"}, {"duration": 3}]}, "multi_prompt.1.prompt", "missing"),
    ({"multi_prompt": [{"prompt": ""}]}, "multi_prompt.0.prompt", "empty"),
    ({"multi_prompt": [{"prompt": "  "}]}, "multi_prompt.0.prompt", "no prompt"),
    ({"multi_prompt": [{"prompt": "x" * 513}]}, "multi_prompt.0.prompt", "513 characters"),
    ({"multi_prompt": ["a cat"]}, "multi_prompt.0", "'a cat' is not a shot"),
    ({"multi_prompt": "a cat"}, "multi_prompt", "'a cat' is not a list"),
    ({"prompt": "a", "input_image": FACE}, "input_image", "not a list"),
    ({"prompt": "a", "input_image": {FACE}}, "input_image", "not a list"),
    ({"prompt": "a", "input_image": {FACE: 1}}, "input_image", "not a list"),
    ({"prompt": "a", "input_image": np.zeros((400, 400), "uint8")}, "input_image", "not a list"),
    ({"prompt": "a", "input_image": [FACE, 5]}, "input_image.1", "an int is not an image"),
    ({"prompt": "a", "input_image": [FACE] * 8}, "input_image", "8 pictures and elements"),
    ({"prompt": "a", "input_image": [FACE] * 3, "elements": [FRONT] * 5}, "elements", "8 pictures and elements"),
    ({"prompt": "a", "tail_image_url": FACE}, "tail_image_url", "needs a start frame"),
    ({"prompt": "a", "elements": [{}]}, "elements.0.frontal_image_url", "missing"),
    ({"prompt": "a", "elements": [FACE]}, "elements.0", "is not an element"),
    (
        {"prompt": "a", "elements": [{**FRONT, "reference_image_urls": [SIDE] * 4}]},
        "elements.0.reference_image_urls",
        "4 are too many",
    ),
    ({"prompt": "a", "elements": [{"frontal_image": FACE, **FRONT}]}, "elements.0.frontal_image", "no such field"),
    ({"prompt": "a", "aspect_ratio": "4:3"}, "aspect_ratio", "'4:3' is not offered"),
    ({"prompt": "a", "generate_audio": "yes"}, "generate_audio", "'yes' is neither True nor False"),
    ({"prompt": "a", "generate_audio": 1}, "generate_audio", "1 is neither True nor False"),
    ({"prompt": "a", "num_generations": 5}, "num_generations", "5 is too much"),
    ({"prompt": "a", "num_generations": 0}, "num_generations", "0 is too little"),
    ({"prompt": "a", "response_format": "mp4"}, "response_format", "'mp4' is not offered"),
    ({"prompt": "a", "seed": 7}, "seed", "no such field"),
]
OMNI_REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({}, "prompt", "missing"),
    ({"prompt": "a", "multi_prompt": [{"prompt": "b"}]}, "multi_prompt", "no such field"),
    ({"prompt": "a", "input_video": FACE, "generate_audio": True}, "generate_audio", "beside a video"),
    ({"prompt": "a", "input_video": FACE, "input_image": [FACE] * 5}, "input_image", "5 pictures and elements"),
    ({"prompt": "a", "video_mode": "cut"}, "video_mode", "'cut' is not offered"),
    ({"prompt": "a", "resolution": "8k"}, "resolution", "'8k' is not offered"),
    ({"prompt": "a", "tail_image_url": FACE}, "tail_image_url", "needs a start frame"),
]


@pytest.mark.parametrize("fields", FINE, ids=lambda fields: ",".join(fields))
def test_what_the_hub_takes_can_be_made_and_has_no_error(fields: dict[str, Any]) -> None:
    ReferenceToVideo(**fields)
    assert [p for p in lint(fields) if p.severity == "error"] == []


@pytest.mark.parametrize(("fields", "where", "what"), REFUSED, ids=[f"{w}-{m}" for _, w, m in REFUSED])
def test_what_the_hub_refuses_is_refused_at_its_field(fields: dict[str, Any], where: str, what: str) -> None:
    with pytest.raises(RequestError) as caught:
        ReferenceToVideo(**fields)
    errors = [p for p in lint(fields) if p.severity == "error"]
    assert [(p.field, p.remedy) for p in caught.value.problems] == [(p.field, p.remedy) for p in errors]
    assert [p.field for p in errors] == [where]
    assert what in str(errors[0])
    assert errors[0].remedy


@pytest.mark.parametrize(("fields", "where", "what"), OMNI_REFUSED, ids=[f"{w}-{m}" for _, w, m in OMNI_REFUSED])
def test_omni_keeps_its_own_rules(fields: dict[str, Any], where: str, what: str) -> None:
    with pytest.raises(RequestError):
        Omni(**fields)
    errors = [p for p in lint({**fields, "model": OMNI}) if p.severity == "error"]
    assert [p.field for p in errors] == [where]
    assert what in str(errors[0])


def test_numbers_out_of_a_table_are_numbers() -> None:
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
def test_whatever_holds_the_pictures_each_of_them_is_checked(held: Callable[[list[str]], Any], tmp_path: Path) -> None:
    small, broken = tmp_path / "small.png", tmp_path / "broken.png"
    small.write_bytes(picture(100, 100))
    broken.write_bytes(picture()[:300])
    for name in ("input_image", "elements"):
        paths = [str(small), str(broken)]
        given = held(paths) if name == "input_image" else deque([{"frontal_image_url": path} for path in paths])
        request, problems = parse({"prompt": "a", name: given})
        found = [p.field.split(".")[:2] for p in problems if p.severity == "error"]
        if isinstance(given, dict):
            assert (request, found) == (None, [[name]])
        else:
            assert found == [[name, "0"], [name, "1"]]


@pytest.mark.parametrize("held", [np.array, pd.Series, deque, tuple])
def test_a_request_made_of_a_column_holds_a_list_of_pictures(held: Callable[[list[str]], Any]) -> None:
    request = ReferenceToVideo(prompt="a", input_image=held([FACE, SIDE]))
    assert request.draft()["input_image"] == [Asset.from_url(FACE), Asset.from_url(SIDE)]
    assert HubRequest(model="other", input_image=held([FACE])).draft()["input_image"] == [Asset.from_url(FACE)]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: Element(frontal_image_url="nope.png"),
            "frontal_image_url: there is no file 'nope.png' – it was looked",
        ),
        (lambda: Shot(prompt="a", duration=99), "duration: 99 s is too much – at most 15 s"),
        (lambda: Shot(promt="a"), "promt: there is no such field – did you mean prompt?"),
        (lambda: Omni(prompt="a", resolution="8k"), "resolution: '8k' is not offered – choose one of"),
        (lambda: HubRequest(model="m", seed=float("nan")), "seed: nan is not a number – give a number"),
        (lambda: Element("mara.png"), "'mara.png' has no field's name – write Element(frontal_image_url=...)"),
        (lambda: Shot("a cat"), "'a cat' has no field's name – write Shot(prompt=...)"),
        (lambda: ReferenceToVideo("a cat"), "'a cat' has no field's name – write ReferenceToVideo(prompt=...)"),
    ],
)
def test_a_part_that_cannot_be_made_says_why_in_our_words(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(RequestError) as caught:
        make()
    assert said in str(caught.value)
    assert "pydantic" not in "".join(traceback.format_exception(caught.value)).rpartition("RequestError")[2]


def test_a_fault_inside_a_part_keeps_its_place() -> None:
    with pytest.raises(RequestError) as caught:
        ReferenceToVideo(multi_prompt=[{"prompt": "a"}, {"prompt": "b", "duration": 99}], elements=[{}])
    assert [p.field for p in caught.value.problems] == ["multi_prompt.1.duration", "elements.0.frontal_image_url"]


def test_a_request_is_a_value_that_cannot_be_changed() -> None:
    request = ReferenceToVideo(prompt="a cat")
    with pytest.raises(ValidationError):
        request.prompt = "a dog"  # type: ignore[misc]  # the point of the test


def test_the_type_follows_the_model() -> None:
    assert request_type(TARGET) is ReferenceToVideo
    assert request_type(OMNI) is Omni
    assert request_type("kling-video-v2-6-pro-text-to-video") is HubRequest


def test_the_body_leaves_out_what_the_hub_would_ignore() -> None:
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
def test_a_hub_request_takes_files_where_pictures_go(name: str, tmp_path: Path) -> None:
    file = tmp_path / "face.png"
    file.write_bytes(picture())
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
def test_a_hub_request_leaves_words_about_pictures_alone(name: str, value: Any) -> None:
    request = HubRequest.model_validate({"model": "other", name: value})
    assert request.body(lambda asset: "an address")[name] == value


def test_a_hub_request_says_which_picture_it_could_not_read() -> None:
    with pytest.raises(ValidationError, match=r"input_image\.1: there is no file"):
        HubRequest.model_validate({"model": "other", "input_image": [FACE, "nowhere.png"]})


@pytest.mark.parametrize("value", [float("nan"), 2**60, "\ud800", object(), {1: 2}])
def test_a_hub_request_refuses_what_json_cannot_carry(value: Any) -> None:
    with pytest.raises(ValidationError, match="seed"):
        HubRequest.model_validate({"model": "other", "seed": value})


def test_errors_and_reprs_do_not_show_a_signed_address() -> None:
    signed = "https://example.org/a.png?oxen_signature=SECRET"
    request = ReferenceToVideo(prompt="a", input_image=[signed])
    assert "SECRET" not in repr(request) + str(request) + request.model_dump_json()
    assert "SECRET" not in repr(Asset.from_url(signed))
    for fields in ({"prompt": "a", "input_image": signed}, {"prompt": signed * 90}, {"prompt": [signed]}):
        with pytest.raises(RequestError) as caught:
            ReferenceToVideo(**fields)
        assert "SECRET" not in str(caught.value)
        assert "SECRET" not in "".join(map(str, lint(fields)))
