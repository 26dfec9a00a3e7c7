"""The extension in JupyterLab, as a person uses it. All tests share the page of the other browser tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from axe import violations
from hubside import HubSide
from lab import Lab, Notebook
from playwright.sync_api import Locator, Page, expect

from kling_nb.store import Log
from kling_nb.studio import Studio

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

JOBS = """import kling_nb as kn
kn.budget(day="20")
jobs = kn.gather(kn.generate("A paper boat on a rainy street", duration=3), kn.generate("A kite", duration=3))"""
FRONT = ".jp-NotebookPanel:not(.lm-mod-hidden)"


@pytest.fixture
def notebooks(lab: Lab, hub: object) -> Iterator[Callable[..., Notebook]]:
    opened: list[Notebook] = []

    def show(*cells: str) -> Notebook:
        opened.append(lab.notebook(*cells))
        return opened[-1]

    yield show
    lab.page.evaluate(
        """async (paths) => {
            const { shell } = window.jupyterapp;
            for (const each of [...shell.widgets('main')]) {
                if (!paths.includes(each.context?.path) && !each.id.startsWith('kling_nb')) continue;
                await each.sessionContext?.shutdown();
                each.dispose();
            }
            shell.collapseLeft();
        }""",
        [notebook.name for notebook in opened],
    )


@pytest.fixture
def page(lab: Lab) -> Page:
    return lab.page


def sidebar(page: Page) -> Locator:
    page.evaluate("() => window.jupyterapp.shell.activateById('kling_nb')")
    return page.locator(".knl-sidebar")


def test_jobs_of_one_notebook_are_seen_and_their_clips_played_and_carried_into_another(
    notebooks: Callable[..., Notebook], page: Page
) -> None:
    first = notebooks(JOBS, "jobs.result()")
    first.run(0)
    panel = sidebar(page)
    rows = panel.locator(".knl-job")
    boat = panel.locator(".knl-clip", has_text="A paper boat")
    expect(rows.filter(has_text="A paper boat")).to_contain_text(first.path.stem)
    expect(panel.locator(".knl-limit").first).to_contain_text("$20.00")
    first.run(1)
    expect(boat).to_be_visible()
    expect(rows).to_have_count(0)

    other = notebooks("# another notebook")
    boat.locator(".knl-face").click()
    page.wait_for_function("() => document.querySelector('.knl-video')?.currentTime > 0.1")
    boat.get_by_role("button", name="Put into notebook").click()
    expect(page.locator(f"{FRONT} .jp-OutputArea-output video")).to_have_count(1)
    assert sources(other)[1].startswith('import kling_nb as kn\n\nkn.Studio(log="../')
    drag(page, boat.locator(".knl-title"), page.locator(f"{FRONT} .jp-Cell").first)
    expect_cells(other, 3)
    assert violations(page, ".knl-sidebar") == []

    boat.get_by_role("button", name="Continue from last frame").click()
    panels = page.locator(f"{FRONT} .kn-panel")
    expect(panels.nth(0).get_by_text("Start and tail frames")).to_be_visible()
    assert any(source.startswith('kn.panel({\n    "start_image_url": kn.Studio(') for source in sources(other))
    slot = panels.nth(0).locator('[data-slot="tail_image_url"]')
    panels.nth(0).locator("summary", has_text="Start and tail frames").click()
    before = len(sources(other))
    drag(page, boat.locator(".knl-title"), slot.locator(".kn-slot-face"))
    expect(slot).to_have_class(re.compile("kn-filled"))
    assert len(sources(other)) == before
    boat.get_by_role("button", name="Open in panel").click()
    expect(panels.nth(1).get_by_role("textbox", name="Prompt", exact=True)).to_have_value(
        "A paper boat on a rainy street"
    )
    boat.get_by_role("button", name="Close").press("Enter")
    expect(panel.locator(".knl-video")).to_have_count(0)
    for mark in panel.locator(".knl-pick").all()[:2]:
        mark.check()
    panel.get_by_role("button", name="Compare").click()
    expect(page.locator(f"{FRONT} .kn-compare[data-ready]")).to_be_visible()
    before = len(sources(other))
    boat.locator(".knl-face").dblclick()
    expect_cells(other, before + 1)
    expect(panel.locator(".knl-video")).to_have_count(0)


def test_a_cell_whose_kernel_has_ended_shows_its_clip_and_the_gallery_needs_no_kernel(
    notebooks: Callable[..., Notebook], page: Page, hub: HubSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The studio is closed in mid-job, so that the kernel cannot finish the job before it is shut down.
    begin = """job = kn.generate("A red kite over the dunes", duration=3)
while not job.record.generation_id:
    time.sleep(0.02)
studio().close()
job"""
    notebook = notebooks("import time\nimport kling_nb as kn\nfrom kling_nb.shared import studio", begin)
    notebook.run()
    page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); }")
    came = page.locator(f"{FRONT} .knl-came")
    expect(came).to_be_hidden()
    folder = notebook.path.parent / "kling_log"
    monkeypatch.setenv("XDG_STATE_HOME", str(hub.folder.parents[1]))  # where the kernels find the local hub
    with closing(Studio(log=folder)) as studio:
        studio.resume().wait()
    expect(came.locator("video")).to_be_visible()
    expect(came).to_contain_text("A red kite over the dunes")
    expect(page.locator(f"{FRONT} .kn-jobs-view")).to_be_hidden()

    sidebar(page).get_by_role("button", name="Gallery").click()
    tab = page.locator(".knl-gallery")
    card = tab.locator(".kn-card")
    expect(card).to_contain_text("A red kite over the dunes")
    card.hover()
    page.wait_for_function("() => document.querySelector('.knl-gallery .kn-moving')?.currentTime > 0.1")
    expect(tab.locator("[data-action='generate-again']")).to_be_hidden()
    card.press("4")
    expect(card.locator("[data-action='stars-4']")).to_have_attribute("aria-pressed", "true")
    assert [record.stars for record in Log(folder).find(limit=9)] == [4]
    assert violations(page, ".knl-gallery") == []


def sources(notebook: Notebook) -> list[str]:
    return notebook.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells.map((cell) => cell.getSource())"
    )


def expect_cells(notebook: Notebook, count: int) -> None:
    notebook.page.wait_for_function(
        "(count) => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells.length === count", arg=count
    )


def drag(page: Page, source: Locator, target: Locator) -> None:
    """Drag with the mouse, in steps, as a hand does."""
    target.hover(trial=True)  # scrolls to it, and waits until it stands still
    start, end = source.bounding_box(), target.bounding_box()
    assert start and end
    page.mouse.move(start["x"] + 20, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(start["x"] + 60, start["y"] + 30, steps=3)
    page.mouse.move(end["x"] + min(end["width"] / 2, 80), end["y"] + end["height"] - 4, steps=8)
    page.mouse.up()
