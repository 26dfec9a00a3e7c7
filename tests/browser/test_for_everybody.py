"""Accessibility: by keyboard only, in a narrow cell, with a screen reader, and with reduced motion.

All tests share one notebook with every view, in a separate page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe import violations
from hubside import HubSide
from lab import Lab, set_theme
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from browser.screen import Screen

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]  # the first test waits for the whole notebook

MEASURES = Path(__file__).with_name("measures.js").read_text(encoding="utf-8").partition("\n")[2].strip()
SLOW = 60_000
CELLS = (
    """import io, datetime
import kling_nb as kn
from PIL import Image
from kling_nb.ui.progress import JobsView
from stand_in import Job
def picture(colour, size=(640, 400)):
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()
RED, BLUE, TINY = picture("red"), picture("blue"), picture("teal", (200, 100))
plan = kn.sweep("A {mood} boat drifts over the pond, with long reeds around it", mood=["calm", "wild"], duration=3)
done = plan.run().result()
kn.log().annotate(done[0].id, tags=["a tag that somebody made of a whole sentence, or of the name of a file"])
# A prompt of its own: a clip that is already in the log would let the run end before it pauses.
going = kn.sweep("A {colour} lantern of everybody's", colour=["red", "blue"], duration=3).run(limit=1)
going.pause()""",
    """kn.panel({
    "multi_prompt": [{"prompt": "@Image3 walks in", "duration": 9}, {"prompt": "", "duration": 1},
                     {"prompt": "She turns and looks at the camera for a long moment", "duration": 9}],
    "input_image": [RED, BLUE, TINY], "start_image_url": BLUE, "tail_image_url": RED, "negative_prompt": "blur",
    "elements": [{"frontal_image_url": RED, "reference_image_urls": [BLUE]}],
})""",
    """soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=4)
jobs = [Job("A paper boat on a pond at dusk, seen from above", expected=soon), Job("Second", preview=True)]
jobs += [Job("x"), Job("y")]
jobs[0].become("processing"); jobs[1].become("succeeded"); jobs[2].fail("The hub refused the prompt.", "Reword it.")
JobsView(jobs).display()""",
    "kn.gallery()",
    "kn.compare(*done)",
    "plan.vote(seed=4)",
    "plan",
    "going",
    "panel = kn.panel({}); panel",
    """fields = panel.fields
print([(shot["prompt"], shot["duration"]) for shot in fields["multi_prompt"]], fields["aspect_ratio"],
      fields["generate_audio"], [picture.name for picture in fields["input_image"]])""",
)
GALLERY, EMPTY, ASKED = 3, 8, 9
VIEWS = {
    "panel": ".kn-panel",
    "rows": ".kn-jobs-view",
    "gallery": ".kn-gallery",
    "compare": ".kn-compare-view",
    "vote": ".kn-vote-view",
    "plan": ".kling-plan",
    "run": ".kn-run",
}
#: Small controls with a larger equivalent: the duration and the buttons of the shot.
TWINS = ".kn-edge, .kn-block"


@pytest.fixture(scope="module")
def everything(lab: Lab, hub_of_lab: HubSide) -> Iterator[Screen]:
    """Open a notebook with a full panel, rows, a gallery, a comparison, a vote, a plan and a run."""
    hub_of_lab.mark()
    page = lab.new_page()
    notebook = lab.notebook(*CELLS, page=page)
    Image.new("RGB", (640, 400), "green").save(notebook.path.with_name("face.png"))
    screen = Screen(notebook)
    screen.run(*range(ASKED))
    assert screen.errors() == []
    for selector in VIEWS.values():
        screen.root.locator(selector).first.wait_for(timeout=SLOW)
    screen.panel.evaluate("(el) => { for (const part of el.querySelectorAll('details')) part.open = true; }")
    expect(screen.root.locator(".kn-compare")).to_have_attribute("data-ready", "true", timeout=SLOW)
    expect(screen.root.locator(".kn-vote")).to_have_attribute("data-ready", "0", timeout=SLOW)
    yield screen
    notebook.close()
    page.close()


@pytest.fixture
def still(everything: Screen) -> Iterator[Page]:
    """The page with reduced motion."""
    everything.page.emulate_media(reduced_motion="reduce")
    yield everything.page
    everything.page.emulate_media(reduced_motion="no-preference")


def layout_faults(screen: Screen) -> dict[str, list[str]]:
    """Return what overflows, is cut or is too small, by view; empty if there are no faults."""
    script = (
        f"(el, but) => {{ const {{ overflows, small }} = {MEASURES}; return [...overflows(el), ...small(el, but)]; }}"
    )
    found = {name: screen.root.locator(selector).first.evaluate(script, TWINS) for name, selector in VIEWS.items()}
    return {name: said for name, said in found.items() if said}


def test_nothing_is_cut_in_a_cell_of_320_pixels_or_at_a_zoom_of_200_percent(everything: Screen, still: Page) -> None:
    narrow = still.add_style_tag(
        content=".jp-OutputArea-output { width: 320px !important; flex: none !important; }"
        ".jp-Cell { content-visibility: visible !important; }"
    )
    try:
        assert everything.panel.evaluate("(el) => el.getBoundingClientRect().width") == 300  # as wide as cards there
        assert layout_faults(everything) == {}
        narrow.evaluate("(style) => { style.textContent = '.jp-Cell { content-visibility: visible !important; }'; }")
        still.set_viewport_size({"width": 640, "height": 500})  # of 1280 by 1000, zoomed to 200 %
        assert layout_faults(everything) == {}
    finally:
        still.set_viewport_size({"width": 1280, "height": 1000})
        narrow.evaluate("(style) => style.remove()")


def test_axe_finds_no_serious_violation_in_either_theme(everything: Screen) -> None:
    found = {}
    for theme in ("light", "dark"):
        set_theme(everything.page, theme)
        for name in ("rows", "vote", "plan", "run"):
            if said := violations(everything.page, f".jp-NotebookPanel:not(.lm-mod-hidden) {VIEWS[name]}"):
                found[name, theme] = said
    set_theme(everything.page, "light")
    assert found == {}


MOVING = """() => document.getAnimations().filter((it) => it.playState === 'running'
    && it.effect.target.closest('.kn, .kling-plan, .kling-card')).map((it) => it.effect.target.className)"""
PLAYING = "() => [...document.querySelectorAll('.kn video')].filter((video) => !video.paused).length"


def test_motion_stops_with_reduced_motion(everything: Screen) -> None:
    page = everything.page
    # Lab does not render cells outside the viewport, and what is not rendered does not move.
    page.add_style_tag(content=".jp-Cell { content-visibility: visible !important; }")
    page.wait_for_function(f"() => ({MOVING})().length > 0")  # a row's bar
    page.wait_for_function(f"() => ({PLAYING})() >= 2")  # the vote's clips
    page.emulate_media(reduced_motion="reduce")
    page.wait_for_function(f"() => ({MOVING})().length === 0 && ({PLAYING})() === 0")
    everything.root.locator(".kn-gallery .kn-card").first.hover()
    page.wait_for_timeout(400)  # longer than the delay before a clip plays
    assert page.evaluate(PLAYING) == 0
    page.emulate_media(reduced_motion="no-preference")
    page.wait_for_function(f"() => ({PLAYING})() >= 2")


#: The look of the focused element and its surroundings; after the next step it must be different. The browser draws the
#: focus of its own video controls.
LOOKS = """() => {
  const look = (el) => JSON.stringify([el, el.nextElementSibling, el.parentElement, el.parentElement?.parentElement,
    el.parentElement?.parentElement?.parentElement].filter(Boolean).map(getComputedStyle)
    .map((style) => [style.outline, style.boxShadow, style.borderColor, style.backgroundColor]));
  const before = window.__focused;
  const el = document.activeElement;
  window.__focused = el.closest('.kn') && el.tagName !== 'VIDEO' ? { el, look: look(el) } : null;
  const unseen = before && before.el.isConnected && before.el !== el && before.look === look(before.el);
  return unseen ? before.el.outerHTML.slice(0, 120) : '';
}"""


class Keys:
    """A keyboard. Every element that it focuses must have a visible focus."""

    def __init__(self, screen: Screen, cell: int) -> None:
        self.page, self._keyboard = screen.page, screen.page.keyboard
        self.page.evaluate(
            """(cell) => {
                const { content } = window.jupyterapp.shell.currentWidget;
                content.activeCellIndex = cell;
                content.mode = 'command';
                content.activate();
            }""",
            cell,
        )

    def to(self, control: Locator, step: str = "Tab", most: int = 40) -> Keys:
        """Press a key until a control has the focus."""
        for _ in range(most):
            self.press(step)
            unseen = self.page.evaluate(LOOKS)
            assert unseen == ""
            if control.evaluate("(el) => el === document.activeElement"):
                return self
        raise AssertionError(f"{control} was not reached with {most} times {step}")

    def press(self, *keys: str) -> Keys:
        """Press keys, one after the other."""
        for key in keys:
            self._keyboard.press(key)
        return self

    def type(self, words: str) -> Keys:
        """Type text."""
        self._keyboard.type(words)
        return self


def test_a_request_is_composed_and_sent_by_keyboard_only(everything: Screen, still: Page, hub_of_lab: HubSide) -> None:
    panel = everything.root.locator(".jp-Cell").nth(EMPTY).locator(".kn-panel")
    part = panel.get_by_role
    keys = Keys(everything, EMPTY)
    posts = hub_of_lab.posts

    keys.to(part("textbox", name="Image URL or path")).type("face.png").press("Enter")
    expect(panel.locator(".kn-references .kn-tile img")).to_be_visible()
    keys.to(part("textbox", name="Prompt", exact=True), "Shift+Tab").type("Look, @")
    expect(part("option")).to_have_count(1)
    keys.press("Enter").type("waves")
    expect(part("textbox", name="Prompt", exact=True)).to_have_value("Look, @Image1 waves")
    keys.to(part("radio", name="16:9")).press("ArrowRight")
    keys.to(part("slider", name="Duration")).press("Home", "ArrowRight")
    keys.to(part("switch", name="Audio")).press("Space")
    keys.to(part("radio", name="One prompt"), "Shift+Tab").press("ArrowRight")
    keys.to(part("button", name="Add shot")).press("Enter")
    expect(part("textbox", name="Prompt for shot 2")).to_be_focused()
    keys.type("She laughs")
    keys.to(part("spinbutton", name="Seconds").nth(1)).press("Control+a").type("3")
    keys.to(panel.locator(".kn-block").first, "Shift+Tab").press("ArrowRight", "Alt+ArrowLeft")
    expect(part("textbox", name="Prompt for shot 1")).to_have_value("She laughs")
    keys.to(part("button", name="Generate")).press("Enter")

    row = panel.locator(".kn-row").first
    expect(row.locator(".kn-row-status")).to_have_text("Done", timeout=SLOW)
    assert hub_of_lab.posts == posts + 1
    voice = panel.locator(
        ".kn-sr-only[role=status]"
    )  # read out by a screen reader: the problems, and the progress of jobs
    expect(voice.filter(has_text="No errors or warnings")).to_be_attached()
    expect(voice.filter(has_text=": Done")).to_be_attached()
    everything.run(ASKED)
    said = everything.notebook.outputs(ASKED)[0]["text"].strip()
    assert said == "[('She laughs', 3), ('Look, @Image1 waves', 4)] 9:16 True ['face.png']"


def test_clips_are_found_rated_compared_and_annotated_by_keyboard_only(everything: Screen, still: Page) -> None:
    gallery = everything.root.locator(".kn-gallery")
    part, cards = gallery.get_by_role, gallery.locator(".kn-card:visible")
    keys = Keys(everything, GALLERY)

    keys.to(part("searchbox", name="Search")).type("boat")
    expect(cards).to_have_count(2)
    keys.to(cards.first).press("Space", "ArrowRight", "Space", "4")
    expect(gallery.get_by_text("2 selected")).to_be_visible()
    expect(cards.nth(1)).to_have_attribute("aria-label", re.compile("4 stars"))
    keys.to(part("button", name="Compare")).press("Enter")
    player = gallery.locator(".kn-compare")
    expect(player).to_be_focused()
    expect(player).to_have_attribute("data-ready", "true", timeout=SLOW)
    keys.press(".", ".")
    expect(player.locator(".kn-time")).to_contain_text("frame 3 of")
    keys.to(part("radio", name="Side by side")).press("ArrowRight")
    keys.to(part("slider", name="Divider between A and B")).press("Home")
    keys.to(part("button", name="Close comparison")).press("Enter")
    expect(player).to_have_count(0)

    keys.to(cards.nth(1), "Shift+Tab").press("Enter")
    keys.to(part("textbox", name="Note")).type("The reeds are right").press("Escape")
    expect(cards.nth(1)).to_be_focused()
    expect(cards.nth(1)).to_contain_text("✎")
