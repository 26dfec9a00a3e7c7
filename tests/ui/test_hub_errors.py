"""Errors of the hub at the field that they name, until the field is changed."""

import pytest
from stand_in import Clock, Studio

from kling_nb.models.refusals import MODERATION
from kling_nb.ui.panel.panel import Panel
from tests.support.frontend import FakeFrontend


@pytest.fixture
def page():
    return FakeFrontend(Panel(Studio(), {"prompt": "a red kite", "duration": 5}, clock=Clock()))


def test_an_error_stays_at_its_field_until_the_field_is_changed(page):
    page.press()
    page.view.jobs[0].fail("Value error, duration 5 is not available")
    assert page.problems() == {"duration": "the hub rejected this: Value error, duration 5 is not available"}
    page.edit(prompt="a blue kite")
    assert list(page.problems()) == ["duration"]
    page.edit(duration=6)
    assert page.problems() == {}
    page.edit(duration=5)
    assert list(page.problems()) == ["duration"], "the same value would be rejected again"


@pytest.mark.parametrize(
    "message", ["body.prompt: flagged by a content checker", '{"loc": ["body", "prompt"], "type": "nsfw"}']
)
def test_refused_content_is_shown_at_its_field_until_it_is_changed(page, message):
    page.press()
    page.view.jobs[0].fail(message, kind=MODERATION)
    assert list(page.problems()) == ["prompt"]
    [problem] = page.view.problems
    assert problem.remedy == "change what it says or shows before you send it again"
    page.edit(prompt="a blue kite")
    assert page.problems() == {}


def test_the_same_request_is_advised_against_after_a_refusal_that_names_no_field(page):
    page.press()
    page.view.jobs[0].fail("Failure to pass the risk control system", kind=MODERATION)
    assert list(page.problems()) == [""]
    page.edit(duration=6)
    assert page.problems() == {}
    page.edit(duration=5)
    assert list(page.problems()) == [""], "the same request would be refused again"


def test_an_error_that_names_no_field_blocks_nothing(page):
    page.press()
    page.view.jobs[0].fail("Something went wrong at the provider")
    assert page.problems() == {}
    assert page.view.request.duration == 5
