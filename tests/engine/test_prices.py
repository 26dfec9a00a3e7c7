"""You never pay more than the price shown."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hubside import HubSide

from kling_nb import errors
from kling_nb.hubs import catalogue
from kling_nb.models.request import OMNI, TARGET
from kling_nb.studio import Studio


@pytest.fixture
def hours_later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Make the catalogue's entries too old to be used."""
    return lambda: monkeypatch.setattr(catalogue, "FRESH", 0.0)


def test_a_price_above_the_last_one_shown_is_refused(
    studio: Studio, hub: HubSide, hours_later: Callable[[], None]
) -> None:
    assert str(studio.price("a boat", duration=5)) == "$1.12"
    hours_later()
    hub.fault("changed_price", match={"model": TARGET}, factor=10)
    with pytest.raises(errors.JobFailed) as caught:
        studio.generate("a boat", duration=5).result(60)
    assert (caught.value.data["failure"].kind, hub.posts) == ("BudgetError", 0)
    agreed = studio.generate("a boat", duration=5).result(60)  # the new price was shown
    assert (agreed.record.price, hub.posts) == (Decimal("11.20"), 1)


def test_a_rise_by_less_than_a_cent_is_shown_with_enough_digits(
    studio: Studio, hub: HubSide, hours_later: Callable[[], None]
) -> None:
    studio.price("a boat", duration=5)
    hours_later()
    hub.fault("changed_price", match={"model": TARGET}, factor=1.002)
    jobs = studio.generate("a boat", duration=5, num_generations=2)
    with pytest.raises(errors.JobFailed, match=r"^The price is now \$2\.244; the hub's live price was \$2\.240\."):
        jobs.result(60)
    assert hub.posts == 0


def test_a_price_that_has_become_unknown_is_refused(
    studio: Studio, hub: HubSide, hours_later: Callable[[], None]
) -> None:
    studio.price("a boat", duration=5)
    hours_later()
    hub.fault("changed_price", match={"model": TARGET}, pricing={"method": "per_shot"})
    with pytest.raises(errors.JobFailed) as caught:
        studio.generate("a boat", duration=5).result(60)
    assert (caught.value.data["failure"].kind, hub.posts) == ("BudgetError", 0)
    assert studio.price("a boat", duration=5).total is None
    studio.generate("a boat", duration=5).result(60)  # shown as unknown, and no budget forbids it
    assert hub.posts == 1


def test_a_request_without_a_rate_is_sent_only_if_the_budget_allows_it(studio: Studio, hub: HubSide) -> None:
    table = {"720p": 0.2}
    hub.fault("changed_price", match={"model": OMNI}, pricing={"cost_per_second_by_resolution": table})
    studio.hub.models()
    studio.budget(total="5")
    assert studio.price("a boat", model=OMNI, resolution="720p").total == 1
    assert str(studio.price("a boat", model=OMNI, resolution="4k")) == "price unknown"
    with pytest.raises(errors.BudgetError):
        studio.generate("a boat", model=OMNI, resolution="4k")
    assert hub.posts == 0
    plan = studio.sweep("a boat", model=OMNI, resolution=["720p", "1080p", "4k"])
    assert (plan.price, plan.sheet().price, plan.sheet().unpriced) == (None, 1, 2)
    assert "$1.00 · price unknown for 2 clips" in plan.sheet().summary


def test_a_length_that_the_model_chooses_is_budgeted_as_the_longest(studio: Studio, hub: HubSide) -> None:
    model = "kling-video-o1-reference-to-video"
    longest = {"enum": ["auto", "5s", "10s"], "type": "string", "default": "auto"}
    hub.fault("changed_schema", match={"model": model}, properties={"duration": longest})
    studio.hub.models()
    assert str(studio.price("a boat", model=model)) == "up to $1.12"
    assert studio.price("a boat", model=model, duration="5s").total == Decimal("0.56")
    studio.budget(total="1.00")
    with pytest.raises(errors.BudgetError) as refused:
        studio.generate("a boat", model=model)
    assert (refused.value.asked, hub.posts) == (Decimal("1.120"), 0)
    studio.budget(total="1.12")
    record = studio.generate("a boat", model=model).result(60).record
    assert (record.estimate.most, record.price, hub.posts) == (True, Decimal("1.120"), 1)


def test_a_lower_price_is_accepted(studio: Studio, hub: HubSide, hours_later: Callable[[], None]) -> None:
    studio.price("a boat", duration=5)
    hours_later()
    hub.fault("changed_price", match={"model": TARGET}, factor=0.5)
    assert studio.generate("a boat", duration=5).result(60).record.price == Decimal("0.56")


def test_a_price_above_the_documented_one_is_accepted_and_noted(studio: Studio, hub: HubSide) -> None:
    hub.fault("changed_price", match={"model": TARGET}, factor=2)
    record = studio.generate("a boat", duration=5).result(60).record
    assert record.price == Decimal("2.24")
    assert any("$2.24" in message.text and "$1.12" in message.text for message in record.messages)


def test_a_plan_is_not_run_at_a_higher_price_than_agreed(
    studio: Studio, hub: HubSide, hours_later: Callable[[], None]
) -> None:
    plan = studio.sweep("boat {n}", n=[1, 2, 3], duration=5)
    assert plan.price == Decimal("3.36")
    hours_later()
    hub.fault("changed_price", match={"model": TARGET}, factor=10)
    with pytest.raises(errors.BudgetError):
        plan.run().result(60)
    assert (hub.posts, plan.price) == (0, Decimal("33.60"))
    assert len(plan.run().result(60)) == 3
