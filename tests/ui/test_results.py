"""The buttons of finished jobs in a panel."""

import pytest
from hubside import png_image, until

from tests.support.frontend import FakeFrontend

FIELDS = {"prompt": "a paper boat", "duration": 3}


@pytest.fixture
def panel(studio):
    return studio.panel(FIELDS)


@pytest.fixture
def page(panel):
    return FakeFrontend(panel)


@pytest.fixture
def clip(panel):
    (job,) = panel.generate()
    return job.result(60)


def rows(panel):
    return {row["id"]: row for row in panel.widget.rows}


def test_the_last_frame_of_a_clip_becomes_the_start_frame_and_is_shown(panel, page, clip):
    page.say("use_frame", call="", id=clip.id, frame=-1)

    arrived = page.replies[-1]
    assert (arrived["kind"], arrived["field"]) == ("arrived", "start_image_url") and "a paper boat" in arrived["text"]
    frame = panel.fields["start_image_url"]
    assert (frame.source, frame.given) == (clip.id, f"last frame of {clip.id}")


def test_the_record_of_a_clip_names_the_one_that_it_continues(studio, clip):
    frame = clip.frame(-1).resize((640, 360))  # the hub of the tests draws smaller ones than a model takes
    job = studio.generate("the boat sinks", start_image_url=frame, duration=3)
    assert job.record.parents == (clip.id,)
    assert studio.generate("a face", start_image_url=png_image(), duration=3).record.parents == ()


def test_a_star_on_a_row_is_in_the_log(panel, page, clip, studio):
    page.say("annotate", id=clip.id, changes={"stars": 4})

    assert studio.log()[clip.id].stars == 4
    assert rows(panel)[clip.id]["stars"] == 4


def test_a_row_gives_the_request_back(panel, page, clip):
    panel.fill({"prompt": "something else"})

    page.say("open", call="", id=clip.id)

    assert panel.request.prompt == "a paper boat"


def test_a_row_names_the_file_for_people(panel, clip):
    file = until(lambda: rows(panel)[clip.id].get("file"))
    assert file.endswith(f"a paper boat · {'-'.join(clip.id.split('-')[-2:])}.mp4")


def test_the_gallery_opens_below_the_rows_and_closes(panel, page, clip):
    area = panel._jobs.box
    page.say("gallery", id=clip.id)
    assert len(area.children) == 3 and page.replies[-1] == {"kind": "gallery", "open": True}

    page.say("compare", ids=[clip.id, panel.generate()[0].result(60).id])
    assert len(area.children[1].comparison["clips"]) == 2

    page.say("gallery")
    assert len(area.children) == 2


def test_the_clips_of_one_request_share_a_card_in_the_order_of_the_rows(panel, studio):
    first = panel.generate()
    panel.fill({**FIELDS, "prompt": "two boats", "num_generations": 2})
    second = panel.generate()
    for job in (*second, *first):
        job.result(60)
    panel.publish()

    assert [row["id"] for row in panel.widget.rows] == [job.id for job in (*second, *first)]
    assert ["two boats" in card["text/plain"] for card in panel.outlet.cards] == [True, False]
    assert "1 of 2" in panel.outlet.cards[0]["text/html"] and "2 of 2" in panel.outlet.cards[0]["text/html"]


def test_the_panel_shows_todays_spending_and_the_rest_of_a_budget(panel, studio, clip):
    assert panel.widget.money == "$0.672 spent today"

    studio.budget(day="5.00", total="100.00")
    panel.generate()[0].result(60)

    assert panel.widget.money == "$1.344 spent today · $3.656 left of today's limit"
