"""Prices: exact, and with their source."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.clips import grey, write_clip
from support.texts import assert_texts

from kling_nb.hubs.catalogue import bundled
from kling_nb.models.price import BUNDLED_ON, Pricing, distinct_amounts, estimate, keeps_length, rate_text, rates_text
from kling_nb.models.request import OMNI, TARGET, HubRequest, Omni, ReferenceToVideo

from .drafts import garbage

RATE = {"method": "per_video_output_second", "cost_per_second": 0.224}
EDIT = bundled()["kling-video-o3-pro-video-to-video-edit"]
rates = st.integers(0, 5000).map(lambda mills: mills / 1000)


@given(st.integers(3, 15), st.integers(1, 4), rates)
def test_the_total_is_seconds_times_rate_times_generations_exactly(seconds: int, count: int, rate: float) -> None:
    request = ReferenceToVideo(prompt="a", duration=seconds, num_generations=count)
    price = estimate(request.draft(), pricing=Pricing(cost_per_second=rate))
    assert price.total == Decimal(str(rate)) * seconds * count
    assert price.each == Decimal(str(rate)) * seconds
    assert (price.seconds, price.generations, price.source, price.as_of) == (seconds, count, "live", None)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3).filter(lambda shots: 3 <= sum(shots) <= 15))
def test_shots_cost_their_sum(seconds: list[int]) -> None:
    shots = [{"prompt": "a", "duration": length} for length in seconds]
    assert estimate(ReferenceToVideo(multi_prompt=shots, duration=9).draft()).seconds == sum(seconds)


def test_five_seconds_of_the_default_model_cost_a_dollar_twelve() -> None:
    price = estimate({"model": TARGET, "prompt": "a"})
    assert (str(price), price.source, price.as_of) == ("$1.12", "bundled", BUNDLED_ON)
    assert str(estimate({"model": TARGET, "num_generations": 2})) == "$2.24 (2 × $1.12)"


def test_the_rates_of_a_model_as_text_are_those_of_the_catalogue_or_the_documentation() -> None:
    assert rates_text(TARGET, None) == Pricing(cost_per_second="0.224").text
    assert rates_text(TARGET, Pricing(cost_per_second="0.3")) == Pricing(cost_per_second="0.3").text
    assert rates_text("unknown-model", None) == ""


@pytest.mark.parametrize(
    ("given", "generations"),
    [(1, 1), ("4", 4), (0, 1), (-2, 1), ("0", 1), (True, 1), (2.5, 1), ("²", 1), ("9" * 9, 999_999_999), ("9" * 10, 1)],
)
def test_any_value_that_is_not_a_positive_whole_number_counts_as_one_generation(given: Any, generations: int) -> None:
    assert estimate({"model": TARGET, "num_generations": given}).generations == generations


def test_a_live_rate_precedes_the_bundled_one() -> None:
    assert estimate({"model": TARGET}, pricing=Pricing(cost_per_second="0.3")).total == Decimal("1.5")


def test_a_catalogue_without_a_rate_leaves_the_bundled_one() -> None:
    assert estimate({"model": TARGET}, pricing=Pricing()).source == "bundled"


def test_the_price_by_an_unknown_method_is_unknown() -> None:
    price = estimate({"model": TARGET}, pricing=Pricing(method="per_video", cost_per_second="0.3"))
    assert (price.total, price.source, str(price)) == (None, "unknown", "price unknown")


def test_the_price_of_an_unknown_model_is_unknown() -> None:
    assert estimate({"model": "other"}).source == "unknown"


def test_seconds_given_as_text_are_counted() -> None:
    rate = Pricing(cost_per_second="0.1")
    assert estimate({"model": "other", "duration": "10"}, pricing=rate).total == Decimal("1.0")


def test_the_defaults_of_the_schema_are_priced() -> None:
    schema = {"properties": {"duration": {"default": 10}, "generate_audio": {"default": True}, "prompt": {}}}
    pricing = Pricing.model_validate({**RATE, "cost_per_second_with_audio": 0.448})
    assert estimate({"model": "other"}, pricing=pricing, schema=schema).total == Decimal("4.48")
    said = {"model": "other", "duration": 5, "generate_audio": False}
    assert estimate(said, pricing=pricing, schema=schema).total == Decimal("1.12")


def test_the_local_hub_is_free_whatever_the_rate() -> None:
    price = estimate({"model": TARGET}, pricing=Pricing.model_validate(RATE), free=True)
    assert (price.total, price.source, str(price)) == (Decimal(0), "free", "free")


OMNI_PRICING = Pricing.model_validate(
    {
        **RATE,
        "cost_per_second_with_audio": 0.28,
        "cost_per_second_by_resolution": {"720p": 0.168, "1080p": 0.23, "4k": 0.42},
    }
)


@pytest.mark.parametrize(
    ("fields", "rate"),
    [
        ({}, "0.23"),
        ({"resolution": "720p"}, "0.168"),
        ({"resolution": "4k"}, "0.42"),
        ({"generate_audio": True}, "0.28"),
        ({"resolution": "4k", "generate_audio": True}, "0.42"),
    ],
)
def test_the_highest_rate_that_applies_counts(fields: dict[str, Any], rate: str) -> None:
    draft = {"model": OMNI, "prompt": "a", **fields}
    assert estimate(draft, pricing=OMNI_PRICING).rate == Decimal(rate)
    assert estimate(Omni(**draft).draft(), pricing=OMNI_PRICING).rate == Decimal(rate)


def test_without_a_table_only_4k_is_high_resolution() -> None:
    pricing = Pricing(cost_per_second="0.2", cost_per_second_high_res="0.4")
    found = [pricing.rate({"model": OMNI, "resolution": size}) for size in ("720p", "1080p", "4k")]
    assert found == [Decimal("0.2"), Decimal("0.2"), Decimal("0.4")]


@pytest.mark.parametrize(("frames", "price"), [(24, "0.28"), (25, "0.28"), (60, "0.84"), (72, "0.84")])
def test_an_edit_of_a_file_is_priced_by_the_length_of_its_frames(tmp_path: Path, frames: int, price: str) -> None:
    source = write_clip(tmp_path / "a.mp4", [grey(80)] * frames)
    rate = Pricing(cost_per_second="0.28")
    for request in (
        Omni(prompt="a", input_video=source),
        HubRequest(model=EDIT.id, prompt="a", input_video=source),
    ):
        assert estimate(request.draft(), pricing=rate, schema=EDIT.request_schema).total == Decimal(price)
        assert estimate(request.draft(), free=True, schema=EDIT.request_schema).seconds == math.ceil(frames / 24 - 0.1)


def test_an_edit_of_a_url_is_as_long_as_its_source_so_its_price_is_unknown() -> None:
    video = "https://example.org/a.mp4"
    edit, guided = (Omni(prompt="a", input_video=video, video_mode=mode).draft() for mode in ("edit", "reference"))
    assert estimate(edit, pricing=OMNI_PRICING).total is None
    assert estimate(guided, pricing=OMNI_PRICING).total == Decimal("1.15")


@pytest.mark.parametrize("name", ["kling-video-v3-pro-motion-control", "kling-video-o3-pro-video-to-video-edit"])
def test_a_model_that_needs_a_video_has_no_price_without_one(name: str) -> None:
    draft, schema = {"model": name, "prompt": "a"}, bundled()[name].request_schema
    assert estimate(draft, schema=schema).total is None
    assert keeps_length(draft, schema)
    assert not keeps_length({"model": OMNI, "prompt": "a"}, bundled()[OMNI].request_schema)


def test_a_clip_as_long_as_its_source_has_the_text_of_its_rate() -> None:
    draft = {"model": "kling-video-v3-pro-motion-control"}
    assert rate_text(draft, None) == "as long as your video, $0.168 per second"
    assert rate_text(draft, Pricing(cost_per_second="0.2")) == "as long as your video, $0.2 per second"
    assert rate_text(draft, None, free=True) == "as long as your video · the local hub is free"
    assert rate_text({"model": "other"}, None) == "as long as your video"


@pytest.mark.parametrize("junk", ["n/a", float("nan"), float("inf"), -1, True, [], {}, None])
def test_an_invalid_rate_is_none(junk: Any) -> None:
    pricing = Pricing.model_validate({"cost_per_second": junk, "cost_per_second_by_resolution": {"4k": junk}})
    assert pricing.rate({"resolution": "4k"}) is None


@given(garbage)
def test_any_garbage_has_an_estimate(draft: dict[str, Any]) -> None:
    price = estimate(draft, pricing=OMNI_PRICING)
    assert str(price)
    assert price.total is None or price.total.is_finite()


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("1.12", "$1.12"),
        ("0.672", "$0.672"),
        ("5.0416667", "$5.042"),
        ("1234.5", "$1,234.50"),
        ("0.1", "$0.10"),
        ("0.09", "$0.09"),
        ("0.014", "$0.014"),
        ("0.00401", "$0.0041"),
        ("0", "$0.00"),
    ],
)
def test_a_price_is_shown_with_its_digits_and_never_too_low(amount: str, text: str) -> None:
    price = estimate({"model": "flux"}, pricing=Pricing(method="per_image", cost_per_image=Decimal(amount)))
    assert str(price) == price.each_text == text


def test_images_are_priced_by_their_number() -> None:
    pricing = Pricing.model_validate({"method": "per_image", "cost_per_image": 0.014})
    price = estimate({"model": "flux", "prompt": "a", "num_generations": 3}, pricing=pricing)
    assert (price.total, price.seconds, price.unit) == (Decimal("0.042"), 0, "image")
    free = estimate({"model": "flux", "num_generations": 2}, pricing=pricing, free=True)
    assert (free.total, free.list_price) == (0, Decimal("0.028"))


def test_an_image_without_a_rate_in_one_of_its_rows_has_no_price() -> None:
    pricing = Pricing.model_validate({"cost_per_image_grid": {"high": {"1K": 0.1}, "low": {"2K": 0.05}}})
    assert pricing.rate({"resolution": "2K"}) is None
    assert pricing.rate({"resolution": "2K", "quality": "low"}) == Decimal("0.05")


def test_a_model_with_both_rates_and_no_method_is_priced_by_the_second() -> None:
    pricing = Pricing.model_validate({"cost_per_second": 0.2, "cost_per_image": 0.05})
    assert (pricing.by_image, pricing.text) == (False, "$0.2 / s")


def test_the_text_of_rates_is_their_range() -> None:
    with_sound = {"cost_per_second": 0.112, "cost_per_second_with_audio": 0.14}
    assert Pricing.model_validate(with_sound).text == "$0.112–0.14 / s"
    by = {"720p": 0.168, "1080p": 0.224, "4k": 0.42}
    assert Pricing.model_validate({**RATE, "cost_per_second_by_resolution": by}).text == "$0.168–0.42 / s"
    assert Pricing.model_validate(RATE).text == "$0.224 / s"
    assert Pricing.model_validate({"method": "per_image", "cost_per_image": 0.014}).text == "$0.014 / image"
    assert Pricing.model_validate({"method": "token"}).text == ""


def test_the_texts_of_sources() -> None:
    draft = {"model": TARGET}
    prices = [estimate(draft), estimate(draft, pricing=Pricing.model_validate(RATE)), estimate(draft, free=True)]
    prices += [estimate({"model": "other"}), estimate({"model": "other"}, free=True)]
    assert_texts("price-sources", [price.source_text for price in prices])


@pytest.mark.parametrize(
    ("one", "other", "texts"),
    [
        ("1.12", "1.40", ("1.12", "1.40")),
        ("0.224", "0.2244", ("0.2240", "0.2244")),
        ("0.1234561", "0.1234562", ("0.1234561", "0.1234562")),
        ("1", "1", ("1", "1")),
    ],
)
def test_two_amounts_have_enough_digits_to_differ(one: str, other: str, texts: tuple[str, str]) -> None:
    assert distinct_amounts(Decimal(one), Decimal(other)) == texts
