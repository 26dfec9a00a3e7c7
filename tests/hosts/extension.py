"""Steps that a person does with the extension, for the tests of every front end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab import ROOT, Lab, Notebook
from playwright.sync_api import Locator, Page, expect

HOSTS = ROOT / ".hosts"
JOB = 'import kling_nb as kn\njob = kn.generate("A paper boat on a rainy street", duration=3)'
FRONT = ".jp-NotebookPanel:not(.lm-mod-hidden)"
#: A job whose kernel cannot finish it: its studio is closed in mid-job.
LEFT = """import time
import kling_nb as kn
from kling_nb.shared import studio
job = kn.generate("A red kite over the dunes", duration=3)
while not job.record.generation_id:
    time.sleep(0.02)
studio().close()
job"""


def python_of(name: str) -> str:
    """Return the interpreter of an environment in `.hosts`; skip the test if it is not installed."""
    python = HOSTS / name / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{python} is missing: make test-hosts installs it")
    return str(python)


@contextmanager
def started(
    folder: Path, environment: dict[str, str], *, python: str = sys.executable, base: str = ""
) -> Iterator[Lab]:
    """Start a server whose root is a new folder, and a browser."""
    (folder / "root").mkdir()
    with Lab.started(folder / "root", env=environment, python=python, base=base) as lab:
        yield lab


def errors_of(page: Page) -> list[str]:
    """Collect the errors of a page."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error.stack or error)))
    return said


def ours(said: list[str]) -> list[str]:
    """Return those errors that are ours."""
    return [text for text in said if "kling_nb" in text]


def sidebar(page: Page) -> Locator:
    """Open the sidebar and return it."""
    page.wait_for_selector("#kling_nb", state="attached")
    page.evaluate("() => window.jupyterapp.shell.activateById('kling_nb')")
    return page.locator(".knl-sidebar")


def is_seen_played_and_carried(notebook: Notebook) -> None:
    """A job is seen under way and played, and its clip is put into the notebook."""
    page = notebook.page
    notebook.run(0)
    panel = sidebar(page)
    expect(panel.locator(".knl-job, .knl-clip").first).to_contain_text("A paper boat")
    clip = panel.locator(".knl-clip").first
    clip.locator(".knl-face").click()
    page.wait_for_function("() => document.querySelector('.knl-video')?.currentTime > 0.1")
    clip.get_by_role("button", name="Put into notebook").click()
    expect(page.locator(f"{FRONT} .jp-OutputArea-output video")).to_have_count(1)


def is_shown_in_the_gallery(page: Page, prompt: str) -> None:
    """The gallery in a tab shows a clip."""
    page.evaluate("() => window.jupyterapp.commands.execute('kling_nb:open-gallery')")
    expect(page.locator(".knl-gallery .kn-card").filter(has_text=prompt)).to_have_count(1)


def shows_its_clip_after_its_kernel(waiting: Notebook, other: Notebook) -> None:
    """A cell whose kernel has ended in mid-job shows the clip that another notebook's `kn.resume()` brings in."""
    page = waiting.page
    page.bring_to_front()
    waiting.run(0)
    page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); }")
    came = page.locator(".knl-came")
    expect(came).to_be_hidden()
    other.page.bring_to_front()
    other.run(0)
    expect(other.page.locator(".jp-OutputArea-output video").last).to_be_visible()
    page.bring_to_front()
    expect(came.locator("video")).to_be_visible()
    expect(came).to_contain_text("A red kite over the dunes")
