"""A price is never said too low: for the catalogue's models, for schemas of other catalogues, and for drawn ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.clips import grey, write_clip

from kling_nb.models.catalogue import Model
from kling_nb.models.price import Estimate, Pricing, estimate
from kling_nb.models.request import HubRequest, request_type
from kling_nb.models.usage import is_count

CATALOGUE = [
    Model.read(raw) for raw in json.loads(files("kling_nb.localhub").joinpath("catalogue.json").read_text())["data"]
]
MADE = {model.makes: model for model in CATALOGUE}
VIDEOS = [model for model in CATALOGUE if model.makes == "video" and not model.id.endswith(("-edit", "-control"))]
Fields = Mapping[str, Any]
HALF = {"method": "per_video_output_second", "cost_per_second": 0.5}
TABLE = {"480p": 0.1, "720p": 0.2, "1080p": 0.4}


def price(properties: Fields, pricing: Fields, draft: Fields, **schema: Any) -> Estimate:
    return estimate(
        {"model": "made-up", **draft},
        pricing=Pricing.model_validate(pricing),
        schema={"properties": properties, **schema},
    )


# -- lengths


WHOLE = {"duration": {"type": "integer", "minimum": 3, "maximum": 12, "default": 8}}
AUTO = {"duration": {"type": "string", "enum": ["auto", "4s", "8s", "12s"], "default": "auto"}}
MAYBE = {"duration": {"anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 2, "maximum": 12}]}}
NAMED = {"$defs": {"Long": {"enum": ["5", "10"], "default": "10"}}, "properties": {}}


@pytest.mark.parametrize(
    ("properties", "draft", "seconds", "most"),
    [
        (WHOLE, {}, "8", False),
        (WHOLE, {"duration": 3}, "3", False),
        (WHOLE, {"duration": "10"}, "10", False),
        (WHOLE, {"duration": "10s"}, "10", False),
        (WHOLE, {"duration": " 7.5 Seconds"}, "7.5", False),
        (WHOLE, {"duration": 7.5}, "7.5", False),
        (WHOLE, {"Duration": 9}, "9", False),
        (WHOLE, {"DURATION": "4"}, "8", False),  # the hub may ignore it, and use its default
        (WHOLE, {"seconds": 4}, "8", False),
        (WHOLE, {"seconds": 4, "duration": 3}, "3", False),
        ({"Duration": {"default": 8, "maximum": 12}}, {"Duration": 4}, "4", False),
        (WHOLE, {"duration": "1 min"}, "60", False),
        (WHOLE, {"duration": "1500ms"}, "1.5", False),
        (WHOLE, {"duration": "auto"}, "12", True),
        (WHOLE, {"duration": "AUTO"}, "12", True),
        (WHOLE, {"duration": -1}, "12", True),
        (WHOLE, {"duration": "-1"}, "12", True),
        (WHOLE, {"duration": 0}, "12", True),
        (WHOLE, {"duration": -2}, "12", True),
        ({"num_frames": {"default": 120, "maximum": 240}, "fps": {"default": 24}}, {"num_frames": 0}, "10", True),
        ({"num_frames": {"default": 120}, "fps": {"minimum": 12, "default": 24}}, {"fps": 0}, "10", True),
        (WHOLE, {"duration": "long"}, "12", True),
        (WHOLE, {"duration": "5 parsecs"}, "12", True),
        (WHOLE, {"duration": 10**9}, "1000000000", False),
        (WHOLE, {"duration": 10**9 + 1}, "12", True),
        (WHOLE, {"duration": True}, "12", True),
        (WHOLE, {"duration": float("nan")}, "12", True),
        (WHOLE, {"duration": 10**5000}, "12", True),
        (WHOLE, {"duration": None}, "8", False),
        (AUTO, {}, "12", True),
        (AUTO, {"duration": "4s"}, "4", False),
        (MAYBE, {}, "12", True),
        (MAYBE, {"duration": "auto"}, "12", True),
        (MAYBE, {"duration": 2}, "2", False),
        ({"seconds": {"type": "string", "enum": ["4", "8", "12"], "default": "4"}}, {}, "4", False),
        ({"seconds": {"type": "string", "enum": ["4", "8", "12"]}}, {}, "12", True),
        ({"Duration_Seconds": {"type": "number", "default": 6.5}}, {}, "6.5", False),
        ({"durationSeconds": {"type": "number", "exclusiveMaximum": 9}}, {}, "9", True),
        ({"duration": {"type": "integer", "default": -1, "minimum": -1, "maximum": 15}}, {}, "15", True),
        ({"duration": {"type": ["integer", "null"], "default": None, "maximum": 10}}, {}, "10", True),
        ({"duration": {"const": 6}}, {}, "6", False),
        ({"duration_ms": {"type": "integer", "default": 4500}}, {}, "4.5", False),
        ({"num_frames": {"default": 121}, "fps": {"default": 24}}, {"num_frames": 240}, "10", False),
        ({"num_frames": {"default": 120}, "frame_rate": {"default": 24}}, {}, "5", False),
        ({"num_frames": {"default": 120}, "fps": {"default": 24}}, {"fps": 12}, "10", False),
        ({"num_frames": {"default": 120}, "fps": {"enum": [8, 24]}}, {}, "15", True),
        ({"num_frames": {"maximum": 160}, "fps": {"minimum": 16}}, {"num_frames": "auto", "fps": "auto"}, "10", True),
        ({**WHOLE, "num_frames": {}, "fps": {"default": 24}}, {"num_frames": 480}, "20", False),
        ({**WHOLE, "num_frames": {"type": "integer"}}, {}, "8", False),
        ({**WHOLE, "frames": {"type": "array"}}, {"frames": ["https://example.org/a.png"]}, "8", False),
        (WHOLE, {"multi_prompt": [{"prompt": "a", "duration": 6}, {"prompt": "b"}]}, "11", False),
        (WHOLE, {"multi_prompt": [{"prompt": "a", "duration": "auto"}]}, "15", True),
        (WHOLE, {"multi_prompt": [{"duration": 3}], "duration": 9}, "9", False),
        (
            {"shots": {"type": "array", "items": {"properties": {"duration": {"maximum": 7}}}}},
            {"shots": [{"prompt": "a"}, {"prompt": "b", "duration": "2s"}]},
            "9",
            True,
        ),
        ({}, {"duration": 6}, "6", False),
        ({"config": {"type": "object", "properties": WHOLE}}, {"config": {"duration": 4}}, "4", False),
        ({"config": {"type": "object", "properties": WHOLE}}, {"prompt": "a"}, "8", False),
        ({"config": {"properties": WHOLE}}, {"config": {"duration": "auto"}}, "12", True),
    ],
)
def test_a_clip_counts_with_the_seconds_that_it_may_have(
    properties: Fields, draft: Fields, seconds: str, most: bool
) -> None:
    found = price(properties, HALF, draft)
    assert (found.total, found.most) == (Decimal(seconds) / 2, most)
    assert Decimal(str(found.seconds)) == Decimal(seconds)
    assert str(found).startswith("up to $") is most


def test_a_length_is_found_three_objects_deep_and_no_deeper() -> None:
    properties: Fields = WHOLE
    draft: dict[str, Any] = {"duration": 4}
    for _ in range(3):
        properties, draft = {"config": {"type": "object", "properties": properties}}, {"config": draft}
    assert price(properties, HALF, draft).total == 2
    assert price({}, HALF, draft).total == 2
    deeper = {"config": {"type": "object", "properties": properties}}
    assert price(deeper, HALF, {"config": draft}).total is None


def test_a_schema_that_contains_itself_is_read() -> None:
    node = {"type": "object", "properties": {"duration": {"default": 4}, "next": {"$ref": "#/$defs/Node"}}}
    schema = {"$defs": {"Node": node}}
    assert price({"first": {"$ref": "#/$defs/Node"}}, HALF, {}, **schema).total == 2


def test_the_length_may_be_behind_a_reference() -> None:
    schema = {**NAMED, "properties": {"duration": {"$ref": "#/$defs/Long"}}}
    assert price(schema["properties"], HALF, {}, **{"$defs": schema["$defs"]}).total == 5


@pytest.mark.parametrize(
    ("properties", "draft"),
    [
        ({}, {}),
        ({"prompt": {"type": "string"}}, {"prompt": "a"}),
        ({"duration": {"type": "string"}}, {}),
        ({"duration": {"type": "integer", "minimum": 3}}, {"duration": "auto"}),
        ({"duration": {"default": "auto"}}, {}),
        ({"num_frames": {"default": 121}}, {}),
        ({"num_frames": {"default": 121}, "fps": {}}, {}),
        ({"audio_url": {"type": "string", "format": "uri"}}, {"audio_url": "https://example.org/a.mp3"}),
    ],
)
def test_a_clip_whose_length_nothing_bounds_has_no_price(properties: Fields, draft: Fields) -> None:
    assert price(properties, HALF, draft).total is None


# -- rates


SIZES = {"resolution": {"type": "string", "enum": ["480p", "720p", "1080p"], "default": "720p"}}
OPEN = {"resolution": {"type": "string", "enum": ["480p", "720p", "1080p"]}}
FIVE = {"duration": {"default": 5}}
BY_SIZE = {"method": "per_video_output_second", "cost_per_second": 0.2, "cost_per_second_by_resolution": TABLE}
SOUND = {**HALF, "cost_per_second_with_audio": 0.75}
SPOKEN = {"cost_per_second_by_resolution": {"720p": 0.3, "720p_with_audio": 0.6, "1080p": 0.9}}
TALL = {"method": "per_video_output_second", "cost_per_second": 0.5, "cost_per_second_high_res": 1}


@pytest.mark.parametrize(
    ("properties", "pricing", "draft", "rate"),
    [
        (SIZES, BY_SIZE, {}, "0.2"),
        (SIZES, BY_SIZE, {"resolution": "1080P"}, "0.4"),
        (SIZES, BY_SIZE, {"Resolution": "1080p"}, "0.4"),
        (SIZES, BY_SIZE, {"Resolution": "480p"}, "0.2"),
        (SIZES, BY_SIZE, {"size": "480p"}, "0.2"),
        (SIZES, BY_SIZE, {"resolution": "1080"}, "0.4"),
        (SIZES, BY_SIZE, {"resolution": "1920x1080"}, "0.4"),
        (SIZES, BY_SIZE, {"resolution": "720x1280"}, "0.2"),
        (SIZES, BY_SIZE, {"resolution": "auto"}, "0.4"),
        (SIZES, BY_SIZE, {"resolution": "4k"}, None),
        (SIZES, {**BY_SIZE, "cost_per_second_by_resolution": {"720P": 0.2}}, {}, "0.2"),
        (SIZES, {**BY_SIZE, "cost_per_second_by_resolution": {"1080p": 0.4}}, {}, None),
        (OPEN, BY_SIZE, {}, "0.4"),
        (OPEN, {**BY_SIZE, "cost_per_second_by_resolution": {"720p": 0.2}}, {}, None),
        ({}, BY_SIZE, {}, "0.4"),
        ({"size": {"enum": ["1280x720", "1920x1080"], "default": "1280x720"}}, BY_SIZE, {}, "0.2"),
        ({"mode": {"enum": ["std", "pro"]}}, {"cost_per_second_by_resolution": {"std": 0.1, "pro": 0.3}}, {}, "0.3"),
        (
            {"mode": {"enum": ["std", "pro"], "default": "std"}},
            {"cost_per_second_by_resolution": {"std": 0.1, "pro": 0.3}},
            {},
            "0.1",
        ),
        (SIZES, {"cost_per_second_by_resolution": {"2160p": 1, "720p": 0.1}}, {"resolution": "4K"}, "1"),
        (SIZES, {"cost_per_second_by_resolution": {"UHD": 1, "720p": 0.1}}, {"resolution": "4k"}, "1"),
        (SIZES, {"cost_per_second_by_resolution": {"1440p": 1, "720p": 0.1}}, {"resolution": "2K"}, "1"),
        (SIZES, {"cost_per_second_by_resolution": {"hd": 1, "sd": 0.1}}, {"resolution": "480p"}, "0.1"),
        (SIZES, {"cost_per_second_by_resolution": {"Full HD": 1, "hd": 0.1}}, {"resolution": "1080p"}, "1"),
        ({"config": {"properties": {"output": {"properties": SIZES}}}}, BY_SIZE, {}, "0.2"),
        ({"config": {}}, BY_SIZE, {"config": {"output": {"resolution": "480p"}}}, "0.1"),
        (SIZES, TALL, {}, "0.5"),
        (SIZES, TALL, {"resolution": "1080p"}, "1"),
        ({"resolution": {"enum": ["720p", "1080p", "4k"]}}, TALL, {"resolution": "1080p"}, "0.5"),
        ({"resolution": {"enum": ["720p", "1080p", "4k"]}}, TALL, {"resolution": "4K"}, "1"),
        ({"resolution": {"enum": ["720p", "1080p", "4k"]}}, TALL, {}, "1"),
        ({"resolution": {"enum": ["low", "ultra"], "default": "ultra"}}, TALL, {}, "1"),
        (SIZES, TALL, {"resolution": "1282x721"}, "1"),
        ({"resolution": {"enum": ["720p", "1922x1081"]}}, TALL, {"resolution": "1080p"}, "0.5"),
        ({"resolution": {"enum": ["720p", "1922x1081"]}}, TALL, {"resolution": "1922x1081"}, "1"),
        ({"size": {"enum": ["1280x720", "1024x1792"]}}, TALL, {"size": "1024x1792"}, "1"),
        ({"size": {"enum": ["1280x720", "1024x1792"]}}, TALL, {"size": "1280x720"}, "0.5"),
        ({"quality": {"enum": ["540p", "720p", "1080p"], "default": "720p"}}, TALL, {"quality": "1080p"}, "1"),
        ({"quality": {"enum": ["standard", "high"], "default": "standard"}}, TALL, {}, "0.5"),
        ({"quality": {"enum": ["standard", "high"], "default": "high"}}, TALL, {}, "1"),
        ({"mode": {"enum": ["std", "pro"], "default": "std"}}, TALL, {}, "0.5"),
        ({"mode": {"enum": ["std", "pro"]}}, TALL, {}, "1"),
        ({"mode": {"enum": ["std", "pro"]}}, TALL, {"mode": "pro"}, "1"),
        ({}, TALL, {}, "0.5"),
        ({"generate_audio": {"type": "boolean", "default": True}}, SOUND, {}, "0.75"),
        ({"generate_audio": {"type": "boolean", "default": False}}, SOUND, {}, "0.5"),
        ({"generate_audio": {"type": "boolean"}}, SOUND, {}, "0.75"),
        ({"generate_audio": {"type": "boolean", "default": True}}, SOUND, {"generate_audio": False}, "0.5"),
        ({"generate_audio": {"type": "boolean"}}, SOUND, {"Generate_Audio": "true"}, "0.75"),
        ({"sound": {"enum": ["on", "off"], "default": "off"}}, SOUND, {"sound": "ON"}, "0.75"),
        ({"sound": {"enum": ["on", "off"], "default": "off"}}, SOUND, {}, "0.5"),
        ({"audio": {"type": "string", "format": "uri"}}, SOUND, {}, "0.5"),
        ({}, SOUND, {}, "0.5"),
        ({}, {"method": "per_video", "cost_per_second": 0.5}, {}, None),
        ({}, {"method": "per_megapixel_second", "cost_per_second": 0.5}, {}, None),
        ({}, {"method": "token", "cost_per_second": 0.5}, {}, None),
        ({}, {"method": "PER_VIDEO_OUTPUT_SECOND", "cost_per_second": 0.5}, {}, "0.5"),
        ({}, {"cost_per_second": 0.5, "cost_per_request": 2}, {}, None),
        ({}, {"cost_per_second": 0.5, "cost_per_request": None, "currency": "USD"}, {}, "0.5"),
        ({}, {"method": "per_video_output_second"}, {}, None),
        ({}, {"cost_per_second": 0.5, "currency": "EUR"}, {}, None),
        ({}, {"cost_per_second": 0.5, "cost_per_second_with_audio_by_resolution": {"720p": 1}}, {}, None),
        ({}, {"cost_per_second": 0.5, "billing_increment_seconds": 5}, {}, None),
        ({}, {"cost_per_second": 0.5, "cost_per_second_with_audio": "on request"}, {}, None),
        ({}, {"cost_per_second": 0.5, "cost_per_second_by_resolution": [{"720p": 1}]}, {}, None),
        (SIZES, {"cost_per_second_by_resolution": {"720p": {"silent": 0.1, "sound": 0.3}}}, {}, "0.3"),
        (SIZES, {**BY_SIZE, "cost_per_second_by_resolution": {"720p": "on request", "1080p": 1}}, {}, None),
        ({}, {"cost_per_second": 0, "cost_per_second_high_res": 0.5}, {}, None),
        ({}, {"cost_per_second": 0}, {}, "0"),
        ({"config": {"properties": {"generate_audio": {"type": "boolean", "default": True}}}}, SOUND, {}, "0.75"),
        ({"config": {}}, SOUND, {"config": {"generate_audio": True}}, "0.75"),
        ({**SIZES, "sound": {"default": True}}, SPOKEN, {}, "0.6"),
        ({**SIZES, "sound": {"default": False}}, SPOKEN, {}, "0.3"),
    ],
)
def test_the_highest_rate_that_may_apply_counts(
    properties: Fields, pricing: Fields, draft: Fields, rate: str | None
) -> None:
    found = price({**FIVE, **properties}, pricing, draft)
    assert found.total == (None if rate is None else 5 * Decimal(rate))
    assert str(found) == ("price unknown" if rate is None else f"${found.total:.2f}")


@pytest.mark.parametrize(
    ("properties", "pricing", "draft", "total"),
    [
        ({}, {"cost_per_image": 0.5}, {}, "0.5"),
        ({"num_images": {"default": 2}}, {"cost_per_image": 0.5}, {}, "1"),
        ({"num_images": {"default": 1, "maximum": 4}}, {"cost_per_image": 0.5}, {"num_images": 4}, "2"),
        ({"n": {"default": 1, "maximum": 4}}, {"cost_per_image": 0.5}, {"n": "auto"}, "2"),
        ({"n": {"type": "integer"}}, {"cost_per_image": 0.5}, {"num_generations": 3}, "1.5"),
        ({}, {"cost_per_image": 0.5, "minimum_cost": 0.75}, {}, "0.75"),
        ({}, {"cost_per_image_grid": {"high": {"1K": 1, "2K": 3}, "low": {"1K": 0.5}}}, {}, "3"),
        (
            {"quality": {"enum": ["low", "high"], "default": "low"}, "size": {"enum": ["1K", "2K"], "default": "1K"}},
            {"cost_per_image_grid": {"high": {"1K": 1, "2K": 3}, "low": {"1K": 0.5, "2K": 0.75}}},
            {"size": "2k"},
            "0.75",
        ),
        (
            {"quality": {"enum": ["low", "high"], "default": "low"}, "size": {"enum": ["1K", "2K"], "default": "1K"}},
            {"cost_per_image_grid": {"high": {"1K": 1, "2K": 3}, "low": {"1K": 0.5}}},
            {"size": "2K"},
            None,
        ),
        ({"size": {"enum": ["1K", "2K"], "default": "1K"}}, {"cost_per_image_grid": {"1K": 1, "2K": 3}}, {}, "1"),
    ],
)
def test_images_count_by_their_number_quality_and_size(
    properties: Fields, pricing: Fields, draft: Fields, total: str | None
) -> None:
    for method in ("per_image", ""):
        found = price(properties, {"method": method, **pricing}, draft)
        assert (found.total, found.unit) == (None if total is None else Decimal(total), "image")


# -- input videos


BOTH = {"method": "per_video_input_output_second", "cost_per_second": 0.5, "minimum_seconds": 4}


@pytest.mark.parametrize(
    ("pricing", "properties", "draft", "total"),
    [
        (BOTH, FIVE, {}, "2.5"),
        (BOTH, FIVE, {"duration": 2}, "2"),
        (BOTH, FIVE, {"input_video": 3}, "4"),
        (BOTH, FIVE, {"input_videos": [3, 2]}, "5"),
        (BOTH, FIVE, {"input_video": "https://example.org/a.mp4"}, None),
        (BOTH, {}, {"input_video": 3}, "3"),
        (BOTH, {}, {"input_video": 1}, "2"),
        ({**BOTH, "method": "per_video_input_second"}, FIVE, {"input_video": 6}, "3"),
        (HALF, FIVE, {"input_video": 3}, "2.5"),
        (HALF, FIVE, {"input_video": "https://example.org/a.mp4"}, "2.5"),
        (HALF, {**FIVE, "video_mode": {"enum": ["edit", "reference"], "default": "edit"}}, {"input_video": 3}, "1.5"),
        (HALF, {}, {"input_videos": [3, 2]}, "2.5"),
        (HALF, {}, {"input_videos": [3, "https://example.org/a.mp4"]}, None),
        ({**HALF, "minimum_cost": 2}, FIVE, {"duration": 1}, "2"),
    ],
)
def test_the_seconds_of_input_videos_count_where_the_pricing_says_so(
    tmp_path: Path,
    pricing: Fields,
    properties: Fields,
    draft: Fields,
    total: str | None,
) -> None:
    def clip(value: Any) -> Any:
        if isinstance(value, list):
            return [clip(each) for each in value]
        return write_clip(tmp_path / f"{value}.mp4", [grey(80)] * 24 * value) if isinstance(value, int) else value

    fields = {name: clip(value) if "video" in name else value for name, value in draft.items()}
    request = HubRequest(model="made-up", prompt="a", **fields)
    found = estimate(request.draft(), pricing=Pricing.model_validate(pricing), schema={"properties": properties})
    assert found.total == (None if total is None else Decimal(total))


# -- every model, and drawn ones


@st.composite
def valid(draw: st.DrawFn, model: Model) -> dict[str, Any]:
    """Draw the fields of a request that the model's schema accepts and a price may depend on."""
    typed = request_type(model.id) is not HubRequest
    properties = model.request_schema["properties"] | ({"duration": {"minimum": 3, "maximum": 15}} if typed else {})
    drawn: dict[str, Any] = {"model": model.id, "prompt": "a"}
    for name in ("duration", "resolution", "generate_audio"):
        if (field := properties.get(name)) is not None and draw(st.booleans()):
            choices = field.get("enum") or ([False, True] if field.get("type") == "boolean" else None)
            whole = st.integers(field.get("minimum", 1), field.get("maximum", 60))
            drawn[name] = draw(st.sampled_from(choices) if choices else whole)
    return drawn


@given(st.data(), st.sampled_from(VIDEOS))
def test_no_request_to_the_catalogue_is_priced_below_its_pricing(data: st.DataObject, model: Model) -> None:
    draft = data.draw(valid(model))
    rates = model.raw["pricing"]
    rate = rates["cost_per_second"]
    if table := rates.get("cost_per_second_by_resolution"):
        rate = table[draft.get("resolution", "1080p")]
    if draft.get("generate_audio"):
        rate = max(rate, rates["cost_per_second_with_audio"])
    found = estimate(draft, pricing=model.pricing, schema=model.request_schema)
    assert found.total == Decimal(str(rate)) * draft.get("duration", 5)


@pytest.mark.parametrize(
    ("name", "multiplies"), [("num_generations", True), ("numImages", True), ("n", True), ("seed", False)]
)
def test_the_fields_that_multiply_a_price_are_known(name: str, multiplies: bool) -> None:
    assert is_count(name) is multiplies


@given(st.integers(1, 4))
def test_images_are_priced_by_the_catalogue_and_texts_not(count: int) -> None:
    for makes, each in (("image", Decimal("0.014")), ("text", None)):
        found = estimate({"model": MADE[makes].id, "num_generations": count}, pricing=MADE[makes].pricing)
        assert found.total == (None if each is None else each * count)


@pytest.mark.parametrize("model", [model for model in CATALOGUE if model.makes == "video" and model not in VIDEOS])
def test_an_edit_is_priced_by_the_seconds_of_its_video(model: Model, tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", [grey(80)] * 24 * 4)
    request = HubRequest(model=model.id, prompt="a", input_video=source)
    found = estimate(request.draft(), pricing=model.pricing, schema=model.request_schema)
    assert found.total == 4 * Decimal(str(model.raw["pricing"]["cost_per_second"]))


lengths = st.lists(st.integers(1, 30), min_size=1, max_size=5, unique=True)
spelled = st.sampled_from([int, str, "{}s".format, float])


@given(
    st.sampled_from(["duration", "seconds", "Duration", "video_length", "durationSeconds"]),
    lengths,
    spelled,
    st.sampled_from(["enum", "range"]),
    st.booleans(),
    st.sampled_from([None, "auto", -1, 0]),
    st.data(),
)
def test_no_drawn_schema_is_priced_below_what_the_hub_may_bill(
    name: str, seconds: list[int], spell: Any, kind: str, has_default: bool, auto: Any, data: st.DataObject
) -> None:
    field: dict[str, Any] = (
        {"enum": [spell(each) for each in seconds] + ([auto] if auto is not None else [])}
        if kind == "enum"
        else {"minimum": min(seconds), "maximum": max(seconds)}
    )
    allowed = [*map(spell, seconds), *([auto] if auto is not None else [])]
    if has_default:
        field["default"] = data.draw(st.sampled_from(allowed))
    given_ = data.draw(st.sampled_from(["left out", *allowed]))
    asked = field.get("default") if given_ == "left out" else given_
    worst = max(seconds) if asked in (None, "auto", -1, 0) else int(float(str(asked).removesuffix("s")))
    sizes = data.draw(st.sampled_from([None, "480p", "1080P"]))
    draft = {} if given_ == "left out" else {name: given_}
    found = price(
        {name: field, **OPEN},
        {**BY_SIZE, "cost_per_second_with_audio": 0.1},
        {**draft, **({"resolution": sizes} if sizes else {})},
    )
    rate = {"480p": "0.1"}.get(str(sizes), "0.4")
    assert found.total == worst * Decimal(rate)
    assert found.most or asked not in (None, "auto", -1, 0)
