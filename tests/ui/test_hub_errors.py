"""Errors of the hub at the field that they name, until the field is changed."""

import pytest
from stand_in import Clock, Studio

from kling_nb.ui.panel.panel import Panel
from kling_nb.ui.panel.spending import named_field
from tests.support.frontend import FakeFrontend

FIELDS = ("model", "prompt", "duration", "aspect_ratio", "input_image", "num_generations")


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("422 - Value error, duration must be between 3 and 15", "duration"),
        ("num_generations must be an integer between 1 and 4", "num_generations"),
        ("Cannot provide both 'prompt' and 'multi_prompt'.", "prompt"),
        ("The prompt needs another aspect_ratio", "aspect_ratio"),
        ("The prompt was refused by the provider's safety check", "prompt"),
        ("input_images is not known", None),
        ("Insufficient credits", None),
    ],
)
def test_a_message_belongs_to_the_field_that_it_names(message, name):
    assert named_field(message, FIELDS) == name


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


def test_an_error_that_names_no_field_blocks_nothing(page):
    page.press()
    page.view.jobs[0].fail("Something went wrong at the provider")
    assert page.problems() == {}
    assert page.view.request.duration == 5
