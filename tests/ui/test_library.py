"""Presets and elements: requests, characters and objects saved by name in the log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hubside import HubSide, png_image
from support.studios import request_of

from kling_nb.errors import (
    ArgumentError,
    ArgumentTypeError,
    BudgetError,
    KlingError,
    LogError,
    NotSaved,
    RequestError,
    RequestWarning,
    SettingsError,
)
from kling_nb.models.asset import Asset
from kling_nb.models.canonical import request_hash
from kling_nb.models.request import Element
from kling_nb.studio import Studio

MARA = {"frontal_image_url": png_image("#a02030"), "reference_image_urls": [png_image("#20a030")]}


def test_a_preset_gives_the_same_request_in_another_kernel_without_its_files(
    studio_at: Callable[..., Studio], hub: HubSide, tmp_path: Path
) -> None:
    face = tmp_path / "face.png"
    face.write_bytes(png_image())
    mine = studio_at(hub)
    request = request_of(mine, "@Image1 walks", input_image=[face], duration=9)
    mine.presets["walk"] = request
    face.unlink()

    again = studio_at(hub)

    assert list(again.presets) == ["walk"]
    assert request_hash(request_of(again, again.presets["walk"])) == request_hash(request)
    assert request_of(again, again.presets["walk"], duration=4).duration == 4
    assert again.panel(again.presets["walk"]).request == request


def test_a_preset_may_be_unfinished_and_come_from_a_record(studio: Studio) -> None:
    studio.presets["night look"] = {"negative_prompt": "daylight", "aspect_ratio": "9:16"}
    record = studio.generate("a paper boat", duration=3).result(60).record
    studio.presets["boat"] = record

    assert studio.presets["night look"] == {"negative_prompt": "daylight", "aspect_ratio": "9:16"}
    assert request_hash(request_of(studio, studio.presets["boat"])) == record.request_hash


def test_presets_can_be_renamed_deleted_and_listed(studio: Studio) -> None:
    studio.presets["a"] = {"prompt": "one"}
    studio.presets["b"] = {"prompt": "two"}

    with pytest.raises(ArgumentError, match="'b'"):
        studio.presets.rename("a", "b")
    studio.presets.rename("a", "c")
    del studio.presets["b"]

    assert dict(studio.presets) == {"c": {"prompt": "one"}}
    with pytest.raises(NotSaved, match=r"'b'.*'c'"):
        studio.presets["b"]
    assert studio.presets.get("b") is None
    with pytest.raises(NotSaved):
        del studio.presets["b"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, 3])
def test_an_invalid_name_is_refused(studio: Studio, name: object) -> None:
    with pytest.raises(ArgumentError):
        studio.presets[name] = {"prompt": "one"}


def test_a_preset_must_be_a_request(studio: Studio) -> None:
    with pytest.raises(ArgumentTypeError):
        studio.presets["x"] = [1]
    with pytest.raises(RequestError, match=r"no-such\.png"):
        studio.presets["x"] = {"input_image": ["no-such.png"]}
    assert len(studio.presets) == 0


def test_an_element_is_saved_with_its_images_and_used_again(studio: Studio) -> None:
    studio.elements["mara"] = Element.model_validate(MARA)
    studio.elements["cup"] = png_image("#404040")

    mara = studio.elements["mara"]
    with pytest.warns(RequestWarning, match="@Element2 has a front view only"):  # as one picture of a cup has
        job = studio.generate("@Element1 lifts @Element2", elements=[mara, studio.elements["cup"]], duration=3)

    assert mara == Element.model_validate(MARA)
    assert [reference.path for reference in job.result(60).record.references] == [
        "elements.0.frontal_image_url",
        "elements.0.reference_image_urls.0",
        "elements.1.frontal_image_url",
    ]


def test_an_element_without_a_front_or_with_a_damaged_image_is_refused(studio: Studio) -> None:
    with pytest.raises(RequestError, match="frontal_image_url"):
        studio.elements["x"] = {"reference_image_urls": []}
    with pytest.raises(KlingError, match="too small"):
        studio.elements["x"] = png_image(size=(20, 20))


def test_a_cell_shows_presets_as_a_table_with_escaped_names(studio: Studio) -> None:
    assert "No presets yet" in repr(studio.presets)
    studio.presets["<b>x</b>"] = {"prompt": "@Image1 <i>runs</i>", "input_image": [png_image()], "duration": 5}
    studio.elements["mara"] = MARA

    page = studio.presets._repr_mimebundle_()["text/html"]

    assert "&lt;b&gt;x" in page and "<i>" not in page and "data:image/" in page
    assert "1 element\nmara" in repr(studio.elements)


def test_the_images_of_a_saved_element_are_not_orphans_and_are_not_deleted(studio: Studio) -> None:
    clip = studio.generate("@Image1 waves", input_image=[png_image()], duration=3).result(60)
    studio.presets["wave"] = clip.record
    assert studio.store.verify() == []

    studio.store.trash(clip.record.id)

    assert isinstance(studio.presets["wave"]["input_image"][0], Asset)
    assert studio.store.verify() == []
    digest = clip.record.references[0].digest
    file = studio.store.file(digest or "")
    assert file is not None
    file.unlink()
    assert [finding.about for finding in studio.store.verify()] == ["preset 'wave'"]
    with pytest.raises(LogError, match="is missing from the log"):
        studio.presets["wave"]


def without_index(studio: Studio) -> None:
    studio.close()
    for file in studio.store.folder.glob("index*"):
        file.unlink()


def test_presets_elements_options_and_limits_survive_the_loss_of_the_index(
    studio_at: Callable[..., Studio], hub: HubSide, tmp_path: Path
) -> None:
    first = studio_at(hub)
    first.presets["walk"] = {"prompt": "@Image1 walks", "input_image": [png_image()]}
    first.elements["mara"] = MARA
    first.options.confirm_above = "5.00"
    first.budget(total="0.01")
    without_index(first)

    again = studio_at(hub)

    assert again.presets["walk"]["prompt"] == "@Image1 walks"
    assert again.elements["mara"] == Element.model_validate(MARA)
    assert str(again.options.confirm_above) == "5.00"
    with pytest.raises(BudgetError):
        again.generate("a paper boat", duration=3)
    assert again.store.verify() == []
    assert hub.posts == 0


def test_unreadable_limits_are_an_error_and_not_an_absence_of_limits(
    studio_at: Callable[..., Studio], hub: HubSide
) -> None:
    first = studio_at(hub)
    first.budget(total="9.00")
    without_index(first)
    (first.store.folder / "budget.json").write_text("{")

    again = studio_at(hub)

    with pytest.raises(LogError, match=r"budget\.json does not hold valid limits"):
        again.generate("a paper boat", duration=3)
    assert hub.posts == 0


@pytest.mark.parametrize("text", ["{", "[1]", '{"prompt": "a kite"}', '{"fields": [], "references": [], "at": "x"}'])
def test_a_damaged_preset_is_skipped_with_a_warning_and_can_be_replaced(
    studio: Studio, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    studio.presets["walk"] = {"prompt": "a kite"}
    studio.presets["run"] = {"prompt": "a boat"}
    file = studio.store._records.named.path("preset", "walk")
    torn = text == "{"
    file.write_text(text if torn else f'{{"kind": "preset", "name": "walk", "value": {text}}}')

    assert "a boat" in repr(studio.presets) and "1 preset" in repr(studio.presets)
    assert "preset" in caplog.text and "walk" in caplog.text
    with pytest.raises(LogError, match=r"(?i)restore it from a copy"):
        studio.presets["walk"]

    studio.presets["walk"] = {"prompt": "a red kite"}
    assert studio.presets["walk"] == {"prompt": "a red kite"}
    file.write_text(text)
    studio.presets.pop("run")
    assert list(studio.presets) == []


def test_an_unreadable_option_is_an_error_and_not_its_default(studio: Studio) -> None:
    studio.options.confirm_above = "5.00"
    studio.options.embed = "never"
    for name in ("confirm_above", "embed"):
        studio.store._records.named.path("option", name).write_text("{")
    with pytest.raises(LogError, match="not a readable option"):
        _ = studio.options.confirm_above
    with pytest.raises(SettingsError, match=r"kn\.options\.embed cannot be read"):
        _ = studio.options.embed
    assert "kling-card" in studio.preview("a paper boat", duration=3).result(60).record._repr_mimebundle_()["text/html"]
    studio.options.confirm_above, studio.options.embed = "6.00", "auto"
    assert str(studio.options.confirm_above) == "6.00"
