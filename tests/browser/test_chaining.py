"""Chained shots: a frame of an earlier clip is the start frame of the next."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hubside import until
from playwright.sync_api import Locator, Page, expect

from browser.screen import Screen
from kling_nb.store.probe import probe

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_frame_of_an_earlier_clip_is_one_click_or_drag_away(opened: Callable[..., Screen]) -> None:
    screen = opened(
        "import kling_nb as kn\njob = kn.generate('A paper boat', duration=3)\njob.result()\njob",
        "panel = kn.panel({'prompt': 'It sails on'}); panel",
        "print(panel.fields['start_image_url'].given, panel.fields['tail_image_url'].given)",
        "kn.gallery()",
        "print(panel.fields['start_image_url'].given)",
    )
    screen.run(0)
    card = screen.cards.first.locator(".kn-card-bar")
    card.get_by_role("button", name="Continue from last frame").click()
    expect(card.get_by_role("status")).to_contain_text("kn.panel()")  # there is none yet
    screen.run(1)
    panel = screen.panel
    panel.get_by_text("Start and tail frames").click()

    panel.get_by_role("button", name="Start frame from an earlier clip").click()
    panel.get_by_role("button", name="Last frame of A paper boat", exact=True).click()
    expect(panel.locator(".kn-slot.kn-filled")).to_have_count(1)

    panel.get_by_role("button", name="Tail frame from an earlier clip").click()
    panel.get_by_role("button", name="Play A paper boat", exact=True).click()
    shown = panel.get_by_role("button", name="Use this frame")
    expect(shown).to_be_enabled()
    panel.locator("video").evaluate("(video) => { video.currentTime = 30.5 / 24; }")
    shown.click()
    expect(panel.locator(".kn-slot.kn-filled")).to_have_count(2)

    def given() -> str:  # an edit reaches the kernel a moment after it is seen
        screen.run(2)
        return str(screen.notebook.outputs(2)[0].get("text"))

    until(lambda: "last frame of " in given() and "frame 30 of " in given())

    screen.run(3)
    gallery = screen.root.locator(".kn-gallery")
    gallery.locator(".kn-card").first.click()
    details = gallery.get_by_label("Clip details")
    details.locator("video").evaluate(
        """async (video) => {
            while (video.readyState < 1) await new Promise((done) => setTimeout(done, 20));
            video.currentTime = 12.5 / 24;
        }"""
    )
    details.get_by_role("button", name="Use this frame as start frame").click()
    expect(details.get_by_role("status")).to_contain_text("frame 12")
    screen.run(4)
    assert "frame 12 of " in screen.notebook.outputs(4)[0]["text"]

    # A clip and a frame are dragged onto their places, which show where they are and what they would take.
    tail, references = panel.locator("[data-slot=tail_image_url]"), panel.locator(".kn-references .kn-tile")
    with dragging(screen.page, gallery.locator(".kn-card .kn-tile-face").first, tail):
        expect(panel).to_have_class(re.compile("kn-drag-near"))
        expect(tail.locator("[data-drop]")).to_have_attribute("data-drop", "First frame")
    expect(panel).not_to_have_class(re.compile("kn-drag-near"))
    expect(tail.locator(".kn-slot-name")).to_contain_text("first frame")
    with dragging(screen.page, details.locator("video"), panel.locator(".kn-references .kn-add-tile")):
        pass
    expect(references).to_have_count(1)
    expect(references).to_have_attribute("title", re.compile("frame 12"))
    panel.get_by_role("button", name="References from an earlier clip").press("Enter")  # the same by keyboard
    panel.get_by_role("button", name="Last frame of A paper boat", exact=True).press("Enter")
    expect(references).to_have_count(2)

    details.get_by_role("button", name="Open in panel").click()
    expect(screen.prompt).to_have_value("A paper boat")
    expect(details.get_by_role("status")).not_to_be_empty()

    # The card of the first cell acts too, as long as its kernel lives.
    card.get_by_role("button", name="4 stars").click()
    expect(card.locator(".kn-star.kn-on")).to_have_count(4)
    card.get_by_role("button", name="Continue from last frame").click()
    expect(panel.locator(".kn-arrived-note")).to_contain_text("is now the start frame")
    with screen.page.expect_download() as download:
        card.get_by_role("button", name="Download").click()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d A paper boat · .+\.mp4", download.value.suggested_filename)
    facts, _ = probe(Path(download.value.path()), "video")
    assert facts.duration == pytest.approx(3, abs=0.1)

    # Without its kernel a view turns grey, keeps what it shows, and takes no more presses.
    screen.kernel("restart")
    expect(panel.locator(".kn-dead-note")).to_be_visible()
    expect(screen.prompt).to_have_value("A paper boat")
    expect(screen.generate).not_to_be_enabled()
    expect(screen.root.locator(".kn-card-bar")).to_have_count(0)


@contextmanager
def dragging(page: Page, what: Locator, where: Locator) -> Iterator[None]:
    """Drag one element over another, and drop it there at the end."""
    what.scroll_into_view_if_needed()
    box = what.bounding_box()
    assert box
    page.mouse.move(box["x"] + 60, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 68, box["y"] + 45)  # a browser begins a drag only after some pixels
    where.scroll_into_view_if_needed()
    box = where.bounding_box()
    assert box
    for step in (20, 24):
        page.mouse.move(box["x"] + step, box["y"] + step)
    yield
    page.mouse.up()
