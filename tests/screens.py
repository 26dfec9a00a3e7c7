"""`make screens`: take the screenshots of the documentation anew, from a real JupyterLab on the real local hub."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page

from tests.lab import ROOT, Lab, Notebook

SCREENS = ROOT / "docs" / "screens"
_SETUP = "import kling_nb as kn"
_JOB = """job = kn.generate(
    "@Image1 turns to the camera and smiles, slow dolly in",
    input_image=["images/astronaut.jpg"],
    duration=5,
)
job"""
_STORY = """panel = kn.panel(kn.ReferenceToVideo(
    multi_prompt=[
        kn.Shot(prompt="Close-up of @Image1, ears up: it has heard something", duration=2),
        kn.Shot(prompt="@Image2 on a wooden table, steam rises", duration=2),
        kn.Shot(prompt="@Image1 leans in and sniffs at @Image2", duration=3),
    ],
    input_image=["images/cat.jpg", "images/coffee.jpg"],
    generate_audio=True,
))
panel"""
_PROMPT = """panel = kn.panel({
    "prompt": "@Image1 turns to the camera and smiles, slow dolly in, soft morning light",
    "input_image": ["images/astronaut.jpg"],
})
panel"""
_FAULTY = """panel = kn.panel({
    "multi_prompt": [{"prompt": "@Image3 walks in", "duration": 9}, {"prompt": "", "duration": 9}],
    "input_image": ["images/cat.jpg", "images/coffee.jpg"],
    "tail_image_url": "images/coffee.jpg",
    "negative_prompt": "blur",
})
panel"""
_LOG = "kn.log()"
_TAKES = """takes = kn.gather(
    kn.generate("@Image1 turns to the camera and laughs, slow dolly out, evening light",
                input_image=["images/astronaut.jpg"], duration=5),
    kn.generate("@Image1 on a table, steam rises, rain on the window", input_image=["images/coffee.jpg"], duration=3),
    kn.generate("A red paper boat drifts down a flooded street at night", duration=3),
    kn.generate("Close-up of @Image1, ears up", input_image=["images/cat.jpg"], duration=4),
).result()
kn.log().annotate(job.id, stars=5, tags=["hero"], note="the smile works")
kn.log().annotate(takes[3].record.id, stars=3)
kn.log().annotate(takes[0].record.id, stars=4, tags=["hero"])"""
_COMPARE = "kn.compare(job, takes[0])"
_GALLERY = "kn.gallery()"
_CURATE = (_TAKES, _COMPARE, _GALLERY)
#: Leave the cell and its toolbar alone on the picture.
_CALM = """.jp-Cell .jp-Toolbar, .jp-cell-toolbar {display: none !important}
.jp-Notebook .jp-Cell.jp-mod-active .jp-Collapser {visibility: hidden}"""


def main() -> None:
    """Take every picture in both themes."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kling_nb-screens-") as name:
        folder = Path(name)
        shutil.copytree(ROOT / "notebooks" / "images", folder / "images")
        with Lab.started(folder, env={"XDG_STATE_HOME": str(folder / "state")}) as lab:
            for dark in (False, True):
                _wide(lab, "dark" if dark else "light", dark=dark)
            _narrow(lab)


def _wide(lab: Lab, theme: str, *, dark: bool) -> None:
    page = lab.new_page(width=1180, height=1500, dark=dark)
    notebook = lab.notebook(
        _SETUP, _JOB, _STORY, _PROMPT, _FAULTY, _LOG, *_CURATE, page=page, name=f"demo-{theme}.ipynb"
    )
    _calm(page)
    notebook.run(0)
    notebook.run(1)
    page.locator(".jp-OutputArea").get_by_text("Generating").wait_for(timeout=60_000)
    _take(notebook, 1, f"progress-{theme}")
    page.locator(".jp-OutputArea video").first.wait_for()
    _seek(page, page.locator(".jp-OutputArea video").first)
    _take(notebook, 1, f"card-{theme}", whole=True)
    for cell, what in ((2, "panel-shots"), (3, "panel-prompt"), (4, "panel-faults"), (5, "log")):
        notebook.run(cell)
        page.wait_for_timeout(800)  # for thumbnails to be decoded: a picture is taken of them, nothing is asserted
        _take(notebook, cell, f"{what}-{theme}")
    notebook.run(6)
    _compared(notebook, theme)
    if not dark:
        _hero(notebook)
    notebook.close()


def _compared(notebook: Notebook, theme: str) -> None:
    """Two clips beside each other and one over the other; then the gallery, with a clip open and two selected."""
    page = notebook.page
    notebook.run(7)
    player = page.locator(".kn-compare[data-ready]").first
    player.wait_for()
    player.get_by_role("slider", name="Time").fill("1.5")
    page.wait_for_timeout(500)  # for the frames to be drawn
    _take(notebook, 7, f"compare-{theme}")
    player.get_by_role("radio", name="Wipe").check(force=True)
    _take(notebook, 7, f"compare-wipe-{theme}")
    notebook.run(8)
    cards = page.locator(".kn-gallery .kn-card:visible")
    cards.nth(4).locator(".kn-tile-prompt").click()
    for number in (3, 4):
        cards.nth(number).locator(".kn-pick").click(force=True)
    page.wait_for_timeout(800)
    _take(notebook, 8, f"gallery-{theme}")


def _hero(notebook: Notebook) -> None:
    """The picture of the README: a panel, and the clip that it made."""
    cell = notebook.page.locator(".jp-Notebook .jp-Cell").nth(3)
    cell.get_by_role("button", name="Generate").click()
    cell.locator("video").wait_for(timeout=60_000)
    _seek(notebook.page, cell.locator("video"))
    _take(notebook, 3, "hero", whole=True)


def _narrow(lab: Lab) -> None:
    page = lab.new_page(width=520, height=1600)
    notebook = lab.notebook(_SETUP, _STORY, _JOB, _TAKES, _GALLERY, page=page, name="narrow.ipynb")
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    _calm(page)
    notebook.run()
    page.wait_for_timeout(800)
    _take(notebook, 1, "panel-narrow")
    page.locator(".kn-gallery .kn-card:visible").nth(1).locator(".kn-tile-prompt").click()
    page.wait_for_timeout(800)
    _take(notebook, 4, "gallery-narrow")
    notebook.close()


def _calm(page: Page) -> None:
    page.evaluate("() => { const app = window.jupyterapp; app.shell.collapseLeft(); app.shell.collapseRight?.(); }")
    page.add_style_tag(content=_CALM)


def _seek(page: Page, video: Locator) -> None:
    """Show a moment of the clip, not its poster."""
    video.evaluate("async (video) => { video.muted = true; await video.play(); }")
    page.wait_for_function("(video) => video.currentTime > 1.5", arg=video.element_handle())
    video.evaluate("(video) => video.pause()")


def _take(notebook: Notebook, cell: int, name: str, *, whole: bool = False) -> None:
    area = notebook.page.locator(".jp-Notebook .jp-Cell").nth(cell)
    area.scroll_into_view_if_needed()
    target = area if whole else area.locator(".jp-Cell-outputWrapper")
    file = SCREENS / f"{name}.png"
    target.screenshot(path=file)
    with Image.open(file) as picture:
        picture.convert("RGB").quantize(192).save(file, optimize=True)


if __name__ == "__main__":
    main()
