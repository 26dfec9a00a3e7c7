"""What a record promises about being made again."""

from __future__ import annotations

from decimal import Decimal

from store.samples import make_record

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


def test_a_local_clip_comes_again_and_a_remote_one_only_alike() -> None:
    assert "every time" in str(reproducibility(make_record()))
    assert any("no seed" in line for line in reproducibility(remote(), model=MODEL).cannot)
    assert any("without a seed" in line for line in reproducibility(remote(), model=SEEDED).cannot)
    seeded = remote(canonical={"seed": 7})
    assert any("seed 7" in line for line in reproducibility(seeded, model=SEEDED).can)


def test_what_changed_since_is_said() -> None:
    record = remote(schema_digest="sha256:" + "0" * 64)
    said = str(reproducibility(record, model=MODEL, now=paid("1.40")))
    assert "schema has changed since (00000000 then" in said
    assert "$1.12 then and is $1.40 now" in said
    same = remote(schema_digest=MODEL.schema_digest)
    assert "changed" not in str(reproducibility(same, model=MODEL, now=paid()))


def test_what_is_lost_or_not_known_is_said() -> None:
    assert reproducibility(remote(), missing=["face.png"]).can == ()
    assert "face.png" in reproducibility(remote(), missing=["face.png"]).cannot[0]
    assert "is not known: the hub is away" in str(reproducibility(remote(), trouble="the hub is away"))
