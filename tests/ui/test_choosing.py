"""The model of a panel: another is chosen, one is gone, one has changed."""

import asyncio

import pytest
from stand_in import Studio
from support.clips import film, grey, still
from test_draft import png
from test_panel import say

from kling_nb.errors import KlingError, RequestError
from kling_nb.hubs.catalogue import bundled
from kling_nb.models.asset import Asset
from kling_nb.models.record import Failure
from kling_nb.models.request import ReferenceToVideo
from kling_nb.models.restore import deserialize_fields, serialize_fields
from kling_nb.render.formatting import format_size
from kling_nb.store import Log
from kling_nb.ui.panel.panel import Panel

TARGET, OMNI = "kling-video-o3-pro-reference-to-video", "kling-video-o3-omni"
IMAGE, CFG = "kling-video-o3-pro-image-to-video", "kling-video-v2-6-pro-image-to-video"
FLUX = "black-forest-labs-flux-2-klein-4b"


@pytest.fixture
def studio():
    return Studio()


def opened(studio, request=None):
    panel = Panel(studio, request or {"prompt": "@Image1 waves", "input_image": [png()], "negative_prompt": "blur"})
    panel.replies = []
    panel._widget.send = lambda content, buffers=None: panel.replies.append(content)
    return panel


def choose(panel, model):
    say(panel, kind="choose", id="c1", model=model, draft=panel._widget.draft)


def asides(panel):
    return {each["name"]: each["text"] for each in panel._widget.unused}


def test_the_catalogue_is_there_at_once_and_the_hubs_own_when_it_answers(studio):
    studio.source.silent = True
    panel = opened(studio)
    offers = panel._widget.catalogue
    assert not offers["live"] and "does not answer" in offers["error"]
    assert {OMNI, FLUX} <= {each["id"] for each in offers["models"]}

    studio.source.silent = False
    studio.source.gone = {FLUX}
    offers = opened(studio)._widget.catalogue

    assert offers["live"] and FLUX not in {each["id"] for each in offers["models"]}
    assert "gpt-5-mini" not in {each["id"] for each in offers["models"]}  # it makes neither picture nor clip


def test_another_model_gets_what_both_have_and_the_rest_is_named_and_comes_back(studio):
    panel = opened(studio)
    before = panel.fields

    choose(panel, IMAGE)
    assert panel.request.model == IMAGE
    assert panel.request.input_image == before["input_image"][0]
    assert asides(panel) == {"negative_prompt": "“blur”"}
    assert "negative_prompt" not in panel.fields
    choose(panel, TARGET)

    assert panel.fields == before and asides(panel) == {}


def test_what_is_put_aside_outlives_the_kernel(studio, tmp_path):
    pictures = [png("red"), png("blue")]
    panel = opened(studio, {"prompt": "@Image1 waves", "input_image": pictures, "negative_prompt": "blur"})
    before = panel.fields
    choose(panel, IMAGE)
    said = asides(panel)

    log = Log(tmp_path)
    log.save_value("draft", "", serialize_fields(studio.kept, log.add_reference))
    studio.kept_draft = lambda: deserialize_fields(log.load_value("draft", ""), log.read)
    later = Panel(studio)
    assert (later.request.model, asides(later)) == (IMAGE, said)
    choose(later, TARGET)

    assert later.request == ReferenceToVideo(**before) and asides(later) == {}
    log.close()


def test_a_draft_from_before_the_switch_is_judged_by_its_own_model(studio):
    panel = opened(studio, {"prompt": "x", "negative_prompt": "blur"})
    before = panel._widget.draft
    choose(panel, IMAGE)
    assert {each["path"] for each in panel._widget.verdict["problems"]} == {"input_image"}

    panel._widget.draft = {**before, "edit": "view:9"}  # undo

    assert panel._widget.verdict["problems"] == []
    assert panel.request.model == TARGET


def test_a_model_by_schema_is_checked_as_one_types(studio):
    panel = opened(studio, {"model": CFG, "prompt": "x", "input_image": png()})

    panel._widget.draft = {**panel._widget.draft, "cfg_scale": 12, "duration": 7, "edit": "view:1"}

    problems = {each["path"]: each["message"] for each in panel._widget.verdict["problems"]}
    assert problems == {"cfg_scale": "12 is too much", "duration": "7 is not offered"}
    with pytest.raises(RequestError):
        panel.generate()


def test_a_model_that_is_gone_says_so_and_cannot_be_paid_for(studio):
    studio.source.gone = {TARGET}
    panel = opened(studio)

    assert panel._widget.verdict["problems"][0]["path"] == "model"
    with pytest.raises(RequestError, match=f"go on with {OMNI}"):
        panel.generate()
    say(
        panel, kind="submit", id="p", action="generate", draft=panel._widget.draft, price=panel._widget.verdict["price"]
    )
    assert studio.started == []
    panel.preview()  # asks nothing of the hub
    assert len(studio.started) == 1


def test_the_successor_is_offered_with_what_it_cannot_take_and_one_message_goes_on(studio):
    studio.source.gone = {TARGET}
    panel = opened(studio)
    first, *_ = panel._widget.news[TARGET]["alternatives"]
    assert (first["id"], first["unsupported"]) == (OMNI, [{"name": "negative_prompt", "text": "“blur”"}])
    panel._widget.draft = {**panel._widget.draft, "negative_prompt": "", "edit": "view:1"}
    assert panel._widget.news[TARGET]["alternatives"][0]["unsupported"] == []  # it follows what is written

    choose(panel, OMNI)

    assert panel.request.model == OMNI and panel.request.prompt == "@Image1 waves"
    assert panel._widget.verdict["problems"] == []
    panel.generate()
    assert len(studio.started) == 1


def test_a_model_that_left_since_it_was_heard_of_is_noticed(studio):
    asyncio.run(studio.catalogue.model(TARGET))
    studio.source.gone = {TARGET}

    assert opened(studio)._widget.news[TARGET]["gone"]


def test_a_job_that_finds_no_model_makes_the_panel_ask_again(studio):
    panel = opened(studio)
    (job,) = panel.generate()
    studio.source.gone = {TARGET}

    job.become("failed", failure=Failure(kind="ModelNotFound", message=f"Model not found: {TARGET}"))

    assert panel._widget.news[TARGET]["gone"]
    assert panel._widget.verdict["problems"][0]["path"] == "model"


def test_a_live_schema_that_differs_says_what_and_redraws_the_form(studio):
    schema = bundled()[CFG].request_schema
    fields = {name: each for name, each in schema["properties"].items() if name != "negative_prompt"}
    fields["duration"] = {**fields["duration"], "enum": [5, 10, 15]}
    studio.source.schemas[CFG] = {**schema, "properties": fields}

    panel = opened(studio, {"model": CFG, "prompt": "x", "input_image": png(), "negative_prompt": "blur"})

    assert panel._widget.news[CFG]["changes"] == ["negative_prompt: is gone", "duration: also offers 15"]
    assert asides(panel) == {"negative_prompt": "“blur”"}  # it would be refused
    panel._widget.draft = {**panel._widget.draft, "duration": 15, "edit": "view:1"}
    assert panel._widget.verdict["problems"] == []


def test_a_typed_model_says_what_changed_too(studio):
    schema = bundled()[TARGET].request_schema
    fields = {**schema["properties"], "seed": {"type": "integer"}}
    studio.source.schemas[TARGET] = {**schema, "properties": fields}

    panel = opened(studio)

    assert panel._widget.news[TARGET]["changes"] == ["seed: is new: a whole number"]


def test_a_model_that_only_the_hub_knows_gets_its_form_when_it_answers(studio):
    studio.source.extra = [bundled()[CFG].model_copy(update={"id": "new-model"})]

    panel = opened(studio, {"model": "new-model", "prompt": "x", "cfg_scale": 2.0, "input_image": png()})

    assert panel._widget.draft["cfg_scale"] == 2.0 and panel._widget.extra == ""
    assert panel.request.model == "new-model"


def test_an_image_model_has_a_price_for_each_image_and_no_seconds(studio):
    panel = opened(studio, {"model": FLUX, "prompt": "A paper boat", "num_generations": 2})

    assert panel.request.num_generations == 2
    assert panel._widget.draft["input_image"] == []


def test_a_frame_goes_where_the_model_takes_its_first_picture(studio):
    panel = opened(studio, {"model": IMAGE, "prompt": "x"})
    frame = Asset.from_bytes(png("blue"), given="frame")

    panel.set_start_frame(frame)
    assert panel.request.input_image == frame
    choose(panel, "kling-video-o3-pro-text-to-video")

    with pytest.raises(KlingError, match="takes no start frame"):
        panel.set_start_frame(frame)


def test_a_video_arrives_as_one_and_sets_the_price(studio, tmp_path):
    panel = opened(studio, {"model": OMNI, "prompt": "@Video1"})
    data = film(tmp_path / "a.mp4", still(2, grey(90))).read_bytes()

    say(panel, [data], kind="piece", id="u", name="walk.mp4", size=len(data), piece=0, media="video")
    panel._widget.draft = {**panel._widget.draft, "input_video": panel.replies[-1]["key"], "edit": "view:1"}

    assert (panel.request.input_video.kind, panel.request.input_video.name) == ("video", "walk.mp4")
    label = panel._widget.labels[panel.replies[-1]["key"]]
    assert (label["uri"], label["note"]) == ("", format_size(len(data)))
    assert panel._widget.verdict["seconds"] == 2


def test_a_preset_and_the_code_know_the_model(studio):
    panel = opened(studio, {"model": CFG, "prompt": "x", "input_image": "https://example.org/a.png", "cfg_scale": 2.0})
    say(panel, kind="save", type="preset", name="soft", draft=panel._widget.draft)
    say(panel, kind="code", id="k", flavour="kling_nb", flow="poll")
    assert f'model="{CFG}"' in panel.replies[-1]["code"] and "cfg_scale=2.0" in panel.replies[-1]["code"]
    panel.fill({"prompt": "other"})

    say(panel, kind="load", name="soft")

    assert (panel.request.model, panel.request.cfg_scale) == (CFG, 2.0)
    panel.fill(panel.replies[-1]["code"])
    assert (panel.request.model, panel.request.cfg_scale) == (CFG, 2.0)
