"""Responses of the hub are read tolerantly, except where a guess could cost money."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from kling_nb.models.catalogue import Model, alternatives
from kling_nb.models.generation import Completion, Generation, from_unix
from kling_nb.models.request import OMNI, TARGET

ROW = {"generation_id": "g1", "status": "queued"}


def test_a_generation_keeps_unknown_fields_in_raw() -> None:
    raw = {**ROW, "prompt": None, "input_image": ["x"], "brand_new": 1}
    generation = Generation.read(raw)
    assert generation.raw == raw
    assert (generation.status, generation.media_type) == ("queued", "video")
    assert "raw" not in generation.model_dump()


@pytest.mark.parametrize(
    ("raw", "name"), [({"model_name": "a"}, "a"), ({"model": "b"}, "b"), ({"model_name": None, "model": "b"}, "b")]
)
def test_a_model_has_either_name(raw: dict[str, Any], name: str) -> None:
    assert Generation.read({**ROW, **raw, "media_type": None}).model_name == name


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("queued QUEUED in_queue Pending waiting", "queued"),
        ("processing In-Progress running GENERATING", "processing"),
        ("succeeded SUCCESS completed Done finished", "succeeded"),
        ("failed Error expired timeout timed_out", "failed"),
        ("cancelled canceled CANCELED aborted", "cancelled"),
    ],
)
def test_a_status_is_read_in_its_spellings(words: str, status: str) -> None:
    for word in words.split():
        read = Generation.read({**ROW, "status": f" {word} "})
        assert (read.status, read.outcome, read.status_text.strip()) == (status, status, word)


@pytest.mark.parametrize(
    ("beside", "outcome"),
    [
        ({}, "Paused"),
        ({"result_url": "https://example.org/a.mp4"}, "succeeded"),
        ({"error_message": "no"}, "failed"),
        ({"result_url": "https://example.org/a.mp4", "error_message": "no"}, "succeeded"),
    ],
)
def test_beside_an_unknown_status_an_address_or_an_error_decides(beside: dict[str, str], outcome: str) -> None:
    read = Generation.read({**ROW, "status": "Paused", **beside})
    assert (read.status, read.outcome) == ("Paused", outcome)


@pytest.mark.parametrize("state", [{}, {"status": None}])
def test_a_missing_status_is_unknown(state: dict[str, Any]) -> None:
    assert Generation.read({"generation_id": "a", **state}).outcome == "unknown"


@pytest.mark.parametrize(("given", "read"), [(None, ""), ("", ""), (7, "7")])
def test_an_id_of_another_type_is_text_and_a_missing_one_is_empty(given: Any, read: str) -> None:
    assert Generation.read({**ROW, "generation_id": given}).generation_id == read


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        (1700000000, 1.7e9),
        ("1700000000", 1.7e9),
        (1700000000123, 1700000000.123),
        (1.7e18, 1.7e9),
        ("2023-11-14T22:13:20Z", 1.7e9),
        ("2023-11-14 23:13:20+01:00", 1.7e9),
        ("yesterday", None),
        (float("nan"), None),
        (1e300, None),
        ({}, None),
        (-1, None),
    ],
)
def test_an_invalid_time_is_none(value: Any, seconds: float | None) -> None:
    assert Generation.read({**ROW, "enqueued_at": value}).enqueued_at == seconds


def test_times_are_aware_utc() -> None:
    assert from_unix(0) == datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    assert from_unix(None) is None


def test_an_event_has_its_own_names() -> None:
    done = Completion.read({"generation_id": "g1", "status": "succeeded", "model": "m", "url": "https://example.org"})
    assert (done.url, done.error) == ("https://example.org", None)
    assert Completion.read({"generation_id": "g1", "status": "failed", "error": "no"}).error == "no"
    assert (done.report.outcome, done.report.result_url) == ("succeeded", "https://example.org")
    assert Completion.read({"generation_id": "g1", "url": 5, "error": {"a": 1}}).report.outcome == "failed"


def test_a_catalogue_entry_only_needs_an_id() -> None:
    model = Model.read({"id": "m", "display_name": None, "pricing": None, "request_schema": None, "extra": 1})
    assert (model.pricing, model.request_schema, model.schema_digest) == (None, {}, None)
    assert model.raw["extra"] == 1
    with pytest.raises(ValidationError):
        Model.read({"display_name": "nameless"})


@pytest.mark.parametrize("name", ["request_schema", "json_request_schema"])
def test_a_schema_has_either_name(name: str) -> None:
    assert Model.read({"id": "m", name: {"type": "object"}}).request_schema == {"type": "object"}


@pytest.mark.parametrize("pricing", ["free", {"method": None}, {"method": "token", "cost_per_second": "n/a"}])
def test_invalid_pricing_does_not_lose_the_model(pricing: Any) -> None:
    assert Model.read({"id": "m", "pricing": pricing}).id == "m"


def test_the_digest_of_a_schema_does_not_depend_on_the_order_of_its_keys() -> None:
    one, two = (Model(id="m", request_schema=dict(pairs)) for pairs in ([("a", 1), ("b", 2)], [("b", 2), ("a", 1)]))
    assert one.schema_digest == two.schema_digest
    assert one.schema_digest and one.schema_digest.startswith("sha256:")


def test_a_schema_with_a_huge_number_has_a_digest_too() -> None:
    schema = {"properties": {"seed": {"maximum": 2**64 - 1}}}
    assert Model(id="m", request_schema=schema).schema_digest


def test_the_successor_is_the_first_alternative() -> None:
    near = [f"kling-video-o3-pro-{kind}" for kind in ("text-to-video", "image-to-video", "video-to-video-edit")]
    found = alternatives(TARGET, [*near, "gpt-5-mini", OMNI, TARGET])
    assert found[0] == OMNI
    assert set(found[1:]) == set(near)
    assert TARGET not in found


def test_alternatives_are_in_the_catalogue() -> None:
    assert alternatives(TARGET, []) == []
    assert alternatives("zzz", ["gpt-5-mini"]) == []
