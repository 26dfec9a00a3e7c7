"""Before a panel spends money: earlier results are shown, and prices above the limit need a confirmation."""

from decimal import Decimal

import pytest
from stand_in import Clock, Studio

from kling_nb.models.price import Pricing
from kling_nb.ui.panel.controller import EarlierResult
from kling_nb.ui.panel.panel import Panel
from tests.support.frontend import FakeFrontend


@pytest.fixture
def studio():
    return Studio()


@pytest.fixture
def page(studio):
    return FakeFrontend(Panel(studio, {"prompt": "a red kite"}, clock=Clock()))


def test_an_earlier_result_of_the_same_request_is_shown(page, studio):
    studio.results["a blue kite"] = EarlierResult("r1", "Generated before, on 24 Nov · $1.12")
    assert page.widget.earlier == {}
    page.edit(prompt="a blue kite")
    assert page.widget.earlier["text"] == "Generated before, on 24 Nov · $1.12"
    page.edit(prompt="a green kite")
    assert page.widget.earlier == {}


def test_a_new_job_counts_as_an_earlier_result(page, studio):
    studio.results["a red kite"] = EarlierResult("r1", "running", ended=False)
    page.press()
    assert page.widget.earlier["id"] == "r1"


def test_only_the_earlier_clip_that_is_named_can_be_shown(page, studio):
    studio.results["a blue kite"] = EarlierResult("r1", "Generated before")
    page.edit(prompt="a blue kite")
    page.say("show", id="r1")
    page.say("show", id="r2")
    assert [card["text/plain"] for card in page.view.outlet.cards] == ["r1"]


def test_above_the_limit_a_press_asks_and_sends_nothing(page, studio):
    studio.threshold = Decimal("1.00")
    page.press(id="p1")
    assert studio.started == []
    assert "$1.12" in page.replies[-1]["question"] and "$1.00" in page.replies[-1]["question"]
    page.press(id="p2", confirmed=True)
    assert len(studio.started) == 1
    assert page.replies[-1]["question"] == ""


def test_an_unknown_price_is_above_every_limit(page, studio):
    studio.threshold = Decimal(50)
    studio.pricing = Pricing(method="per_shot")
    page.edit(prompt="a blue kite")
    page.press(id="p1")
    assert studio.started == []
    assert "unknown" in page.replies[-1]["question"]
    page.press(id="p2", confirmed=True)
    assert len(studio.started) == 1


@pytest.mark.parametrize("above", ["1.12", "5", None])
def test_at_or_below_the_limit_nothing_is_asked(page, studio, above):
    studio.threshold = above and Decimal(above)
    page.press()
    assert len(studio.started) == 1


def test_a_preview_needs_no_confirmation(page, studio):
    studio.threshold = Decimal(0)
    page.press("preview")
    assert len(studio.started) == 1


def test_a_confirmation_is_not_valid_for_another_price(page, studio):
    studio.threshold = Decimal("1.00")
    page.press(price="$0.672", confirmed=True)
    assert studio.started == []
    assert "the price is now $1.12" in page.alert
