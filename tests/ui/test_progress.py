"""What a cell shows of its jobs."""

import pytest
from stand_in import Job

from kling_nb.ui import outlet, progress
from kling_nb.ui.progress import JobsView


@pytest.fixture
def screen(monkeypatch):
    """What was displayed, in order: (verb, bundle, display id)."""
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


def test_live_rows_carry_words_for_where_no_widget_runs(screen):
    progress.display([Job("<b>a</b>")])

    bundle = screen[0][1]
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "Queued" in bundle["text/plain"] and "<b>a</b>" in bundle["text/plain"]
    assert "&lt;b&gt;a" in bundle["text/html"] and "<b>a" not in bundle["text/html"]


def test_in_the_end_the_cell_holds_the_card_alone(screen):
    job = Job("a")
    progress.display([job])

    job.become("succeeded")

    verb, bundle, place = screen[-1]
    assert (verb, place) == ("update", screen[0][2])
    assert bundle == job.card()


def test_while_jobs_run_the_cell_says_what_to_do_should_its_kernel_end(screen):
    job = Job("<b>a</b>")
    progress.display([job])
    verb, bundle, place = screen[1]
    assert verb == "show"
    assert "kn.resume() brings in “&lt;b&gt;a&lt;/b&gt;”" in bundle["text/html"]
    assert f"kn.log()[&#34;{job.id}&#34;] has it" in bundle["text/html"]

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


def test_publish_says_it_again_from_the_thread_that_waited(screen):
    job = Job("a")
    progress.display([job])
    progress.publish([job])
    assert {verb for verb, *_ in screen} == {"show"}  # still running: nothing to say
    job.become("succeeded")

    progress.publish([job])
    progress.publish([job])

    rows = screen[0][2]
    assert [bundle for verb, bundle, place in screen if (verb, place) == ("update", rows)] == [job.card()] * 3


def test_jobs_that_had_ended_show_their_cards_at_once(screen):
    job = Job("a")
    job.become("succeeded")

    progress.display([job])

    assert screen[0][1] == job.card()


def test_a_card_that_cannot_be_made_is_said_in_the_row(screen, caplog):
    job = Job("a")
    view = progress.display([job])
    job.card = lambda: 1 / 0

    job.become("succeeded")

    assert "ZeroDivisionError" in view._widget.alert["message"]


def test_after_a_reload_the_card_also_goes_under_the_rows(screen):
    job = Job("a")
    view = JobsView([job])
    view.display()
    for page in ("one", "two"):
        view._widget._handle_custom_msg({"kind": "page", "page": page}, [])

    job.become("succeeded")

    assert view._late.outputs == (outlet.as_output(job.card()),)


def test_a_card_that_came_while_no_page_was_there_goes_under_the_rows_of_the_next(screen):
    job = Job("a")
    view = JobsView([job])
    view.display()
    page = {"kind": "page", "page": "one"}
    view._widget._handle_custom_msg(page, [])
    job.become("succeeded")
    view._widget._handle_custom_msg(page, [])
    assert view._late.outputs == ()  # one page that shows it twice

    view._widget._handle_custom_msg({"kind": "page", "page": "two"}, [])

    assert view._late.outputs == (outlet.as_output(job.card()),)
