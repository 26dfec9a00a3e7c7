"""Complete user stories in a real JupyterLab."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from contextlib import closing

import nbformat
import pytest
from hubside import HubSide, until
from lab import ROOT, Lab, set_theme
from nbconvert import HTMLExporter
from playwright.sync_api import Page, expect

from browser.screen import Screen, contrast, plays, pwned
from kling_nb.store import Log

pytestmark = pytest.mark.browser
Opened = Callable[..., Screen]
Shot = Callable[[Screen, str], None]
PANEL = "import kling_nb as kn\nkn.panel()"
GENERATE = "import kling_nb as kn\njob = kn.generate('A red kite over the sea', duration=3)\njob"
#: For each shot: the text before the image's name, its position in the completion, and the text after it.
SHOTS = (("Close-up of", 0, "looking up"), ("Steam rises from", 1, "in the morning light"))


def test_the_quickstart_runs_and_its_clips_survive_page_and_kernel(lab: Lab, opened: Opened, shot: Shot) -> None:
    copied = lab.folder / "quickstart"
    shutil.copytree(ROOT / "notebooks" / "images", copied / "images")
    path = shutil.copy(ROOT / "notebooks" / "01_quickstart.ipynb", copied)
    screen = opened(file=copied / "01_quickstart.ipynb")

    screen.run(*range(_cells(path)))
    assert screen.errors() == []
    plays(screen.videos.first)
    shot(screen, "quickstart")
    saved = screen.notebook.save()

    screen.kernel("shutdown")
    screen.notebook.reload()
    plays(screen.videos.first)
    shot(screen, "quickstart-without-kernel")
    assert screen.notebook.save().cells[3].outputs == saved.cells[3].outputs


@pytest.mark.timeout(300)  # the longest story
def test_a_story_is_composed_generated_compared_and_rated_and_survives_its_kernel(
    opened: Opened, hub: HubSide, shot: Shot
) -> None:
    screen = opened(PANEL, "kn.gallery()")
    panel, keys = screen.panel, screen.page.keyboard
    screen.run(0)

    # Drop two images, and mention both in a storyboard of two shots, with the completion.
    screen.drop("face.png", "cup.png")
    expect(panel.locator(".kn-references .kn-tile img")).to_have_count(2)
    panel.get_by_role("radio", name="Shots").check()
    for number, (before, steps, after) in enumerate(SHOTS, 1):
        if number > 1:
            panel.get_by_role("button", name="Add shot").click()
        panel.get_by_role("textbox", name=f"Prompt for shot {number}").click()
        keys.type(f"{before} @")
        expect(panel.get_by_role("option")).to_have_count(2)
        for key in ("ArrowDown",) * steps + ("Enter",):
            keys.press(key)
        keys.type(after)
        panel.get_by_role("spinbutton", name="Seconds").nth(number - 1).fill("2")
    expect(panel.locator(".kn-total")).to_have_text("4 / 15 s")
    _written(screen)
    shot(screen, "panel")

    # Start a free preview, then generate two clips and watch their progress.
    panel.get_by_role("button", name="Preview").click()
    expect(screen.rows.first).to_contain_text("preview")
    expect(screen.cards).to_have_count(1)
    screen.cards.first.locator("video").hover()  # the mouse reaches it: nothing covers it
    expect(screen.cards.first).to_contain_text("preview", ignore_case=True)
    panel.get_by_role("radiogroup", name="Generations").get_by_role("radio", name="2").check()
    expect(screen.generate).to_be_enabled()
    screen.generate.click()
    expect(screen.rows).to_have_count(3)
    words, time = screen.rows.first.locator(".kn-row-status"), screen.rows.first.locator(".kn-row-time")
    expect(words).to_have_text(re.compile("Queued|Generating"))
    earlier = time.inner_text()
    expect(time).not_to_have_text(earlier)
    shot(screen, "progress")
    expect(screen.cards).to_have_count(2)  # the two clips share a card
    expect(screen.cards.first.locator("video")).to_have_count(2)
    expect(words).to_have_text("Done")
    plays(screen.videos.first)
    strip = screen.cards.first.locator("div[style*='flex:2 1 0']").first  # the first shot is half as wide as the clip
    widths = [part.evaluate("(el) => el.getBoundingClientRect().width") for part in (strip, screen.videos.first)]
    assert widths[0] == pytest.approx(widths[1] / 2, abs=2)
    shot(screen, "card")
    assert (hub.posts, hub.enqueued) == (3, 3)  # one request for each clip
    expect(panel.locator(".kn-earlier")).to_contain_text("2 times")
    expect(screen.generate).to_have_text(re.compile("^Generate again"))

    # Find both clips, play them together and rate one; the preview is not listed.
    screen.run(1)
    gallery = screen.root.locator(".kn-gallery")
    tiles = gallery.locator(".kn-card:visible")
    expect(tiles).to_have_count(2)
    for tile in tiles.all():
        tile.hover()
        tile.get_by_role("checkbox").click()
    gallery.get_by_role("button", name="Compare").click()
    player = gallery.locator(".kn-compare[data-ready]")
    player.get_by_role("button", name="Play (space)").click()
    for video in player.locator("video").all():
        until(lambda video=video: video.evaluate("(video) => video.currentTime > 0.3"))
    player.get_by_role("button", name="Pause (space)").click()
    tiles.nth(1).get_by_role("button", name="4 stars").click()
    expect(tiles.nth(1).locator(".kn-star.kn-on")).to_have_count(4)
    shot(screen, "compared")

    # Restart the kernel and reopen the notebook: the cards are there immediately, the rest after running the cells.
    screen.notebook.save()
    screen.kernel("restart")
    screen.notebook.reload()
    expect(screen.cards).to_have_count(2)
    plays(screen.videos.first)
    screen.run(0, 1)
    _written(screen)
    expect(panel.locator(".kn-references .kn-tile img")).to_have_count(2)
    expect(panel.locator(".kn-total")).to_have_text("4 / 15 s")
    expect(panel.locator(".kn-earlier")).to_contain_text("2 times")
    expect(tiles.nth(1).locator(".kn-star.kn-on")).to_have_count(4)
    expect(tiles.nth(0).locator(".kn-star.kn-on")).to_have_count(0)
    shot(screen, "opened-again")
    assert hub.enqueued == 3


def _written(screen: Screen) -> None:
    """Assert that the panel shows the storyboard as it was written."""
    for number, (before, steps, after) in enumerate(SHOTS, 1):
        editor = screen.panel.get_by_role("textbox", name=f"Prompt for shot {number}")
        expect(editor).to_have_value(f"{before} @Image{steps + 1} {after}")


def test_resume_fetches_the_job_of_a_restarted_kernel(opened: Opened, hub: HubSide) -> None:
    hub.fault("interrupted_download")  # the clip must not come before the kernel has ended
    screen = opened(GENERATE, "import kling_nb as kn\nkn.resume()")
    screen.run(0)
    underway = re.compile("Queued|Generating|Downloading")
    expect(screen.rows.first.locator(".kn-row-status")).to_have_text(underway)

    screen.notebook.save()
    screen.kernel("restart")
    screen.notebook.reload()
    expect(screen.root.get_by_text("kn.resume() follows “A red kite over the sea”")).to_be_visible()
    _alarm_is_hidden(screen, 1)
    hub.clear()
    screen.run(1)

    card = screen.root.locator(".jp-Cell").nth(1).locator("video")
    plays(card)
    assert hub.enqueued == 1


KITE, HERON = "A red kite over the sea", "A heron lands on the reeds"
LIVING = (
    GENERATE,
    f"kn.panel({{'prompt': {HERON!r}, 'duration': 3}})",
    """run = kn.sweep("a {mood} boat of those who left", mood=["calm", "wild"], duration=3).run(limit=1)
run.pause()
run""",
    "kn.log([record for record in kn.log() if record.clip]).vote()",
)


@pytest.mark.timeout(240)
def test_clips_made_while_the_page_is_closed_are_shown_later_and_located_after_the_kernel_has_ended(
    lab: Lab, opened: Opened, hub: HubSide, shot: Shot
) -> None:
    hub.fault("slow_download", bytes_per_second=2_500)  # slower than running the cells and closing the page
    screen = opened(*LIVING)
    screen.run(0, 1, 2)
    screen.generate.click()
    expect(screen.rows).to_have_count(2)
    path = screen.notebook.path
    screen.notebook.save()
    screen.page.goto("about:blank")
    with closing(Log(path.parent / "kling_log")) as log:
        until(lambda: _both_of({record.prompt: record.id for record in log.find() if record.clip}))

    # Reopen the page: both cells have their clip, once.
    screen = Screen(lab.open(path))
    expect(screen.cards).to_have_count(2)
    plays(screen.videos.last)
    shot(screen, "come-back")
    run = screen.root.locator(".kn-run")
    run.locator(".kn-run-cancel").click()
    expect(run.get_by_text("The run was cancelled")).to_be_visible()
    expect(run.get_by_role("button")).to_have_count(0)  # the plain sheet cannot be sent to this page
    screen.run(3)
    expect(screen.root.locator(".kn-vote")).to_be_visible()
    expect(screen.root.locator(".kling-gone:visible")).to_have_count(0)

    # The extension shows the clip of a cell whose kernel is gone; every other live view tells how to continue.
    screen.notebook.save()
    screen.kernel("restart")
    screen.notebook.reload()
    notes = screen.root.locator(".kling-gone:not(.knl-came):visible")
    expect(notes).to_have_count(3)
    expect(notes.nth(0)).to_contain_text("kn.log() shows")
    expect(notes.nth(1)).to_contain_text(re.compile(r'kn\.plan\("\w+"\)\.run\(\)'))
    expect(notes.nth(2)).to_contain_text("A vote on")
    plays(screen.videos.first)
    _alarm_is_hidden(screen, 4)
    shot(screen, "come-back-without-kernel")


def _alarm_is_hidden(screen: Screen, count: int) -> None:
    """Assert that Lab's error message about each missing widget is hidden."""
    said = screen.root.get_by_text("Error displaying widget")
    expect(said).to_have_count(count)
    expect(said.locator("visible=true")).to_have_count(0)


def _both_of(made: dict[str, str]) -> dict[str, str]:
    return made if made.keys() >= {KITE, HERON} else {}


def test_a_draft_follows_its_cell_into_a_renamed_notebook(opened: Opened, hub: HubSide) -> None:
    screen = opened(PANEL, "import os; print(os.environ['JPY_SESSION_NAME'])")
    screen.run(0)
    screen.prompt.fill("A heron lands on the reeds")
    with closing(Log(screen.notebook.path.parent / "kling_log")) as log:
        until(lambda: any("heron" in str(log.values.load("draft", name)) for name in log.values.names("draft")))

    screen.page.evaluate(
        """async () => {
            const { context, sessionContext } = window.jupyterapp.shell.currentWidget;
            const { session } = sessionContext;
            await context.rename('herons.ipynb');
            // Lab tells the server without waiting; a new kernel gets the name that the server knows by then.
            const renamed = () => [session.name, session.path].every((it) => it.endsWith('herons.ipynb'));
            while (!renamed()) await new Promise((again) => setTimeout(again, 50));
            await sessionContext.changeKernel({ name: 'python3' });
        }"""
    )
    screen.run(0, 1)
    assert screen.notebook.outputs(1)[0]["text"].strip().endswith("/herons.ipynb")
    expect(screen.prompt).to_have_value("A heron lands on the reeds")


KEYS = {
    "prompt": ".kn-panel .kn-main-prompt textarea",
    "label": ".kn-panel .kn-label",
    "count": ".kn-panel .kn-count",
    "choice": ".kn-panel label:has(input[type=radio])",
    "problem": ".kn-panel .kn-problem",
    "price": ".kn-panel .kn-price-note",
    "button": ".kn-panel .kn-primary",
    "second button": ".kn-panel .kn-secondary",
    "banner": ".kn-panel .kn-banner span",
    "row's title": ".kn-panel .kn-row-title",
    "row": ".kn-panel .kn-row-status",
    "time": ".kn-panel .kn-row-time",
    "card's prompt": ".kling-card div[style*='font-size:15px'], .kling-card div[style*='font-size: 15px']",
    "card's fold": ".kling-card summary",
    "card's small text": ".kling-card div[style*='font-size:11px'], .kling-card div[style*='font-size: 11px']",
}


def test_text_is_legible_in_light_and_dark(opened: Opened, shot: Shot) -> None:
    screen = opened("import kling_nb as kn\nkn.panel({'prompt': 'A red kite', 'duration': 3})")
    screen.run(0)
    screen.generate.click()
    expect(screen.cards).to_have_count(1)
    screen.prompt.fill("A red kite over @Nobody")  # for a problem to be shown
    expect(screen.panel.locator(".kn-problem").first).to_be_visible()

    seen = {}
    for theme in ("light", "dark"):
        set_theme(screen.page, theme)
        seen[theme] = {name: contrast(screen.root.locator(selector).first) for name, selector in KEYS.items()}
        shot(screen, f"theme-{theme}")
    set_theme(screen.page, "light")
    screen.notebook.save()
    screen.notebook.reload()
    expect(screen.rows.first).to_contain_text("Done")
    expect(screen.root.locator(".kling-card:visible")).to_have_count(1)  # only the saved one

    for theme in seen:
        assert {name: said for name, said in seen[theme].items() if said[0] < 4.5} == {}, theme
    same = {name for name in KEYS if seen["light"][name] == seen["dark"][name]}
    assert same <= {"button"}


EVIL = '<img src=x onerror="window.__pwned=1"><script>window.__pwned=2</script>'
PLANTING = f"""import kling_nb as kn
from PIL import Image
kn.gather(kn.generate({EVIL!r} + end, duration=3) for end in "12").result()
for record in kn.log():
    kn.log().annotate(record.id, tags=[{EVIL!r}], note={EVIL!r})
kn.presets[{EVIL!r}] = {{"prompt": {EVIL!r}}}
kn.elements[{EVIL!r}] = {{"frontal_image_url": Image.new("RGB", (400, 320))}}
made = [record for record in kn.log() if record.clip]"""
#: Cells that show the planted text; the panel comes last, so that it knows the preset and the element.
SHOWN = ("kn.log()", "made[0]", "kn.presets", "kn.elements", "kn.compare(*made)", "kn.gallery()", "kn.panel()")


@pytest.mark.timeout(240)
def test_planted_markup_is_only_text(apart: Page, opened: Opened, hub: HubSide, shot: Shot) -> None:
    named = "<img src=x onerror='window.__pwned=3'>.png"
    said = "<svg onload=\"window.__pwned=4\"><img src=x onerror='window.__pwned=5'> refused"
    request = {"prompt": EVIL, "duration": 3}
    screen = opened(f"import kling_nb as kn\nkn.panel({request!r})", PLANTING, *SHOWN)
    screen.run(0)
    screen.drop(named)
    expect(screen.panel.locator(".kn-references .kn-tile")).to_have_count(1)
    screen.prompt.focus()
    screen.page.keyboard.press("Control+End")
    screen.page.keyboard.type(" @Image1")

    hub.fault("failed", times=1, message=said)
    screen.generate.click()
    expect(screen.root.locator(".kling-failure")).to_contain_text("<svg onload=")
    expect(screen.cards.first.locator("img[title*='onerror']")).to_be_attached()
    expect(screen.rows.first).to_contain_text(said)
    screen.run(*range(1, 2 + len(SHOWN)))
    assert screen.errors() == []
    cells = [screen.root.locator(".jp-Notebook .jp-Cell").nth(2 + number) for number in range(len(SHOWN))]
    for cell in cells[1:6]:
        expect(cell).to_contain_text(EVIL)
    gallery, panel = cells[5].locator(".kn-gallery"), cells[6].locator(".kn-panel")
    gallery.locator(".kn-card").first.click()
    expect(gallery.get_by_label("Clip details")).to_contain_text(EVIL)
    panel.get_by_role("button", name="Presets", exact=True).click()
    expect(panel.get_by_role("group", name="Presets")).to_contain_text(EVIL)
    assert pwned(screen.page) is None
    shot(screen, "planted")

    screen.notebook.save()
    screen.kernel("shutdown")
    screen.notebook.reload()
    expect(screen.cards.first).to_contain_text(EVIL)
    for cell in cells[1:5]:
        expect(cell).to_contain_text(EVIL)
    assert pwned(screen.page) is None

    exported = screen.notebook.path.with_suffix(".html")
    exported.write_text(HTMLExporter().from_filename(str(screen.notebook.path))[0], encoding="utf-8")
    apart.goto(exported.as_uri(), wait_until="domcontentloaded")
    for form in ("card", "compare", "gallery", "saved"):
        expect(apart.locator(f".kling-{form}").first).to_contain_text(EVIL)
    assert apart.evaluate("() => window.__pwned ?? null") is None


def test_notebook_7_makes_a_clip_and_keeps_shift_enter_in_the_prompt(lab: Lab, hub: HubSide, apart: Page) -> None:
    screen = Screen(lab.seven(PANEL, page=apart))
    screen.run(0)
    ran = screen.notebook.executions(0)
    screen.prompt.click()
    apart.keyboard.type("A red kite")
    apart.keyboard.press("Shift+Enter")
    apart.keyboard.type("over the sea")
    expect(screen.prompt).to_have_value("A red kite\nover the sea")
    assert screen.notebook.executions(0) == ran

    screen.generate.click()

    plays(screen.videos.first)
    until(lambda: hub.enqueued == 1)
    screen.kernel("shutdown")


def _cells(path: str) -> int:
    return len(nbformat.read(path, as_version=4).cells)
