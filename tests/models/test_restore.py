"""Repeating a request from its record: what can be restored, and what cannot."""

from __future__ import annotations

from decimal import Decimal

from support.records import make_record
from support.texts import assert_texts

from kling_nb.models.catalogue import Model
from kling_nb.models.price import Estimate
from kling_nb.models.record import Record
from kling_nb.models.restore import reproducibility

MODEL = Model(id="m", request_schema={"properties": {"prompt": {"type": "string"}}})
SEEDED = Model(id="m", request_schema={"properties": {"seed": {"type": "integer"}}})


def paid(each: str = "1.12") -> Estimate:
    price = Decimal(each)
    return Estimate(each=price, total=price, seconds=5, generations=1, rate=None, source="live")


def remote(**changes: object) -> Record:
    return make_record(local=False, estimate=paid(), **changes)


def test_the_texts_of_reproducibility() -> None:
    changed = remote(schema_digest="sha256:" + "0" * 64)
    found = [
        reproducibility(make_record()),
        reproducibility(remote(), model=MODEL),
        reproducibility(remote(), model=SEEDED),
        reproducibility(remote(canonical={"seed": 7}), model=SEEDED),
        reproducibility(changed, model=MODEL, now=paid("1.40")),
        reproducibility(remote(), missing=["face.png"], trouble="the hub is away"),
    ]
    assert_texts("reproducibility", [line for each in found for line in repr(each).splitlines()])


def test_only_a_local_clip_or_one_with_a_seed_can_be_repeated() -> None:
    assert reproducibility(make_record()).cannot == ()
    assert len(reproducibility(remote(), model=MODEL).cannot) == 1
    assert reproducibility(remote(canonical={"seed": 7}), model=SEEDED).cannot == ()


def test_an_unchanged_schema_and_price_are_not_mentioned() -> None:
    same = remote(schema_digest=MODEL.schema_digest)
    assert reproducibility(same, model=MODEL, now=paid()) == reproducibility(same, model=MODEL)
    assert len(reproducibility(same, model=MODEL, now=paid("1.40")).cannot) == 2


def test_a_request_with_missing_images_cannot_be_sent_again() -> None:
    assert reproducibility(remote(), missing=["face.png"]).can == ()
    assert "face.png" in reproducibility(remote(), missing=["face.png"]).cannot[0]
