"""Jobs in a cell."""

import pytest
from stand_in import Job

from kling_nb.ui import outlet, progress
from kling_nb.ui.progress import JobsView
from tests.support.frontend import FakeFrontend


@pytest.fixture
def screen(monkeypatch):
    """The outputs in order, each as (verb, bundle, display ID)."""
    seen = []

    def show(bundle, raw, display_id):
        seen.append(("show", bundle, display_id))

    def update(bundle, raw, display_id):
        seen.append(("update", bundle, display_id))

    monkeypatch.setattr(progress, "show", show)
    monkeypatch.setattr(progress, "update_display", update)
    monkeypatch.setattr(outlet, "display", show)
    monkeypatch.setattr(outlet, "update_display", update)
    return seen


def test_live_rows_have_text_for_front_ends_without_widgets(screen):
    progress.display([Job("<b>a</b>")])

    bundle = screen[0][1]
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "Queued" in bundle["text/plain"] and "<b>a</b>" in bundle["text/plain"]
    assert "&lt;b&gt;a" in bundle["text/html"] and "<b>a" not in bundle["text/html"]


def test_at_the_end_the_cell_has_only_the_card(screen):
    job = Job("a")
    progress.display([job])

    job.become("succeeded")

    verb, bundle, place = screen[-1]
    assert (verb, place) == ("update", screen[0][2])
    assert bundle == job.card()


def test_while_jobs_run_the_cell_says_how_to_find_them_again(screen):
    job = Job("<b>a</b>")
    progress.display([job])
    verb, bundle, place = screen[1]
    assert verb == "show"
    assert "kn.resume()" in bundle["text/html"] and "“&lt;b&gt;a&lt;/b&gt;”" in bundle["text/html"]
    assert f"kn.log()[&#34;{job.id}&#34;]" in bundle["text/html"]

    job.become("succeeded")

    assert ("update", {"text/html": "<div></div>", "text/plain": ""}, place) in screen


def test_cards_wait_for_the_last_job(screen):
    first, last = Job("a"), Job("b")
    progress.display([first, last])
    first.become("succeeded")
    assert {verb for verb, *_ in screen} == {"show"}

    last.become("failed")

    assert screen[-1][1]["text/plain"] == f"card of {first.id}\ncard of {last.id}"
    assert screen[-1][1]["application/vnd.kling-nb.record+json"] == [{"id": first.id}, {"id": last.id}]


def test_publish_sends_the_cards_again_from_the_waiting_thread(screen):
    job = Job("a")
    progress.display([job])
    outlet.publish([job])
    assert {verb for verb, *_ in screen} == {"show"}  # still running: no cards yet
    job.become("succeeded")

    outlet.publish([job])
    outlet.publish([job])

    rows = screen[0][2]
    assert [bundle for verb, bundle, place in screen if (verb, place) == ("update", rows)] == [job.card()] * 3


def test_ended_jobs_show_their_cards_immediately(screen):
    job = Job("a")
    job.become("succeeded")

    progress.display([job])

    assert screen[0][1] == job.card()


def test_an_error_in_a_card_is_shown_as_an_alert(screen, caplog):
    job = Job("a")
    view = progress.display([job])
    job.card = lambda: 1 / 0

    job.become("succeeded")

    assert "ZeroDivisionError" in FakeFrontend(view).alert


def test_after_a_reload_the_card_is_also_under_the_rows(screen):
    job = Job("a")
    view = JobsView([job])
    view.display()
    page = FakeFrontend(view)
    page.say("page", page="one")
    page.say("page", page="two")

    job.become("succeeded")

    assert view.late.outputs == (outlet.as_output(job.card()),)


def test_a_page_that_was_loaded_again_gets_what_changed_before_it_listened(screen):
    job = Job("a")
    view = JobsView([job])
    page = FakeFrontend(view)
    page.say("page", page="one")
    job.become("succeeded")
    sent = []
    view.widget.send_state = view.late.send_state = lambda key=None: sent.append(key)
    page.say("page", page="one")
    assert sent == []

    page.say("page", page="two")

    assert sent[-2:] == ["rows", {"outputs"}]


def test_a_card_that_arrived_without_a_page_is_under_the_rows_of_the_next_page(screen):
    job = Job("a")
    view = JobsView([job])
    view.display()
    page = FakeFrontend(view)
    page.say("page", page="one")
    job.become("succeeded")
    page.say("page", page="one")
    assert view.late.outputs == ()  # one page that shows it twice

    page.say("page", page="two")

    assert view.late.outputs == (outlet.as_output(job.card()),)
