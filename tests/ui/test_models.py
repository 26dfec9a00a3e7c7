"""The panel's model: another one is chosen, it was withdrawn, its schema has changed."""

import asyncio

import pytest
from stand_in import Studio, png
from support.videos import video_file

from kling_nb.errors import KlingError, RequestError
from kling_nb.hubs.catalogue import bundled
from kling_nb.models.asset import Asset
from kling_nb.models.record import Failure
from kling_nb.models.request import ReferenceToVideo
from kling_nb.models.restore import deserialize_fields, serialize_fields
from kling_nb.render.formatting import format_size
from kling_nb.store import Log
from kling_nb.ui.panel.panel import Panel
from tests.support.frontend import FakeFrontend

TARGET, OMNI = "kling-video-o3-pro-reference-to-video", "kling-video-o3-omni"
IMAGE, CFG = "kling-video-o3-pro-image-to-video", "kling-video-v2-6-pro-image-to-video"
FLUX = "black-forest-labs-flux-2-klein-4b"


@pytest.fixture
def studio():
    return Studio()


def opened(studio, request=None):
    return Panel(studio, request or {"prompt": "@Image1 waves", "input_image": [png()], "negative_prompt": "blur"})


def choose(panel, model):
    FakeFrontend(panel).say("choose", id="c1", model=model, draft=panel.widget.draft)


def edit(panel, **changes):
    FakeFrontend(panel).edit(**changes)


def asides(panel):
    return {each["name"]: each["text"] for each in panel.widget.unsupported}


def test_the_bundled_catalogue_is_shown_until_the_hub_answers(studio):
    studio.source.silent = True
    panel = opened(studio)
    offers = panel.widget.catalogue
    assert not offers["live"] and "does not answer" in offers["error"]
    assert {OMNI, FLUX} <= {each["id"] for each in offers["models"]}

    studio.source.silent = False
    studio.source.gone = {FLUX}
    offers = opened(studio).widget.catalogue

    assert offers["live"] and FLUX not in {each["id"] for each in offers["models"]}
    assert "gpt-5-mini" not in {each["id"] for each in offers["models"]}  # it makes neither images nor clips


def test_fields_of_both_models_are_carried_over_and_the_others_come_back(studio):
    panel = opened(studio)
    before = panel.fields

    choose(panel, IMAGE)
    assert panel.request.model == IMAGE
    assert panel.request.input_image == before["input_image"][0]
    assert asides(panel) == {"negative_prompt": "“blur”"}
    assert "negative_prompt" not in panel.fields
    choose(panel, TARGET)

    assert panel.fields == before and asides(panel) == {}


def test_fields_set_aside_survive_a_kernel_restart(studio, tmp_path):
    pictures = [png("red"), png("blue")]
    panel = opened(studio, {"prompt": "@Image1 waves", "input_image": pictures, "negative_prompt": "blur"})
    before = panel.fields
    choose(panel, IMAGE)
    said = asides(panel)

    log = Log(tmp_path)
    log.values.save("draft", "", serialize_fields(studio.draft.fields, log.add_reference))
    studio.draft.loaded = deserialize_fields(log.values.load("draft", ""), log.read)
    later = Panel(studio)
    assert (later.request.model, asides(later)) == (IMAGE, said)
    choose(later, TARGET)

    assert later.request == ReferenceToVideo(**before) and asides(later) == {}
    log.close()


def test_a_draft_from_before_the_switch_is_checked_with_its_own_model(studio):
    panel = opened(studio, {"prompt": "x", "negative_prompt": "blur"})
    before = panel.widget.draft
    choose(panel, IMAGE)
    assert {each["path"] for each in panel.widget.verdict["problems"]} == {"input_image"}

    FakeFrontend(panel).show({**before, "edit": "view:9"})  # undo

    assert [each["path"] for each in panel.widget.verdict["problems"]] == ["negative_prompt"]  # its own warning
    assert panel.request.model == TARGET


def test_a_model_with_only_a_schema_is_checked_at_each_edit(studio):
    panel = opened(studio, {"model": CFG, "prompt": "x", "input_image": png()})

    edit(panel, cfg_scale=12, duration=7)

    assert set(FakeFrontend(panel).problems()) == {"cfg_scale", "duration"}
    with pytest.raises(RequestError):
        panel.generate()


def test_a_withdrawn_model_is_an_error_except_for_previews(studio):
    studio.source.gone = {TARGET}
    panel = opened(studio)

    assert panel.widget.verdict["problems"][0]["path"] == "model"
    with pytest.raises(RequestError) as caught:
        panel.generate()
    assert OMNI in caught.value.problems[0].remedy
    FakeFrontend(panel).press()
    assert studio.started == []
    panel.preview()  # does not involve the hub
    assert len(studio.started) == 1


def test_the_successor_is_offered_with_the_fields_it_does_not_support(studio):
    studio.source.gone = {TARGET}
    panel = opened(studio)
    first, *_ = panel.widget.model_notices[TARGET]["alternatives"]
    assert (first["id"], first["unsupported"]) == (OMNI, [{"name": "negative_prompt", "text": "“blur”"}])
    edit(panel, negative_prompt="")
    assert panel.widget.model_notices[TARGET]["alternatives"][0]["unsupported"] == []  # it depends on the draft

    choose(panel, OMNI)

    assert panel.request.model == OMNI and panel.request.prompt == "@Image1 waves"
    assert panel.widget.verdict["problems"] == []
    panel.generate()
    assert len(studio.started) == 1


def test_a_model_that_was_withdrawn_since_it_was_cached_is_noticed(studio):
    asyncio.run(studio.catalogue.model(TARGET))
    studio.source.gone = {TARGET}

    assert opened(studio).widget.model_notices[TARGET]["withdrawn"]


def test_a_job_that_fails_because_of_its_model_makes_the_panel_ask_again(studio):
    panel = opened(studio)
    (job,) = panel.generate()
    studio.source.gone = {TARGET}

    job.become("failed", failure=Failure(kind="ModelNotFound", message=f"Model not found: {TARGET}"))

    assert panel.widget.model_notices[TARGET]["withdrawn"]
    assert panel.widget.verdict["problems"][0]["path"] == "model"


def test_a_changed_schema_is_described_and_changes_the_form(studio):
    schema = bundled()[CFG].request_schema
    fields = {name: each for name, each in schema["properties"].items() if name != "negative_prompt"}
    fields["duration"] = {**fields["duration"], "enum": [5, 10, 15]}
    studio.source.schemas[CFG] = {**schema, "properties": fields}

    panel = opened(studio, {"model": CFG, "prompt": "x", "input_image": png(), "negative_prompt": "blur"})

    assert panel.widget.model_notices[CFG]["changes"] == ["negative_prompt: removed", "duration: also offers 15"]
    assert asides(panel) == {"negative_prompt": "“blur”"}  # it would be refused
    edit(panel, duration=15)
    assert panel.widget.verdict["problems"] == []


def test_changes_of_a_typed_model_are_described_too(studio):
    schema = bundled()[TARGET].request_schema
    fields = {**schema["properties"], "seed": {"type": "integer"}}
    studio.source.schemas[TARGET] = {**schema, "properties": fields}

    panel = opened(studio)

    assert panel.widget.model_notices[TARGET]["changes"] == ["seed: added: a whole number"]


def test_a_model_that_only_the_hub_knows_gets_its_form_later(studio):
    studio.source.extra = [bundled()[CFG].model_copy(update={"id": "new-model"})]

    panel = opened(studio, {"model": "new-model", "prompt": "x", "cfg_scale": 2.0, "input_image": png()})

    assert panel.widget.draft["cfg_scale"] == 2.0 and panel.widget.extra == ""
    assert panel.request.model == "new-model"


def test_an_image_model_opens_with_its_own_fields(studio):
    panel = opened(studio, {"model": FLUX, "prompt": "A paper boat", "num_generations": 2})

    assert panel.request.num_generations == 2
    assert panel.widget.draft["input_image"] == []


def test_another_model_makes_one_clip_until_more_are_asked_for(studio):
    panel = opened(studio, {"model": FLUX, "prompt": "A paper boat", "num_generations": 4})
    choose(panel, CFG)
    assert panel.widget.draft["num_generations"] == 1
    choose(panel, FLUX)
    assert panel.request.num_generations == 1


def test_the_rules_that_an_image_breaks_are_those_of_the_chosen_model(studio):
    panel = opened(studio, {"model": FLUX, "prompt": "x", "input_image": [png(size=(90, 90))]})
    (key,) = panel.widget.draft["input_image"]
    assert (panel.widget.labels[key]["rules"], panel.widget.labels[key]["blocked"]) == ([], False)
    choose(panel, IMAGE)
    assert (panel.widget.labels[key]["rules"], panel.widget.labels[key]["blocked"]) == (["too small"], True)


def test_a_frame_goes_to_the_field_of_the_first_image(studio):
    panel = opened(studio, {"model": IMAGE, "prompt": "x"})
    frame = Asset.from_bytes(png("blue"), given="frame")

    panel.set_start_frame(frame)
    assert panel.request.input_image == frame
    choose(panel, "kling-video-o3-pro-text-to-video")

    with pytest.raises(KlingError):
        panel.set_start_frame(frame)


def test_an_uploaded_video_sets_the_duration(studio, tmp_path):
    panel = opened(studio, {"model": OMNI, "prompt": "@Video1"})
    page = FakeFrontend(panel)
    data = video_file(tmp_path / "a.mp4", 4).read_bytes()

    key = page.upload(data, "walk.mp4", media="video")
    page.edit(input_video=key)

    assert (panel.request.input_video.kind, panel.request.input_video.name) == ("video", "walk.mp4")
    assert (panel.widget.labels[key]["uri"], panel.widget.labels[key]["note"]) == ("", format_size(len(data)))
    assert panel.widget.verdict["seconds"] == 4


def test_presets_and_code_keep_the_model(studio):
    panel = opened(studio, {"model": CFG, "prompt": "x", "input_image": "https://example.org/a.png", "cfg_scale": 2.0})
    page = FakeFrontend(panel)
    page.say("save", type="preset", name="soft", draft=page.draft)
    code = page.ask("code", flavour="kling_nb", flow="poll")["code"]
    assert f'model="{CFG}"' in code and "cfg_scale=2.0" in code
    panel.fill({"prompt": "other"})

    page.say("load", name="soft")

    assert (panel.request.model, panel.request.cfg_scale) == (CFG, 2.0)
    panel.fill(code)
    assert (panel.request.model, panel.request.cfg_scale) == (CFG, 2.0)
