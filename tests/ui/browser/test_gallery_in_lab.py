"""The gallery and the player with a real mouse and keyboard."""

import re

import pytest
from axe import violations
from gallery_stand import PLANTED
from hubside import until
from lab import set_theme
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

SETUP = "import sys\nfrom stand_in import Engine\nengine = Engine()"
#: All tests share one kernel; each runs its cell again, with a log of its own.
NEW = """import itertools
from gallery_stand import Stand, PLANTED
numbers = itertools.count()
def few():
    return Stand(f"few-{next(numbers)}", 8, prompts=(PLANTED, "a blue kite"), engine=engine)
many = Stand("many", 2000, engine=engine)"""
THREE, TWO, FEW, MANY, BOTH = range(2, 7)
CELLS = (
    "few().compare('job00000', 'job00001', 'job00002')",
    "few().compare('job00000', 'job00001')",
    "stand = few()\nstand.gallery()",
    "many.gallery()",
    "stand = few()\ndisplay(stand.compare('job00000', 'job00001'))\nstand.gallery()",
)
#: Read the number of a frame from the bits in its upper half.
NUMBER = """(video) => {
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const pen = canvas.getContext('2d');
  pen.drawImage(video, 0, 0);
  let number = 0;
  for (let bit = 0; bit < 7; bit += 1) {
    const [red] = pen.getImageData(bit * 48 + 24, 40, 1, 1).data;
    number += (red > 127 ? 1 : 0) << bit;
  }
  return number;
}"""


class Seen:
    """The output of one cell on the screen."""

    def __init__(self, notebook, cell, what):
        self.notebook, self.page = notebook, notebook.page
        self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
        notebook.run(cell)
        self.cell = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell").nth(cell)
        self.root = self.cell.locator(what).first
        self.root.wait_for()
        self.cards = self.root.locator(".kn-card:visible")

    def numbers(self):
        return [video.evaluate(NUMBER) for video in self.root.locator(".kn-stage video").all()]

    def shows(self, numbers):
        """Wait for these frames: a frame is painted a moment after the time display changes."""
        until(lambda: self.numbers() == numbers)

    def ask(self, expression):
        return self.page.evaluate(
            """async (code) => {
                const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                const reply = await kernel.requestExecute({ code: '', silent: true, store_history: false,
                    user_expressions: { it: code } }).done;
                const it = reply.content.user_expressions.it;
                return it.status === 'ok' ? it.data['text/plain'] : `${it.ename}: ${it.evalue}`;
            }""",
            expression,
        )

    def eventually(self, expression, expected):
        for _ in range(1000):
            if (said := self.ask(expression)) == expected:
                return
            self.page.wait_for_timeout(30)
        raise AssertionError(f"{expression} is {said}, not {expected}")


@pytest.fixture(scope="module")
def opened(lab):
    notebook = lab.notebook(SETUP, NEW, *CELLS)
    notebook.run(0)
    notebook.run(1)
    yield notebook
    notebook.close()


@pytest.fixture
def player(opened):
    def show(cell=TWO):
        seen = Seen(opened, cell, ".kn-compare")
        expect(seen.root).to_have_attribute("data-ready", "true")
        return seen

    return show


@pytest.fixture
def gallery(opened):
    def show(cell=FEW):
        seen = Seen(opened, cell, ".kn-gallery")
        seen.cards.first.wait_for()
        return seen

    return show


def test_all_videos_show_the_frame_that_was_stepped_to(player):
    seen = player(THREE)
    seen.root.focus()
    assert seen.numbers() == [0, 0, 0]

    for key, there in [("Period", 1), ("Period", 2), ("Comma", 1), ("ArrowRight", 25), ("Period", 26), ("Home", 0)]:
        seen.page.keyboard.press(key)
        expect(seen.root.locator(".kn-time")).to_contain_text(f"frame {there + 1} of 72")
        seen.shows([there] * 3)
    seen.page.keyboard.press("End")
    expect(seen.root.locator(".kn-time")).to_contain_text("frame 72 of 72")
    seen.shows([71, 59, 47])  # the shorter ones stay on their last frame


def test_videos_stay_within_a_frame_of_each_other_and_stop_on_the_same_one(player):
    seen = player(THREE)
    seen.root.get_by_role("button", name="Play (space)").click()
    drifts = seen.root.evaluate(
        """async (root) => {
            const videos = [...root.querySelectorAll('.kn-stage video')];
            const drifts = [];
            const start = performance.now();
            while (performance.now() - start < 1700) {
                await new Promise(requestAnimationFrame);
                const times = videos.map((video) => video.currentTime);
                const drift = (Math.max(...times) - Math.min(...times)) * 24;
                if (performance.now() - start > 500 && times[0] < 1.9) drifts.push(drift);
            }
            return drifts.sort((a, b) => a - b);
        }"""
    )
    middle = drifts[len(drifts) // 2]
    print(f"drift in frames: median {middle:.3f}, 95 % {drifts[len(drifts) * 95 // 100]:.3f}, worst {drifts[-1]:.3f}")
    assert middle < 0.5 and drifts[len(drifts) * 95 // 100] < 1

    seen.root.get_by_role("button", name="Pause (space)").click()
    expect(seen.root.get_by_role("button", name="Play (space)")).to_be_visible()
    seen.page.wait_for_function(
        "(root) => [...root.querySelectorAll('video')].every((video) => video.paused && !video.seeking)",
        arg=seen.root.element_handle(),
    )
    there = int(seen.root.locator("video").first.evaluate("(video) => video.currentTime") * 24)
    seen.shows([min(there, last) for last in (71, 59, 47)])  # the shorter ones stay on their last frame


def test_it_loops_at_the_chosen_speed(player):
    seen = player()
    seen.root.get_by_role("combobox", name="Speed").select_option("2")
    seen.root.get_by_role("slider", name="Time").fill("2.8")
    seen.root.get_by_role("button", name="Play (space)").click()
    seen.page.wait_for_function(
        "(root) => root.querySelector('video').currentTime > 0.1 && root.querySelector('video').currentTime < 2",
        arg=seen.root.element_handle(),
    )
    assert seen.root.locator("video").first.evaluate("(video) => video.playbackRate") == 2


def test_a_wipe_shows_one_clip_over_the_other(player):
    seen = player()
    seen.root.get_by_role("radio", name="Wipe").check(force=True)
    box = seen.root.get_by_role("slider", name="Divider between A and B").bounding_box()
    seen.page.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + 60)

    first, second = seen.root.locator(".kn-box").all()
    assert abs(float(second.evaluate("(el) => getComputedStyle(el).clipPath.match(/([0-9.]+)%/)[1]")) - 25) < 1
    assert first.bounding_box() == second.bounding_box()
    line = seen.root.locator(".kn-wipe-line").bounding_box()
    assert abs(line["x"] + 1 - (box["x"] + box["width"] * 0.25)) < 6


def test_differences_stay_beside_their_name_when_they_wrap(player):
    seen = player(THREE)
    seen.cell.locator(".kn-compare-view").evaluate("(el) => { el.style.width = '600px'; }")
    name = seen.root.get_by_role("rowheader").first.bounding_box()
    values = [value.bounding_box() for value in seen.root.locator(".kn-value").all()]
    assert len({value["y"] for value in values[:3]}) == 2  # three do not fit in one line
    assert min(value["x"] for value in values) > name["x"] + name["width"]


def test_planted_markup_is_only_text_in_the_player(player):
    seen = player()
    expect(seen.root.locator(".kn-value").first).to_contain_text("<script>window.planted = 1</script>")
    assert seen.page.evaluate("() => window.planted") is None


def test_of_two_thousand_records_only_the_visible_ones_have_tiles(gallery):
    seen = gallery(MANY)
    expect(seen.root.locator(".kn-record-count")).to_have_text("2000 records")
    most = seen.root.evaluate(
        """async (root) => {
            const grid = root.querySelector('.kn-grid');
            let most = 0;
            for (let step = 0; step < 90; step += 1) {
                grid.scrollTop += 260;
                await new Promise(requestAnimationFrame);
                most = Math.max(most, root.querySelectorAll('.kn-card').length);
            }
            return most;
        }"""
    )
    assert most < 60

    seen.root.locator(".kn-grid").evaluate("(grid) => { grid.scrollTop = grid.scrollHeight; }")
    last = seen.root.locator(".kn-card[aria-posinset='2000']")
    expect(last).to_contain_text("take 0 of a red kite")
    expect(last.locator("img")).to_have_attribute("src", re.compile("^data:image/jpeg"))


def test_it_is_filtered_while_typing(gallery):
    seen = gallery(MANY)
    seen.root.get_by_role("searchbox", name="Search").press_sequentially("take 42 ", delay=20)
    expect(seen.root.locator(".kn-record-count")).to_have_text("11 records")  # 42, and 420 to 429
    seen.root.get_by_role("combobox", name="Status").select_option(label="Failed")
    expect(seen.root.locator(".kn-record-count")).to_have_text("1 record")
    seen.root.get_by_role("searchbox", name="Search").fill("nowhere")
    expect(seen.root.get_by_text("No matches")).to_be_visible()
    seen.root.get_by_role("button", name="Clear filters").click()
    expect(seen.root.locator(".kn-record-count")).to_have_text("2000 records")


def test_a_clip_of_another_kernel_is_updated_without_a_reload(gallery):
    seen = gallery()
    write = (
        "setattr(stand, 'job', stand.record('job00003').model_copy(update={'id': 'job00098', 'status': %r, 'clip': %s,"
        " 'canonical': {'model': 'm', 'prompt': 'a lantern', 'duration': 3}})) or stand.log.save(stand.job).status"
    )
    assert seen.ask(write % ("queued", "None")) == "'queued'"
    seen.root.get_by_role("searchbox").fill("lantern")  # matches are read from the log
    expect(seen.cards).to_have_count(1)
    expect(seen.cards.first.locator("video, img[src]:visible")).to_have_count(0)

    assert seen.ask(write % ("succeeded", "stand.record('job00003').clip")) == "'succeeded'"
    expect(seen.cards.first.locator("img.kn-poster")).to_be_visible()


def test_stars_tags_and_notes_are_saved_immediately(gallery):
    seen = gallery()
    card = seen.cards.nth(2)  # job00005
    card.get_by_role("button", name="4 stars").click()
    seen.eventually("stand.record('job00005').stars", "4")
    card.focus()
    seen.page.keyboard.press("2")
    seen.eventually("stand.record('job00005').stars", "2")
    expect(card.locator(".kn-star.kn-on")).to_have_count(2)

    seen.page.keyboard.press("Enter")
    seen.root.get_by_role("textbox", name="Tags").fill(f"hero, {PLANTED}")
    seen.root.get_by_role("textbox", name="Note").fill(PLANTED)
    seen.root.get_by_role("textbox", name="Note").blur()
    seen.eventually("stand.record('job00005').note == PLANTED", "True")
    seen.eventually("stand.record('job00005').tags == ('hero', PLANTED)", "True")
    expect(card).to_contain_text("#hero")
    expect(seen.root.get_by_role("button", name="#hero")).to_be_visible()
    assert seen.page.evaluate("() => window.planted") is None


def test_a_clip_plays_while_the_pointer_is_on_it(gallery):
    seen = gallery()
    seen.cards.nth(1).hover()
    seen.page.wait_for_function("() => document.querySelector('.kn-moving')?.currentTime > 0.1")
    seen.root.get_by_role("searchbox").hover()
    expect(seen.root.locator(".kn-moving")).to_have_count(0)


def test_nothing_plays_by_itself_with_reduced_motion(gallery):
    seen = gallery()
    seen.page.emulate_media(reduced_motion="reduce")
    seen.cards.nth(1).hover()
    seen.page.wait_for_timeout(400)  # longer than the delay before a clip plays
    expect(seen.root.locator(".kn-moving")).to_have_count(0)
    seen.page.emulate_media(reduced_motion="no-preference")


def test_selected_clips_are_compared_generated_again_exported_and_deleted(gallery):
    seen = gallery()
    for number in (0, 1):
        seen.cards.nth(number).focus()
        seen.page.keyboard.press("Space")
    seen.root.get_by_role("button", name="Compare").click()
    expect(seen.root.locator(".kn-compare")).to_have_attribute("data-ready", "true")

    seen.root.get_by_role("button", name="Generate again").click()
    expect(seen.root.get_by_text("Generate 2 clips again?")).to_be_visible()
    assert seen.ask("len(stand.started)") == "0"
    seen.root.get_by_role("button", name="Generate · $2.016").dblclick()
    expect(seen.root.locator(".kn-row")).to_have_count(2)
    assert seen.ask("[of for _, of in stand.started]") == "['job00007', 'job00006']"

    seen.cards.nth(0).focus()
    seen.page.keyboard.press("Space")
    seen.root.get_by_role("button", name="Export").click()
    expect(seen.root.locator(".kn-selection-question:visible")).to_contain_text("RO-Crate")

    found, search = seen.root.locator(".kn-record-count"), seen.root.get_by_role("searchbox", name="Search")
    search.fill("blue kite")  # hidden clips stay selected and are left alone
    expect(found).to_have_text("1 record")
    expect(seen.root.get_by_text("0 selected (1 hidden)")).to_be_visible()
    expect(seen.root.get_by_role("button", name="Delete")).to_be_disabled()
    seen.cards.nth(0).focus()
    seen.page.keyboard.press("Space")
    expect(seen.root.get_by_text("1 selected (1 hidden)")).to_be_visible()
    seen.root.get_by_role("button", name="Delete").click()
    expect(found).to_have_text("0 records")
    assert seen.ask("stand.log.trashed()") == "['job00001']"
    seen.root.get_by_role("button", name="Undo").click()
    expect(found).to_have_text("1 record")
    search.fill("")
    expect(found).to_have_text("8 records")
    expect(seen.root.get_by_text("1 selected", exact=True)).to_be_visible()
    assert seen.ask("(stand.log.trashed(), stand.log.verify())") == "([], [])"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_gallery_and_player_have_no_serious_violation(gallery, theme):
    seen = gallery(BOTH)
    set_theme(seen.page, theme)
    seen.cards.first.focus()
    seen.page.keyboard.press("Space")
    seen.cards.first.click()
    expect(seen.root.get_by_role("button", name="Delete")).to_be_visible()
    try:
        here = ".jp-NotebookPanel:not(.lm-mod-hidden)"
        assert [
            found for part in (".kn-gallery", ".kn-compare-view") for found in violations(seen.page, f"{here} {part}")
        ] == []
    finally:
        set_theme(seen.page, "light")
        seen.page.keyboard.press("Escape")


def test_it_fits_in_a_narrow_cell(gallery):
    seen = gallery(BOTH)
    for root in (seen.root, seen.cell.locator(".kn-compare-view")):
        root.evaluate("(el) => { el.style.width = '320px'; }")
        expect(root.locator("video, .kn-card").first).to_be_visible()
        assert root.evaluate("(el) => el.scrollWidth") <= 322


def test_the_static_form_needs_no_kernel_and_is_hidden_while_the_widget_lives(gallery):
    seen = gallery(BOTH)
    sheet, table = (
        seen.page.locator(f".jp-NotebookPanel:not(.lm-mod-hidden) .kling-{what}") for what in ("gallery", "compare")
    )
    expect(sheet).to_be_hidden()
    expect(table).to_be_hidden()

    seen.notebook.save()
    seen.page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); }")
    seen.notebook.reload()

    expect(sheet).to_be_visible()
    expect(table.locator("video")).to_have_count(2)
    seen.page.wait_for_function(
        "() => [...document.querySelectorAll('.kling-compare video')].every((v) => v.readyState > 0)"
    )
