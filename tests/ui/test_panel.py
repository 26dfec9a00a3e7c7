"""The panel's Python side: what a browser may send, and what comes of it."""

from concurrent.futures import Future

import pytest
from stand_in import Job, Studio
from test_draft import png

from kling_nb.errors import CreditError, RequestError
from kling_nb.models.request import ReferenceToVideo
from kling_nb.ui.panel.controller import Banner
from kling_nb.ui.panel.panel import Panel

GOOD = {"prompt": "@Image1 waves", "input_image": [png()]}


class Clock:
    now = 50.0

    def __call__(self):
        return self.now


@pytest.fixture
def studio():
    return Studio()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def panel(studio, clock):
    panel = Panel(studio, GOOD, clock=clock)
    panel.replies = []
    panel._widget.send = lambda content, buffers=None: panel.replies.append(content)
    return panel


def say(panel, buffers=(), **content):
    panel._widget._handle_custom_msg(content, list(buffers))


def edit(panel, **changes):
    panel._widget.draft = {**panel._widget.draft, **changes, "edit": "view:1"}


def press(panel, action="generate", *, id="p1", price=None):
    seen = panel._widget.verdict["price"] if price is None else price
    say(panel, kind="submit", id=id, action=action, draft=panel._widget.draft, price=seen)


def test_an_edit_is_judged_at_once(panel):
    edit(panel, duration=9)

    assert panel._widget.verdict["seconds"] == 9
    assert panel._widget.verdict["price"] == "$2.02"
    assert panel._widget.verdict["edit"] == "view:1"


def test_all_problems_come_together(panel):
    edit(panel, prompt="", aspect_ratio="4:3", num_generations=9)

    paths = {problem["path"] for problem in panel._widget.verdict["problems"]}

    assert {"prompt", "aspect_ratio", "num_generations"} <= paths


def test_an_incomplete_request_says_everything(panel):
    edit(panel, prompt="", duration=99)

    with pytest.raises(RequestError) as caught:
        _ = panel.request

    assert {problem.field for problem in caught.value.problems} == {"prompt", "duration"}


def test_a_press_starts_what_is_on_the_screen(panel, studio):
    draft = {**panel._widget.draft, "prompt": "newer", "edit": "view:2"}

    say(panel, kind="submit", id="p", action="generate", draft=draft, price="$1.12")

    assert [job.progress.title for job in studio.started] == ["newer"]
    assert panel.fields["prompt"] == "newer"


def test_a_double_click_generates_once(panel, studio, clock):
    press(panel, id="p1")
    clock.now += 0.3
    press(panel, id="p2")
    press(panel, id="p1")

    assert len(studio.started) == 1
    assert [reply["jobs"] for reply in panel.replies] == [1, 0, 0]


def test_nobody_pays_another_price_than_the_one_on_the_button(panel, studio):
    press(panel, price="$0.67")

    assert studio.started == []
    assert "the price is now $1.12" in panel._widget.alert["message"]


def test_a_press_with_an_error_in_the_draft_starts_nothing(panel, studio):
    edit(panel, prompt="")

    press(panel)

    assert studio.started == []
    assert "there is no prompt" in panel._widget.alert["remedy"]
    assert panel.replies[-1]["kind"] == "submitted"


def test_an_empty_panel_asks_in_words_of_the_form_and_python_in_those_of_the_wire(studio):
    panel = Panel(studio, {})

    assert panel._widget.verdict["problems"][0]["remedy"] == "write one, or add shots"
    assert str(panel.problems[0]) == "prompt: there is no prompt – write one, or give shots in multi_prompt"


def test_an_error_of_the_hub_is_shown_and_the_next_press_counts(panel, studio, clock):
    studio.fault = CreditError("You have run out of credits.")
    press(panel, id="p1")
    shown = dict(panel._widget.alert)
    studio.fault, clock.now = None, clock.now + 5
    press(panel, id="p2")

    assert shown["message"] == "You have run out of credits."
    assert len(studio.started) == 1
    assert panel._widget.alert == {}


def test_a_fault_of_ours_is_shown_too(panel, studio, caplog):
    studio.generate = lambda request: 1 / 0

    press(panel)

    assert "ZeroDivisionError" in panel._widget.alert["message"]
    assert "Traceback" in caplog.text


def test_generate_in_python_raises_instead(panel, studio):
    studio.fault = CreditError("no credit")

    with pytest.raises(CreditError):
        panel.generate()


def test_a_file_becomes_a_picture_with_a_name(panel):
    data = png("blue")

    say(panel, [data], kind="piece", id="u", name="sky.png", size=len(data), piece=0)
    key = panel.replies[-1]["key"]
    edit(panel, input_image=[*panel._widget.draft["input_image"], key])

    assert panel._widget.labels[key]["name"] == "sky.png"
    assert panel.fields["input_image"][1].data == data


def test_a_file_that_is_no_picture_is_a_problem_at_its_field(panel):
    say(panel, [b"not an image"], kind="piece", id="u", name="notes.txt", size=12, piece=0)
    edit(panel, start_image_url=panel.replies[-1]["key"])

    problem = next(p for p in panel._widget.verdict["problems"] if p["path"] == "start_image_url")

    assert problem["severity"] == "error" and "notes.txt" in problem["message"]


def test_a_path_that_leads_nowhere_is_refused_with_the_reason(panel):
    say(panel, kind="fetch", id="x", source="no/such.png")

    assert panel.replies[-1]["kind"] == "refused"
    assert "no/such.png" in panel.replies[-1]["reason"]


def test_an_address_is_kept_without_being_fetched(panel):
    say(panel, kind="fetch", id="x", source=" https://example.org/cat.png ")

    assert panel._widget.labels[panel.replies[-1]["key"]]["name"] == "cat.png"


def test_a_finished_card_goes_to_the_outlet_once(panel, studio):
    (job,) = panel.generate()
    job.become("succeeded")
    job.become("succeeded")

    assert [card["text/plain"] for card in panel._outlet.cards] == [f"card of {job.id}"]


def test_publishing_adds_a_card_that_the_engine_has_not_brought_yet(panel):
    (job,) = panel.generate()
    job.listeners.clear()
    job.become("succeeded")

    panel.publish()
    panel.publish()

    assert len(panel._outlet.cards) == 1


def test_the_newest_card_and_row_stand_first(panel):
    first, second = panel.generate() + panel.preview()
    first.become("succeeded")
    second.become("failed")

    assert [row["id"] for row in panel._widget.rows] == [second.id, first.id]
    assert [card["text/plain"] for card in panel._outlet.cards] == [f"card of {second.id}", f"card of {first.id}"]


def test_after_a_reload_cards_also_go_where_the_new_page_sees_them(panel):
    (job,) = panel.generate()
    say(panel, kind="page", page="one")
    say(panel, kind="page", page="two")

    job.become("succeeded")

    assert [reply["first"] for reply in panel.replies] == [True, False]
    assert panel._outlet.late.outputs[0]["data"]["text/plain"] == f"card of {job.id}"


def test_one_page_that_shows_it_twice_is_no_reload(panel):
    (job,) = panel.generate()
    say(panel, kind="page", page="one")
    say(panel, kind="page", page="one")

    job.become("succeeded")

    assert panel._outlet.late.outputs == ()


def test_cancel_reaches_the_job(panel):
    (job,) = panel.generate()

    say(panel, kind="cancel", job=job.id)

    assert job.cancels == 1 and panel._widget.rows[0]["text"] == "Cancelled"


def test_a_stop_that_the_hub_refuses_is_said(panel):
    (job,) = panel.generate()
    asked = Future()
    job.cancel = lambda: asked
    say(panel, kind="cancel", job=job.id)

    asked.set_exception(CreditError("The hub would not stop it."))

    assert panel._widget.alert["message"] == "The hub would not stop it."


def test_another_hub_means_another_price(panel, studio):
    studio.local = True

    studio.tell(Banner("Local hub", "local", "no key was found"))

    assert panel._widget.banner["text"] == "Local hub"
    assert panel._widget.verdict["price"] == "free"


def test_what_is_written_is_kept(panel, studio):
    edit(panel, prompt="half a sen")

    assert studio.kept["prompt"] == "half a sen"


def test_a_kept_draft_comes_back(studio):
    studio.kept_draft = lambda: {"prompt": "as it was"}

    assert Panel(studio).fields["prompt"] == "as it was"


def test_a_kept_draft_whose_picture_is_gone_opens_an_empty_panel_that_says_so(studio):
    studio.kept_draft = lambda: {"prompt": "as it was", "input_image": ["gone.png"]}

    panel = Panel(studio)

    assert "gone.png" in panel._widget.alert["remedy"]


def test_a_request_of_another_model_keeps_its_model(studio):
    panel = Panel(studio, {"model": "kling-video-o3-omni", "prompt": "x", "resolution": "4k"})

    assert (panel.request.model, panel.request.resolution) == ("kling-video-o3-omni", "4k")
    assert panel._widget.extra == ""
    assert Panel(studio, ReferenceToVideo(prompt="x"))._widget.extra == ""


def test_a_prompt_and_shots_given_together_are_said(studio):
    shots = [{"prompt": "one", "duration": 2}]
    notes = [Panel(studio, fields)._widget.notes for fields in ({**GOOD, "multi_prompt": shots}, GOOD)]

    assert ["only one can be sent" in " ".join(each) for each in notes] == [True, False]


def test_fields_that_the_panel_does_not_show_are_sent_all_the_same(studio):
    panel = Panel(studio, {**GOOD, "target_namespace": "team"})
    edit(panel, prompt="x")

    assert panel.request.target_namespace == "team"
    assert panel._widget.extra == "target_namespace = team"


def test_a_nonsense_message_is_ignored(panel, studio):
    for content in ({}, {"kind": "??"}, {"kind": "cancel"}, {"kind": "piece"}):
        panel._widget._handle_custom_msg(content, [])

    assert studio.started == []


def test_messages_cannot_start_a_job_that_the_rules_forbid(panel, studio):
    say(panel, kind="submit", id="p", action="generate", draft={"num_generations": 99}, price="$1.12")

    assert studio.started == []


def test_a_job_lives_in_the_panel(panel):
    jobs = panel.generate()

    assert panel.jobs == jobs and isinstance(jobs[0], Job)


def test_a_draft_from_before_a_filling_brings_back_what_it_does_not_show(panel):
    panel.fill({"prompt": "first", "target_namespace": "mine"})
    before = panel._widget.draft
    panel.fill({"prompt": "second"})
    assert "target_namespace" not in panel.fields

    panel._widget.draft = {**before, "edit": "view:9"}

    assert panel.fields["target_namespace"] == "mine"
    assert panel._widget.extra == "target_namespace = mine"
