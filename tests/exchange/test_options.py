"""Settings that are saved hold in every kernel, and the panel of a real studio knows the clips made before."""

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


def test_what_is_said_of_embedding_holds_for_the_cards(
    studio: Studio, studio_at: Callable[..., Studio], hub: HubSide
) -> None:
    record = studio.generate("a paper boat", duration=3).result(60).record
    linked = record._repr_mimebundle_()["text/html"]
    assert "<video src='log/media/" in linked
    studio.options.embed = 5
    again = studio_at(hub)
    assert again.options.embed == 5
    assert "up to 5 MB" in repr(again.options)
    for html in (
        again.log()[record.id]._repr_mimebundle_()["text/html"],
        again.gallery().controller.static({})["text/html"],
    ):
        assert "<video src='data:video/mp4;base64," in html
        assert "<a href='log/media/" in html
    again.options.embed = "auto"
    assert studio.log()[record.id]._repr_mimebundle_()["text/html"] == linked


def test_an_option_that_the_log_has_wrong_is_one_clear_error_and_the_cards_stay(studio: Studio) -> None:
    studio.store.values.save("option", "embed", "sometimes")
    with pytest.raises(errors.SettingsError, match="Invalid value for embed: 'sometimes'"):
        _ = studio.options.embed
    assert "kling-card" in studio.preview("a paper boat", duration=3).result(60).record._repr_mimebundle_()["text/html"]
    studio.options.embed = "auto"
    assert studio.options.embed == "auto"


def test_a_records_id_opens_the_panel_with_its_request(studio: Studio) -> None:
    record = studio.generate("a paper boat", duration=3).result(60).record
    assert f'kn.panel("{record.id}")' in record._repr_mimebundle_()["text/html"]
    assert studio.panel(record.id).fields["prompt"] == "a paper boat"
    with pytest.raises(errors.NotSaved, match="20260101-000000-abcdef-0"):
        studio.panel("20260101-000000-abcdef-0")


def test_a_wrong_option_is_a_clear_error(studio: Studio) -> None:
    with pytest.raises(errors.KlingError, match="Invalid amount of dollars"):
        studio.options.confirm_above = "lots"
    with pytest.raises(errors.SettingsError, match="Invalid value for embed"):
        studio.options.embed = "sometimes"
    with pytest.raises(errors.ArgumentError, match="'confirm_over'"):
        studio.options.confirm_over = 5  # type: ignore[attr-defined] -- that is the mistake


def test_a_panel_knows_the_running_and_the_finished_jobs(studio: Studio, hub: HubSide) -> None:
    fields = {"prompt": "a paper boat", "duration": 3}
    panel = studio.panel(fields)
    assert panel.widget.earlier == {}
    hub.fault("stuck", times=1)
    job = studio.generate(**fields)
    until(lambda: job.state == "processing")
    assert not studio.panel(fields).widget.earlier["ended"]
    job.cancel().result(60)
    job.wait(60)
    assert studio.panel(fields).widget.earlier == {}, "what was stopped made nothing"
    done = studio.generate(**fields).result(60).record
    before = studio.panel(fields).widget.earlier
    assert before["id"] == done.id
    assert before["ended"]
    assert before["poster"].startswith("data:image/")
    preview = studio.preview("another boat", duration=3)
    preview.wait(60)
    assert studio.panel({"prompt": "another boat", "duration": 3}).widget.earlier == {}, "a preview is no result"
