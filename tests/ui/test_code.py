"""The panel's code, and code that fills the panel."""

import json

import pytest
from stand_in import Studio
from test_draft import png

from kling_nb.code import FLAVOURS, FLOWS, read_request
from kling_nb.models.canonical import request_hash
from kling_nb.ui.panel.panel import Panel

CURL = """curl https://hub.oxen.ai/api/ai/queue -H "Authorization: Bearer sk-do-not-show-me" -d '{
  "model": "kling-video-o3-pro-reference-to-video", "prompt": "a kite", "duration": 7, "seed": 3,
  "input_image": ["gone.png", "https://example.org/a.png"]}'"""


def asked(panel, **content):
    replies = []
    panel._widget.send = lambda reply, buffers=None: replies.append(reply)
    panel._widget._handle_custom_msg({"kind": "code", "id": "q", **content}, [])
    return replies[0]


def test_a_panel_gives_its_request_in_every_flavour():
    panel = Panel(Studio(), {"prompt": "a <b>kite</b>", "duration": 4})

    for flavour in FLAVOURS:
        for flow in FLOWS:
            reply = asked(panel, flavour=flavour, flow=flow)
            assert reply["id"] == "q"
            fields = read_request(reply["code"]).fields
            assert (fields["prompt"], fields["duration"]) == ("a <b>kite</b>", 4)


def test_a_request_with_faults_has_no_code():
    reply = asked(Panel(Studio(), {"prompt": ""}), flavour="curl", flow="poll")

    assert reply["code"] == ""
    assert reply["notes"] == ["The code comes when nothing is left to mend."]


def test_local_pictures_are_named_beside_the_code():
    panel = Panel(Studio(), {"prompt": "@Image1", "input_image": [png()]})

    assert asked(panel, flavour="httpx")["notes"] == ["Images are read where the code runs: input_image-0.png."]
    assert "save it as input_image-0.png" in asked(panel, flavour="json")["notes"][0]


def test_pasted_code_fills_the_form_and_names_the_rest():
    panel = Panel(Studio(), CURL)

    assert (panel.fields["prompt"], panel.fields["duration"]) == ("a kite", 7)
    assert [picture.identity for picture in panel.fields["input_image"]] == ["https://example.org/a.png"]
    notes = "\n".join(panel._widget.notes)
    assert "seed: the model has no such field" in notes
    assert "input_image.0: there is no file 'gone.png'" in notes
    assert "those after it have moved up" in notes
    assert "sk-do-not-show-me" not in json.dumps(panel._widget.get_state(), default=str)


def test_the_notes_go_when_something_else_fills_the_form():
    panel = Panel(Studio(), CURL)

    panel.fill({"prompt": "x"})

    assert panel._widget.notes == []


def test_a_text_that_is_no_code_is_the_prompt():
    panel = Panel(Studio(), "A heron (grey) lands: @Image1 – on the water, at 5 o'clock.\n")

    assert panel._widget.draft["prompt"] == "A heron (grey) lands: @Image1 – on the water, at 5 o'clock."
    assert panel._widget.notes == []


@pytest.mark.parametrize(
    "text", ["prompt = heron", "curl a heron", "{heron", "kn.generate(heron)", "http://heron", " "]
)
def test_code_without_a_request_leaves_an_empty_form(text):
    panel = Panel(Studio(), text)

    assert panel._widget.draft["prompt"] == ""
    assert panel._widget.notes


@pytest.mark.parametrize("flavour", ["curl", "kling_nb", "json"])
def test_what_one_panel_gives_another_takes(flavour, tmp_path):
    (tmp_path / "face.png").write_bytes(png())
    panel = Panel(Studio(), {"prompt": "@Image1", "input_image": ["face.png"], "num_generations": 2})

    again = Panel(Studio(), asked(panel, flavour=flavour)["code"])

    assert again._widget.notes == []
    assert request_hash(again.request) == request_hash(panel.request)
    assert again.request.num_generations == 2
