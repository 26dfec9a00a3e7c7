"""The panel's exchange with the log: presets, elements, frames, fixed images."""

import base64
import io

import pytest
from hubside import png_image, until
from PIL import Image
from support.studios import request_of

from tests.support.frontend import FakeFrontend


@pytest.fixture
def panel(studio):
    """A real panel on a real log."""
    panel = studio.panel({"prompt": "@Image1 walks", "input_image": [png_image()], "duration": 9})
    until(lambda: panel.widget.banner.get("tone") == "live")  # the hub has answered
    return panel


@pytest.fixture
def page(panel):
    return FakeFrontend(panel)


def names(page, kind="preset"):
    page.say("library")
    return [row["name"] for row in page.widget.library[kind]]


def test_a_preset_restores_the_form(panel, page, studio):
    draft = {**page.draft, "prompt": "@Image1 runs"}

    page.say("save", type="preset", name="run", draft=draft)
    panel.fill({"prompt": "another"})
    page.say("load", name="run")

    assert panel.request == request_of(studio, studio.presets["run"])
    assert (panel.request.prompt, panel.request.duration) == ("@Image1 runs", 9)
    assert panel.widget.library["preset"][0]["images"][0].startswith("data:image/")


def test_presets_are_renamed_and_deleted(panel, page):
    page.say("save", type="preset", name="a", draft=page.draft)
    page.say("rename", type="preset", name="a", new="b")
    assert names(page) == ["b"]

    page.say("delete", type="preset", name="b")
    page.say("delete", type="preset", name="b")

    assert names(page) == []


def test_a_missing_preset_is_an_alert(panel, page):
    page.say("load", name="no")

    assert "'no'" in page.alert


def test_a_saved_element_is_inserted_with_keys_of_this_panel(panel, page, studio):
    keys = [page.upload(png_image()) for _ in range(2)]
    element = {"frontal_image_url": keys[0], "reference_image_urls": keys[1:]}

    page.say("save", type="element", name="mara", draft={"elements": [element]})
    reply = page.ask("insert", name="mara")

    assert studio.elements["mara"].frontal_image_url.data == png_image()
    inserted = reply["element"]
    assert set(inserted["reference_image_urls"]) <= set(panel.widget.labels)
    assert inserted["frontal_image_url"] not in keys


def test_a_fixed_image_is_shown_before_and_after_and_keeps_its_original(panel, page):
    wide = Image.new("RGB", (1200, 300), "teal")
    panel.fill({"prompt": "@Image1 unrolls", "input_image": [wide]})
    (key,) = page.draft["input_image"]
    assert panel.widget.labels[key]["rules"] == ["too wide"]
    assert panel.widget.labels[key]["fixable"] is True

    reply = page.ask("fit", key=key)

    assert reply["before"]["text"].startswith("1200 × 300 px · PNG · ")
    assert reply["after"]["text"].startswith("1200 × 480 px · PNG · ")
    assert (reply["before"]["rules"], reply["after"]["rules"]) == ("too wide", "")
    shown = Image.open(io.BytesIO(base64.b64decode(reply["after"]["uri"].partition(",")[2])))
    assert shown.size == (440, 176)
    page.edit(input_image=[reply["key"]])
    assert panel.request.input_image[0].original.facts.width == 1200


def test_an_image_that_cannot_be_fixed_is_refused_with_the_reason(panel, page):
    panel.fill({"prompt": "x", "input_image": [Image.new("RGB", (90, 90))]})
    (key,) = page.draft["input_image"]

    assert panel.widget.labels[key] | {"uri": ""} == {
        "name": "image.png", "note": "90 × 90", "uri": "", "rules": ["too small"], "blocked": True, "fixable": False
    }  # fmt: skip
    assert "less than 300 px on a side" in page.ask("fit", key=key)["reason"]


def test_a_thumbnail_is_upright(panel, page):
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.new("RGB", (900, 400)).save(buffer, "JPEG", exif=exif)
    panel.fill({"input_image": [buffer.getvalue()]})

    (label,) = (panel.widget.labels[key] for key in page.draft["input_image"])
    small = Image.open(io.BytesIO(base64.b64decode(label["uri"].partition(",")[2])))

    assert small.height > small.width


def test_a_frame_of_an_earlier_clip_becomes_a_start_frame(panel, page, studio):
    record = studio.generate("a paper boat", duration=3).result(60).record
    (clip,) = page.ask("clips")["clips"]
    assert (clip["id"], clip["title"]) == (record.id, "a paper boat")

    last = page.ask("frame", clip=clip["id"], frame=-1)
    page.edit(start_image_url=last["key"])

    asset = panel.fields["start_image_url"]
    assert asset.given == f"last frame of {record.id}"
    assert (asset.facts.width, asset.facts.height) == (record.clip.width, record.clip.height)
    other = studio.panel({"start_image_url": studio.log()[record.id].frame(-1)})
    assert other.fields["start_image_url"].identity == asset.identity
    after = page.ask("frame", clip=clip["id"], frame=record.clip.frames)  # a player that has ended counts one more
    page.edit(start_image_url=after["key"])
    assert panel.fields["start_image_url"].identity == asset.identity


def test_a_clip_that_is_dragged_from_another_notebook_is_found_in_its_log(panel, page, studio_at, hub, tmp_path):
    there = studio_at(hub, log=tmp_path / "elsewhere")
    record = there.generate("a kite", duration=3).result(60).record

    page.edit(start_image_url=page.ask("frame", clip=record.id, frame=-1)["key"])

    asset = panel.fields["start_image_url"]
    assert (asset.given, asset.source) == (f"last frame of {record.id}", record.id)
    assert asset.identity == there.log()[record.id].frame(-1).identity
    assert page.ask("video", clip=record.id)["key"]
    assert "reason" in page.ask("frame", clip="unknown", frame=0)


def test_a_record_of_another_log_fills_the_panel_with_its_images(studio, studio_at, hub, tmp_path):
    there = studio_at(hub, log=tmp_path / "elsewhere")
    saved = there.generate("@Image1 walks", input_image=[png_image()], duration=3).record

    carried = studio.panel(there.log()[saved.id])

    (image,) = carried.fields["input_image"]
    assert image.identity == saved.request().input_image[0].identity
