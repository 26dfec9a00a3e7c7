"""A notebook on the screen: its panel, rows, cards and videos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab import Notebook
from playwright.sync_api import Locator, Page, expect

SCRIPTS = Path(__file__).with_name("scripts.js").read_text(encoding="utf-8").partition("\n")[2].strip()


class Screen:
    """The active notebook of a page."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook, self.page = notebook, notebook.page
        self.root = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        self.panel = self.root.locator(".kn-panel").first
        self.prompt = self.panel.get_by_role("textbox", name="Prompt", exact=True)
        self.generate = self.panel.locator("[data-action=generate]")  # its text says what became of the last press
        self.rows = self.root.locator(".kn-row")
        self.cards = self.root.locator(".kling-card")
        self.videos = self.root.locator("video")

    def run(self, *cells: int, wait: bool = True) -> None:
        """Run cells, one after the other."""
        for cell in cells:
            self.notebook.run(cell, wait=wait)

    def errors(self) -> list[dict[str, Any]]:
        """Return the error outputs of the notebook."""
        return self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells"
            ".flatMap((cell) => cell.outputs ?? []).filter((output) => output.output_type === 'error')"
        )

    def drop(self, *names: str) -> None:
        """Drop images with these names on the panel's references, each in another colour."""
        transfer = self.page.evaluate_handle(
            """async (names) => {
                const canvas = new OffscreenCanvas(400, 320);
                const pen = canvas.getContext('2d');
                const transfer = new DataTransfer();
                for (const [i, name] of names.entries()) {
                    pen.fillStyle = ['teal', 'firebrick', 'indigo'][i % 3];
                    pen.fillRect(0, 0, 400, 320);
                    transfer.items.add(new File([await canvas.convertToBlob()], name, { type: 'image/png' }));
                }
                return transfer;
            }""",
            names,
        )
        place = self.panel.locator(".kn-references")
        place.dispatch_event("dragover", {"dataTransfer": transfer})
        place.dispatch_event("drop", {"dataTransfer": transfer})

    def kernel(self, act: str) -> None:
        """Restart or shut down the kernel, by `act`."""
        verb = {"restart": "session.kernel.restart", "shutdown": "shutdown"}[act]
        self.page.evaluate(f"async () => {{ await window.jupyterapp.shell.currentWidget.sessionContext.{verb}(); }}")


def plays(video: Locator) -> None:
    """Assert that a video plays."""
    expect(video).to_be_attached()
    width, first, second = video.evaluate(f"(video) => {SCRIPTS}.played(video)")
    assert width > 0
    assert second > first


def contrast(element: Locator) -> tuple[float, str, str]:
    """Return the contrast ratio (WCAG) of an element's text, the text colour and the background, with opacity."""
    ratio, text, ground = element.evaluate(f"(element) => {SCRIPTS}.contrast(element)")
    return ratio, text, ground


def pwned(page: Page) -> Any:
    """Return the trace of a planted script; None if none ran."""
    page.wait_for_load_state("networkidle")  # by then an image that cannot load has failed
    return page.evaluate("() => window.__pwned ?? null")
