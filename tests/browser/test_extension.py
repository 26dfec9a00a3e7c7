"""The extension in JupyterLab and Notebook 7, as a person uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from lab import Lab, Notebook
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

JOB = """import kling_nb as kn
kn.budget(day="20")
job = kn.generate("A paper boat on a rainy street", duration=3)"""


@pytest.fixture
def sidebar(apart: Page) -> Callable[[], Locator]:
    def shown() -> Locator:
        apart.evaluate("() => window.jupyterapp.shell.activateById('kling_nb')")
        return apart.locator(".knl-sidebar")

    return shown


@pytest.fixture
def notebooks(lab: Lab, hub: object, apart: Page) -> Iterator[Callable[..., Notebook]]:
    opened: list[Notebook] = []

    def show(*cells: str) -> Notebook:
        opened.append(lab.notebook(*cells, page=apart))
        return opened[-1]

    yield show


def sources(notebook: Notebook) -> list[str]:
    return notebook.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells.map((cell) => cell.getSource())"
    )


def test_a_job_of_one_notebook_is_seen_played_and_put_into_another(
    notebooks: Callable[..., Notebook], sidebar: Callable[[], Locator]
) -> None:
    first = notebooks(JOB, "job.result()")
    first.run(0)
    panel = sidebar()
    row = panel.locator(".knl-job")
    expect(row).to_contain_text("A paper boat")
    expect(row).to_contain_text(first.path.name)
    expect(panel.locator(".knl-limit").first).to_contain_text("$20.00")
    first.run(1)
    clip = panel.locator(".knl-clip").first
    expect(clip).to_contain_text("A paper boat")
    expect(row).to_have_count(0)

    notebooks("# another notebook")
    clip.locator(".knl-face").click()
    first.page.wait_for_function("() => document.querySelector('.knl-video')?.currentTime > 0.1")
    clip.get_by_role("button", name="Put into notebook").click()
    card = first.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea-output video")
    expect(card).to_have_count(1)
    other = Notebook(first.page, first.path, first.name)
    assert sources(other)[1].startswith('import kling_nb as kn\n\nkn.Studio(log="../')

    before = len(sources(other))
    last = first.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell").first
    drag(first.page, clip.locator(".knl-title"), last)
    expect_cells(other, before + 1)
    clip.get_by_role("button", name="Close").click()
    clip.locator(".knl-face").dblclick()
    expect_cells(other, before + 2)
    expect(clip.locator(".knl-video")).to_have_count(0)


def test_a_cell_whose_kernel_has_ended_shows_its_clip_and_the_gallery_needs_no_kernel(
    notebooks: Callable[..., Notebook], sidebar: Callable[[], Locator]
) -> None:
    # The studio is closed in mid-job, so that the kernel cannot finish the job before it is shut down.
    begin = """job = kn.generate("A red kite over the dunes", duration=3)
while not job.record.generation_id:
    time.sleep(0.02)
studio().close()
job"""
    first = notebooks("import time\nimport kling_nb as kn\nfrom kling_nb.shared import studio", begin)
    page = first.page
    first.run(0)
    first.run(1)
    page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); }")
    first.save()
    came = page.locator(".knl-came")
    expect(came).to_be_hidden()

    log = f"../{first.path.parent.name}/kling_log"
    second = notebooks(f"import kling_nb as kn\nkn.Studio(log={log!r}).resume().wait()")
    second.run(0)
    page.evaluate("(path) => { window.jupyterapp.commands.execute('docmanager:open', { path }); }", first.name)
    expect(came.locator("video")).to_be_visible()
    expect(came).to_contain_text("A red kite over the dunes")
    expect(page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .kn-jobs-view")).to_be_hidden()

    sidebar().get_by_role("button", name="Gallery").click()
    tab = page.locator(".knl-gallery")
    expect(tab.locator(".kn-card")).to_contain_text("A red kite over the dunes")
    tab.locator(".kn-card").hover()
    page.wait_for_function("() => document.querySelector('.knl-gallery .kn-moving')?.currentTime > 0.1")
    expect(tab.locator("[data-action='generate-again']")).to_be_hidden()


def expect_cells(notebook: Notebook, count: int) -> None:
    notebook.page.wait_for_function(
        "(count) => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells.length === count", arg=count
    )


def drag(page: Page, source: Locator, target: Locator) -> None:
    """Drag with the mouse, in steps, as a hand does."""
    start, end = source.bounding_box(), target.bounding_box()
    assert start and end
    page.mouse.move(start["x"] + 20, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(start["x"] + 60, start["y"] + 30, steps=3)
    page.mouse.move(end["x"] + 80, end["y"] + end["height"] - 4, steps=8)
    page.mouse.up()
