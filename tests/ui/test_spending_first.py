"""Before a panel spends: what was made already is said, and much is asked about once more."""

from decimal import Decimal

import pytest
from stand_in import Studio
from test_panel import Clock, edit, press, say

from kling_nb.ui.panel.controller import Before
from kling_nb.ui.panel.panel import Panel


@pytest.fixture
def studio():
    return Studio()


@pytest.fixture
def panel(studio):
    panel = Panel(studio, {"prompt": "a red kite"}, clock=Clock())
    panel.replies = []
    panel._widget.send = lambda content, buffers=None: panel.replies.append(content)
    return panel


def test_a_request_that_was_made_says_so_as_it_is_written(panel, studio):
    studio.earlier["a blue kite"] = Before("r1", "Made before, 24 Nov · $1.12")
    assert panel._widget.earlier == {}
    edit(panel, prompt="a blue kite")
    assert panel._widget.earlier["text"] == "Made before, 24 Nov · $1.12"
    edit(panel, prompt="a green kite")
    assert panel._widget.earlier == {}


def test_the_earlier_clip_is_shown_and_no_other(panel, studio):
    studio.earlier["a blue kite"] = Before("r1", "Made before")
    edit(panel, prompt="a blue kite")
    say(panel, kind="show", id="r1")
    say(panel, kind="show", id="r2")
    assert list(panel._outlet._cards) == ["r1"]


def test_above_the_threshold_a_press_asks_and_sends_nothing(panel, studio):
    studio.threshold = Decimal("1.00")
    press(panel, id="p1")
    assert studio.started == []
    assert panel.replies[-1]["question"].startswith("Spend $1.12 on this clip by kling-video-o3-pro")
    say(panel, kind="submit", id="p2", action="generate", draft={}, price="$1.12", confirmed=True)
    assert len(studio.started) == 1
    assert panel.replies[-1]["question"] == ""


@pytest.mark.parametrize("above", ["1.12", "5", None])
def test_at_or_below_the_threshold_nothing_is_asked(panel, studio, above):
    studio.threshold = above and Decimal(above)
    press(panel)
    assert len(studio.started) == 1


def test_a_preview_is_never_asked_about(panel, studio):
    studio.threshold = Decimal(0)
    press(panel, action="preview")
    assert len(studio.started) == 1


def test_being_sure_does_not_agree_to_another_price(panel, studio):
    studio.threshold = Decimal("1.00")
    say(panel, kind="submit", id="p", action="generate", draft={}, price="$0.67", confirmed=True)
    assert studio.started == []
    assert "the price is now $1.12" in str(panel._widget.alert)
