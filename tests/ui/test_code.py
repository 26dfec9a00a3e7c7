"""The panel's code, and pasted code that fills the panel."""

import json

import pytest
from stand_in import Studio, png

from kling_nb.code.literal import FLAVOURS, FLOWS
from kling_nb.code.read import read_request
from kling_nb.models.canonical import request_hash
from kling_nb.studio import Studio as KlingStudio
from kling_nb.ui.panel.panel import Panel
from tests.support.frontend import FakeFrontend

CURL = """curl https://hub.oxen.ai/api/ai/queue -H "Authorization: Bearer sk-do-not-show-me" -d '{
  "model": "kling-video-o3-pro-reference-to-video", "prompt": "a kite", "duration": 7, "seed": 3,
  "input_image": ["gone.png", "https://example.org/a.png"]}'"""


def code_of(panel, **content):
    return FakeFrontend(panel).ask("code", **content)


def test_a_panel_shows_its_request_in_every_flavour():
    panel = Panel(Studio(), {"prompt": "a <b>kite</b>", "duration": 4})

    for flavour in FLAVOURS:
        for flow in FLOWS:
            reply = code_of(panel, flavour=flavour, flow=flow)
            fields = read_request(reply["code"]).fields
            assert (fields["prompt"], fields["duration"]) == ("a <b>kite</b>", 4)


def test_an_invalid_request_has_no_code():
    reply = code_of(Panel(Studio(), {"prompt": ""}), flavour="curl", flow="poll")

    assert reply["code"] == ""
    assert len(reply["notes"]) == 1


def test_local_images_are_named_in_notes():
    panel = Panel(Studio(), {"prompt": "@Image1", "input_image": [png()]})

    assert code_of(panel, flavour="httpx")["notes"] == ["Images are read where the code runs: input_image-0.png."]
    assert "save it as input_image-0.png" in code_of(panel, flavour="json")["notes"][0]


def test_pasted_code_fills_the_form_and_names_the_rest():
    panel = Panel(Studio(), CURL)

    assert (panel.fields["prompt"], panel.fields["duration"]) == ("a kite", 7)
    assert [picture.identity for picture in panel.fields["input_image"]] == ["https://example.org/a.png"]
    notes = "\n".join(panel.widget.notes)
    assert "seed: the model has no such field" in notes
    assert "input_image.0: the file 'gone.png' does not exist" in notes
    assert "those after it have moved up" in notes
    assert "sk-do-not-show-me" not in json.dumps(panel.widget.get_state(), default=str)


def test_the_notes_disappear_when_the_form_is_filled_again():
    panel = Panel(Studio(), CURL)

    panel.fill({"prompt": "x"})

    assert panel.widget.notes == []


def test_a_text_that_is_not_code_is_the_prompt():
    panel = Panel(Studio(), "A heron (grey) lands: @Image1 – on the water, at 5 o'clock.\n")

    assert panel.widget.draft["prompt"] == "A heron (grey) lands: @Image1 – on the water, at 5 o'clock."
    assert panel.widget.notes == []


@pytest.mark.parametrize(
    "text", ["prompt = heron", "curl a heron", "{heron", "kn.generate(heron)", "http://heron", " "]
)
def test_code_without_a_request_leaves_an_empty_form(text):
    panel = Panel(Studio(), text)

    assert panel.widget.draft["prompt"] == ""
    assert panel.widget.notes


@pytest.mark.parametrize("flavour", ["curl", "kling_nb", "json"])
def test_another_panel_reads_the_code(flavour, tmp_path):
    (tmp_path / "face.png").write_bytes(png())
    panel = Panel(Studio(), {"prompt": "@Image1", "input_image": ["face.png"], "num_generations": 2})

    again = Panel(Studio(), code_of(panel, flavour=flavour)["code"])

    assert again.widget.notes == []
    assert request_hash(again.request) == request_hash(panel.request)
    assert again.request.num_generations == 2


def test_where_fal_is_the_hub_the_code_is_for_fals_own_clients(tmp_path):
    studio = KlingStudio(hub="local-fal", log=tmp_path / "log")
    panel = studio.panel({"prompt": "a kite", "duration": 4})

    for asked, given in [("kling_nb", "kling_nb"), ("requests", "fal_client"), ("javascript", "javascript")]:
        reply = code_of(panel, flavour=asked, flow="poll")
        assert (reply["flavour"], reply["key"], "httpx" in reply["flavours"]) == (given, "FAL_KEY", False)
        assert read_request(reply["code"]).fields["prompt"] == "a kite"
    studio.close()
