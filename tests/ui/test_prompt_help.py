"""The panel's help: a pasted text becomes shots in one step; examples come with their pictures; there is a guide."""

import pytest
from stand_in import Studio

from kling_nb.models.request import OMNI
from kling_nb.ui.panel.help import EXAMPLES, guide, picture
from kling_nb.ui.panel.panel import Panel
from tests.support.frontend import FakeFrontend

LIST = "Shot 1 (3s): @Image1 wakes.\nMARA: Good morning.\nShot 2 (4s): She leaves.\n\nAspect ratio: 9:16"


@pytest.fixture(scope="module")
def studio():
    return Studio()


@pytest.fixture
def page(studio):
    return FakeFrontend(Panel(studio, {"prompt": "before"}))


def test_a_pasted_list_fills_shots_and_settings_in_one_edit_and_says_so(page):
    drafts = []
    page.widget.observe(lambda change: drafts.append(change["new"]), "draft")
    reply = page.ask("script", text=LIST, draft=page.draft)
    assert len(drafts) == 1 and page.draft["edit"] == reply["edit"]
    assert [shot["duration"] for shot in page.draft["multi_prompt"]] == [3, 4]
    assert (page.draft["mode"], page.draft["aspect_ratio"], page.draft["generate_audio"]) == ("shots", "9:16", True)
    assert page.draft["prompt"] == "before"  # it comes back with the other mode
    assert any("@Image1" in note for note in reply["notes"])


def test_the_length_that_was_chosen_in_the_panel_is_kept(page):
    page.edit(duration=9)
    page.ask("script", text="Shot 1: a\nShot 2: b", draft=page.draft)
    assert sum(shot["duration"] for shot in page.draft["multi_prompt"]) == 9


def test_times_in_the_text_replace_the_length_that_was_chosen(page):
    page.edit(duration=3)
    page.ask("script", text="[0-3s] a kite\n[3-7s] a dog\n[7-20s] a cat", draft=page.draft)
    assert [shot["duration"] for shot in page.draft["multi_prompt"]] == [2, 3, 10]  # 20 s do not fit into a clip


def test_an_edit_that_is_still_on_its_way_is_not_lost(page):
    page.ask("script", text="a cat", draft={**page.draft, "duration": 8})
    assert (page.draft["prompt"], page.draft["duration"]) == ("a cat", 8)


def test_a_model_without_shots_gets_one_prompt(studio):
    page = FakeFrontend(Panel(studio, {"model": OMNI, "prompt": "before"}))
    page.ask("script", text=LIST, draft=page.draft)
    assert page.draft["prompt"].count("\n") == 1 and page.draft["duration"] == 7


def test_pasted_code_fills_the_whole_form(page):
    page.ask("script", text='kn.generate("a dog", duration=4)', draft=page.draft)
    assert (page.draft["prompt"], page.draft["duration"]) == ("a dog", 4)


@pytest.mark.parametrize("text", ["", " \n", "word " * 10_000])
def test_a_text_that_gives_nothing_changes_nothing(page, text):
    before = page.draft
    reply = page.ask("script", text=text, draft=page.draft)
    assert page.draft == before
    assert reply.get("notes") or reply.get("reason")


@pytest.mark.parametrize("title", EXAMPLES)
def test_each_example_is_a_request_without_problems(page, title):
    page.say("example", title=title)
    assert page.problems() == {} and not page.alert
    assert page.view.request.assets()


def test_the_pictures_of_examples_are_small():
    names = {name for _, fields in EXAMPLES.values() for name in str(fields).split("'") if name.endswith(".jpg")}
    assert len(names) == 6 and all(len(picture(name).data or b"") < 16_000 for name in names)


def test_help_has_the_guide_and_a_picture_for_each_example(page):
    reply = page.ask("help")
    assert [each["title"] for each in reply["examples"]] == list(EXAMPLES)
    assert all(uri.startswith("data:image/") for each in reply["examples"] for uri in each["images"])
    assert reply["guide"] == guide() and len(reply["examples"]) == 6


def test_an_unknown_example_is_an_error_in_the_panel(page):
    page.say("example", title="none")
    assert "none" in page.alert
