"""`make screens`: take the screenshots of the documentation in a real JupyterLab, on the local hub.

Each view is taken in both themes, wide and narrow, from one notebook. `python -m tests.screens NAME …` takes only those
whose names start with NAME.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from kling_nb.localhub.serve import ensure, stop
from tests.lab import ROOT, Lab, Notebook, set_theme

SCREENS = ROOT / "docs" / "screens"
_WIDE, _NARROW, _HIGH = 1180, 500, 2400
_SLOW = 120_000

_SETUP = "import kling_nb as kn"
_MANY = """kn.configure(log="many")
jobs = kn.gather(*(kn.generate(f"@Image1 leans in, take {number}, slow dolly in", input_image=["images/cat.jpg"],
                               duration=3) for number in range(1, 10)))
jobs"""
_REFUSED = """bad = kn.generate("@Image1 leans in", input_image=["images/cat.jpg"], duration=3)
bad"""
_JOB = """kn.configure(log="kling_log")
job = kn.generate(
    "@Image1 turns to the camera and smiles, slow dolly in, soft morning light",
    input_image=["images/astronaut.jpg"],
    duration=5,
)
job"""
_PANEL = """panel = kn.panel({
    "prompt": "@Image1 turns to the camera and smiles, slow dolly in, soft morning light",
    "input_image": ["images/astronaut.jpg"],
})
panel"""
_STORY = """kn.panel(kn.ReferenceToVideo(
    multi_prompt=[
        kn.Shot(prompt="Close-up of @Image1, ears up: it has heard something", duration=2),
        kn.Shot(prompt="@Image2 on a wooden table, steam rises", duration=2),
        kn.Shot(prompt="@Image1 leans in and sniffs at @Image2", duration=3),
    ],
    input_image=["images/cat.jpg", "images/coffee.jpg"],
    generate_audio=True,
))"""
_PROBLEMATIC = """kn.panel({
    "multi_prompt": [{"prompt": "@Image3 walks in", "duration": 9}, {"prompt": "", "duration": 9}],
    "input_image": ["images/cat.jpg", "images/coffee.jpg"],
    "tail_image_url": "images/coffee.jpg",
    "negative_prompt": "blur",
})"""
_TAKES = """job.result()
takes = kn.gather(
    kn.generate("@Image1 turns to the camera and laughs, slow dolly out, evening light",
                input_image=["images/astronaut.jpg"], duration=5),
    kn.generate("@Image1 on a table, steam rises, rain on the window", input_image=["images/coffee.jpg"], duration=3),
    kn.generate("A red paper boat drifts down a flooded street at night", duration=3),
    kn.generate("Close-up of @Image1, ears up", input_image=["images/cat.jpg"], duration=4),
).result()
kn.log().annotate(job.id, stars=5, tags=["hero"], note="the smile works")
kn.log().annotate(takes[3].record.id, stars=3)
kn.log().annotate(takes[0].record.id, stars=4, tags=["hero"])"""
_PLAN = """plan = kn.sweep(
    {"prompt": "@Image1 leans in, {camera}, {light}", "input_image": ["images/cat.jpg"], "duration": 3},
    camera=["camera holds still", "slow dolly in"],
    light=["soft morning light", "candle light"],
)
plan.run(limit=4).result()
kn.sweep(
    {"prompt": "@Image1 leans in, {camera}, {light}", "input_image": ["images/cat.jpg"], "duration": 3},
    camera=["camera holds still", "slow dolly in"],
    light=["soft morning light", "candle light", "hard neon light"],
)"""
_SETTING, _RUNNING, _FAILED, _CARD, _PROMPT, _SHOTS, _PROBLEMS = range(7)
_MADE, _COMPARED, _GALLERY, _LOG, _PLANNED, _MATRIX, _VOTE = range(7, 14)
_CELLS = (
    *(_SETUP, _MANY, _REFUSED, _JOB, _PANEL, _STORY, _PROBLEMATIC, _TAKES, "kn.compare(job, takes[0])", "kn.gallery()"),
    *("kn.log()", _PLAN, "plan.matrix('camera', 'light')", "plan.vote(seed=4)"),
)
_EXTENSION = (
    """import kling_nb as kn
kn.budget(day="20")
takes = kn.gather(
    kn.generate("@Image1 turns to the camera and smiles", input_image=["images/astronaut.jpg"], duration=5),
    kn.generate("A paper boat drifts down a flooded street at night, neon signs", duration=3),
    kn.generate("Close-up of @Image1, ears up", input_image=["images/cat.jpg"], duration=4),
).result()
takes[0]""",
    """job = kn.generate("@Image1 on a table, steam rises", input_image=["images/coffee.jpg"], duration=3)
job""",
)
_LEFT = """import kling_nb as kn
job = kn.generate("A red kite over the dunes, wind in the grass", duration=3)
job"""
#: Hide the toolbar of the cell.
_CALM = """.jp-Cell .jp-Toolbar, .jp-cell-toolbar {display: none !important}
.jp-Notebook .jp-Cell.jp-mod-active .jp-Collapser {visibility: hidden}"""


def main(wanted: tuple[str, ...]) -> None:
    """Take all screenshots, or those whose names start with one of `wanted`."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    if not wanted or any(not name.startswith("lab") for name in wanted):
        with _started() as (lab, faults):
            page = lab.new_page(width=_WIDE, height=_HIGH)
            page.set_default_timeout(_SLOW)
            notebook = lab.notebook(*_CELLS, page=page, name="takes.ipynb")
            page.evaluate("() => { const { shell } = window.jupyterapp; shell.collapseLeft(); shell.collapseRight(); }")
            page.add_style_tag(content=_CALM)
            Taking(notebook, faults, wanted).all()
    if not wanted or any(name.startswith("lab") for name in wanted):
        with _started() as (lab, faults):
            _extension(lab, faults)


@contextmanager
def _started() -> Iterator[tuple[Lab, Callable[..., None]]]:
    """Start JupyterLab in a new folder, with a new log, and give it and a function that sets faults of its hub."""
    with tempfile.TemporaryDirectory(prefix="kling_nb-screens-") as name, _hub(Path(name)) as faults:
        folder = Path(name)
        shutil.copytree(ROOT / "notebooks" / "images", folder / "images")
        with Lab.started(folder, env={"XDG_STATE_HOME": str(folder / "state"), "HOME": str(folder)}) as lab:
            yield lab, faults


def _extension(lab: Lab, faults: Callable[..., None]) -> None:
    """Take JupyterLab with the sidebar, the gallery in a tab, and the launcher, in light and dark."""
    page = lab.new_page(width=_WIDE, height=760)
    page.set_default_timeout(_SLOW)
    notebook = lab.notebook(*_EXTENSION, page=page, name="harbour.ipynb")
    notebook.run(0)
    faults("stuck", times=2)
    notebook.run(1)
    page.evaluate("() => window.jupyterapp.shell.activateById('kling_nb')")
    page.locator(".knl-job").first.wait_for()
    page.locator(".knl-poster").nth(2).wait_for()
    for command, name, sign in (
        ("", "lab-sidebar", ".knl-clip"),
        ("kling_nb:open-gallery", "lab-gallery", ".knl-gallery .kn-poster:not([hidden])"),
        ("launcher:create", "lab-launcher", ".jp-LauncherCard"),
    ):
        page.evaluate("(name) => { if (name) window.jupyterapp.commands.execute(name); }", command)
        page.locator(sign).first.wait_for()
        for theme in ("light", "dark"):
            set_theme(page, theme)
            page.wait_for_timeout(800)  # for images to be decoded and for the layout to settle
            _save(page, SCREENS / f"{name}-{theme}.png")
        set_theme(page, "light")
    _waiting(lab, page, faults)


def _waiting(lab: Lab, page: Page, faults: Callable[..., None]) -> None:
    """Take a cell that shows the clip that came in after its kernel had ended."""
    faults("slow_download", bytes_per_second=1000)
    waiting = lab.notebook(_LEFT, page=page, name="dunes/waiting.ipynb")
    waiting.run(0)
    expect(page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .kn-row")).to_contain_text("Downloading")
    faults("")
    page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); }")
    other = lab.notebook(f"{_SETUP}\nkn.resume()", page=lab.new_page(), name="dunes/other.ipynb")
    other.run(0)
    page.bring_to_front()
    page.locator(".knl-came video").wait_for()
    for theme in ("light", "dark"):
        set_theme(page, theme)
        page.wait_for_timeout(800)
        _save(page, SCREENS / f"lab-waiting-{theme}.png")


class Taking:
    """One notebook, run cell by cell; each view is taken four times."""

    def __init__(self, notebook: Notebook, faults: Callable[..., None], wanted: tuple[str, ...]) -> None:
        self._notebook, self._page, self._faults, self._wanted = notebook, notebook.page, faults, wanted

    def all(self) -> None:
        self._run(_SETTING)
        self._running()
        self._made()
        self._panels()
        self._viewed()
        self._planned()

    def _running(self) -> None:
        self._faults("stuck", times=6)
        cell = self._run(_RUNNING)
        expect(cell.locator(".kn-summary")).to_contain_text("6 generating · 3 done", timeout=_SLOW)
        self._take(_RUNNING, "progress")
        self._faults("failed", times=1, message="The prompt was flagged by the safety system.")
        cell = self._run(_FAILED)
        cell.locator(".kling-failure").first.wait_for()
        self._take(_FAILED, "failed")

    def _made(self) -> None:
        self._faults("")
        cell = self._run(_CARD)
        _at(self._page, cell.locator("video").first)
        self._take(_CARD, "card")

    def _panels(self) -> None:
        for number, name in ((_PROMPT, "panel"), (_SHOTS, "panel-shots"), (_PROBLEMS, "panel-problems")):
            self._run(number).locator(".kn-tile img").first.wait_for()
            self._take(number, name)
        cell = self._cell(_PROMPT)
        cell.get_by_role("button", name="Generate").click()
        video = cell.locator("video")
        video.wait_for()
        _at(self._page, video)
        self._take(_PROMPT, "hero", whole=True)

    def _viewed(self) -> None:
        self._run(_MADE)
        player = self._run(_COMPARED).locator(".kn-compare[data-ready]").first
        player.get_by_role("slider", name="Time").fill("1.5")
        self._take(_COMPARED, "compare")
        player.get_by_role("radio", name="Wipe").check()
        self._take(_COMPARED, "compare-wipe")
        cards = self._run(_GALLERY).locator(".kn-gallery .kn-card:visible")
        cards.nth(4).locator(".kn-tile-prompt").click()
        for number in (3, 4):
            cards.nth(number).locator(".kn-pick").click(force=True)
        self._take(_GALLERY, "gallery")
        self._run(_LOG)
        self._take(_LOG, "log")

    def _planned(self) -> None:
        self._run(_PLANNED)
        self._take(_PLANNED, "plan")
        self._run(_MATRIX)
        self._take(_MATRIX, "matrix")
        self._run(_VOTE).locator(".kn-vote[data-ready]").wait_for()
        self._take(_VOTE, "vote")

    def _run(self, number: int) -> Locator:
        """Run a cell and scroll to it: Lab does not lay out cells outside the viewport."""
        self._notebook.run(number)
        self._cell(number).scroll_into_view_if_needed()
        return self._cell(number)

    def _cell(self, number: int) -> Locator:
        return self._page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell").nth(number)

    def _take(self, number: int, name: str, *, whole: bool = False) -> None:
        """Take the output of a cell, or the whole cell, wide and narrow, in light and dark."""
        if self._wanted and not name.startswith(self._wanted):
            return
        area = self._cell(number)
        target = area if whole else area.locator(".jp-Cell-outputWrapper")
        for width, of_width in ((_WIDE, ""), (_NARROW, "-narrow")):
            self._page.set_viewport_size({"width": width, "height": _HIGH})
            for theme in ("light", "dark"):
                set_theme(self._page, theme)
                area.scroll_into_view_if_needed()
                self._page.wait_for_timeout(600)  # for images to be decoded and for the layout to settle
                _save(target, SCREENS / f"{name}{of_width}-{theme}.png")
        self._page.set_viewport_size({"width": _WIDE, "height": _HIGH})
        set_theme(self._page, "light")


@contextmanager
def _hub(folder: Path) -> Iterator[Callable[..., None]]:
    """Start the local hub for the kernel; gives a function that sets its fault by name, or '' for none."""
    state = folder / "state" / "kling_nb" / "localhub"
    url = ensure(state, speed=2, idle=600)

    def fault(name: str, **more: object) -> None:
        httpx.delete(f"{url}/_local/faults", trust_env=False)
        if name:
            httpx.post(f"{url}/_local/faults", json={"fault": name, "match": {}, **more}, trust_env=False)

    yield fault
    stop(state)


def _at(page: Page, video: Locator) -> None:
    """Show a frame of the clip, not its poster."""
    video.evaluate("async (video) => { video.muted = true; await video.play(); }")
    page.wait_for_function("(video) => video.currentTime > 1.5", arg=video.element_handle())
    video.evaluate("(video) => video.pause()")


def _save(target: Locator | Page, file: Path) -> None:
    """Save a screenshot with few colours, so that the repository stays small."""
    target.screenshot(path=file)
    with Image.open(file) as image:
        image.convert("RGB").quantize(192, dither=Image.Dither.NONE).save(file, optimize=True)


if __name__ == "__main__":
    main(tuple(sys.argv[1:]))
