"""The panel's Python side: messages from the browser and their effects."""

from concurrent.futures import Future

import pytest
from stand_in import Clock, Job, Studio, png

from kling_nb.errors import CreditError, RequestError
from kling_nb.models.request import ReferenceToVideo
from kling_nb.ui.panel.controller import Banner
from kling_nb.ui.panel.panel import Panel
from tests.support.frontend import FakeFrontend

VALID = {"prompt": "@Image1 waves", "input_image": [png()]}


@pytest.fixture
def studio():
    return Studio()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def panel(studio, clock):
    return Panel(studio, VALID, clock=clock)


@pytest.fixture
def page(panel):
    return FakeFrontend(panel)


def test_an_edit_is_checked_immediately(page):
    page.edit(duration=9)

    assert page.widget.verdict["seconds"] == 9
    assert page.widget.verdict["price"] == "$2.016"
    assert page.widget.verdict["edit"] == page.draft["edit"]


def test_an_edit_is_checked_once_and_looked_up_only_if_the_request_has_changed(page, studio):
    studio.checks = studio.lookups = 0
    page.edit(duration=9)
    assert (studio.checks, studio.lookups) == (1, 1)
    page.edit(mode="prompt")
    assert (studio.checks, studio.lookups) == (2, 1)
    page.edit(prompt="")
    assert (studio.checks, studio.lookups) == (3, 1)  # an invalid request has no earlier results


def test_all_problems_are_reported_together(page):
    page.edit(prompt="", aspect_ratio="4:3", num_generations=9)

    assert {"prompt", "aspect_ratio", "num_generations"} <= set(page.problems())


def test_an_incomplete_request_raises_all_its_errors(panel, page):
    page.edit(prompt="", duration=99)

    with pytest.raises(RequestError) as caught:
        _ = panel.request

    assert {problem.field for problem in caught.value.problems} == {"prompt", "duration"}


def test_a_press_starts_the_request_on_the_screen(panel, page, studio):
    page.press(draft={**page.draft, "prompt": "newer", "edit": "view:2"})

    assert [job.progress.title for job in studio.started] == ["newer"]
    assert panel.fields["prompt"] == "newer"


def test_a_double_click_generates_once(page, studio, clock):
    page.press(id="p1")
    clock.now += 0.3
    page.press(id="p2")
    page.press(id="p1")

    assert len(studio.started) == 1
    assert [reply["jobs"] for reply in page.replies] == [1, 0, 0]


def test_a_price_other_than_the_one_on_the_button_starts_nothing(page, studio):
    page.press(price="$0.672")

    assert studio.started == []
    assert "the price is now $1.12" in page.alert


def test_a_press_with_an_invalid_draft_starts_nothing(page, studio):
    page.edit(prompt="")

    page.press()

    assert studio.started == []
    assert page.alert.startswith("The request is not valid. prompt: ")
    assert page.replies[-1]["kind"] == "submitted"


def test_the_form_and_python_get_different_remedies(studio):
    panel = Panel(studio, {})

    problem = panel.problems[0]
    assert panel.widget.verdict["problems"][0]["remedy"] == problem.form_remedy != problem.remedy


def test_an_error_of_the_hub_is_shown_and_the_next_press_counts(page, studio, clock):
    studio.fault = CreditError("You have run out of credits.")
    page.press(id="p1")
    shown = page.alert
    studio.fault, clock.now = None, clock.now + 5
    page.press(id="p2")

    assert shown == "You have run out of credits."
    assert len(studio.started) == 1
    assert page.alert == ""


def test_a_bug_is_shown_too(page, studio, caplog):
    studio.generate = lambda request: 1 / 0

    page.press()

    assert "ZeroDivisionError" in page.alert
    assert "Traceback" in caplog.text


def test_generate_in_python_raises_instead(panel, studio):
    studio.fault = CreditError("no credit")

    with pytest.raises(CreditError):
        panel.generate()


def test_a_file_becomes_an_image_with_a_name(panel, page):
    data = png("blue")

    key = page.upload(data, "sky.png")
    page.edit(input_image=[*page.draft["input_image"], key])

    assert panel.widget.labels[key]["name"] == "sky.png"
    assert panel.fields["input_image"][1].data == data


def test_a_file_that_is_not_an_image_is_a_problem_at_its_field(page):
    page.edit(start_image_url=page.upload(b"not an image", "notes.txt"))

    problem = next(each for each in page.widget.verdict["problems"] if each["path"] == "start_image_url")

    assert problem["severity"] == "error" and "notes.txt" in problem["message"]


def test_a_missing_file_is_refused_with_the_reason(page):
    page.say("fetch", id="x", source="no/such.png")

    assert page.replies[-1]["kind"] == "refused"
    assert "no/such.png" in page.replies[-1]["reason"]


def test_a_url_is_not_fetched(page):
    page.say("fetch", id="x", source=" https://example.org/cat.png ")

    assert page.widget.labels[page.replies[-1]["key"]]["name"] == "cat.png"


def test_a_finished_card_goes_to_the_outlet_once(panel):
    (job,) = panel.generate()
    job.become("succeeded")
    job.become("succeeded")

    assert [card["text/plain"] for card in panel.outlet.cards] == [f"card of {job.id}"]


def test_publishing_adds_a_card_that_the_engine_has_not_sent_yet(panel):
    (job,) = panel.generate()
    job.listeners.clear()
    job.become("succeeded")

    panel.publish()
    panel.publish()

    assert len(panel.outlet.cards) == 1


def test_the_newest_card_and_row_come_first(panel):
    first, second = panel.generate() + panel.preview()
    first.become("succeeded")
    second.become("failed")

    assert [row["id"] for row in panel.widget.rows] == [second.id, first.id]
    assert [card["text/plain"] for card in panel.outlet.cards] == [f"card of {second.id}", f"card of {first.id}"]


def test_after_a_reload_cards_are_also_in_the_output_widget(panel, page):
    (job,) = panel.generate()
    page.say("page", page="one")
    page.say("page", page="two")

    job.become("succeeded")

    assert [reply["first"] for reply in page.replies] == [True, False]
    assert panel.outlet.late.outputs[0]["data"]["text/plain"] == f"card of {job.id}"


def test_one_page_that_shows_the_panel_twice_is_not_a_reload(panel, page):
    (job,) = panel.generate()
    page.say("page", page="one")
    page.say("page", page="one")

    job.become("succeeded")

    assert panel.outlet.late.outputs == ()


def test_cancel_reaches_the_job(panel, page):
    (job,) = panel.generate()

    page.say("cancel", job=job.id)

    assert job.cancels == 1 and page.widget.rows[0]["status"] == "cancelled"


def test_a_cancellation_that_the_hub_refuses_is_shown(panel, page):
    (job,) = panel.generate()
    pending = Future()
    job.cancel = lambda: pending
    page.say("cancel", job=job.id)

    pending.set_exception(CreditError("The job cannot be cancelled."))

    assert page.alert == "The job cannot be cancelled."


def test_another_hub_means_another_price(panel, studio):
    studio.local = True

    studio.tell(Banner("Local hub", "local", "no key was found"))

    assert panel.widget.banner["text"] == "Local hub"
    assert panel.widget.verdict["price"] == "free"


def test_a_draft_is_saved(page, studio):
    page.edit(prompt="half a sen")

    assert studio.draft.fields["prompt"] == "half a sen"


def test_a_saved_draft_comes_back(studio):
    studio.draft.loaded = {"prompt": "as it was"}

    assert Panel(studio).fields["prompt"] == "as it was"


def test_a_saved_draft_with_a_missing_image_opens_an_empty_panel_with_an_alert(studio):
    studio.draft.loaded = {"prompt": "as it was", "input_image": ["gone.png"]}

    panel = Panel(studio)

    assert "gone.png" in FakeFrontend(panel).alert
    assert "prompt" not in panel.fields


def test_a_request_of_another_model_keeps_its_model(studio):
    panel = Panel(studio, {"model": "kling-video-o3-omni", "prompt": "x", "resolution": "4k"})

    assert (panel.request.model, panel.request.resolution) == ("kling-video-o3-omni", "4k")
    assert panel.widget.extra == ""
    assert Panel(studio, ReferenceToVideo(prompt="x")).widget.extra == ""


def test_a_note_says_that_a_prompt_and_shots_cannot_both_be_sent(studio):
    shots = [{"prompt": "one", "duration": 2}]
    notes = [Panel(studio, fields).widget.notes for fields in ({**VALID, "multi_prompt": shots}, VALID)]

    assert [len(each) for each in notes] == [1, 0]
    assert notes[0][0].startswith("multi_prompt: ")


def test_fields_that_the_panel_does_not_show_are_sent_too(studio):
    panel = Panel(studio, {**VALID, "target_namespace": "team"})
    FakeFrontend(panel).edit(prompt="x")

    assert panel.request.target_namespace == "team"
    assert panel.widget.extra == "target_namespace = team"


def test_a_malformed_message_is_ignored(page, studio):
    for kind in (None, "??", "cancel", "piece"):
        page.say(kind)

    assert studio.started == []


def test_a_malformed_draft_is_reported(page):
    page.edit(multi_prompt=5, mode="shots")

    assert "TypeError" in page.alert


def test_messages_cannot_start_a_job_that_the_rules_forbid(page, studio):
    page.press(draft={"num_generations": 99}, price="$1.12")

    assert studio.started == []


def test_a_job_belongs_to_the_panel(panel):
    jobs = panel.generate()

    assert panel.jobs == jobs and isinstance(jobs[0], Job)


def test_undoing_a_fill_restores_the_fields_that_are_not_shown(panel, page):
    panel.fill({"prompt": "first", "target_namespace": "mine"})
    before = page.draft
    panel.fill({"prompt": "second"})
    assert "target_namespace" not in panel.fields

    page.show({**before, "edit": "view:9"})

    assert panel.fields["target_namespace"] == "mine"
    assert panel.widget.extra == "target_namespace = mine"
