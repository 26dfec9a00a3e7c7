"""What the hub says of a field stands at that field, and goes when the field is changed."""

import pytest
from stand_in import Studio
from test_panel import Clock, edit, press

from kling_nb.ui.panel.code import named_in
from kling_nb.ui.panel.panel import Panel

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
def test_a_message_speaks_of_the_field_that_it_names(message, name):
    assert named_in(message, FIELDS) == name


@pytest.fixture
def panel():
    panel = Panel(Studio(), {"prompt": "a red kite", "duration": 5}, clock=Clock())
    panel._widget.send = lambda content, buffers=None: None
    return panel


def at(panel, path):
    return [problem["message"] for problem in panel._widget.verdict["problems"] if problem["path"] == path]


def test_it_stands_there_until_the_field_is_changed(panel):
    press(panel)
    panel.jobs[0].fail("Value error, duration 5 is not to be had today")
    assert at(panel, "duration") == ["the hub refused this: Value error, duration 5 is not to be had today"]
    edit(panel, prompt="a blue kite")
    assert len(at(panel, "duration")) == 1
    edit(panel, duration=6)
    assert at(panel, "duration") == []
    edit(panel, duration=5)
    assert len(at(panel, "duration")) == 1, "sent as it was, it would be refused again"


def test_it_blocks_nothing_and_what_names_no_field_is_not_put_anywhere(panel):
    press(panel)
    panel.jobs[0].fail("Something went wrong at the provider")
    assert panel._widget.verdict["problems"] == []
    assert panel.request.duration == 5
