"""What is set once holds in every kernel, and the panel of a real studio knows what was made before."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hubside import HubSide, until

from kling_nb import errors
from kling_nb.studio import Studio


def test_an_option_holds_in_the_next_kernel(studio_at: Callable[..., Studio], hub: HubSide) -> None:
    first, second = studio_at(hub), studio_at(hub)
    assert first.options.confirm_above is None
    first.options.confirm_above = "5.00"
    assert second.options.confirm_above == Decimal("5.00")
    assert "$5.00" in repr(second.options)
    assert "$5.00" in second.options._repr_mimebundle_()["text/html"]
    second.options.confirm_above = None
    assert first.options.confirm_above is None


def test_a_wrong_option_is_a_clear_error(studio: Studio) -> None:
    with pytest.raises(errors.KlingError, match="no amount of dollars"):
        studio.options.confirm_above = "lots"
    with pytest.raises(errors.KlingError, match="no option 'confirm_over': there are confirm_above"):
        studio.options.confirm_over = 5  # type: ignore[attr-defined] -- that is the mistake


def test_a_panel_knows_what_runs_and_what_was_made(studio: Studio, hub: HubSide) -> None:
    fields = {"prompt": "a paper boat", "duration": 3}
    panel = studio.panel(fields)
    assert panel._widget.before == {}
    hub.fault("stuck", times=1)
    job = studio.generate(**fields)
    until(lambda: job.state == "processing")
    assert "under way" in studio.panel(fields)._widget.before["text"]
    job.cancel().result(20)
    job.wait(20)
    assert studio.panel(fields)._widget.before == {}, "what was stopped made nothing"
    done = studio.generate(**fields).result(60).record
    before = studio.panel(fields)._widget.before
    assert before["id"] == done.id
    assert before["text"].startswith("Made before, ")
    assert before["still"].startswith("data:image/")
    preview = studio.preview("another boat", duration=3)
    preview.wait(60)
    assert studio.panel({"prompt": "another boat", "duration": 3})._widget.before == {}, "a preview is no result"
