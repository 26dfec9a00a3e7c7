"""What a panel keeps in the log and takes from it: presets, elements, frames, mends."""

import base64
import io

import pytest
from hubside import picture, until
from PIL import Image
from support.studios import request_of


@pytest.fixture
def panel(studio):
    """A real panel over a real log; `replies` is what the browser would hear."""
    panel = studio.panel({"prompt": "@Image1 walks", "input_image": [picture()], "duration": 9})
    until(lambda: panel._widget.banner.get("tone") == "live")  # it has asked the hub, and is at rest
    panel.replies = []
    panel._widget.send = lambda content, buffers=None: panel.replies.append(content)
    return panel


def say(panel, **content):
    panel._widget._handle_custom_msg(content, [])
    assert panel._widget.alert == {}


def ask(panel, kind, **content):
    say(panel, kind=kind, id="q", **content)
    return panel.replies[-1]


def names(panel, what="preset"):
    say(panel, kind="library")
    return [row["name"] for row in panel._widget.library[what]]


def test_what_is_on_the_screen_is_kept_and_comes_back(panel, studio):
    draft = {**panel._widget.draft, "prompt": "@Image1 runs"}

    say(panel, kind="save", type="preset", name="run", draft=draft)
    panel.fill({"prompt": "another"})
    say(panel, kind="load", name="run")

    assert panel.request == request_of(studio, studio.presets["run"])
    assert (panel.request.prompt, panel.request.duration) == ("@Image1 runs", 9)
    assert panel._widget.library["preset"][0]["images"][0].startswith("data:image/")


def test_presets_are_renamed_and_dropped(panel):
    say(panel, kind="save", type="preset", name="a", draft=panel._widget.draft)
    say(panel, kind="rename", type="preset", name="a", new="b")
    assert names(panel) == ["b"]

    say(panel, kind="delete", type="preset", name="b")
    say(panel, kind="delete", type="preset", name="b")

    assert names(panel) == []


def test_a_preset_that_is_gone_says_so_in_the_panel(panel):
    panel._widget._handle_custom_msg({"kind": "load", "name": "no"}, [])

    assert "There is no preset 'no'" in panel._widget.alert["message"]


def test_an_element_is_kept_and_inserted_with_keys_of_this_panel(panel, studio):
    keys = [panel._keep(asset) for asset in panel.fields["input_image"] * 2]
    element = {"frontal_image_url": keys[0], "reference_image_urls": keys[1:]}

    say(panel, kind="save", type="element", name="mara", draft={"elements": [element]})
    reply = ask(panel, "insert", name="mara")

    assert studio.elements["mara"].frontal_image_url.data == picture()
    inserted = reply["element"]
    assert set(inserted["reference_image_urls"]) <= set(panel._widget.labels)
    assert inserted["frontal_image_url"] not in keys


def test_a_mend_is_shown_before_and_after_and_the_given_picture_stays(panel):
    wide = Image.new("RGB", (1200, 300), "teal")
    panel.fill({"prompt": "@Image1 unrolls", "input_image": [wide]})
    (key,) = panel._widget.draft["input_image"]
    assert panel._widget.labels[key]["rules"] == ["too wide"]
    assert panel._widget.labels[key]["fixable"] is True

    reply = ask(panel, "fit", key=key)

    assert reply["before"]["text"].startswith("1200 × 300 px · PNG · ")
    assert reply["after"]["text"].startswith("1200 × 480 px · PNG · ")
    assert (reply["before"]["rules"], reply["after"]["rules"]) == ("too wide", "")
    shown = Image.open(io.BytesIO(base64.b64decode(reply["after"]["uri"].partition(",")[2])))
    assert shown.size == (440, 176)
    panel._widget.draft = {**panel._widget.draft, "input_image": [reply["key"]]}
    assert panel.request.input_image[0].original.facts.width == 1200


def test_what_cannot_be_mended_is_not_offered_and_says_why(panel):
    panel.fill({"prompt": "x", "input_image": [Image.new("RGB", (90, 90))]})
    (key,) = panel._widget.draft["input_image"]

    assert panel._widget.labels[key] | {"uri": ""} == {
        "name": "image.png", "note": "90 × 90", "uri": "", "rules": ["too small"], "blocked": True, "fixable": False
    }  # fmt: skip
    assert "at least 300 px a side" in ask(panel, "fit", key=key)["reason"]


def test_a_thumbnail_stands_upright(panel):
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.new("RGB", (900, 400)).save(buffer, "JPEG", exif=exif)
    panel.fill({"input_image": [buffer.getvalue()]})

    (label,) = (panel._widget.labels[key] for key in panel._widget.draft["input_image"])
    small = Image.open(io.BytesIO(base64.b64decode(label["uri"].partition(",")[2])))

    assert small.height > small.width


def test_a_frame_of_an_earlier_clip_becomes_a_start_frame(panel, studio):
    record = studio.generate("a paper boat", duration=3).result(40).record
    (clip,) = ask(panel, "clips")["clips"]
    assert (clip["id"], clip["title"]) == (record.id, "a paper boat")

    last = ask(panel, "frame", clip=clip["id"], frame=-1)
    panel._widget.draft = {**panel._widget.draft, "start_image_url": last["key"]}

    asset = panel.fields["start_image_url"]
    assert asset.given == f"last frame of {record.id}"
    assert (asset.facts.width, asset.facts.height) == (record.clip.width, record.clip.height)
    assert "there is no frame 999" in ask(panel, "frame", clip=clip["id"], frame=999)["reason"]
